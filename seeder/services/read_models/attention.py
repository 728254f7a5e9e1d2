"""What needs attention now: failing, late and long-running views, and why nothing starts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from seeder import conf
from seeder.domain.freshness.states import FreshnessState, LateCause
from seeder.domain.monitoring.late_causes import late_cause
from seeder.domain.monitoring.nights import Round
from seeder.domain.monitoring.report_jobs import Job, JobPage
from seeder.domain.view_names import ViewName
from seeder.postgres import monitoring_queries
from seeder.postgres.contract import OptionalTables
from seeder.services.queue import schedules
from seeder.services.queue.schedule_rows import ScheduleStatus
from seeder.services.read_models import error_redaction, job_list
from seeder.services.read_models.error_redaction import VisibleFailure
from seeder.services.read_models.freshness_overview import ContractStatus, FreshnessOverview
from seeder.services.read_models.pauses import NextRun, Pause, read_pauses
from seeder.services.read_models.queue_state import QueueState

MAX_SHOWN = 5  # of each kind
_MAX_READ = 100
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, kw_only=True, slots=True)
class FailingView:
    """A view whose last refresh failed or was held."""

    job: Job
    failure: VisibleFailure
    since: datetime | None  # its first failure after the last success

    @property
    def box_id(self) -> str:
        """The id of its box on the page."""
        return f"failing-{self.job.report_type}-{self.job.manifest_id}"


@dataclass(frozen=True, kw_only=True, slots=True)
class LateView:
    """A view that misses a contract, or whose last success is too long ago."""

    table_name: str
    job: Job | None = None  # None if a contract is late
    contract: ContractStatus | None = None
    deadline: datetime | None = None  # that it missed; None if it never succeeded
    cause: str = ""  # empty if unknown
    next_refresh: ScheduleStatus | None = None  # None if unknown

    @property
    def agencies(self) -> Sequence[str]:
        shown = self.contract or self.job
        return shown.agencies if shown else ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Circumstances:
    """What else the page knows, and what explains its problems."""

    freshness: FreshnessOverview
    night: Round | None  # the last one
    rounds: Sequence[Round]  # latest first
    queue: QueueState | None  # None if hidden

    @property
    def next_run(self) -> NextRun:
        """The running run, or the next one of a schedule. A queued one has no plan yet."""
        runs = [run for one in self.rounds for run in one.runs]
        if running := next((run.run_id for run in runs if run.is_running), None):
            return NextRun(plan_run_id=running, is_open=True)
        if self.queue is None or self.queue.parts or self.queue.next_run is None:
            return NextRun()
        name = self.queue.next_run.name
        plan = next((run.run_id for run in runs if run.requested_by == name), None)
        return NextRun(starts_at=self.queue.next_run.due, plan_run_id=plan)

    def schedules(self, view: ViewName | None, agencies: Sequence[str]) -> Sequence[ScheduleStatus] | None:
        """Return the schedules that refresh a view, next one first. None if none is known of any view."""
        if self.queue is None or not self.queue.nightly:
            return None
        has_contracts = bool(self.freshness.contracts.of_view(view, agencies))
        return schedules.refreshing(self.queue.nightly, agencies, has_contracts=has_contracts)

    def next_refresh(self, found: Sequence[ScheduleStatus] | None) -> ScheduleStatus | None:
        """Return the first of these schedules that will start a run."""
        is_served = self.queue is not None and self.queue.no_worker_since is None
        return next((one for one in found or () if one.due and is_served), None)


@dataclass(frozen=True, kw_only=True, slots=True)
class Attention:
    """The most urgent problems, with the number of others of each kind."""

    pauses: Sequence[Pause]
    failing: Sequence[FailingView]
    more_failing: int
    long_running: Sequence[Job]
    more_long_running: int
    late: Sequence[LateView]
    more_late: int

    def __bool__(self) -> bool:
        return bool(self.pauses or self.failing or self.long_running or self.late)


def read_attention(
    agencies: list[str] | None,
    tables: OptionalTables,
    circumstances: Circumstances,
    *,
    can_see_errors: bool,
    can_see_causes: bool,
) -> Attention:
    """Return what needs attention in these agencies (None: all). Takes about ten statements.

    Raises `ConfigurationError` or `DatabaseError`.
    """
    jobs = job_list.troubled_jobs(
        agencies, circumstances.freshness.contracted, max_failing=_MAX_READ, max_others=MAX_SHOWN
    )
    failing = _failing_views(jobs.failing.jobs, tables, can_see_errors=can_see_errors)
    late, more_late = _late_views(jobs.late, circumstances)
    return Attention(
        pauses=read_pauses(agencies, tables, can_see_causes=can_see_causes, next_run=circumstances.next_run),
        failing=failing,
        more_failing=jobs.failing.total - len(failing),
        long_running=jobs.long_running.jobs,
        more_long_running=jobs.long_running.total - len(jobs.long_running.jobs),
        late=late,
        more_late=more_late,
    )


def _failing_views(jobs: Sequence[Job], tables: OptionalTables, *, can_see_errors: bool) -> Sequence[FailingView]:
    """Return those that began to fail last."""
    since = monitoring_queries.failing_since(jobs)
    latest_first = sorted(jobs, key=lambda job: since.get(job.table_name, _LONG_AGO), reverse=True)
    shown = latest_first[:MAX_SHOWN]
    failures = error_redaction.failures_of_jobs(shown, tables, can_see_errors=can_see_errors)
    return [FailingView(job=job, failure=failures[job.key], since=since.get(job.table_name)) for job in shown]


def _late_views(stale: JobPage, circumstances: Circumstances) -> tuple[Sequence[LateView], int]:
    """Return the views that miss a contract, then those without a recent success, and the number of others.

    A failing view is already listed as failing.
    """
    missed = {
        one.table_name: one
        for one in reversed(circumstances.freshness.statuses)
        if one.judgement.state is FreshnessState.LATE and one.judgement.cause is not LateCause.FAILED
    }
    others = [job for job in stale.jobs if job.table_name not in missed]
    found: list[ContractStatus | Job] = [*reversed(missed.values()), *others]
    shown = [
        _stale_view(one, circumstances) if isinstance(one, Job) else _missed_contract(one, circumstances)
        for one in found[:MAX_SHOWN]
    ]
    return shown, len(found) - len(shown) + stale.total - len(stale.jobs)


def _missed_contract(status: ContractStatus, circumstances: Circumstances) -> LateView:
    return LateView(
        table_name=status.table_name,
        contract=status,
        deadline=status.judgement.deadline,
        cause=status.cause_text,
        next_refresh=circumstances.next_refresh(circumstances.schedules(status.view.name, status.agencies)),
    )


def _stale_view(job: Job, circumstances: Circumstances) -> LateView:
    found = circumstances.schedules(ViewName.parse_or_none(job.table_name), job.agencies)
    stale_after = timedelta(hours=conf.load().stale_hours)
    return LateView(
        table_name=job.table_name,
        job=job,
        deadline=job.last_success_at and job.last_success_at + stale_after,
        cause=late_cause(job, circumstances.night, None if found is None else {one.name for one in found}),
        next_refresh=circumstances.next_refresh(found),
    )
