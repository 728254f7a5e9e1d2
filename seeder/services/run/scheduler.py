"""Runs a plan: starts each view when its dependencies have ended and a worker is free.

Knows no database and no output: callables refresh the views and get the events. All decisions are made in the thread
that calls `run_plan`; `database_scheduler` makes those of one database.
"""

from queue import Empty, SimpleQueue

from seeder.domain.outcomes import RefreshResult
from seeder.domain.plan import PlannedView, RefreshPlan
from seeder.services.run.database_scheduler import DatabaseScheduler, RunCallbacks, StartPolicy
from seeder.services.run.worker_pool import Ended, Ending, SharingFailed, WorkerLost
from seeder.services.stop_signal import StopSignal, cancel_until_ended

# How often a database on hold is checked again. Also limits the delay of a signal: the kernel may deliver it to any
# thread, but Python runs the handler in the main thread when that wakes up.
_POLL_INTERVAL = 0.2  # seconds


def run_plan(
    plan: RefreshPlan, *, policy: StartPolicy, callbacks: RunCallbacks, stop: StopSignal
) -> dict[PlannedView, RefreshResult]:
    """Refresh every view of the plan. Return the results in the order in which the views ended.

    When `stop` is set, no view starts, and running views are cancelled repeatedly. A view that was cancelled, or does
    not end in time, has no result. Without a stop, an exception from `refresh` is unexpected: no view starts, running
    views are waited for, and the exception is raised.
    """
    scheduler = _Scheduler(plan, policy, callbacks, stop)
    try:
        while not (stop.requested or scheduler.is_finished):
            scheduler.start_views()
            if not scheduler.is_finished:
                scheduler.wait(scheduler.next_wait)
            callbacks.on_tick()
        cancel_until_ended(
            has_running=lambda: scheduler.has_running_views, cancel=callbacks.cancel, wait=scheduler.wait
        )
    finally:
        scheduler.close(wait=not (stop.requested and scheduler.has_running_views))
    return scheduler.results


class _Scheduler:
    """The schedulers of all databases, in one thread."""

    def __init__(self, plan: RefreshPlan, policy: StartPolicy, callbacks: RunCallbacks, stop: StopSignal) -> None:
        self.results: dict[PlannedView, RefreshResult] = {}
        self._stop = stop
        self._ended = SimpleQueue[Ended | None]()
        self._databases = {
            database: DatabaseScheduler(
                views,
                policy=policy,
                callbacks=callbacks,
                ended_views=self._ended,
                results=self.results,
                groups=[group for group in plan.groups if group.leader.key.database == database],
            )
            for database, views in plan.by_database.items()
        }
        stop.on_stop(lambda: self._ended.put(None))  # safe in a signal handler, because SimpleQueue.put() is reentrant

    @property
    def is_finished(self) -> bool:
        return all(database.is_finished for database in self._databases.values())

    @property
    def has_running_views(self) -> bool:
        return any(database.pool.busy for database in self._databases.values())

    @property
    def next_wait(self) -> float:
        delays = (database.next_start_in for database in self._databases.values())
        return min((delay for delay in delays if delay is not None), default=_POLL_INTERVAL)

    def start_views(self) -> None:
        for database in self._databases.values():
            database.start_views()

    def wait(self, seconds: float) -> None:
        """Wait for an ended view or a stop, at most one poll interval."""
        try:
            ended = self._ended.get(timeout=min(seconds, _POLL_INTERVAL))
        except Empty:
            return
        if ended is not None:
            self._finish(*ended)

    def close(self, *, wait: bool) -> None:
        for database in self._databases.values():
            database.pool.shutdown(wait=wait)

    def _finish(self, view: PlannedView, ending: Ending | BaseException) -> None:
        database = self._databases[view.key.database]
        if not isinstance(ending, BaseException):
            database.finish(view, ending)
        elif self._stop.requested:
            database.pool.release()
        elif isinstance(ending, WorkerLost):
            database.requeue(view, ending)
        elif isinstance(ending, SharingFailed):
            database.separate(view)
        else:
            database.pool.release()
            raise ending
