"""How a plan is shared out among several who each run a part of it.

What has to stay in one order, or writes one row, stays in one part. The rest goes longest first to whichever part has
the least to do so far, which takes at most 4/3 of the shortest possible time (R. L. Graham, "Bounds on Multiprocessing
Timing Anomalies", SIAM J. Appl. Math. 17(2), 1969).
"""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from seeder.domain.manifests import Complaint, Manifest, ViewKey
from seeder.domain.plan import PlannedView, RefreshPlan


@dataclass(frozen=True, kw_only=True)
class Part:
    """Views and refused manifests that have nothing to do with those of any other part."""

    views: tuple[PlannedView, ...] = ()  # most urgent first
    complaints: tuple[Complaint, ...] = ()

    @property
    def manifests(self) -> Sequence[Manifest]:
        wanted = [manifest for view in self.views for manifest in view.spec.manifests]
        return [*wanted, *(complaint.manifest for complaint in self.complaints)]


def whole(plan: RefreshPlan) -> tuple[Part, ...]:
    """Everything in one part; none where there is nothing."""
    return (Part(views=plan.views, complaints=plan.complaints),) if plan.views or plan.complaints else ()


def split(plan: RefreshPlan, *, most: int) -> tuple[Part, ...]:
    """At most so many parts, none of them empty, that share no view, no dependency and no status row. The same plan
    gives the same parts."""
    spans = _spans(plan.views)
    groups = sorted(
        _connected(plan), key=lambda group: sum((spans[one.key] for one in group.views), timedelta()), reverse=True
    )
    loads = [timedelta()] * min(most, len(groups))
    shares: list[list[Part]] = [[] for _ in loads]
    for group in groups:
        # Where nothing takes any time, the fewest first: complaints do not all go into one part.
        least = min(range(len(loads)), key=lambda index: (loads[index], len(shares[index])))
        loads[least] += sum((spans[one.key] for one in group.views), timedelta())
        shares[least].append(group)
    return tuple(_together(plan, share) for share in shares)


def _spans(views: Iterable[PlannedView]) -> Mapping[ViewKey, timedelta]:
    """How long each view takes by itself, known or guessed: its path without the longest one behind it."""
    views = tuple(views)
    behind: dict[ViewKey, timedelta] = defaultdict(timedelta)
    for view in views:
        for read in view.reads:
            behind[read] = max(behind[read], view.path)
    return {view.key: view.path - behind[view.key] for view in views}


def _connected(plan: RefreshPlan) -> list[Part]:
    """The connected components of the plan, in its order. Views are connected by what they read, by a name they share
    (then they share a status row) and by a database of which nobody could find out what its views read."""
    root: dict[Hashable, Hashable] = {}

    def find(one: Hashable) -> Hashable:
        while root.setdefault(one, one) != one:
            root[one] = root[root[one]]
            one = root[one]
        return one

    for view in plan.views:
        unclear = {view.key.database} & plan.unclear
        for other in (*view.reads, *view.spec.table_names, *((name,) for name in unclear)):
            root[find(other)] = find(view.key)
    groups: dict[Hashable, Part] = {}
    for view in plan.views:
        one = groups.get(find(view.key), Part())
        groups[find(view.key)] = Part(views=(*one.views, view))
    for complaint in plan.complaints:
        name = find(complaint.manifest.table_name)
        one = groups.get(name, Part())
        groups[name] = Part(views=one.views, complaints=(*one.complaints, complaint))
    return list(groups.values())


def _together(plan: RefreshPlan, groups: Iterable[Part]) -> Part:
    """One part of several groups, in the plan's order."""
    groups = tuple(groups)
    views = {view.key for group in groups for view in group.views}
    complaints = {complaint.manifest for group in groups for complaint in group.complaints}
    return Part(
        views=tuple(view for view in plan.views if view.key in views),
        complaints=tuple(complaint for complaint in plan.complaints if complaint.manifest in complaints),
    )
