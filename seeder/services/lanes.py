"""The views of one database on their way: which may start, who has a seat, how they ended.

Every database has its own seats, batches and breaker, so that one that is down or busy holds up nobody else.
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
from seeder.services.seats import Ended, NoSeat, Seats


@dataclass(frozen=True, kw_only=True, slots=True)
class Pace:
    """How considerately views are started."""

    seats: int  # refreshes at once, in each database
    batch: int  # views that start together, at most
    delay: timedelta  # between two batches
    patience: timedelta  # for how long nothing but trials may start before the rest is given up


@dataclass(frozen=True, kw_only=True, slots=True)
class Work:
    """What a run does to views and servers, as plain callables."""

    refresh: Callable[[PlannedView, StartContext], RefreshResult]  # called in the thread of a seat
    refuse: Callable[[PlannedView, Hold, RefreshCost], RefreshResult]  # record one that is given up unstarted
    admit: Callable[[str], AdmissionDecision]  # whether a batch may start in the database of this alias
    count: Callable[
        [PlannedView, RefreshResult, StartContext], object
    ]  # how a view ended, for what admits the next ones
    cancel: Callable[[], object]  # end every refresh that runs now
    beat: Callable[[], object]  # what the thread that decides does now and then
    leave: Callable[[], object]  # the last act of each seat: give back what its thread holds
    emit: Callable[[RunEvent], object]  # who hears what happens
    clock: Callable[[], float] = monotonic  # seconds


class Lane:
    """One database's views from ready to ended. All but the refreshes themselves happens in the caller's thread."""

    def __init__(
        self,
        database: str,
        views: Sequence[PlannedView],
        *,
        pace: Pace,
        work: Work,
        ended: "SimpleQueue[Ended | None]",
    ) -> None:
        self._database, self._pace, self._work = database, pace, work
        self._ready = ReadyQueue(views)
        self._left = len(views)
        self._held = _Held()
        self._ready_since = {view: (work.clock(), 0.0) for view in views if not view.depends_on}
        self._turns: dict[PlannedView, StartContext] = {}
        self._results: dict[ViewKey, RefreshResult] = {}
        self._next_batch = work.clock()
        self._barred: float | None = None  # since when nothing but trials could start
        self._hold: Hold | None = None  # what was said of it
        self._trial: PlannedView | None = None
        self.seats = Seats[StartContext](
            min(pace.seats, len(views)), refresh=work.refresh, leave=work.leave, ended=ended
        )

    @property
    def is_over(self) -> bool:
        return not self._left

    @property
    def pause(self) -> float | None:
        """In how many seconds the next batch may start; None where that depends on something else."""
        left = self._next_batch - self._work.clock()
        return left if self._could_start and left > 0 else None

    def start(self) -> Iterable[tuple[PlannedView, RefreshResult]]:
        """Start what may start now. What is given up instead, with its recorded result."""
        while self._could_start:
            now = self._work.clock()
            if now < self._next_batch:
                self._held.begin(now)
                return ()
            match self._work.admit(self._database):
                case Admit():
                    self._go_on(now)
                    for _ in range(min(self._pace.batch, self.seats.free, len(self._ready))):
                        self._seat(self._ready.take(), now)
                    self._next_batch = now + self._pace.delay.total_seconds()
                case TrialOnly():
                    self._trial = self._ready.take(prefer=lambda view: view.last_refresh_succeeded)
                    self._seat(self._trial, now)
                case Hold() as hold:
                    return self._hold_back(hold, now)
        return ()

    def settle(self, view: PlannedView, result: RefreshResult) -> None:
        """A view has given back its seat: count how it ended, and make ready whatever waited for it alone."""
        if self._trial is view:
            self._trial = None
        self._work.count(view, result, self._turns.pop(view))
        self._end(view, result)

    def withdraw(self, view: PlannedView, why: NoSeat) -> None:
        """A view has not been begun, as its seat cannot work: it waits for another one. Raises the reason where there
        is no other."""
        self.seats.lose()
        left = self.seats.free + self.seats.taken
        if not left:
            raise why.__cause__ or why
        self._turns.pop(view)
        self._trial = None if self._trial is view else self._trial
        now = self._work.clock()
        self._ready.put_back(view)
        self._ready_since[view] = (now, self._held.seconds(now))
        self._work.emit(
            RunWarning(
                kind=WarningKind.WORKER_LOST,
                message=f"One seat less in {self._database}, {left} left: {why}",
                database=self._database,
            )
        )

    @property
    def _could_start(self) -> bool:
        return bool(self.seats.free and self._ready and self._trial is None)

    @property
    def _will_be_full(self) -> bool:
        """Whether nothing is left for others once the view that was just taken, and what is ready, sits."""
        seats = self.seats.free + self.seats.taken
        return seats > 1 and self.seats.taken + 1 + len(self._ready) >= seats

    def _go_on(self, now: float) -> None:
        self._held.end(now)
        if self._hold is not None and self._barred is not None:
            self._work.emit(StartsResumed(database=self._database, duration=timedelta(seconds=now - self._barred)))
        self._hold = self._barred = None

    def _seat(self, view: PlannedView, now: float) -> None:
        inputs = {key: self._results[key] for key in sorted(view.depends_on)}
        seat_wait, throttle_wait = self._waited(view, now)
        self._turns[view] = StartContext(
            worker_wait=seat_wait,
            throttle_wait=throttle_wait,
            failed_dependencies=tuple(key for key, result in inputs.items() if result.failure),
            dependencies_finished_at=max(
                (result.finished_at for result in inputs.values() if not result.failure), default=None
            ),
            is_trial=view is self._trial,
            pool_is_full=self._will_be_full,
        )
        self.seats.take(view, self._turns[view])
        self._work.emit(ViewStarted(view=view))

    def _waited(self, view: PlannedView, now: float) -> tuple[timedelta, timedelta]:
        """Since it was ready: for a seat, and held back."""
        since, held_before = self._ready_since.pop(view)
        held = self._held.seconds(now) - held_before
        return timedelta(seconds=now - since - held), timedelta(seconds=held)

    def _hold_back(self, hold: Hold, now: float) -> Iterable[tuple[PlannedView, RefreshResult]]:
        self._held.begin(now)
        self._barred = now if self._barred is None else self._barred
        if now - self._barred >= self._pace.patience.total_seconds():
            return self._give_up(hold, now)
        if hold != self._hold:
            self._hold = hold
            self._work.emit(StartsHeld(database=self._database, hold=hold))
        return ()

    def _give_up(self, hold: Hold, now: float) -> Iterable[tuple[PlannedView, RefreshResult]]:
        """End whatever has not started. What runs goes on to its end, and what waits for that is given up then."""
        refused = []
        while self._ready:
            view = self._ready.take()
            seat_wait, throttle_wait = self._waited(view, now)
            cost = RefreshCost(worker_wait=seat_wait, throttle_wait=throttle_wait)
            refused.append((view, self._work.refuse(view, hold, cost)))
            self._end(*refused[-1])
        return refused

    def _end(self, view: PlannedView, result: RefreshResult) -> None:
        self._left -= 1
        self._results[view.key] = result
        now = self._work.clock()
        for reader in self._ready.mark_done(view):
            self._ready_since[reader] = (now, self._held.seconds(now))


class _Held:
    """For how many seconds views and seats that were ready for each other have been kept apart so far."""

    def __init__(self) -> None:
        self._before = 0.0
        self._since: float | None = None

    def begin(self, now: float) -> None:
        if self._since is None:
            self._since = now

    def end(self, now: float) -> None:
        self._before, self._since = self.seconds(now), None

    def seconds(self, now: float) -> float:
        return self._before + (0.0 if self._since is None else now - self._since)
