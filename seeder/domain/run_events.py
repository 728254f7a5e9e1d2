"""Events of a run. Each follows its row, so a listener can already read the row."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from seeder.domain.admission_types import Hold
from seeder.domain.outcomes import RefreshResult, RunSummary
from seeder.domain.plan import PlannedView, RefreshPlan


@dataclass(frozen=True, kw_only=True, slots=True)
class RunStarted:
    """A run started."""

    run_id: str
    plan: RefreshPlan
    workers: int


@dataclass(frozen=True, kw_only=True, slots=True)
class ViewStarted:
    """A worker started a view."""

    view: PlannedView


@dataclass(frozen=True, kw_only=True, slots=True)
class ViewPostponed:
    """A started view waits for a worker again: its worker was lost, or it cannot share a transaction."""

    view: PlannedView


@dataclass(frozen=True, kw_only=True, slots=True)
class ViewEnded:
    """A view ended."""

    view: PlannedView
    result: RefreshResult


@dataclass(frozen=True, kw_only=True, slots=True)
class StartsHeld:
    """Starts in a database are on hold, or the reason changed."""

    database: str  # Django's alias
    hold: Hold


@dataclass(frozen=True, kw_only=True, slots=True)
class StartsResumed:
    """A hold ended."""

    database: str  # Django's alias
    duration: timedelta


class WarningKind(StrEnum):
    """Kind of a warning."""

    DEPENDENCIES_UNKNOWN = "dependencies_unknown"  # of the views of one database
    FEATURE_UNAVAILABLE = "feature_unavailable"  # an optional table, or a privilege
    WORKER_LOST = "worker_lost"
    CONTRACT_AT_RISK = "contract_at_risk"  # a freshness contract that the run is expected to miss


@dataclass(frozen=True, kw_only=True, slots=True)
class RunWarning:
    """A limitation of a run, reported once."""

    kind: WarningKind
    message: str
    database: str | None = None  # Django's alias, if it concerns one


@dataclass(frozen=True, kw_only=True, slots=True)
class ViewsVacuumed:
    """The views that a run left with many dead rows were vacuumed, or some of them."""

    views: tuple[PlannedView, ...]
    skipped: Mapping[PlannedView, str]  # by view, with the cause
    duration: timedelta


@dataclass(frozen=True, kw_only=True, slots=True)
class RunEnded:
    """Every view of the plan has ended."""

    summary: RunSummary


RunEvent = (
    RunStarted
    | ViewStarted
    | ViewPostponed
    | ViewEnded
    | StartsHeld
    | StartsResumed
    | RunWarning
    | ViewsVacuumed
    | RunEnded
)
