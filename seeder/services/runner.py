"""Runs a plan: every view as soon as what it reads has ended and a seat is free, the most urgent first.

Knows neither databases nor doors: how to refresh one view is passed in, and so is who hears of it. The seats are
threads, because the work is PostgreSQL's; all decisions are taken by the thread that calls `run`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from heapq import heappop, heappush
from queue import Empty, SimpleQueue
from threading import Thread

from seeder.domain.events import RunEvent, ViewEnded, ViewStarted
from seeder.domain.outcomes import RefreshResult
from seeder.domain.plan import PlannedView, RefreshPlan
from seeder.services.stopping import Stop

# How often what runs is cancelled after a stop, and for how long each time its end is waited for. A cancel that arrives
# between two statements does nothing, so one is not enough; and an operator waits no longer than two seconds.
_CHANCES, _CHANCE = 15, 0.1  # times, seconds

# The kernel may give a signal to any thread, but Python runs its handler in the main one, and not before that wakes up.
_LOOK = 0.5  # seconds


@dataclass(frozen=True, kw_only=True, slots=True)
class Work:
    """What the seats do, as plain callables."""

    refresh: Callable[[PlannedView], RefreshResult]
    cancel: Callable[[], object]  # end every refresh that runs now
    beat: Callable[[], object]  # what the thread that decides does now and then
    leave: Callable[[], object]  # the last act of each seat: give back what its thread holds


def run(
    plan: RefreshPlan, *, seats: int, work: Work, emit: Callable[[RunEvent], object], stop: Stop
) -> dict[PlannedView, RefreshResult]:
    """Refresh every view of the plan on so many seats; the results, in the order in which the views ended.

    When `stop` is requested, nothing new starts, and what runs is cancelled until it has ended or has had its chances;
    a view that did not end by itself then has no result. Otherwise an exception from `refresh` is a surprise: nothing
    new starts, what runs is waited for, and it is raised.
    """
    crew, queue = _Seats(min(seats, len(plan.views)), work), _ReadyQueue(plan)
    stop.listen(crew.wake)
    results: dict[PlannedView, RefreshResult] = {}

    def settle(view: PlannedView, end: "RefreshResult | BaseException") -> None:
        if isinstance(end, RefreshResult):
            results[view] = end
            queue.release(view)
            emit(ViewEnded(view=view, result=end))
        elif not stop.requested:
            raise end

    try:
        while len(results) < len(plan.views) and not stop.requested:
            while crew.free and (view := queue.take()) is not None:
                crew.seat(view)
                emit(ViewStarted(view=view))
            if (ended := crew.next_to_end(within=_LOOK)) is not None:
                settle(*ended)
            work.beat()
        for _ in range(_CHANCES):
            if not crew.taken:
                break
            work.cancel()
            if (ended := crew.next_to_end(within=_CHANCE)) is not None:
                settle(*ended)
    finally:
        crew.dismiss(wait=not stop.requested or not crew.taken)
    return results


_Ended = tuple[PlannedView, RefreshResult | BaseException]


class _Seats:
    """Threads that refresh one view each at a time."""

    def __init__(self, count: int, work: Work) -> None:
        self.free, self.taken = count, 0
        self._work = work
        self._views = SimpleQueue[PlannedView | None]()
        self._ended = SimpleQueue[_Ended | None]()
        self._threads = [Thread(target=self._sit, name=f"seat-{number + 1}", daemon=True) for number in range(count)]
        for thread in self._threads:
            thread.start()

    def seat(self, view: PlannedView) -> None:
        self.free, self.taken = self.free - 1, self.taken + 1
        self._views.put(view)

    def next_to_end(self, *, within: float) -> _Ended | None:
        """The next view that ends, with how; None when somebody wakes us, or after so many seconds."""
        try:
            ended = self._ended.get(timeout=within)
        except Empty:
            return None
        if ended is not None:
            self.free, self.taken = self.free + 1, self.taken - 1
        return ended

    def wake(self) -> None:
        """Safe in a signal handler, as SimpleQueue.put() is reentrant."""
        self._ended.put(None)

    def dismiss(self, *, wait: bool) -> None:
        for _ in self._threads:
            self._views.put(None)
        for thread in self._threads if wait else ():
            thread.join()

    def _sit(self) -> None:
        try:
            while (view := self._views.get()) is not None:
                try:
                    self._ended.put((view, self._work.refresh(view)))
                except BaseException as surprise:  # noqa: BLE001  # raised by the thread that waits for this view
                    self._ended.put((view, surprise))
        finally:
            self._work.leave()


class _ReadyQueue:
    """The views whose inputs have all ended, in the order of the plan."""

    def __init__(self, plan: RefreshPlan) -> None:
        self._rank = {view: rank for rank, view in enumerate(plan.views)}
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
