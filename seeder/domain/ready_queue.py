"""Queue of the views whose dependencies have ended, most urgent first."""

from collections.abc import Callable, Iterable, Sequence
from heapq import heapify, heappop, heappush

from seeder.domain.manifests import ViewKey
from seeder.domain.plan import PlannedView


class ReadyQueue:
    """Ready views of a plan, in the plan's order."""

    def __init__(self, views: Sequence[PlannedView]) -> None:
        self._rank = {view: rank for rank, view in enumerate(views)}
        self._dependents: dict[ViewKey, list[PlannedView]] = {view.key: [] for view in views}
        self._unfinished_dependencies = {view: len(view.depends_on) for view in views}
        for view in views:
            for key in view.depends_on:
                self._dependents[key].append(view)
        self._ready = [(rank, view) for view, rank in self._rank.items() if not view.depends_on]

    def __len__(self) -> int:
        return len(self._ready)

    def take(self, *, prefer: Callable[[PlannedView], bool] = lambda _: True) -> PlannedView:
        """Remove and return the most urgent preferred view, otherwise the most urgent. Must not be empty."""
        first = self._ready[0]
        if prefer(first[1]):
            return heappop(self._ready)[1]
        chosen = min((entry for entry in self._ready if prefer(entry[1])), default=first)
        self._ready.remove(chosen)
        heapify(self._ready)
        return chosen[1]

    def put_back(self, view: PlannedView) -> None:
        """Return a view that could not start."""
        heappush(self._ready, (self._rank[view], view))

    def mark_done(self, view: PlannedView) -> Iterable[PlannedView]:
        """Make views ready that waited only for this one, and return them.

        A failed view releases its dependents too, because their other dependencies may have new data.
        """
        released = []
        for reader in self._dependents[view.key]:
            self._unfinished_dependencies[reader] -= 1
            if not self._unfinished_dependencies[reader]:
                heappush(self._ready, (self._rank[reader], reader))
                released.append(reader)
        return released
