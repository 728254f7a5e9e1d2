"""What a run tells while it goes on. An event follows its row: who hears it can already read it."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from seeder.domain.admission_decisions import Hold
from seeder.domain.outcomes import RefreshResult, RunSummary
from seeder.domain.plan import PlannedView, RefreshPlan


@dataclass(frozen=True, kw_only=True, slots=True)
class RunStarted:
    """A plan was taken up, with so many seats."""

    run_id: str
    plan: RefreshPlan
    workers: int


@dataclass(frozen=True, kw_only=True, slots=True)
class ViewStarted:
    """A view took a seat."""

    view: PlannedView


@dataclass(frozen=True, kw_only=True, slots=True)
class ViewEnded:
    """A view ended and its row says so."""

    view: PlannedView
    result: RefreshResult


@dataclass(frozen=True, kw_only=True, slots=True)
class StartsHeld:
    """Nothing more starts in a database for now, or no longer for the same reason as before."""

    database: str  # Django's alias
    hold: Hold


@dataclass(frozen=True, kw_only=True, slots=True)
class StartsResumed:
    """What held a database back is over."""

    database: str  # Django's alias
    duration: timedelta


class WarningKind(StrEnum):
    """What something is about that is noticed: the machine word."""

    DEPENDENCIES_UNKNOWN = "dependencies_unknown"  # what the views of a database read could not be found out
    FEATURE_UNAVAILABLE = "feature_unavailable"  # an optional table, or a privilege
    WORKER_LOST = "worker_lost"


@dataclass(frozen=True, kw_only=True, slots=True)
class RunWarning:
    """Something of the server or the set-up that a run works without, said once."""

    kind: WarningKind
    message: str
    database: str | None = None  # Django's alias, where it is about one


@dataclass(frozen=True, kw_only=True, slots=True)
class RunEnded:
    """Every view of the plan has ended."""

    summary: RunSummary


RunEvent = RunStarted | ViewStarted | ViewEnded | StartsHeld | StartsResumed | RunWarning | RunEnded
