"""The worker places of one database: threads that refresh one view each at a time.

Threads, because the work is PostgreSQL's; of one database, because a thread keeps its connection.
"""

from collections.abc import Callable
from contextvars import ContextVar
from queue import SimpleQueue
from threading import Thread
from typing import Generic, TypeVar

from seeder.domain.outcomes import RefreshResult
from seeder.domain.plan import PlannedView

Task = TypeVar("Task")

# Which seat of its database this thread is, from 1 on.
worker_number: ContextVar[int | None] = ContextVar("worker_number", default=None)

Ended = tuple[PlannedView, RefreshResult | BaseException]


class WorkerLost(Exception):
    """A seat cannot work, as there is no connection for it. Its view was not begun."""


class WorkerPool(Generic[Task]):
    """So many seats; each result, or surprise, is put into `ended`."""

    def __init__(
        self,
        count: int,
        *,
        refresh: Callable[[PlannedView, Task], RefreshResult],
        close_worker: Callable[[], object],
        ended: "SimpleQueue[Ended | None]",
    ) -> None:
        self.free, self.busy = count, 0
        self._refresh, self._leave, self._ended = refresh, close_worker, ended
        self._views = SimpleQueue[tuple[PlannedView, Task] | None]()
        self._threads = [
            Thread(target=self._run_worker, args=[seat], name=f"worker-{seat}", daemon=True)
            for seat in range(1, count + 1)
        ]
        for thread in self._threads:
            thread.start()

    def start(self, view: PlannedView, task: Task) -> None:
        """Have the view refreshed on a free seat."""
        self.free, self.busy = self.free - 1, self.busy + 1
        self._views.put((view, task))

    def release(self) -> None:
        """One of the views has ended, as somebody has read in `ended`."""
        self.free, self.busy = self.free + 1, self.busy - 1

    def remove_worker(self) -> None:
        """A seat cannot work. From now on there is one less."""
        self.busy -= 1

    def shutdown(self, *, wait: bool) -> None:
        """No more views will come; wait for those that sit."""
        for _ in self._threads:
            self._views.put(None)
        for thread in self._threads if wait else ():
            thread.join()

    def _run_worker(self, number: int) -> None:
        worker_number.set(number)
        try:
            while (taken := self._views.get()) is not None:
                view, task = taken
                try:
                    self._ended.put((view, self._refresh(view, task)))
                except WorkerLost as why:
                    self._ended.put((view, why))
                    return  # or it would take the next view from under those that can work
                except BaseException as surprise:  # noqa: BLE001  # raised by the thread that waits for this view
                    self._ended.put((view, surprise))
        finally:
            self._leave()
