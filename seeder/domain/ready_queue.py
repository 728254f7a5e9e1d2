"""Queue of the views whose dependencies have ended, most urgent first."""

from bisect import insort
from collections.abc import Callable, Iterable, Iterator, Sequence
from graphlib import TopologicalSorter

from seeder.domain.plan import PlannedGroup, PlannedView


class ReadyQueue:
    """Ready views of a plan, in the plan's order. The first view of a group stands for all of them."""

    def __init__(self, views: Sequence[PlannedView], groups: Iterable[PlannedGroup] = ()) -> None:
        leaders = {view.key: view for view in views} | {
            one.key: group.leader for group in groups for one in group.views
        }
        self._rank: dict[PlannedView, int] = {}
        dependencies: dict[PlannedView, set[PlannedView]] = {}
        for rank, view in enumerate(views):
            leader = leaders[view.key]
            self._rank.setdefault(leader, rank)  # of its most urgent member
            dependencies.setdefault(leader, set()).update({leaders[key] for key in view.depends_on} - {leader})
        self._sorter = TopologicalSorter(dependencies)
        self._sorter.prepare()
        self._ready = sorted(self._sorter.get_ready(), key=self._rank.__getitem__)

    def __len__(self) -> int:
        return len(self._ready)

    def __iter__(self) -> Iterator[PlannedView]:
        return iter(self._ready)

    def take(self, *, prefer: Callable[[PlannedView], bool] = lambda _: True) -> PlannedView:
        """Remove and return the most urgent preferred view, otherwise the most urgent. Must not be empty."""
        return self._ready.pop(next((place for place, view in enumerate(self._ready) if prefer(view)), 0))

    def remove(self, views: Iterable[PlannedView]) -> None:
        """Remove ready views, in the order in which the queue has them."""
        places = [self._ready.index(view) for view in views]
        for place in reversed(places):
            del self._ready[place]

    def put(self, view: PlannedView) -> None:
        """Add a view that became ready, or that could not start."""
        insort(self._ready, view, key=self._rank.__getitem__)

    def mark_done(self, view: PlannedView) -> Iterable[PlannedView]:
        """Make views ready that waited only for this one, and return them.

        A failed view releases its dependents too, because their other dependencies may have new data.
        """
        self._sorter.done(view)
        released = self._sorter.get_ready()
        for dependent in released:
            self.put(dependent)
        return released
