"""The latest starts of views that share workers: each view as late as its deadline allows.

This is list scheduling backwards in time: the view with the latest deadline takes the end of a worker's time, and its
start is a deadline of its dependencies.
"""

from collections import Counter
from collections.abc import Hashable, Mapping, Set
from datetime import UTC, datetime, timedelta
from heapq import heapify, heappop, heappush, heapreplace
from typing import TypeVar

Node = TypeVar("Node", bound=Hashable)

_FOREVER = datetime.max.replace(tzinfo=UTC)


def just_in_time_starts(
    graph: Mapping[Node, Set[Node]],
    durations: Mapping[Node, timedelta],
    deadlines: Mapping[Node, datetime],
    *,
    workers: int,
) -> dict[Node, datetime]:
    """Return the start of each view with a deadline.

    `graph` has the dependencies of each view, without cycles. Dependencies without a deadline are ignored.
    """
    reads = {node: graph.get(node, frozenset()) & deadlines.keys() for node in deadlines}
    unplaced = Counter(read for node in reads for read in reads[node])  # dependents
    due = dict(deadlines)
    order = {node: number for number, node in enumerate(deadlines)}  # of equal deadlines
    ready = [(_before(due[node]), order[node], node) for node in due if not unplaced[node]]
    heapify(ready)
    busy_from = [_before(_FOREVER)] * workers
    starts: dict[Node, datetime] = {}
    while ready:
        _, _, node = heappop(ready)
        free_until = _FOREVER - busy_from[0]
        starts[node] = min(due[node], free_until) - durations[node]
        heapreplace(busy_from, _before(starts[node]))
        for read in reads[node]:
            due[read] = min(due[read], starts[node])
            unplaced[read] -= 1
            if not unplaced[read]:
                heappush(ready, (_before(due[read]), order[read], read))
    return starts


def _before(instant: datetime) -> timedelta:
    """Return a sort key that puts the latest instant first."""
    return _FOREVER - instant
