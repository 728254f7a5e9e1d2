"""What the queue is doing: what waits, what is worked on and by whom, what has ended, and what is due next.

Answered in a constant number of queries, however much is queued.
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
_STALLED_AFTER = timedelta(
    minutes=5
)  # a worker that is free takes up a part at once, a sweep what one has left within a minute


@dataclass(frozen=True, kw_only=True, slots=True)
class PartOverview:
    """One part of a request, as it stands."""

    id: int
    request_id: str
    number: int  # from 1 on
    part_count: int  # how many parts the request has
    description: str  # in words
    requested_by: str
    requested_at: datetime
    state: QueuedPartState
    is_worker_alive: bool  # a running one: whether its worker lives; one that does not is taken up again soon
    worker: str | None  # host:pid of who has it, or had it last
    views: tuple[ViewKey, ...]
    done: int  # how many of them have come to an end in a run of this part
    agencies: tuple[str, ...]
    manifests: int
    run_ids: tuple[str, ...]  # the latest last
    started_at: datetime | None
    finished_at: datetime | None
    succeeded: int | None  # manifests; None until it has ended, as are the failed
    failed: int | None
    error: str | None  # why it ended without having been run to its end


@dataclass(frozen=True, kw_only=True, slots=True)
class QueueState:
    """The queue at one moment, by the database's clock."""

    at: datetime
    running: tuple[PartOverview, ...]  # since the longest first
    queued: tuple[PartOverview, ...]  # the earliest first
    ended: tuple[PartOverview, ...]  # lately, the latest first
    waiting: int | None  # tasks of any kind that no cluster has taken yet; None where no queue is, or some are others'
    schedules: tuple[ScheduleStatus, ...]  # ours, the next one first
    obstacles: tuple[str, ...]  # what keeps the queue from working, a sentence each; of nobody who sees not everything


def read_queue_overview(*, agencies: Sequence[str] | None = None) -> QueueState:
    """The parts with a manifest of one of these agencies; None: of any. Without the table there are none.

    Raises `DatabaseError`.
    """
    with translate_database_errors(DEFAULT_DB_ALIAS):
        at = sessions.server_time(DEFAULT_DB_ALIAS)
        parts = _parts(None if agencies is None else list(agencies)) if part_rows.is_available() else []
        is_there = dispatch.is_available()
        return QueueState(
            at=at,
            running=tuple(part for part in parts if part.state is QueuedPartState.RUNNING),
            queued=tuple(part for part in parts if part.state is QueuedPartState.QUEUED),
            ended=tuple(part for part in parts if part.state is QueuedPartState.ENDED),
            waiting=dispatch.backlog_size() if is_there and agencies is None else None,
            obstacles=tuple(queue_problems()) if agencies is None else (),
            schedules=tuple(schedules.next_schedules(agencies=agencies)) if is_there else (),
        )


class WorkerActivity(StrEnum):
    """What is to be seen of the queue's workers."""

    WORKING = "working"
    IDLE = "idle"  # nothing waits, or not for long
    STALLED = "stalled"


def activity() -> WorkerActivity:
    """Whether anybody takes up what is queued. Raises what Django does, also where there is no table."""
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
    """What has come to an end: by run and view. What a run of a part has failed at is tried again by the next one, so
    failures count only in a run that lives, and in the last one of a part that has ended."""
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
