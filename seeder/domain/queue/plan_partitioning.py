"""Division of a plan into plans that workers can run independently.

Views that depend on each other or share a status row stay in one partition. Groups are assigned longest first to the
partition with the least work, which takes at most 4/3 of the optimal time (R. L. Graham, "Bounds on Multiprocessing
Timing Anomalies", SIAM J. Appl. Math. 17(2), 1969).
"""

from collections import defaultdict
from collections.abc import Callable, Hashable
from datetime import timedelta

from seeder.domain.manifests import Selection
from seeder.domain.plan import RefreshPlan


def partition_plan(plan: RefreshPlan, *, max_partitions: int) -> tuple[Selection, ...]:
    """Split a plan into non-empty partitions that share no view, dependency or status row.

    The result is deterministic, and each partition is in the plan's order: most urgent first.
    """
    group_of = _connected_groups(plan)
    durations: dict[Hashable, timedelta] = defaultdict(timedelta)
    for view in plan.views:
        durations[group_of(view.key)] += view.estimated_duration
    for rejected in plan.rejected:
        durations[group_of(rejected.manifest.table_name)] += timedelta()
    loads = [(timedelta(), 0)] * min(max_partitions, len(durations))
    partition_of = {}
    for group in sorted(durations, key=lambda group: durations[group], reverse=True):
        # Of equal loads, the partition with the fewest groups: otherwise one would get all rejected manifests.
        lightest = loads.index(min(loads))
        load, groups = loads[lightest]
        loads[lightest] = load + durations[group], groups + 1
        partition_of[group] = lightest
    return tuple(
        Selection(
            views=tuple(view.spec for view in plan.views if partition_of[group_of(view.key)] == number),
            rejected=tuple(one for one in plan.rejected if partition_of[group_of(one.manifest.table_name)] == number),
        )
        for number in range(len(loads))
    )


def _connected_groups(plan: RefreshPlan) -> Callable[[Hashable], Hashable]:
    """Return a function from view keys and table names to their connected component of the plan.

    Views are connected by dependencies, a shared name (and so a status row), a consistent group, and a database whose
    dependencies are unknown.
    """
    root: dict[Hashable, Hashable] = {}

    def find_root(member: Hashable) -> Hashable:
        while root.setdefault(member, member) != member:
            root[member] = root[root[member]]
            member = root[member]
        return member

    for view in plan.views:
        undetermined = {view.key.database} & plan.warnings.keys()
        for other in (*view.depends_on, *view.spec.table_names, *((name,) for name in undetermined)):
            root[find_root(other)] = find_root(view.key)
    for group in plan.groups:
        for view in group.views:
            root[find_root(view.key)] = find_root(group.leader.key)
    return find_root
