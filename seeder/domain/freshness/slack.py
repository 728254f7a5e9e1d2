"""Latest starts of views, so that they and their dependents meet their deadlines.

A dependency has to end before its dependents start, so their latest starts are handed up to it.
"""

from collections.abc import Hashable, Mapping, Set
from datetime import datetime, timedelta
from typing import TypeVar

Node = TypeVar("Node", bound=Hashable)


def latest_starts(
    graph: Mapping[Node, Set[Node]],
    durations: Mapping[Node, timedelta],
    deadlines: Mapping[Node, datetime],
    now: datetime,
) -> dict[Node, datetime]:
    """Return the latest start of each view that has a deadline, or a dependent with one.

    `graph` has the dependencies of each view and must be in topological order. A deadline that cannot be met, even with
    a worker for each view, is ignored: it must not delay those that can be met.
    """
    feasible = {node: deadlines[node] for node in deadlines.keys() - hopeless_views(graph, durations, deadlines, now)}
    needed_by = dict(feasible)
    starts: dict[Node, datetime] = {}
    for node in reversed(list(graph)):
        if node in needed_by:
            starts[node] = needed_by[node] - durations[node]
            for read in graph[node]:
                needed_by[read] = min(needed_by.get(read, starts[node]), starts[node])
    return starts


def hopeless_views(
    graph: Mapping[Node, Set[Node]],
    durations: Mapping[Node, timedelta],
    deadlines: Mapping[Node, datetime],
    now: datetime,
) -> set[Node]:
    """Return the views whose deadlines cannot be met, even with a worker for each view."""
    ends: dict[Node, datetime] = {}
    for node in graph:
        ends[node] = max((ends[read] for read in graph[node]), default=now) + durations[node]
    return {node for node, deadline in deadlines.items() if node in ends and ends[node] > deadline}
