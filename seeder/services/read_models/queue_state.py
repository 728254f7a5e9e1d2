"""The queue for the monitoring page: its parts, problems and workers, and the next scheduled run."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from seeder.domain.monitoring.health_status import ComponentStatus
from seeder.domain.monitoring.nights import overdue_since
from seeder.models import QueuedRefresh
from seeder.services.queue import part_rows, queue_overview, schedules
from seeder.services.queue.schedule_rows import ScheduleStatus


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

    @property
    def parts(self) -> Sequence[QueuedRefresh]:
        return [*self.running, *self.queued]

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
    overview = queue_overview.read_queue_overview(agencies=agencies)
    problems = overview.problems
    if sees_all_agencies and agencies is not None:
        problems = queue_overview.queue_problems()
    dues = [one.due for one in overview.schedules if one.due]
    return QueueState(
        running=overview.running,
        queued=overview.queued,
        other_tasks=overview.waiting or 0,
        workers=queue_overview.worker_status() if part_rows.is_available() else ComponentStatus.UNKNOWN,
        no_worker_since=overdue_since(dues, overview.at),
        problems=problems,
        nightly=[one for one in overview.schedules if one.cron and one.name.startswith(schedules.PREFIX)],
    )
