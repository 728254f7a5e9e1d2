"""Queue of the views whose dependencies have ended, most urgent first."""

from bisect import insort
from collections.abc import Callable, Iterable, Sequence
from graphlib import TopologicalSorter

from seeder.domain.plan import PlannedView


class ReadyQueue:
    """Ready views of a plan, in the plan's order."""

    def __init__(self, views: Sequence[PlannedView]) -> None:
        self._rank = {view: rank for rank, view in enumerate(views)}
        by_key = {view.key: view for view in views}
        self._sorter = TopologicalSorter({view: [by_key[key] for key in view.depends_on] for view in views})
        self._sorter.prepare()
        self._ready = sorted(self._sorter.get_ready(), key=self._rank.__getitem__)

    def __len__(self) -> int:
        return len(self._ready)

    def take(self, *, prefer: Callable[[PlannedView], bool] = lambda _: True) -> PlannedView:
        """Remove and return the most urgent preferred view, otherwise the most urgent. Must not be empty."""
        return self._ready.pop(next((place for place, view in enumerate(self._ready) if prefer(view)), 0))

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
