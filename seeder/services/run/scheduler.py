"""Runs a plan: every view as soon as what it reads has ended and a seat is free, the most urgent first.

Knows neither databases nor doors: how to refresh one view is passed in, and so is who hears of it. All decisions are
taken by the thread that calls `run`; a database's own are in `lanes`.
"""

from queue import Empty, SimpleQueue

from seeder.domain.outcomes import RefreshResult
from seeder.domain.plan import PlannedView, RefreshPlan
from seeder.domain.run_events import ViewEnded
from seeder.services.run.database_scheduler import DatabaseScheduler, RunCallbacks, StartPolicy
from seeder.services.run.worker_pool import Ended, WorkerLost
from seeder.services.stop_signal import StopSignal

# How often what runs is cancelled after a stop, and for how long each time its end is waited for. A cancel that arrives
# between two statements does nothing, so one is not enough; and an operator waits no longer than two seconds.
_CANCEL_ATTEMPTS, _CANCEL_INTERVAL = 15, 0.1  # times, seconds

# The kernel may give a signal to any thread, but Python runs its handler in the main one, and not before that wakes up.
# It is also how often a database that holds us back is asked again.
_POLL_INTERVAL = 0.2  # seconds


def run_plan(
    plan: RefreshPlan, *, policy: StartPolicy, callbacks: RunCallbacks, stop: StopSignal
) -> dict[PlannedView, RefreshResult]:
    """Refresh every view of the plan. Return the results in the order in which the views ended.

    When `stop` is set, no view starts, and running views are cancelled repeatedly. A view that was cancelled, or does
    not end in time, has no result. Without a stop, an exception from `refresh` is unexpected: no view starts, running
    views are waited for, and the exception is raised.
    """
    going = _Scheduler(plan, policy, callbacks, stop)
    try:
        while not (stop.requested or going.is_finished):
            going.start()
            if not going.is_finished:
                going.wait(going.next_wait)
            callbacks.on_tick()
        for _ in range(_CANCEL_ATTEMPTS):
            if not going.running_count:
                break
            callbacks.cancel()
            going.wait(_CANCEL_INTERVAL)
    finally:
        going.close(wait=not (stop.requested and going.running_count))
    return going.results


class _Scheduler:
    """The schedulers of all databases, in one thread."""

    def __init__(self, plan: RefreshPlan, policy: StartPolicy, callbacks: RunCallbacks, stop: StopSignal) -> None:
        self.results: dict[PlannedView, RefreshResult] = {}
        self._work, self._stop = callbacks, stop
        self._ended = SimpleQueue[Ended | None]()
        self._lanes = {
            database: DatabaseScheduler(database, views, policy=policy, callbacks=callbacks, ended_views=self._ended)
            for database, views in plan.by_database.items()
        }
        stop.on_stop(lambda: self._ended.put(None))  # safe in a signal handler, as SimpleQueue.put() is reentrant

    @property
    def is_finished(self) -> bool:
        return all(lane.is_finished for lane in self._lanes.values())

    @property
    def running_count(self) -> bool:
        return any(lane.pool.busy for lane in self._lanes.values())

    @property
    def next_wait(self) -> float:
        return min(
            (lane.next_start_in for lane in self._lanes.values() if lane.next_start_in is not None),
            default=_POLL_INTERVAL,
        )

    def start(self) -> None:
        for lane in self._lanes.values():
            for refused in lane.start():
                self._emit_ended(*refused)

    def wait(self, seconds: float) -> None:
        """Wait until a view ends, a stop is set or the time is over, and at most one poll interval."""
        try:
            ended = self._ended.get(timeout=min(seconds, _POLL_INTERVAL))
        except Empty:
            return
        if ended is not None:
            self._finish(*ended)

    def close(self, *, wait: bool) -> None:
        for lane in self._lanes.values():
            lane.pool.shutdown(wait=wait)

    def _finish(self, view: PlannedView, ending: RefreshResult | BaseException) -> None:
        lane = self._lanes[view.key.database]
        if isinstance(ending, WorkerLost) and not self._stop.requested:
            lane.requeue(view, ending)
            return
        lane.pool.release()
        if isinstance(ending, RefreshResult):
            lane.finish(view, ending)
            self._emit_ended(view, ending)
        elif not self._stop.requested:
            raise ending

    def _emit_ended(self, view: PlannedView, result: RefreshResult) -> None:
        self.results[view] = result
        self._work.on_event(ViewEnded(view=view, result=result))
