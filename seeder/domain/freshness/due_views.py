"""Which views have to start now to meet their contracts, and those of the views that read them."""

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from statistics import median

from seeder.domain.freshness.contract import FreshnessContract
from seeder.domain.freshness.deadlines import next_deadline
from seeder.domain.freshness.just_in_time import just_in_time_starts
from seeder.domain.freshness.states import ViewFacts
from seeder.domain.manifests import ViewKey
from seeder.domain.outcomes import OPEN_STATUSES

# Expected durations are multiplied, because one of a hundred takes longer than that (log-normal, sigma 0.15).
_DURATION_FACTOR = 1.4
_LATENCY = timedelta(minutes=3)  # between two looks, and until a worker of the queue is free and starts
_UNKNOWN_DURATION = timedelta(minutes=1)  # if no view was ever refreshed
_RETRY_AFTER = timedelta(minutes=15)  # at most, for a view whose refresh did not help: it failed, or reads old data


@dataclass(frozen=True, kw_only=True, slots=True)
class ViewWithContracts:
    """A view with contracts, or one that such a view reads."""

    reads: Set[ViewKey] = frozenset()
    contracts: Sequence[FreshnessContract] = ()
    data_as_of: datetime | None = None  # None if unknown
    facts: ViewFacts = field(default_factory=ViewFacts)
    is_queued: bool = False


def find_due_views(views: Mapping[ViewKey, ViewWithContracts], *, now: datetime, workers: int) -> Sequence[ViewKey]:
    """Return the views to refresh now, in dependency order. `views` must be in that order.

    A dependent that is due soon after its dependency is refreshed in the same run.
    """
    contracts = _inherited_contracts(views)
    deadlines = {key: at for key, view in views.items() if (at := _deadline(view, contracts[key], now)) is not None}
    durations = _durations(views)
    graph = {key: _needed_reads(key, views, contracts[key], deadlines) for key in deadlines}
    starts = just_in_time_starts(graph, durations, deadlines, workers=workers)
    latest = now + _LATENCY
    chosen, postponed = dict[ViewKey, None](), set[ViewKey]()
    for key, view in views.items():
        if key not in starts:
            continue
        needed = graph[key]
        if _is_blocked(view, contracts[key], now) or needed & postponed:
            # Dependents would read its old data, so they wait for it, unless it fails.
            if _is_open(view) or not view.facts.failing:
                postponed.add(key)
            continue
        end_of_reads = now + 2 * max((durations[read] for read in needed), default=timedelta()) + _LATENCY
        follows = bool(needed) and needed <= chosen.keys() and starts[key] <= end_of_reads
        if starts[key] <= latest or follows:
            chosen[key] = None
    return list(chosen)


def _inherited_contracts(views: Mapping[ViewKey, ViewWithContracts]) -> Mapping[ViewKey, Set[FreshnessContract]]:
    """Return the contracts of each view and of its dependents: their data are as old as its own."""
    found: dict[ViewKey, set[FreshnessContract]] = {key: set(view.contracts) for key, view in views.items()}
    for key in reversed(list(views)):
        for read in views[key].reads:
            if read in found:
                found[read] |= found[key]
    return found


def _deadline(view: ViewWithContracts, contracts: Iterable[FreshnessContract], now: datetime) -> datetime | None:
    """Return the first deadline. If the age of the data is unknown, the last success counts.

    A view without data is due now for a target lag.
    """
    as_of = view.data_as_of or view.facts.last_success_at
    deadlines = [
        now if as_of is None and contract.target_lag is not None else next_deadline(contract, as_of, now)
        for contract in contracts
    ]
    # The grace is for refreshes that take longer than expected.
    known = [at - one.grace for at, one in zip(deadlines, contracts, strict=True) if at is not None]
    return min(known, default=None)


def _needed_reads(
    key: ViewKey,
    views: Mapping[ViewKey, ViewWithContracts],
    contracts: Iterable[FreshnessContract],
    deadlines: Mapping[ViewKey, datetime],
) -> Set[ViewKey]:
    """Return the views behind a view that have to be refreshed with it, because their data are hardly newer."""
    lags = [one.target_lag for one in contracts if one.target_lag is not None]
    latest = deadlines[key] + min(lags, default=timedelta()) / 2
    return {read for read in views[key].reads if read in deadlines and deadlines[read] <= latest}


def _durations(views: Mapping[ViewKey, ViewWithContracts]) -> Mapping[ViewKey, timedelta]:
    known = [view.facts.usual_duration for view in views.values() if view.facts.usual_duration is not None]
    usual = timedelta(seconds=median(one.total_seconds() for one in known)) if known else _UNKNOWN_DURATION
    return {key: _DURATION_FACTOR * (view.facts.usual_duration or usual) for key, view in views.items()}


def _is_open(view: ViewWithContracts) -> bool:
    """Return whether a refresh is queued or running."""
    return view.is_queued or view.facts.status in OPEN_STATUSES


def _is_blocked(view: ViewWithContracts, contracts: Iterable[FreshnessContract], now: datetime) -> bool:
    """Return whether a view is refreshed already, or was so recently that the refresh has not helped."""
    if _is_open(view):
        return True
    lags = [one.target_lag / 2 for one in contracts if one.target_lag is not None]
    last = view.facts.last_started_at
    return last is not None and last > now - min([_RETRY_AFTER, *lags])
