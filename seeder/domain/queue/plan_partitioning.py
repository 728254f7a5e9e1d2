"""How a plan is shared out among several who each run a part of it.

What has to stay in one order, or writes one row, stays in one part. The rest goes longest first to whichever part has
the least to do so far, which takes at most 4/3 of the shortest possible time (R. L. Graham, "Bounds on Multiprocessing
Timing Anomalies", SIAM J. Appl. Math. 17(2), 1969).
"""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Self

from seeder.domain.manifests import Manifest, RejectedManifest, Selection, ViewKey
from seeder.domain.plan import PlannedView, RefreshPlan


@dataclass(frozen=True, kw_only=True)
class PlanPartition:
    """Views and refused manifests that have nothing to do with those of any other part."""

    views: tuple[PlannedView, ...] = ()  # most urgent first
    rejected: tuple[RejectedManifest, ...] = ()

    @property
    def manifests(self) -> Sequence[Manifest]:
        wanted = [manifest for view in self.views for manifest in view.spec.manifests]
        return [*wanted, *(complaint.manifest for complaint in self.rejected)]


@dataclass(frozen=True, kw_only=True, slots=True)
class PartContents:
    """What a part of the queue refreshes."""

    manifests: Sequence[Manifest]
    views: Sequence[ViewKey]

    @classmethod
    def of_partition(cls, partition: PlanPartition) -> Self:
        return cls(manifests=partition.manifests, views=[view.key for view in partition.views])

    @classmethod
    def of_selection(cls, selection: Selection) -> tuple[Self, ...]:
        """Return everything as one part, or no part if nothing is selected."""
        whole = cls(manifests=selection.manifests, views=[spec.key for spec in selection.views])
        return (whole,) if whole.manifests else ()


def partition_plan(plan: RefreshPlan, *, max_partitions: int) -> tuple[PlanPartition, ...]:
    """At most so many parts, none of them empty, that share no view, no dependency and no status row. The same plan
    gives the same parts."""
    durations = _own_durations(plan.views)
    groups = sorted(
        _connected_components(plan),
        key=lambda group: sum((durations[one.key] for one in group.views), timedelta()),
        reverse=True,
    )
    loads = [timedelta()] * min(max_partitions, len(groups))
    shares: list[list[PlanPartition]] = [[] for _ in loads]
    for group in groups:
        # Where nothing takes any time, the fewest first: complaints do not all go into one part.
        lightest = min(range(len(loads)), key=lambda index: (loads[index], len(shares[index])))
        loads[lightest] += sum((durations[one.key] for one in group.views), timedelta())
        shares[lightest].append(group)
    return tuple(_merge(plan, share) for share in shares)


def _own_durations(views: Iterable[PlannedView]) -> Mapping[ViewKey, timedelta]:
    """How long each view takes by itself, known or guessed: its path without the longest one behind it."""
    views = tuple(views)
    longest_behind: dict[ViewKey, timedelta] = defaultdict(timedelta)
    for view in views:
        for read in view.depends_on:
            longest_behind[read] = max(longest_behind[read], view.critical_path)
    return {view.key: view.critical_path - longest_behind[view.key] for view in views}


def _connected_components(plan: RefreshPlan) -> list[PlanPartition]:
    """The connected components of the plan, in its order. Views are connected by what they read, by a name they share
    (then they share a status row) and by a database of which nobody could find out what its views read."""
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
    for complaint in plan.rejected:
        name = find_root(complaint.manifest.table_name)
        one = groups.get(name, PlanPartition())
        groups[name] = PlanPartition(views=one.views, rejected=(*one.rejected, complaint))
    return list(groups.values())


def _merge(plan: RefreshPlan, groups: Iterable[PlanPartition]) -> PlanPartition:
    """One part of several groups, in the plan's order."""
    groups = tuple(groups)
    views = {view.key for group in groups for view in group.views}
    rejected = {complaint.manifest for group in groups for complaint in group.rejected}
    return PlanPartition(
        views=tuple(view for view in plan.views if view.key in views),
        rejected=tuple(complaint for complaint in plan.rejected if complaint.manifest in rejected),
    )
