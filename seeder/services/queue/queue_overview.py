"""The state of the queue: parts, workers, schedules and problems, and the state of one request.

An overview takes a constant number of queries.
"""

from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import DEFAULT_DB_ALIAS
from django.db.models import Q
from django.db.models.functions import Now

from seeder.domain.monitoring.health_status import ComponentStatus
from seeder.domain.outcomes import Status
from seeder.domain.queue.queued_requests import FINAL_STATES, QueuedPartState
from seeder.domain.view_names import normalize_name
from seeder.errors import QueueMissing, UnknownRequest
from seeder.models import QueuedRefresh, RunHistory
from seeder.postgres import sessions
from seeder.postgres.sqlstates import translate_database_errors
from seeder.services.queue import dispatch, part_rows, schedule_rows, schedules
from seeder.services.queue.schedule_rows import ScheduleStatus
from seeder.services.run.run_liveness_lock import living_runs

_RECENT = timedelta(days=1)
_MAX_ENDED = 20
# An idle worker claims a part at once, and a rescuer dispatches a lost one within a minute.
_STALLED_AFTER = timedelta(minutes=5)


@dataclass(frozen=True, kw_only=True, slots=True)
class QueueOverview:
    """The state of the queue at one time of the database's clock."""

    at: datetime
    running: Sequence[QueuedRefresh]  # oldest first
    queued: Sequence[QueuedRefresh]  # oldest first
    ended: Sequence[QueuedRefresh]  # or cancelled; recently, latest first
    waiting: int | None  # unclaimed tasks of any kind; None without a queue or with restricted access
    schedules: Sequence[ScheduleStatus]  # of the installed apps, next one first
    problems: Sequence[str]  # sentences; empty with restricted access


def read_queue_overview(*, agencies: list[str] | None = None) -> QueueOverview:
    """Read the parts that contain a manifest of these agencies, or every part if None.

    Raises `DatabaseError`.
    """
    with translate_database_errors(DEFAULT_DB_ALIAS):
        at = sessions.server_time(DEFAULT_DB_ALIAS)
        parts = _parts(agencies) if part_rows.is_available() else []
        has_queue = dispatch.is_available()
        return QueueOverview(
            at=at,
            running=[part for part in parts if part.state == QueuedPartState.RUNNING],
            queued=[part for part in parts if part.state == QueuedPartState.QUEUED],
            ended=[part for part in parts if part.state in FINAL_STATES],
            waiting=dispatch.backlog_size() if has_queue and agencies is None else None,
            problems=queue_problems() if agencies is None else (),
            schedules=schedules.next_schedules(agencies=agencies) if has_queue else (),
        )


def find_request(request_id: str, agencies: list[str] | None) -> Sequence[QueuedRefresh]:
    """Read the parts of a request that contain a manifest of these agencies.

    Raises `UnknownRequest` if there are none, `QueueMissing` or `DatabaseError`.
    """
    with translate_database_errors(DEFAULT_DB_ALIAS):
        part_rows.require_table()
        parts = list(QueuedRefresh.objects.of_agencies(agencies).filter(request_id=request_id).order_by("part"))
    if not parts:
        raise UnknownRequest(request_id=request_id)
    return parts


def queue_problems() -> Sequence[str]:
    """Return problems that stop the queue even while clusters run, each with its solution.

    Raises Django's database errors.
    """
    try:
        part_rows.require_table()
        dispatch.require_queue()
    except QueueMissing as missing:
        return [str(missing)]
    return list(schedule_rows.unreadable_schedules())


def worker_status() -> ComponentStatus:
    """Return `WORKING`, `STALLED` if a part has waited for long, or `IDLE`.

    Raises Django's database errors, also if the table is missing.
    """
    if _living_runs(QueuedRefresh.objects.filter(state=QueuedPartState.RUNNING)):
        return ComponentStatus.WORKING
    late = QueuedRefresh.objects.unfinished().filter(requested_at__lt=Now() - _STALLED_AFTER)
    return ComponentStatus.STALLED if late.exists() else ComponentStatus.IDLE


def _parts(agencies: list[str] | None) -> list[QueuedRefresh]:
    visible = QueuedRefresh.objects.of_agencies(agencies)
    ended = visible.finished().filter(finished_at__gt=Now() - _RECENT).order_by("-finished_at", "-id")
    rows = [*visible.unfinished().order_by("started_at", "id"), *ended[:_MAX_ENDED]]
    living = _living_runs(rows)
    done = _done(rows, living)
    for row in rows:
        row.is_worker_alive = not living.isdisjoint(row.run_ids[-1:])
        row.done = sum(any((run_id, name) in done for run_id in row.run_ids) for _, name in row.views)
    return rows


def _living_runs(rows: Iterable[QueuedRefresh]) -> Set[str]:
    """Return the runs of running parts that are alive."""
    return living_runs([row.run_ids[-1] for row in rows if row.state == QueuedPartState.RUNNING])


def _done(rows: Sequence[QueuedRefresh], living: Set[str]) -> Set[tuple[str, str]]:
    """Return the ended views as parts spell them, by run.

    The next run of a part retries failed views. So a failure counts only in a live run, and in the last run of an ended
    part.
    """
    last = living | {row.run_ids[-1] for row in rows if row.run_ids and row.state in FINAL_STATES}
    runs = {run_id for row in rows for run_id in row.run_ids}
    ended = Q(status=Status.SUCCESS) | Q(status=Status.ERROR, run_id__in=last)
    names = RunHistory.objects.filter(ended, run_id__in=runs).values_list("run_id", "table_name")
    return {(run_id, normalize_name(name)) for run_id, name in names}
