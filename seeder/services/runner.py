"""Runs a plan: every view as soon as what it reads has ended and a seat is free, the most urgent first.

Knows neither databases nor doors: how to refresh one view is passed in, and so is who hears of it. The seats are
threads, because the work is PostgreSQL's; all decisions are taken by the thread that calls `run`.
"""

from collections.abc import Callable, Mapping
from heapq import heappop, heappush
from queue import SimpleQueue
from threading import Thread

from seeder.domain.events import RunEvent, ViewEnded, ViewStarted
from seeder.domain.outcomes import RefreshResult
from seeder.domain.plan import PlannedView, RefreshPlan

Refresh = Callable[[PlannedView], RefreshResult]


def run(
    plan: RefreshPlan,
    *,
    seats: int,
    refresh: Refresh,
    leave: Callable[[], object],
    emit: Callable[[RunEvent], object],
) -> dict[PlannedView, RefreshResult]:
    """Refresh every view of the plan on so many seats; the results, in the order in which the views ended.

    `leave` is called by each seat as its last act, to give back what its thread holds. An exception from `refresh`
    is a surprise: nothing new starts, what runs is waited for, and it is raised.
    """
    work, ended = SimpleQueue[PlannedView | None](), SimpleQueue[_Ended]()
    threads = [
        Thread(target=_seat, args=(work, ended, refresh, leave), name=f"seat-{number}", daemon=True)
        for number in range(1, min(seats, len(plan.views)) + 1)
    ]
    for thread in threads:
        thread.start()
    results: dict[PlannedView, RefreshResult] = {}
    try:
        queue = _ReadyQueue(plan)
        free = len(threads)
        while len(results) < len(plan.views):
            while free and (view := queue.take()) is not None:
                free -= 1
                work.put(view)
                emit(ViewStarted(view=view))
            view, result = ended.get()
            free += 1
            if isinstance(result, BaseException):
                raise result
            results[view] = result
            queue.release(view)
            emit(ViewEnded(view=view, result=result))
    finally:
        for _ in threads:
            work.put(None)
        for thread in threads:
            thread.join()
    return results


_Ended = tuple[PlannedView, RefreshResult | BaseException]


def _seat(
    work: "SimpleQueue[PlannedView | None]",
    ended: "SimpleQueue[_Ended]",
    refresh: Refresh,
    leave: Callable[[], object],
) -> None:
    try:
        while (view := work.get()) is not None:
            try:
                ended.put((view, refresh(view)))
            except BaseException as surprise:  # noqa: BLE001  # it is raised by the thread that waits for this view
                ended.put((view, surprise))
    finally:
        leave()


class _ReadyQueue:
    """The views whose inputs have all ended, in the order of the plan."""

    def __init__(self, plan: RefreshPlan) -> None:
        self._rank: Mapping[PlannedView, int] = {view: rank for rank, view in enumerate(plan.views)}
        self._waits_for = {view: len(view.reads) for view in plan.views}
        self._readers = plan.readers
        self._ready = [(rank, view) for view, rank in self._rank.items() if not view.reads]

    def take(self) -> PlannedView | None:
        """The most urgent ready view, or None while there is none."""
        return heappop(self._ready)[1] if self._ready else None

    def release(self, ended: PlannedView) -> None:
        """Make ready whatever waited for this view alone. A failed one releases too: its readers' other inputs are
        newer than yesterday."""
        for reader in self._readers[ended.key]:
            self._waits_for[reader] -= 1
            if not self._waits_for[reader]:
                heappush(self._ready, (self._rank[reader], reader))
