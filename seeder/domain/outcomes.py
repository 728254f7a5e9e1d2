"""Results of refreshes and runs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from seeder.domain.data_checks.results import CheckResult
from seeder.domain.freshness.data_age import RefreshedData
from seeder.domain.manifests import RejectedManifest, ViewKey
from seeder.domain.mode_predictor import RefreshMode, unchanged_rows
from seeder.domain.plan import HeldInput, PlannedView
from seeder.domain.refresh_costs import RefreshCost
from seeder.domain.row_changes import RowChanges
from seeder.domain.skip_proof import SkipProof


class Status(StrEnum):
    """Values of `status` in the history and status tables."""

    PENDING = "pending"
    RUNNING = "running"
    SUCCESS = "success"
    ERROR = "error"


OPEN_STATUSES = (Status.PENDING, Status.RUNNING)  # of refreshes that have not ended


class Outcome(StrEnum):
    """How one view ended."""

    CREATED = "created"
    REFRESHED = "refreshed"
    SKIPPED = "skipped"  # a refresh would publish the rows that it has
    HELD = "held"  # its new rows failed a data check, so readers keep the old ones
    FAILED = "failed"

    @property
    def status(self) -> Status:
        return Status.ERROR if self in {Outcome.HELD, Outcome.FAILED} else Status.SUCCESS


class HeldReason(StrEnum):
    """Reasons of held views."""

    DATA_CHECKS = "held"
    DEPENDENCY = "held_dependency"  # it reads a held view, and was not started
    GROUP = "held_group"  # its consistent group has a held view


class GroupReason(StrEnum):
    """Reasons of failed members of a consistent group."""

    REFUSED = "group_refused"
    FAILED = "group_failed"  # because of another member
    TIME_LIMIT = "group_time_limit"  # its own one, not that of a statement
    LOST_RACE = "group_lost_race"  # other sessions changed members in every attempt


# Reasons of members that only share the fate of another one.
GROUP_CONSEQUENCES = frozenset({GroupReason.FAILED, HeldReason.GROUP})


@dataclass(frozen=True, kw_only=True, slots=True)
class Failure:
    """Why a view failed."""

    reason: str  # PostgreSQL's condition name, such as division_by_zero, or one of seeder's own
    message: str  # PostgreSQL's message, if it sent one; may contain data
    sqlstate: str | None = None  # None if the server did not answer
    is_server_fault: bool = False  # caused by the server, not by the view


@dataclass(frozen=True, kw_only=True, slots=True)
class StartContext:
    """What is known when a worker starts a view."""

    waits: RefreshCost = field(default_factory=RefreshCost)  # how long it waited until now
    failed_dependencies: tuple[ViewKey, ...] = ()  # that failed in this run
    held_dependencies: tuple[ViewKey, ...] = ()  # that their data checks held in this run
    held_inputs: tuple[HeldInput, ...] = ()  # views that this run does not refresh
    changed_dependencies: tuple[ViewKey, ...] = ()  # that this run has created, or refreshed with other rows
    dependencies_finished_at: datetime | None = None  # of those that succeeded, the last end; None without any
    is_trial: bool = False  # its result decides if the circuit breaker closes
    allows_parallel: bool = True  # its query can have a parallel plan
    shares_transaction: bool = False  # with the views that start with it, if there are any

    def reusable_after(self, requested_at: datetime) -> datetime:
        """Return the time after which a refresh by another run must have started to be reused."""
        return max(requested_at, self.dependencies_finished_at or requested_at)


@dataclass(frozen=True, kw_only=True, slots=True)
class RefreshResult:
    """Result of one refresh. Times and durations are by the database's clock."""

    outcome: Outcome
    started_at: datetime
    finished_at: datetime
    mode: RefreshMode | None = None  # None if the view was created or failed
    fell_back: bool = False  # plain instead of concurrent
    mode_reason: str | None = None  # a sentence, if the mode was chosen by measurement
    attempts: int = 1
    rows: int | None = 0  # rows of the view afterwards; 0 if it failed, None if unknown
    size_bytes: int = 0  # size on disk afterwards, with indexes and TOAST
    failure: Failure | None = None  # set if and only if the outcome is FAILED or HELD
    cost: RefreshCost = field(default_factory=RefreshCost)
    satisfied_by: str | None = None  # the other run whose refresh was reused
    notes: tuple[str, ...] = ()  # sentences
    checks: tuple[CheckResult, ...] = ()  # of its data checks
    data: RefreshedData | None = None  # as of when the data are; None without its table, and for a reused refresh
    proof: SkipProof | None = None  # of the rows, if one was taken or verified
    skip_reason: str | None = None  # a sentence: why it was skipped or not, if its history is recorded for that
    changes: RowChanges | None = None  # of its rows, if a sample was requested and the rows were written
    snapshot: str | None = None  # pg_snapshot of transactions that the view contains; None if it reads no table
    consistent_group: str | None = None  # with which it was refreshed; None if alone

    @property
    def duration(self) -> timedelta:
        return self.finished_at - self.started_at

    @property
    def reason(self) -> str | None:
        """The machine word for why readers keep the old rows. None if they were written."""
        if self.failure is not None:
            return self.failure.reason
        return str(self.outcome) if self.outcome is Outcome.SKIPPED else None

    @property
    def may_have_changed_rows(self) -> bool:
        """Whether views that read it may have to be refreshed."""
        if self.outcome is Outcome.REFRESHED and self.mode is RefreshMode.CONCURRENT:
            return self.cost.rows_inserted != 0 or self.cost.rows_deleted != 0
        return self.outcome in {Outcome.CREATED, Outcome.REFRESHED}

    @property
    def rows_unchanged(self) -> int | None:
        """The rows that the refresh left as they were. None if unknown, as after a plain one, which writes all."""
        return unchanged_rows(self.mode, self.rows, self.cost.rows_inserted)


@dataclass(frozen=True, kw_only=True, slots=True)
class RunSummary:
    """Results of a run: planned views and rejected manifests."""

    run_id: str
    results: Mapping[PlannedView, RefreshResult]  # in the order in which they ended
    interrupted: tuple[PlannedView, ...] = ()  # not started or cancelled, because the run was stopped
    stopped_by: str | None = None  # such as SIGTERM
    rejected: tuple[RejectedManifest, ...]
    duration: timedelta

    @property
    def failed(self) -> int:
        """Number of failed and held views and rejected manifests. Interrupted views are not counted."""
        return sum(result.failure is not None for result in self.results.values()) + len(self.rejected)

    @property
    def held(self) -> int:
        """Number of views that their data checks held. They also count as failed."""
        return sum(result.outcome is Outcome.HELD for result in self.results.values())

    @property
    def skipped(self) -> int:
        """Number of views that were skipped with a proof. They also count as succeeded."""
        return sum(result.outcome is Outcome.SKIPPED for result in self.results.values())

    @property
    def succeeded(self) -> int:
        return len(self.results) + len(self.rejected) - self.failed

    def slowest(self, count: int) -> list[tuple[PlannedView, RefreshResult]]:
        """Return the views that took longest, the longest first."""
        return sorted(self.results.items(), key=lambda item: item[1].duration, reverse=True)[:count]
