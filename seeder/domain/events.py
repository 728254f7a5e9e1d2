"""What a run tells while it goes on. An event follows its row: who hears it can already read it."""

from dataclasses import dataclass

from seeder.domain.outcomes import RefreshResult, RunSummary
from seeder.domain.plan import PlannedView, RefreshPlan


@dataclass(frozen=True, kw_only=True, slots=True)
class RunStarted:
    """A plan was taken up, with so many seats."""

    run_id: str
    plan: RefreshPlan
    seats: int


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
class RunEnded:
    """Every view of the plan has ended."""

    summary: RunSummary


RunEvent = RunStarted | ViewStarted | ViewEnded | RunEnded
