"""Decides which views are refreshed in one transaction, because beginning and committing it costs more than they do.

On PostgreSQL 18, a refresh of one row took 0.7 ms of the server's CPU, its commit 0.6 ms, and what a refresh of one
view looks up and records 2.2 ms. With 8 views in a transaction, a view took 0.8 ms in all.
"""

from collections.abc import Iterable, Set
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice

from seeder.domain.mode_predictor import RefreshMode
from seeder.domain.plan import PlannedAction, PlannedView
from seeder.domain.refresh_mode import ModeChoice
from seeder.domain.skip_decision import SkipAction

# How long the views of a transaction are expected to take, and so readers of the first one to wait for the last.
MAX_TOTAL = timedelta(milliseconds=50)
_MAX_VIEWS = 16
_MAX_LOOKED_AT = 64  # ready views: otherwise each start would look at all of a plan that has few small ones


@dataclass(frozen=True, kw_only=True, slots=True)
class SharingLimits:
    """Limits of the transactions that views share."""

    max_duration: timedelta  # of a view, exclusive; zero: no view shares a transaction
    max_total: timedelta = MAX_TOTAL  # of the views of one transaction


NO_SHARING = SharingLimits(max_duration=timedelta())


def may_share(view: PlannedView, limits: SharingLimits, *, default_database: str) -> bool:
    """Return whether nothing is expected but a short plain refresh, as the plan knows it."""
    expected, skip, choice = view.expected_duration, view.skip_plan, view.mode_choice
    return (
        view.last_refresh_succeeded
        and expected is not None
        and expected < min(limits.max_duration, limits.max_total)
        and view.key.database == default_database  # where the history is
        and view.action is PlannedAction.REFRESH
        and view.inputs is not None
        and not view.inputs.materialized  # as of when their data are would have to be read
        and view.spec.declaration is None
        and not view.checks
        and view.change_request is None
        and (skip is None or (skip.action is SkipAction.REFRESH and skip.reads is None))
        and (choice is None or _is_short(choice, limits))
    )


def _is_short(choice: ModeChoice, limits: SharingLimits) -> bool:
    """Return whether a view is refreshed plainly because that is short, and not because of a window that can end."""
    plain = choice.prediction.plain
    return choice.mode is RefreshMode.PLAIN and plain is not None and plain <= limits.max_total


def companions(
    first: PlannedView, ready: Iterable[PlannedView], limits: SharingLimits, *, shareable: Set[PlannedView], most: int
) -> list[PlannedView]:
    """Return the ready views that share the transaction of the first one, at most `most`, in their order."""
    chosen, total = list[PlannedView](), first.estimated_duration
    for view in islice(ready, _MAX_LOOKED_AT):
        if len(chosen) >= min(most, _MAX_VIEWS - 1):
            break
        if view in shareable and total + view.estimated_duration <= limits.max_total:
            chosen.append(view)
            total += view.estimated_duration
    return chosen
