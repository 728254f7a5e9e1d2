"""Partitions of a plan that workers can run independently.

Views that depend on each other or share a status row stay in one partition. Groups are assigned longest first to the
partition with the least work, which takes at most 4/3 of the optimal time (R. L. Graham, "Bounds on Multiprocessing
Timing Anomalies", SIAM J. Appl. Math. 17(2), 1969).
"""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
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

    The result is deterministic.
    """
    durations = _own_durations(plan.views)
    groups = sorted(
        _connected_components(plan),
        key=lambda group: sum((durations[one.key] for one in group.views), timedelta()),
        reverse=True,
    )
    loads = [timedelta()] * min(max_partitions, len(groups))
    shares: list[list[PlanPartition]] = [[] for _ in loads]
    for group in groups:
        # Of equal loads, the partition with the fewest groups: otherwise one would get all rejected manifests.
        lightest = min(range(len(loads)), key=lambda index: (loads[index], len(shares[index])))
        loads[lightest] += sum((durations[one.key] for one in group.views), timedelta())
        shares[lightest].append(group)
    return tuple(_merge(plan, share) for share in shares)


def _own_durations(views: Iterable[PlannedView]) -> Mapping[ViewKey, timedelta]:
    """Return each view's own duration: its critical path without the longest one behind it."""
    views = tuple(views)
    longest_behind: dict[ViewKey, timedelta] = defaultdict(timedelta)
    for view in views:
        for read in view.depends_on:
            longest_behind[read] = max(longest_behind[read], view.critical_path)
    return {view.key: view.critical_path - longest_behind[view.key] for view in views}


def _connected_components(plan: RefreshPlan) -> list[PlanPartition]:
    """Return the connected components of the plan, in its order.

    Views are connected by dependencies, by a shared name (and so a status row), and by a database whose dependencies
    are unknown.
    """
    root: dict[Hashable, Hashable] = {}

    def find_root(one: Hashable) -> Hashable:
        while root.setdefault(one, one) != one:
            root[one] = root[root[one]]
            one = root[one]
        return one

    for view in plan.views:
        undetermined = {view.key.database} & plan.undetermined_databases
        for other in (*view.depends_on, *view.spec.table_names, *((name,) for name in undetermined)):
            root[find_root(other)] = find_root(view.key)
    groups: dict[Hashable, PlanPartition] = {}
    for view in plan.views:
        one = groups.get(find_root(view.key), PlanPartition())
        groups[find_root(view.key)] = PlanPartition(views=(*one.views, view))
    for rejected in plan.rejected:
        name = find_root(rejected.manifest.table_name)
        one = groups.get(name, PlanPartition())
        groups[name] = PlanPartition(views=one.views, rejected=(*one.rejected, rejected))
    return list(groups.values())


def _merge(plan: RefreshPlan, groups: Iterable[PlanPartition]) -> PlanPartition:
    """Merge groups into one partition, in the plan's order."""
    groups = tuple(groups)
    views = {view.key for group in groups for view in group.views}
    rejected = {one.manifest for group in groups for one in group.rejected}
    return PlanPartition(
        views=tuple(view for view in plan.views if view.key in views),
        rejected=tuple(one for one in plan.rejected if one.manifest in rejected),
    )
