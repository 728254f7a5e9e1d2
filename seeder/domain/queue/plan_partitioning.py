"""Partitions of a plan that workers can run independently.

Views that depend on each other or share a status row stay in one partition. Groups are assigned longest first to the
partition with the least work, which takes at most 4/3 of the optimal time (R. L. Graham, "Bounds on Multiprocessing
Timing Anomalies", SIAM J. Appl. Math. 17(2), 1969).
"""

from collections import defaultdict
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from seeder.domain.manifests import Manifest, RejectedManifest, ViewKey
from seeder.domain.plan import PlannedView, RefreshPlan


@dataclass(frozen=True, kw_only=True)
class PlanPartition:
    """Views and rejected manifests that are independent of other partitions."""

    views: tuple[PlannedView, ...] = ()  # most urgent first
    rejected: tuple[RejectedManifest, ...] = ()

    @property
    def manifests(self) -> Sequence[Manifest]:
        planned = [manifest for view in self.views for manifest in view.spec.manifests]
        return [*planned, *(rejected.manifest for rejected in self.rejected)]


def partition_plan(plan: RefreshPlan, *, max_partitions: int) -> tuple[PlanPartition, ...]:
    """Split a plan into non-empty partitions that share no view, dependency or status row.

    The result is deterministic, and each partition is in the plan's order.
    """
    group_of = _connected_groups(plan)
    durations: dict[Hashable, timedelta] = {}
    for view, duration in _own_durations(plan.views).items():
        durations[group_of(view)] = durations.get(group_of(view), timedelta()) + duration
    for rejected in plan.rejected:
        durations.setdefault(group_of(rejected.manifest.table_name), timedelta())
    loads = [(timedelta(), 0)] * min(max_partitions, len(durations))
    partition_of = {}
    for group in sorted(durations, key=lambda group: durations[group], reverse=True):
        # Of equal loads, the partition with the fewest groups: otherwise one would get all rejected manifests.
        lightest = loads.index(min(loads))
        load, groups = loads[lightest]
        loads[lightest] = load + durations[group], groups + 1
        partition_of[group] = lightest
    return tuple(
        PlanPartition(
            views=tuple(view for view in plan.views if partition_of[group_of(view.key)] == number),
            rejected=tuple(one for one in plan.rejected if partition_of[group_of(one.manifest.table_name)] == number),
        )
        for number in range(len(loads))
    )


def _own_durations(views: Sequence[PlannedView]) -> Mapping[ViewKey, timedelta]:
    """Return each view's own duration: its critical path without the longest one behind it."""
    longest_behind: dict[ViewKey, timedelta] = defaultdict(timedelta)
    for view in views:
        for read in view.depends_on:
            longest_behind[read] = max(longest_behind[read], view.critical_path)
    return {view.key: view.critical_path - longest_behind[view.key] for view in views}


def _connected_groups(plan: RefreshPlan) -> Callable[[Hashable], Hashable]:
    """Return a function from view keys and table names to their connected component of the plan.

    Views are connected by dependencies, by a shared name (and so a status row), and by a database whose dependencies
    are unknown.
    """
    root: dict[Hashable, Hashable] = {}

    def find_root(member: Hashable) -> Hashable:
        while root.setdefault(member, member) != member:
            root[member] = root[root[member]]
            member = root[member]
        return member

    for view in plan.views:
        undetermined = {view.key.database} & plan.undetermined_databases
        for other in (*view.depends_on, *view.spec.table_names, *((name,) for name in undetermined)):
            root[find_root(other)] = find_root(view.key)
    return find_root
