"""What a run will do, in which order: views after what they read, the longest remaining path first.

Longest remaining path first is list scheduling by critical path (R. L. Graham, "Bounds on Multiprocessing Timing
Anomalies", SIAM J. Appl. Math. 17(2), 1969): among the views that are ready, the one that holds up the most work
behind it starts first. For independent views it is longest first.
"""

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from functools import cached_property

from seeder.domain.manifests import Complaint, Selection, ViewKey, ViewSpec


class Action(StrEnum):
    """What a view needs."""

    CREATE = "create"
    REFRESH = "refresh"


@dataclass(frozen=True, kw_only=True, eq=False)
class PlannedView:
    """One view of a plan. Compared by identity: a plan holds each view once."""

    spec: ViewSpec
    action: Action
    reads: frozenset[ViewKey]  # the views of this plan that must have ended before this one starts
    expected: timedelta | None  # as long as it took when it last succeeded, None before it ever did
    path: timedelta  # from its start to the end of the longest chain behind it, as far as is known

    @property
    def key(self) -> ViewKey:
        return self.spec.key


@dataclass(frozen=True, kw_only=True)
class RefreshPlan:
    """The views, most urgent first, and the manifests that cannot be planned."""

    views: tuple[PlannedView, ...] = ()
    complaints: tuple[Complaint, ...] = ()

    @cached_property
    def readers(self) -> Mapping[ViewKey, tuple[PlannedView, ...]]:
        """Who waits for a view, for every view of the plan."""
        waiting: dict[ViewKey, list[PlannedView]] = {view.key: [] for view in self.views}
        for view in self.views:
            for key in view.reads:
                waiting[key].append(view)
        return {key: tuple(views) for key, views in waiting.items()}


def draw_up(
    selection: Selection,
    *,
    existing: Set[ViewKey],
    reads: Mapping[ViewKey, Iterable[ViewKey]],
    expected: Mapping[ViewKey, timedelta],
) -> RefreshPlan:
    """Order the selected views. The same input gives the same plan, whatever the order of its sets and maps.

    `reads` may name views outside the selection: they are left out, nobody asked for them.
    """
    specs = {spec.key: spec for spec in selection.views}
    graph = _without_circles({key: specs.keys() & set(reads.get(key, ())) for key in specs})
    paths = _remaining_paths(graph, expected)
    views = [
        PlannedView(
            spec=spec,
            action=Action.REFRESH if key in existing else Action.CREATE,
            reads=frozenset(graph[key]),
            expected=expected.get(key),
            path=paths[key],
        )
        for key, spec in specs.items()
    ]
    return RefreshPlan(
        views=tuple(sorted(views, key=lambda view: (-view.path, view.key))),
        complaints=selection.complaints,
    )


def _without_circles(graph: Mapping[ViewKey, Set[ViewKey]]) -> dict[ViewKey, Set[ViewKey]]:
    """The graph in an order in which every view comes after what it reads.

    Views alone cannot read each other in a circle; a function in between that was replaced afterwards can close one.
    PostgreSQL refreshes such views in any order, so one of the circle simply goes first.
    """
    ordered: dict[ViewKey, Set[ViewKey]] = {}
    waiting = dict(sorted(graph.items()))
    while waiting:
        ready = [key for key, read in waiting.items() if read <= ordered.keys()] or [_in_a_circle(waiting)]
        for key in ready:
            ordered[key] = waiting.pop(key) & ordered.keys()
    return ordered


def _in_a_circle(waiting: Mapping[ViewKey, Set[ViewKey]]) -> ViewKey:
    """A view that reads itself by some way; every one here waits for another, so each way leads into a circle."""
    key, passed = next(iter(waiting)), set[ViewKey]()
    while key not in passed:
        passed.add(key)
        key = min(waiting[key] & waiting.keys())
    return key


def _remaining_paths(
    graph: Mapping[ViewKey, Set[ViewKey]], expected: Mapping[ViewKey, timedelta]
) -> dict[ViewKey, timedelta]:
    """For each view the time from its start to the end of the longest chain behind it.

    A view that never succeeded counts for longer than all the others together, so that it starts early: an unknown
    long view that starts last is what makes a night long. `graph` has to be in order.
    """
    unknown = sum(expected.values(), timedelta(seconds=1))
    behind = dict.fromkeys(graph, timedelta())
    paths: dict[ViewKey, timedelta] = {}
    for key in reversed(list(graph)):
        paths[key] = behind[key] + expected.get(key, unknown)
        for read in graph[key]:
            behind[read] = max(behind[read], paths[key])
    return paths
