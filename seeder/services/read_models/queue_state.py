"""The queue for the monitoring page: its parts, problems and workers, and the next scheduled run."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import DEFAULT_DB_ALIAS
from django.db.models import Count, Func, IntegerField, Q

from seeder import conf
from seeder.domain.monitoring.health_status import ComponentStatus
from seeder.domain.monitoring.nights import overdue_since
from seeder.domain.outcomes import Status
from seeder.domain.queue.queued_requests import QueuedPartState
from seeder.models import QueuedRefresh, RunHistory
from seeder.postgres import sessions
from seeder.services.queue import dispatch, part_rows, queue_overview, schedules
from seeder.services.queue.schedule_rows import ScheduleStatus
from seeder.services.run.run_liveness_lock import living_runs


@dataclass(frozen=True, kw_only=True, slots=True)
class QueueState:
    """The queue as some agencies may see it."""

    running: Sequence[QueuedRefresh]
    queued: Sequence[QueuedRefresh]
    other_tasks: int  # unclaimed ones of other kinds; 0 if hidden
    workers: ComponentStatus  # working, idle, stalled or unknown
    no_worker_since: datetime | None  # since when a schedule is overdue
    problems: Sequence[str]  # sentences; empty if hidden
    nightly: Sequence[ScheduleStatus]  # the schedules that refresh views, next one first
    has_schedules: bool  # of any kind, which show if a cluster lives
    workers_per_cluster: int | None  # None if the settings of the queue do not say

    @property
    def parts(self) -> Sequence[QueuedRefresh]:
        return [*self.running, *self.queued]

    @property
    def busy_workers(self) -> int:
        """The number of living workers that run these parts."""
        return sum(part.is_worker_alive for part in self.running)

    @property
    def is_stalled(self) -> bool:
        """Whether parts wait for a long time, although schedules do not show that no worker lives."""
        return self.workers is ComponentStatus.STALLED and self.no_worker_since is None

    @property
    def next_run(self) -> ScheduleStatus | None:
        return next((one for one in self.nightly if one.due and not self.no_worker_since), None)

    @property
    def has_problem(self) -> bool:
        return bool(self.problems or self.is_stalled or self.no_worker_since)


def read_queue_state(agencies: list[str] | None, *, sees_all_agencies: bool) -> QueueState:
    """Return the state of the queue, which must be available. Raises `DatabaseError`."""
    parts = _open_parts(agencies) if part_rows.is_available() else []
    known = schedules.next_schedules(agencies=agencies)
    return QueueState(
        running=[part for part in parts if part.state == QueuedPartState.RUNNING],
        queued=[part for part in parts if part.state == QueuedPartState.QUEUED],
        other_tasks=dispatch.backlog_size() if agencies is None else 0,
        workers=queue_overview.worker_status() if part_rows.is_available() else ComponentStatus.UNKNOWN,
        no_worker_since=overdue_since([one.due for one in known if one.due], sessions.server_time(DEFAULT_DB_ALIAS)),
        problems=queue_overview.queue_problems() if sees_all_agencies else (),
        nightly=[one for one in known if one.cron and one.name.startswith(schedules.PREFIX)],
        has_schedules=bool(known),
        workers_per_cluster=conf.django_q_settings().get("workers"),
    )


def _open_parts(agencies: list[str] | None) -> list[QueuedRefresh]:
    """Return the open parts, oldest first, with `view_count`, `done` and `is_worker_alive`.

    Their manifests and views are not read: a part can have thousands.
    """
    rows = QueuedRefresh.objects.of_agencies(agencies).unfinished().defer("manifests", "views", "agencies")
    counted = rows.annotate(view_count=Func("views", function="jsonb_array_length", output_field=IntegerField()))
    parts = list(counted.order_by("started_at", "id"))
    living = living_runs([part.run_ids[-1] for part in parts if part.run_ids])
    ended = (
        RunHistory.objects.filter(run_id__in=[run_id for part in parts for run_id in part.run_ids])
        .values_list("run_id")
        .annotate(
            succeeded=Count("table_name", distinct=True, filter=Q(status=Status.SUCCESS)),
            failed=Count("table_name", distinct=True, filter=Q(status=Status.ERROR)),
        )
    )
    counts = {run_id: (succeeded, failed) for run_id, succeeded, failed in ended}
    for part in parts:
        part.is_worker_alive = not living.isdisjoint(part.run_ids[-1:])
        part.done = sum(counts.get(run_id, (0, 0))[0] for run_id in part.run_ids)
        if part.is_worker_alive:  # otherwise the next run retries what failed
            part.done += counts.get(part.run_ids[-1], (0, 0))[1]
    return parts
