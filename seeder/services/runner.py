"""Runs a plan: every view as soon as what it reads has ended and a seat is free, the most urgent first.

Knows neither databases nor doors: how to refresh one view is passed in, and so is who hears of it. All decisions are
taken by the thread that calls `run`; a database's own are in `lanes`.
"""

from queue import Empty, SimpleQueue

from seeder.domain.outcomes import RefreshResult
from seeder.domain.plan import PlannedView, RefreshPlan
from seeder.domain.run_events import ViewEnded
from seeder.services.lanes import Lane, Pace, Work
from seeder.services.seats import Ended, NoSeat
from seeder.services.stopping import Stop

# How often what runs is cancelled after a stop, and for how long each time its end is waited for. A cancel that arrives
# between two statements does nothing, so one is not enough; and an operator waits no longer than two seconds.
_CHANCES, _CHANCE = 15, 0.1  # times, seconds

# The kernel may give a signal to any thread, but Python runs its handler in the main one, and not before that wakes up.
# It is also how often a database that holds us back is asked again.
_LOOK = 0.2  # seconds


def run(plan: RefreshPlan, *, pace: Pace, work: Work, stop: Stop) -> dict[PlannedView, RefreshResult]:
    """Refresh every view of the plan at this pace; the results, in the order in which the views ended.

    When `stop` is requested, nothing new starts, and what runs is cancelled until it has ended or has had its chances;
    a view that did not end by itself then has no result. Otherwise an exception from `refresh` is a surprise: nothing
    new starts, what runs is waited for, and it is raised.
    """
    going = _Run(plan, pace, work, stop)
    try:
        while not (stop.requested or going.is_over):
            going.start()
            if not going.is_over:
                going.wait(going.pause)
            work.beat()
        for _ in range(_CHANCES):
            if not going.taken:
                break
            work.cancel()
            going.wait(_CHANCE)
    finally:
        going.leave(wait=not (stop.requested and going.taken))
    return going.results


class _Run:
    """The lanes of the databases side by side."""

    def __init__(self, plan: RefreshPlan, pace: Pace, work: Work, stop: Stop) -> None:
        self.results: dict[PlannedView, RefreshResult] = {}
        self._work, self._stop = work, stop
        self._ended = SimpleQueue[Ended | None]()
        self._lanes = {
            database: Lane(database, views, pace=pace, work=work, ended=self._ended)
            for database, views in plan.by_database.items()
        }
        stop.listen(lambda: self._ended.put(None))  # safe in a signal handler, as SimpleQueue.put() is reentrant

    @property
    def is_over(self) -> bool:
        return all(lane.is_over for lane in self._lanes.values())

    @property
    def taken(self) -> bool:
        return any(lane.seats.taken for lane in self._lanes.values())

    @property
    def pause(self) -> float:
        return min((lane.pause for lane in self._lanes.values() if lane.pause is not None), default=_LOOK)

    def start(self) -> None:
        for lane in self._lanes.values():
            for refused in lane.start():
                self._tell(*refused)

    def wait(self, seconds: float) -> None:
        """Until a view ends, somebody wakes us, or so many seconds have passed, at most as many as we look away."""
        try:
            ended = self._ended.get(timeout=min(seconds, _LOOK))
        except Empty:
            return
        if ended is not None:
            self._settle(*ended)

    def leave(self, *, wait: bool) -> None:
        for lane in self._lanes.values():
            lane.seats.dismiss(wait=wait)

    def _settle(self, view: PlannedView, end: RefreshResult | BaseException) -> None:
        lane = self._lanes[view.key.database]
        if isinstance(end, NoSeat) and not self._stop.requested:
            lane.withdraw(view, end)
            return
        lane.seats.give_back()
        if isinstance(end, RefreshResult):
            lane.settle(view, end)
            self._tell(view, end)
        elif not self._stop.requested:
            raise end

    def _tell(self, view: PlannedView, result: RefreshResult) -> None:
        self.results[view] = result
        self._work.emit(ViewEnded(view=view, result=result))
