"""Which views of a plan may start: those whose inputs have all ended, the most urgent first."""

from collections.abc import Callable, Iterable, Sequence
from heapq import heapify, heappop, heappush

from seeder.domain.manifests import ViewKey
from seeder.domain.plan import PlannedView


class ReadyQueue:
    """The ready ones among the views of a plan, in its order."""

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
        """The most urgent ready view that is preferred, else the most urgent one. There has to be one."""
        first = self._ready[0]
        if prefer(first[1]):
            return heappop(self._ready)[1]
        chosen = min((entry for entry in self._ready if prefer(entry[1])), default=first)
        self._ready.remove(chosen)
        heapify(self._ready)
        return chosen[1]

    def put_back(self, view: PlannedView) -> None:
        """A view that was taken could not start."""
        heappush(self._ready, (self._rank[view], view))

    def mark_done(self, view: PlannedView) -> Iterable[PlannedView]:
        """Make ready, and name, whatever waited for this view alone. A failed one releases too: its readers' other
        inputs are newer than yesterday."""
        released = []
        for reader in self._dependents[view.key]:
            self._unfinished_dependencies[reader] -= 1
            if not self._unfinished_dependencies[reader]:
                heappush(self._ready, (self._rank[reader], reader))
                released.append(reader)
        return released
