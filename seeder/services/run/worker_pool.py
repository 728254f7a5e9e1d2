"""The workers of one database: threads with a connection that refresh one view at a time.

Threads are enough, because PostgreSQL does the work. A pool is for one database, because a thread keeps its connection.
"""

from collections.abc import Callable, Mapping
from contextvars import ContextVar
from queue import SimpleQueue
from threading import Thread

from seeder.domain.outcomes import RefreshResult, StartContext
from seeder.domain.plan import PlannedView

# The number of this thread in its pool, from 1 on.
worker_number: ContextVar[int | None] = ContextVar("worker_number", default=None)

Start = Mapping[PlannedView, StartContext]  # a view, the first view of a group, or views that share a transaction
Ending = RefreshResult | Mapping[PlannedView, RefreshResult]  # of a view, or of all views of a group or transaction
Ended = tuple[PlannedView, Ending | BaseException]  # with the first view of the start


class WorkerLost(Exception):
    """A worker cannot connect. Its view was not started."""


class SharingFailed(Exception):
    """Views cannot share a transaction. None was refreshed, so each one is started alone."""


class WorkerPool:
    """A fixed number of workers. Each result, or unexpected error, is put into `ended`."""

    def __init__(
        self,
        count: int,
        *,
        refresh: Callable[[Start], Ending],
        close_worker: Callable[[], object],
        ended: "SimpleQueue[Ended | None]",
    ) -> None:
        self.free, self.busy = count, 0
        self._refresh, self._close_worker, self._ended = refresh, close_worker, ended
        self._assigned = SimpleQueue[Start | None]()
        self._threads = [
            Thread(target=self._run_worker, args=[number], name=f"worker-{number}", daemon=True)
            for number in range(1, count + 1)
        ]
        for thread in self._threads:
            thread.start()

    @property
    def size(self) -> int:
        return self.free + self.busy

    def start(self, start: Start) -> None:
        """Give views to a free worker."""
        self.free, self.busy = self.free - 1, self.busy + 1
        self._assigned.put(start)

    def release(self) -> None:
        """Count a worker as free, after its result was read from `ended`."""
        self.free, self.busy = self.free + 1, self.busy - 1

    def remove_worker(self) -> None:
        """Count one worker less, because it cannot connect."""
        self.busy -= 1

    def shutdown(self, *, wait: bool) -> None:
        """End the workers, and wait for running refreshes if `wait` is set."""
        for _ in self._threads:
            self._assigned.put(None)
        for thread in self._threads if wait else ():
            thread.join()

    def _run_worker(self, number: int) -> None:
        worker_number.set(number)
        try:
            while (start := self._assigned.get()) is not None:
                first = next(iter(start))
                try:
                    self._ended.put((first, self._refresh(start)))
                except WorkerLost as error:
                    self._ended.put((first, error))
                    return  # otherwise it would take the next view from a worker that can connect
                except BaseException as error:  # noqa: BLE001  # raised by the scheduler's thread
                    self._ended.put((first, error))
        finally:
            self._close_worker()
