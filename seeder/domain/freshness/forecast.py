"""Contracts that a plan is expected to miss, before it starts."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from heapq import heappop, heappush

from seeder.domain.freshness.deadlines import ContractDeadline, MissedContract
from seeder.domain.manifests import ViewKey
from seeder.domain.plan import PlannedGroup, PlannedView, RefreshPlan
from seeder.domain.ready_queue import ReadyQueue


def with_missed_contracts(plan: RefreshPlan) -> RefreshPlan:
    """Return the plan with the contracts that it is expected to miss."""
    deadlines = plan.deadlines
    missed = missed_contracts(
        plan.views,
        deadlines.of_views,
        deadlines.durations,
        now=deadlines.now,
        workers=deadlines.workers,
        groups=plan.groups,
    )
    return replace(plan, missed_contracts=missed)


def missed_contracts(  # noqa: PLR0913  # what a run has
    views: Sequence[PlannedView],
    deadlines: Mapping[ViewKey, Iterable[ContractDeadline]],
    durations: Mapping[ViewKey, timedelta],
    *,
    now: datetime,
    workers: int,
    groups: Sequence[PlannedGroup] = (),
) -> tuple[MissedContract, ...]:
    """Return the contracts that the plan is expected to miss, most severe first.

    `durations` has all views. Each database has as many workers. Waits for locks, the throttle and failures are not
    foreseen. All members of a group end with it, because they become visible together.
    """
    if not deadlines:
        return ()
    missed = [
        MissedContract(view=key, contract=one.contract, deadline=one.at, expected_end=now + end, is_late=one.at < now)
        for key, end in _ends(views, groups, durations, workers).items()
        for one in deadlines.get(key, ())
        if now + end > one.at
    ]
    return tuple(sorted(missed, key=lambda one: (one.contract.severity, one.deadline, one.view)))


def _ends(
    views: Sequence[PlannedView],
    groups: Sequence[PlannedGroup],
    durations: Mapping[ViewKey, timedelta],
    workers: int,
) -> dict[ViewKey, timedelta]:
    """Return when each view ends if a free worker takes the first ready view or group."""
    by_leader = {group.leader: group for group in groups}
    ends: dict[ViewKey, timedelta] = {}
    for database in {view.key.database for view in views}:
        here = [view for view in views if view.key.database == database]
        own = [group for group in groups if group.leader.key.database == database]
        ready, running, now, started = ReadyQueue(here, own), list[tuple[timedelta, int, PlannedView]](), timedelta(), 0
        while ready or running:
            while ready and len(running) < workers:
                view = ready.take()
                started += 1
                group = by_leader.get(view)
                duration = durations[view.key] if group is None else _group_duration(group, durations)
                heappush(running, (now + duration, started, view))
            now, _, view = heappop(running)
            ends |= {one.key: now for one in (by_leader[view].views if view in by_leader else (view,))}
            ready.mark_done(view)
    return ends


def _group_duration(group: PlannedGroup, durations: Mapping[ViewKey, timedelta]) -> timedelta:
    """Return the likely duration of a group. Its members' last durations can each be that of the whole group."""
    unmeasured = (durations[view.key] for view in group.views if view.expected_duration is None)
    return group.measured_duration + sum(unmeasured, timedelta())
