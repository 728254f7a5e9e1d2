"""How things end: the closed sets of words, and the values that carry them to every door."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from seeder.domain.manifests import RejectedManifest, ViewKey
from seeder.domain.plan import PlannedView
from seeder.domain.refresh_costs import RefreshCost


class Status(StrEnum):
    """The four words of the history and status tables."""

    PENDING = "pending"
    RUNNING = "running"
    SUCCESS = "success"
    ERROR = "error"


class Outcome(StrEnum):
    """How one view ended."""

    CREATED = "created"
    REFRESHED = "refreshed"
    FAILED = "failed"

    @property
    def status(self) -> Status:
        return Status.ERROR if self is Outcome.FAILED else Status.SUCCESS


class RefreshMode(StrEnum):
    """How a view was refreshed: PostgreSQL's two ways."""

    PLAIN = "plain"  # readers wait meanwhile
    CONCURRENT = "concurrent"  # readers go on


@dataclass(frozen=True, kw_only=True, slots=True)
class Failure:
    """Why a view failed."""

    reason: str  # the machine word: PostgreSQL's condition name, such as division_by_zero, or one of our own
    message: str  # PostgreSQL's own words where it spoke; they can quote the data
    sqlstate: str | None = None  # None where the server was not asked, or was gone
    is_server_fault: bool = False  # whether it says that the server is unwell, rather than anything about the view


@dataclass(frozen=True, kw_only=True, slots=True)
class StartContext:
    """With what a view takes its seat."""

    worker_wait: timedelta = timedelta()  # from when it was ready, for a seat
    throttle_wait: timedelta = timedelta()  # from then, for the pace, the server or the circuit breaker to let it start
    failed_dependencies: tuple[ViewKey, ...] = ()  # which of the views that it reads have failed in this run
    dependencies_finished_at: datetime | None = (
        None  # when the last of the others ended; None where it reads none of this plan
    )
    is_trial: bool = False  # on how it ends depends whether others may start
    pool_is_full: bool = False  # all seats are taken with it, or will be by what is ready


@dataclass(frozen=True, kw_only=True, slots=True)
class RefreshResult:
    """What one refresh did. Instants and durations are by the database's clock."""

    outcome: Outcome
    started_at: datetime
    finished_at: datetime
    mode: RefreshMode | None = None  # None where the view was created, or failed
    fell_back: bool = False  # plain, although concurrent was asked for
    attempts: int = 1
    rows: int = 0  # written by this refresh; of a concurrent one, those that had changed
    size_bytes: int = 0  # the view on disk afterwards, with its indexes and TOAST
    failure: Failure | None = None  # exactly when the outcome is FAILED
    cost: RefreshCost = field(default_factory=RefreshCost)
    satisfied_by: str | None = None  # the run that refreshed the view meanwhile, where it was not this one
    notes: tuple[str, ...] = ()  # what else is to be known of it, a sentence each

    @property
    def duration(self) -> timedelta:
        return self.finished_at - self.started_at


@dataclass(frozen=True, kw_only=True, slots=True)
class RunSummary:
    """One run as it ended: every planned view with its result, and the manifests that could not be planned."""

    run_id: str
    results: Mapping[PlannedView, RefreshResult]  # in the order in which they ended
    interrupted: tuple[PlannedView, ...] = ()  # not begun or cancelled, because somebody stopped the run
    stopped_by: str | None = None  # by what, such as SIGTERM
    rejected: tuple[RejectedManifest, ...]
    duration: timedelta

    @property
    def failed(self) -> int:
        """How many views failed, counting as one a manifest that could not be planned. The unfinished are neither
        failed nor succeeded."""
        return sum(result.outcome is Outcome.FAILED for result in self.results.values()) + len(self.rejected)

    @property
    def succeeded(self) -> int:
        return len(self.results) + len(self.rejected) - self.failed
