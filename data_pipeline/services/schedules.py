"""Schedules of the pipelines: declared in the settings, stored as rows of the queue."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.utils.module_loading import import_string

from data_pipeline import conf
from seeder.errors import NotSchedulable
from seeder.services.queue import schedule_rows
from seeder.services.queue.schedule_rows import DeclaredSchedule, ScheduleStatus
from seeder.texts import Text

_PREFIX = schedule_rows.prefix_of("data_pipeline")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Pipeline:
    """A task without arguments, and the names of its settings."""

    name: str
    task: str
    switch: str
    cron: str


# A pipeline is scheduled by the name of its task.
_PIPELINES = (
    _Pipeline(name="requested refreshes", task="refresh_roi_mvs", switch="SCHEDULE_MV_REFRESH", cron="MV_REFRESH_CRON"),
    _Pipeline(name="logistics", task="logistics_etl_full", switch="SCHEDULE_LOGISTICS_ETL", cron="LOGISTICS_CRON"),
    _Pipeline(name="fees", task="fees_h10_refresh", switch="SCHEDULE_FEES_H10", cron="FEES_H10_CRON"),
)


def sync_schedules(*, dry_run: bool = False) -> Sequence[ScheduleStatus]:
    """Make the queue's schedules match the settings. An unchanged schedule keeps its next due time.

    Raises `ConfigurationError`, `QueueMissing`, `ExtraMissing` or `DatabaseError`.
    """
    settings = conf.load()
    schedule_rows.require_queue()
    require_valid_schedules()
    declared = [
        DeclaredSchedule(name=_PREFIX + one.name, task=_path(one), cron=getattr(settings, one.cron.lower()))
        for one in _PIPELINES
        if getattr(settings, one.switch.lower())
    ]
    return schedule_rows.sync_rows(_PREFIX, declared, dry_run=dry_run)


def require_valid_schedules() -> None:
    """Raise `NotSchedulable` for the first invalid setting. Uses no database."""
    schedule_rows.require_valid(schedule_problems(conf.load()))


def schedule_problems(settings: conf.Settings) -> Iterator[NotSchedulable]:
    """Yield each invalid cron expression, and each switch without a task. Nothing without a queue or its extra."""
    if not schedule_rows.is_usable():
        return
    yield from schedule_rows.cron_problems({one.cron: getattr(settings, one.cron.lower()) for one in _PIPELINES})
    for one in _PIPELINES:
        if getattr(settings, one.switch.lower()) and not _exists(one):
            yield NotSchedulable(
                setting=one.switch, value=True, problem=Text("there is no task {task}", task=_path(one))
            )


def _path(pipeline: _Pipeline) -> str:
    return f"data_pipeline.tasks.{pipeline.task}"


def _exists(pipeline: _Pipeline) -> bool:
    try:
        return callable(import_string(_path(pipeline)))
    except ImportError:
        return False
