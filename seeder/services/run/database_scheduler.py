"""Schedules the views of one database: which can start, which run, how they ended.

Each database has its own workers, batches and circuit breaker, so that one that is down or busy delays no other.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from queue import SimpleQueue
from time import monotonic

from seeder.domain.admission_decisions import AdmissionDecision, Admit, Hold, TrialOnly
from seeder.domain.manifests import ViewKey
from seeder.domain.outcomes import RefreshResult, StartContext
from seeder.domain.plan import PlannedView
from seeder.domain.ready_queue import ReadyQueue
from seeder.domain.refresh_costs import RefreshCost
from seeder.domain.run_events import RunEvent, RunWarning, StartsHeld, StartsResumed, ViewStarted, WarningKind
from seeder.services.run.worker_pool import Ended, WorkerLost, WorkerPool


@dataclass(frozen=True, kw_only=True, slots=True)
class StartPolicy:
    """Limits on how fast views are started."""

    workers: int  # concurrent refreshes in each database
    max_batch_size: int  # maximum number of views that start together
    batch_delay: timedelta  # between two batches
    max_hold: timedelta  # longest hold, trials excluded, before the remaining views are given up


@dataclass(frozen=True, kw_only=True, slots=True)
class RunCallbacks:
    """What a scheduler calls, as plain callables."""

    refresh: Callable[[PlannedView, StartContext], RefreshResult]  # called in a worker's thread
    give_up: Callable[[PlannedView, Hold, RefreshCost], RefreshResult]  # record a view that was never started
    admit: Callable[[str], AdmissionDecision]  # if a batch can start in this database
    record_result: Callable[
        [PlannedView, RefreshResult, StartContext], object
    ]  # how a view ended, for what admits the next ones
    cancel: Callable[[], object]  # cancel every running refresh
    on_tick: Callable[[], object]  # periodic work of the scheduler's thread
    close_worker: Callable[[], object]  # the last call in each worker's thread
    on_event: Callable[[RunEvent], object]  # listeners
    clock: Callable[[], float] = monotonic  # seconds


class DatabaseScheduler:
    """Schedules the views of one database. Everything but the refreshes runs in the caller's thread."""

    def __init__(
        self,
        database: str,
        views: Sequence[PlannedView],
        *,
        policy: StartPolicy,
        callbacks: RunCallbacks,
        ended_views: "SimpleQueue[Ended | None]",
    ) -> None:
        self._database, self._policy, self._callbacks = database, policy, callbacks
        self._ready = ReadyQueue(views)
        self._remaining = len(views)
        self._hold_time = _HoldClock()
        self._ready_since = {view: (callbacks.clock(), 0.0) for view in views if not view.depends_on}
        self._contexts: dict[PlannedView, StartContext] = {}
        self._results: dict[ViewKey, RefreshResult] = {}
        self._next_batch = callbacks.clock()
        self._held_since: float | None = None  # start of the hold, trials excluded
        self._current_hold: Hold | None = None  # the hold that was reported
        self._trial: PlannedView | None = None
        self.pool = WorkerPool[StartContext](
            min(policy.workers, len(views)),
            refresh=callbacks.refresh,
            close_worker=callbacks.close_worker,
            ended=ended_views,
        )

    @property
    def is_finished(self) -> bool:
        return not self._remaining

    @property
    def next_start_in(self) -> float | None:
        """Seconds until the next batch can start, or None if no batch is waiting for its delay."""
        left = self._next_batch - self._callbacks.clock()
        return left if self._can_start and left > 0 else None

    def start(self) -> Iterable[tuple[PlannedView, RefreshResult]]:
        """Start what can start now. Return the views that were given up instead, with their recorded results."""
        while self._can_start:
            now = self._callbacks.clock()
            if now < self._next_batch:
                self._hold_time.start(now)
                return ()
            match self._callbacks.admit(self._database):
                case Admit():
                    self._resume(now)
                    for _ in range(min(self._policy.max_batch_size, self.pool.free, len(self._ready))):
                        self._start_view(self._ready.take(), now)
                    self._next_batch = now + self._policy.batch_delay.total_seconds()
                case TrialOnly():
                    self._trial = self._ready.take(prefer=lambda view: view.last_refresh_succeeded)
                    self._start_view(self._trial, now)
                case Hold() as hold:
                    return self._hold_starts(hold, now)
        return ()

    def finish(self, view: PlannedView, result: RefreshResult) -> None:
        """Record a finished view, and queue the views that waited only for it."""
        if self._trial is view:
            self._trial = None
        self._callbacks.record_result(view, result, self._contexts.pop(view))
        self._mark_finished(view, result)

    def requeue(self, view: PlannedView, cause: WorkerLost) -> None:
        """Queue a view again whose worker cannot connect. Raises the cause if no worker is left."""
        self.pool.remove_worker()
        left = self.pool.free + self.pool.busy
        if not left:
            raise cause.__cause__ or cause
        self._contexts.pop(view)
        self._trial = None if self._trial is view else self._trial
        now = self._callbacks.clock()
        self._ready.put_back(view)
        self._ready_since[view] = (now, self._hold_time.seconds(now))
        self._callbacks.on_event(
            RunWarning(
                kind=WarningKind.WORKER_LOST,
                message=f"One worker fewer in {self._database}, {left} left: {cause}",
                database=self._database,
            )
        )

    @property
    def _can_start(self) -> bool:
        return bool(self.pool.free and self._ready and self._trial is None)

    @property
    def _fills_pool(self) -> bool:
        """True if this view and the ready ones will fill the pool."""
        seats = self.pool.free + self.pool.busy
        return seats > 1 and self.pool.busy + 1 + len(self._ready) >= seats

    def _resume(self, now: float) -> None:
        self._hold_time.stop(now)
        if self._current_hold is not None and self._held_since is not None:
            self._callbacks.on_event(
                StartsResumed(database=self._database, duration=timedelta(seconds=now - self._held_since))
            )
        self._current_hold = self._held_since = None

    def _start_view(self, view: PlannedView, now: float) -> None:
        inputs = {key: self._results[key] for key in sorted(view.depends_on)}
        seat_wait, throttle_wait = self._wait_times(view, now)
        self._contexts[view] = StartContext(
            worker_wait=seat_wait,
            throttle_wait=throttle_wait,
            failed_dependencies=tuple(key for key, result in inputs.items() if result.failure),
            dependencies_finished_at=max(
                (result.finished_at for result in inputs.values() if not result.failure), default=None
            ),
            is_trial=view is self._trial,
            pool_is_full=self._fills_pool,
        )
        self.pool.start(view, self._contexts[view])
        self._callbacks.on_event(ViewStarted(view=view))

    def _wait_times(self, view: PlannedView, now: float) -> tuple[timedelta, timedelta]:
        """Return how long a ready view waited for a worker, and how long it was on hold."""
        since, held_before = self._ready_since.pop(view)
        held = self._hold_time.seconds(now) - held_before
        return timedelta(seconds=now - since - held), timedelta(seconds=held)

    def _hold_starts(self, hold: Hold, now: float) -> Iterable[tuple[PlannedView, RefreshResult]]:
        self._hold_time.start(now)
        self._held_since = now if self._held_since is None else self._held_since
        if now - self._held_since >= self._policy.max_hold.total_seconds():
            return self._give_up_remaining(hold, now)
        if hold != self._current_hold:
            self._current_hold = hold
            self._callbacks.on_event(StartsHeld(database=self._database, hold=hold))
        return ()

    def _give_up_remaining(self, hold: Hold, now: float) -> Iterable[tuple[PlannedView, RefreshResult]]:
        """Give up every ready view. Running views continue, and views that wait for them are given up later."""
        given_up = []
        while self._ready:
            view = self._ready.take()
            seat_wait, throttle_wait = self._wait_times(view, now)
            cost = RefreshCost(worker_wait=seat_wait, throttle_wait=throttle_wait)
            given_up.append((view, self._callbacks.give_up(view, hold, cost)))
            self._mark_finished(*given_up[-1])
        return given_up

    def _mark_finished(self, view: PlannedView, result: RefreshResult) -> None:
        self._remaining -= 1
        self._results[view.key] = result
        now = self._callbacks.clock()
        for reader in self._ready.mark_done(view):
            self._ready_since[reader] = (now, self._hold_time.seconds(now))


class _HoldClock:
    """Seconds in which ready views and free workers were kept waiting by a hold or a batch delay."""

    def __init__(self) -> None:
        self._before = 0.0
        self._since: float | None = None

    def start(self, now: float) -> None:
        if self._since is None:
            self._since = now

    def stop(self, now: float) -> None:
        self._before, self._since = self.seconds(now), None

    def seconds(self, now: float) -> float:
        return self._before + (0.0 if self._since is None else now - self._since)
