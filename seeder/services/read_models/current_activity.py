"""What runs, waits and is paused now, and the totals of all jobs: one small document for dashboards."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import DEFAULT_DB_ALIAS
from django.db.models import Count, Min, Q

from seeder.domain.monitoring.agency_totals import AgencyTotals
from seeder.domain.monitoring.health_status import ComponentStatus
from seeder.domain.monitoring.report_jobs import JobFilter
from seeder.domain.monitoring.timeline import RunTotals
from seeder.domain.queue.queued_requests import QueuedPartState
from seeder.models import QueuedRefresh
from seeder.postgres.contract import OptionalTables
from seeder.services.queue import dispatch, part_rows, queue_overview
from seeder.services.read_models import job_list, run_timeline
from seeder.services.read_models.pauses import Pause, read_pauses
from seeder.services.run.run_liveness_lock import living_runs


@dataclass(frozen=True, kw_only=True, slots=True)
class RunActivity:
    """The number of runs that are alive, and the latest run."""

    running: int
    last: RunTotals | None


@dataclass(frozen=True, kw_only=True, slots=True)
class QueueActivity:
    """The queue: its health, and the open parts that the user may see."""

    status: ComponentStatus  # ok, absent or unusable
    workers: ComponentStatus = ComponentStatus.UNKNOWN  # otherwise working, idle or stalled
    queued_parts: int = 0
    running_parts: int = 0
    oldest_requested_at: datetime | None = None  # of the queued parts
    waiting_tasks: int | None = None  # tasks of any kind that no worker has taken; None without a queue or all agencies


@dataclass(frozen=True, kw_only=True, slots=True)
class Activity:
    """Totals of jobs, and what runs, waits and is paused, for some agencies."""

    jobs: AgencyTotals
    runs: RunActivity | None  # None if hidden, or without the table of runs
    queue: QueueActivity | None  # None if hidden
    pauses: Sequence[Pause]


def read_activity(agencies: list[str] | None, *, with_runs: bool, with_queue: bool) -> Activity:
    """Raises `ConfigurationError` or `DatabaseError`."""
    tables = OptionalTables.read(DEFAULT_DB_ALIAS, read_only=True)
    return Activity(
        jobs=job_list.overall_totals(JobFilter(visible_agencies=agencies)),
        runs=_runs(agencies) if with_runs and tables.is_usable("seeder_run") else None,
        queue=_queue(agencies, tables) if with_queue else None,
        pauses=read_pauses(agencies, tables, can_see_causes=False),
    )


def _runs(agencies: list[str] | None) -> RunActivity:
    runs = run_timeline.runs_of(agencies)
    last = run_timeline.totals(runs[:1], agencies)
    unfinished = runs.filter(finished_at=None).values_list("run_id", flat=True)
    return RunActivity(running=len(living_runs([*unfinished])), last=last[0] if last else None)


def _queue(agencies: list[str] | None, tables: OptionalTables) -> QueueActivity:
    if not (dispatch.is_installed() and tables.is_usable(part_rows.TABLE)):
        return QueueActivity(status=ComponentStatus.ABSENT)
    if queue_overview.queue_problems():
        return QueueActivity(status=ComponentStatus.UNUSABLE)
    is_queued = Q(state=QueuedPartState.QUEUED)
    counts = (
        QueuedRefresh.objects.of_agencies(agencies)
        .unfinished()
        .aggregate(
            queued_parts=Count("pk", filter=is_queued),
            running_parts=Count("pk", filter=~is_queued),
            oldest_requested_at=Min("requested_at", filter=is_queued),
        )
    )
    return QueueActivity(
        status=ComponentStatus.OK,
        workers=queue_overview.worker_status(),
        waiting_tasks=dispatch.backlog_size() if agencies is None else None,
        **counts,
    )
