"""Schedules the views of one database.

Each database has its own workers, batches and circuit breaker. A database that is down or busy does not delay another.
"""

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import timedelta
from math import ceil
from queue import SimpleQueue
from time import monotonic

from seeder.domain import run_events
from seeder.domain.admission_types import AdmissionDecision, Admit, Hold
from seeder.domain.manifests import ViewKey
from seeder.domain.outcomes import GROUP_CONSEQUENCES, Outcome, RefreshResult, StartContext
from seeder.domain.parallel_query import ALWAYS_PARALLEL, ParallelQuery
from seeder.domain.plan import PlannedGroup, PlannedView
from seeder.domain.ready_queue import ReadyQueue
from seeder.domain.refresh_costs import RefreshCost
from seeder.domain.shared_transactions import NO_SHARING, SharingLimits, companions
from seeder.services.run.worker_pool import Ended, Ending, Start, WorkerLost, WorkerPool
from seeder.texts import Text

_MAX_FAILED_SHARES = 5  # in a run; then no views share a transaction


@dataclass(frozen=True, kw_only=True, slots=True)
class StartPolicy:
    """Limits on how fast views are started."""

    workers: int  # concurrent refreshes in each database
    max_batch_size: int  # maximum number of views that start together
    batch_delay: timedelta  # between two batches
    max_hold: timedelta  # hold after which the remaining views are given up; a failed trial does not end it
    workers_by_database: Mapping[str, int] = field(default_factory=dict)  # fewer for some databases
    sharing: SharingLimits = NO_SHARING
    shareable: Set[PlannedView] = frozenset()  # views that may share a transaction
    parallel_query: ParallelQuery = ALWAYS_PARALLEL


@dataclass(frozen=True, kw_only=True, slots=True)
class RunCallbacks:
    """The functions that a scheduler calls."""

    refresh: Callable[[Start], Ending]  # called in a worker's thread
    give_up: Callable[[PlannedView, Hold, RefreshCost], RefreshResult]  # record a view that was never started
    admit: Callable[[str], AdmissionDecision]  # decide if views of this database can start
    record_result: Callable[[PlannedView, RefreshResult, StartContext], object]  # count it for the next decisions
    cancel: Callable[[], object]  # cancel every running refresh
    on_tick: Callable[[], object]  # periodic work of the scheduler's thread
    close_worker: Callable[[], object]  # the last call in each worker's thread
    on_event: Callable[[run_events.RunEvent], object]  # listeners
    clock: Callable[[], float] = monotonic  # seconds


class DatabaseScheduler:
    """Schedules the views of one database. Everything but the refreshes runs in the caller's thread."""

    def __init__(  # noqa: PLR0913  # the parts of a run that concern one database
        self,
        views: Sequence[PlannedView],
        *,
        policy: StartPolicy,
        callbacks: RunCallbacks,
        ended_views: "SimpleQueue[Ended | None]",
        results: dict[PlannedView, RefreshResult],
        groups: Sequence[PlannedGroup] = (),
    ) -> None:
        self._database, self._policy, self._callbacks = views[0].key.database, policy, callbacks
        self._ready = ReadyQueue(views, groups)
        self._groups = {group.leader: group.views for group in groups}
        self._remaining = len(views)
        self._hold_time = _HoldClock()
        self._ready_since = {view: (callbacks.clock(), 0.0) for view in self._ready}
        self._starts: dict[PlannedView, Start] = {}  # by their first views
        self._shareable = set(policy.shareable & set(views))
        self._failed_shares = 0
        self._results, self._results_by_key = results, dict[ViewKey, RefreshResult]()
        self._next_batch = callbacks.clock()
        self._held_since: float | None = None  # start of the hold; a trial does not reset it
        self._current_hold: Hold | None = None  # the hold that was reported
        self._trial: PlannedView | None = None
        self.pool = WorkerPool(
            min(policy.workers_by_database.get(self._database, policy.workers), len(views)),
            refresh=callbacks.refresh,
            close_worker=callbacks.close_worker,
            ended=ended_views,
        )

    @property
    def is_finished(self) -> bool:
        return not self._remaining

    @property
    def next_start_in(self) -> float | None:
        """Seconds until the next batch can start. None if no batch waits for its delay."""
        left = self._next_batch - self._callbacks.clock()
        return left if self._can_start and left > 0 else None

    def start_views(self) -> None:
        """Start the views that can start. After a hold of `max_hold`, give up every ready view."""
        while self._can_start:
            now = self._callbacks.clock()
            if now < self._next_batch:
                self._hold_time.start(now)
                return
            match self._callbacks.admit(self._database):
                case Admit.BATCH:
                    self._resume(now)
                    left, share = self._policy.max_batch_size, ceil(len(self._ready) / self.pool.size)
                    while left > 0 and self.pool.free and self._ready:
                        left -= self._start(self._take(min(left, share)), now)
                    self._next_batch = now + self._policy.batch_delay.total_seconds()
                case Admit.TRIAL:
                    self._trial = self._ready.take(prefer=lambda view: view.last_refresh_succeeded)
                    self._start([self._trial], now)
                case Hold() as hold:
                    self._hold_starts(hold, now)
                    return

    def finish(self, view: PlannedView, ending: Ending) -> None:
        """Record the views of a start, by its first one. Queue the views that waited only for them."""
        self.pool.release()
        start = self._end_start(view)
        results = {view: ending} if isinstance(ending, RefreshResult) else ending
        if len(start) > 1:  # each is a view of its own
            for one, context in start.items():
                self._callbacks.record_result(one, results[one], context)
                self._mark_finished(one, {one: results[one]})
            return
        cause = next((one for one in results if not _is_consequence(results[one])), view)
        self._callbacks.record_result(cause, results[cause], start[view])
        self._mark_finished(view, results)

    def separate(self, view: PlannedView) -> None:
        """Queue the views of a start again, by its first one. Each is started alone, and later all if that repeats."""
        self.pool.release()
        self._failed_shares += 1
        self._shareable -= self._starts[view].keys() if self._failed_shares < _MAX_FAILED_SHARES else self._shareable
        self._postpone(view)

    def requeue(self, view: PlannedView, cause: WorkerLost) -> None:
        """Remove a worker that cannot connect, and queue its view again. Raises the cause if no worker is left."""
        self.pool.remove_worker()
        if not self.pool.size:
            raise cause.__cause__ or cause
        self._postpone(view)
        message = Text(
            "One worker fewer in {database}, {number} left: {cause}",
            database=self._database,
            number=self.pool.size,
            cause=str(cause),
        )
        kind = run_events.WarningKind.WORKER_LOST
        self._callbacks.on_event(run_events.RunWarning(kind=kind, message=message, database=self._database))

    @property
    def _can_start(self) -> bool:
        return bool(self.pool.free and self._ready and self._trial is None)

    @property
    def _fills_pool(self) -> bool:
        """True if this view and the ready ones will fill the pool."""
        return self.pool.size > 1 and self.pool.busy + 1 + len(self._ready) >= self.pool.size

    def _resume(self, now: float) -> None:
        self._hold_time.stop(now)
        if self._current_hold is not None and self._held_since is not None:
            held = timedelta(seconds=now - self._held_since)
            self._callbacks.on_event(run_events.StartsResumed(database=self._database, duration=held))
        self._current_hold = self._held_since = None

    def _members(self, view: PlannedView) -> Sequence[PlannedView]:
        """Return the views that one stands for: those of its group, or itself."""
        return self._groups.get(view, (view,))

    def _take(self, most: int) -> Sequence[PlannedView]:
        """Take the most urgent view, with those that share its transaction."""
        first = self._ready.take()
        if first not in self._shareable:
            return [first]
        others = companions(first, self._ready, self._policy.sharing, shareable=self._shareable, most=most - 1)
        self._ready.remove(others)
        return [first, *others]

    def _start(self, views: Sequence[PlannedView], now: float) -> int:
        """Start views: one, or several that share a transaction. Return their number."""
        start = {view: self._context(view, now) for view in views}
        self._starts[views[0]] = start
        self.pool.start(start)
        for view in views:
            for member in self._members(view):
                self._callbacks.on_event(run_events.ViewStarted(view=member))
        return len(views)

    def _context(self, view: PlannedView, now: float) -> StartContext:
        members = self._members(view)
        outside = frozenset().union(*(one.depends_on for one in members)) - {one.key for one in members}
        inputs = {key: self._results_by_key[key] for key in sorted(outside)}
        return StartContext(
            waits=self._wait_times(view, now),
            failed_dependencies=tuple(key for key, result in inputs.items() if result.outcome is Outcome.FAILED),
            held_dependencies=tuple(key for key, result in inputs.items() if result.outcome is Outcome.HELD),
            held_inputs=tuple(dict.fromkeys(held for one in members for held in one.held_inputs)),
            changed_dependencies=tuple(key for key, result in inputs.items() if result.may_have_changed_rows),
            dependencies_finished_at=max((one.finished_at for one in inputs.values() if not one.failure), default=None),
            is_trial=view is self._trial,
            allows_parallel=self._policy.parallel_query.is_used(self._database) or not self._fills_pool,
            shares_transaction=view in self._shareable and view is not self._trial,
        )

    def _end_start(self, first: PlannedView) -> Start:
        """Forget a start. Return it."""
        if self._trial is first:
            self._trial = None
        return self._starts.pop(first)

    def _postpone(self, first: PlannedView) -> None:
        """Queue the views of a start again."""
        for view in self._end_start(first):
            self._ready.put(view)
            self._wait_from_now(view)
            for member in self._members(view):
                self._callbacks.on_event(run_events.ViewPostponed(view=member))

    def _wait_from_now(self, view: PlannedView) -> None:
        now = self._callbacks.clock()
        self._ready_since[view] = now, self._hold_time.seconds(now)

    def _wait_times(self, view: PlannedView, now: float) -> RefreshCost:
        """Return how long a view waited for a worker and on hold."""
        since, held_before = self._ready_since.pop(view)
        held = self._hold_time.seconds(now) - held_before
        return RefreshCost(worker_wait=timedelta(seconds=now - since - held), throttle_wait=timedelta(seconds=held))

    def _hold_starts(self, hold: Hold, now: float) -> None:
        self._hold_time.start(now)
        self._held_since = now if self._held_since is None else self._held_since
        if now - self._held_since >= self._policy.max_hold.total_seconds():
            self._give_up_ready_views(hold, now)
        elif hold != self._current_hold:
            self._current_hold = hold
            self._callbacks.on_event(run_events.StartsHeld(database=self._database, hold=hold))

    def _give_up_ready_views(self, hold: Hold, now: float) -> None:
        """Give up every ready view. Running views continue, and views that wait for them are given up later."""
        while self._ready:
            view = self._ready.take()
            waits = self._wait_times(view, now)
            self._mark_finished(view, {one: self._callbacks.give_up(one, hold, waits) for one in self._members(view)})

    def _mark_finished(self, view: PlannedView, results: Mapping[PlannedView, RefreshResult]) -> None:
        for one, result in results.items():
            self._remaining -= 1
            self._results[one] = self._results_by_key[one.key] = result
        for dependent in self._ready.mark_done(view):
            self._wait_from_now(dependent)
        for one, result in results.items():
            self._callbacks.on_event(run_events.ViewEnded(view=one, result=result))


def _is_consequence(result: RefreshResult) -> bool:
    """Return whether a member of a group only shares the fate of another one."""
    return result.failure is not None and result.failure.reason in GROUP_CONSEQUENCES


class _HoldClock:
    """Seconds that free workers waited for a hold or batch delay."""

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
