"""Contracts that a plan is expected to miss, before it starts."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from heapq import heappop, heappush

from seeder.domain.freshness.deadlines import ContractDeadline, MissedContract
from seeder.domain.manifests import ViewKey
from seeder.domain.plan import PlannedView
from seeder.domain.ready_queue import ReadyQueue


def missed_contracts(
    views: Sequence[PlannedView],
    deadlines: Mapping[ViewKey, Iterable[ContractDeadline]],
    durations: Mapping[ViewKey, timedelta],
    *,
    now: datetime,
    workers: int,
) -> tuple[MissedContract, ...]:
    """Return the contracts that the plan is expected to miss, most severe first.

    `durations` has all views. Each database has as many workers. Waits for locks, the throttle and failures are not
    foreseen.
    """
    if not deadlines:
        return ()
    missed = [
        MissedContract(view=key, contract=one.contract, deadline=one.at, expected_end=now + end, is_late=one.at < now)
        for key, end in _ends(views, lambda view: durations[view.key], workers).items()
        for one in deadlines.get(key, ())
        if now + end > one.at
    ]
    return tuple(sorted(missed, key=lambda one: (one.contract.severity, one.deadline, one.view)))


def _ends(
    views: Sequence[PlannedView], duration: Callable[[PlannedView], timedelta], workers: int
) -> dict[ViewKey, timedelta]:
    """Return when each view ends if a free worker takes the first ready one."""
    ends: dict[ViewKey, timedelta] = {}
    for database in {view.key.database for view in views}:
        here = [view for view in views if view.key.database == database]
        ready, running, now, started = ReadyQueue(here), list[tuple[timedelta, int, PlannedView]](), timedelta(), 0
        while ready or running:
            while ready and len(running) < workers:
                view = ready.take()
                started += 1
                heappush(running, (now + duration(view), started, view))
            now, _, view = heappop(running)
            ends[view.key] = now
            ready.mark_done(view)
    return ends
