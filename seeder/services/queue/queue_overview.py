"""An overview of the queue: queued, running and ended parts, workers, schedules and problems.

It takes a constant number of queries.
"""

from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.db import DEFAULT_DB_ALIAS
from django.db.models.functions import Now

from seeder.domain.manifests import ViewKey
from seeder.domain.outcomes import Status
from seeder.domain.queue.queued_requests import QueuedPartState
from seeder.domain.view_names import ViewName
from seeder.errors import BadName
from seeder.models import QueuedRefresh, RunHistory
from seeder.postgres import advisory_locks, sessions
from seeder.postgres.sqlstates import translate_database_errors
from seeder.services.queue import dispatch, part_rows, schedules
from seeder.services.queue.queue_problems import queue_problems
from seeder.services.queue.schedules import ScheduleStatus

_RECENT = timedelta(days=1)
_MAX_ENDED = 20
# An idle worker claims a part at once, and a rescuer dispatches a lost one within a minute.
_STALLED_AFTER = timedelta(minutes=5)


@dataclass(frozen=True, kw_only=True, slots=True)
class PartOverview:
    """The current state of one part."""

    id: int
    request_id: str
    number: int  # from 1 on
    part_count: int  # how many parts the request has
    description: str  # in words
    requested_by: str
    requested_at: datetime
    state: QueuedPartState
    is_worker_alive: bool  # of a running part; a part without a worker is rescued soon
    worker: str | None  # host:pid of the latest worker
    views: tuple[ViewKey, ...]
    done: int  # number of views that ended in a run of this part
    agencies: tuple[str, ...]
    manifests: int
    run_ids: tuple[str, ...]  # the latest last
    started_at: datetime | None
    finished_at: datetime | None
    succeeded: int | None  # manifests; None until the part has ended, as for failed
    failed: int | None
    error: str | None  # why it ended before all views were refreshed


@dataclass(frozen=True, kw_only=True, slots=True)
class QueueOverview:
    """The state of the queue at one time of the database's clock."""

    at: datetime
    running: tuple[PartOverview, ...]  # oldest first
    queued: tuple[PartOverview, ...]  # oldest first
    ended: tuple[PartOverview, ...]  # recently, latest first
    waiting: int | None  # unclaimed tasks of any kind; None without a queue or with restricted access
    schedules: tuple[ScheduleStatus, ...]  # of this app, next one first
    problems: tuple[str, ...]  # sentences; empty with restricted access


def read_queue_overview(*, agencies: Sequence[str] | None = None) -> QueueOverview:
    """Read the parts that contain a manifest of these agencies, or every part if None.

    Raises `DatabaseError`.
    """
    with translate_database_errors(DEFAULT_DB_ALIAS):
        at = sessions.server_time(DEFAULT_DB_ALIAS)
        parts = _parts(None if agencies is None else list(agencies)) if part_rows.is_available() else []
        has_queue = dispatch.is_available()
        return QueueOverview(
            at=at,
            running=tuple(part for part in parts if part.state is QueuedPartState.RUNNING),
            queued=tuple(part for part in parts if part.state is QueuedPartState.QUEUED),
            ended=tuple(part for part in parts if part.state is QueuedPartState.ENDED),
            waiting=dispatch.backlog_size() if has_queue and agencies is None else None,
            problems=tuple(queue_problems()) if agencies is None else (),
            schedules=tuple(schedules.next_schedules(agencies=agencies)) if has_queue else (),
        )


class WorkerActivity(StrEnum):
    """What the workers of the queue are doing."""

    WORKING = "working"
    IDLE = "idle"  # no part has waited for long
    STALLED = "stalled"


def activity() -> WorkerActivity:
    """Return what the workers are doing. Raises Django's database errors, also if the table is missing."""
    rows = list(QueuedRefresh.objects.filter(state=QueuedPartState.RUNNING).values_list("run_ids", flat=True))
    if advisory_locks.runs_holding_lock(DEFAULT_DB_ALIAS, [run_ids[-1] for run_ids in rows if run_ids]):
        return WorkerActivity.WORKING
    late = QueuedRefresh.objects.unfinished().filter(requested_at__lt=Now() - _STALLED_AFTER)
    return WorkerActivity.STALLED if late.exists() else WorkerActivity.IDLE


def _parts(agencies: list[str] | None) -> list[PartOverview]:
    visible = QueuedRefresh.objects.of_agencies(agencies)
    unfinished = list(visible.unfinished().order_by("started_at", "id"))
    ended = visible.filter(state=QueuedPartState.ENDED, finished_at__gt=Now() - _RECENT).order_by("-finished_at", "-id")
    rows = [*unfinished, *ended[:_MAX_ENDED]]
    living = advisory_locks.runs_holding_lock(
        DEFAULT_DB_ALIAS, [row.run_ids[-1] for row in rows if row.state == QueuedPartState.RUNNING]
    )
    done = _done(rows, living)
    return [_part(row, living, done) for row in rows]


def _done(rows: Iterable[QueuedRefresh], living: Set[str]) -> Set[tuple[str, ViewName]]:
    """Return the ended views, by run.

    The next run of a part retries failed views. So a failure counts only in a live run, and in the last run of an ended
    part.
    """
    last = living | {row.run_ids[-1] for row in rows if row.run_ids and row.state == QueuedPartState.ENDED}
    runs = {run_id for row in rows for run_id in row.run_ids}
    closed = RunHistory.objects.filter(run_id__in=runs, status__in=(Status.SUCCESS, Status.ERROR))
    done = set()
    for run_id, name, status in closed.values_list("run_id", "table_name", "status"):
        if status == Status.SUCCESS or run_id in last:
            try:
                done.add((run_id, ViewName.parse(name)))
            except BadName:  # a manifest that could not be planned, and no view of the part
                continue
    return done


def _part(row: QueuedRefresh, living: Set[str], done: Set[tuple[str, ViewName]]) -> PartOverview:
    value = part_rows.as_value(row)
    return PartOverview(
        id=row.pk,
        request_id=row.request_id,
        number=row.part,
        part_count=row.parts,
        description=row.description,
        requested_by=row.requested_by,
        requested_at=row.requested_at,
        state=value.state,
        is_worker_alive=value.state is QueuedPartState.RUNNING and row.run_ids[-1] in living,
        worker=row.worker,
        views=value.views,
        done=sum(any((run_id, key.name) in done for run_id in value.run_ids) for key in value.views),
        agencies=value.agencies,
        manifests=len(value.manifests),
        run_ids=value.run_ids,
        started_at=row.started_at,
        finished_at=row.finished_at,
        succeeded=row.succeeded,
        failed=row.failed,
        error=row.error,
    )
