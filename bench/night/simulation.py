"""Simulates a night with the real plan and scheduler in virtual time.

Each refresh returns immediately, and its end is processed when the clock has reached it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from itertools import count
from queue import SimpleQueue
from typing import Any

from bench.measurement_math import lower_bound
from bench.night.platform import Platform
from seeder.domain.admission_types import AdmissionDecision, Admit, Hold, HoldReason
from seeder.domain.circuit_breaker_rules import CircuitBreakerState
from seeder.domain.manifests import ViewKey
from seeder.domain.outcomes import Failure, Outcome, RefreshResult, StartContext
from seeder.domain.plan import PlannedView, build_plan
from seeder.domain.refresh_costs import RefreshCost
from seeder.domain.run_events import RunEvent, ViewEnded, ViewStarted
from seeder.services.run.database_scheduler import DatabaseScheduler, RunCallbacks, StartPolicy
from seeder.services.run.worker_pool import Ended

_MIDNIGHT = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class SimulatedNight:
    """The result of a simulated night."""

    workers: int
    seconds: float
    lower_bound_seconds: float
    views: int
    failed: int
    given_up: int
    ends: Mapping[ViewKey, float]  # in seconds since the start

    @property
    def ratio(self) -> float:
        return self.seconds / self.lower_bound_seconds


def simulate(
    platform: Platform,
    *,
    workers: int,
    breaker: bool = False,
    deadlines: Mapping[ViewKey, float] | None = None,
    order: Callable[[PlannedView], Any] | None = None,
) -> SimulatedNight:
    """Simulate a night with default settings, with or without the circuit breaker.

    `deadlines` are in seconds since the start. `order` is a sort key that replaces the order of the plan.
    """
    simulation = _Simulation(platform, workers, breaker=breaker, deadlines=deadlines or {}, order=order)
    seconds = {str(key): duration for key, duration in platform.seconds.items()}
    reads = {
        str(key): [str(dependency) for dependency in dependencies]
        for key, dependencies in platform.dependencies.items()
    }
    duration = simulation.run()
    return SimulatedNight(
        workers=workers,
        seconds=duration,
        lower_bound_seconds=lower_bound(seconds, reads, workers),
        views=len(simulation.results),
        failed=sum(result.failure is not None for result in simulation.results),
        given_up=simulation.given_up,
        ends=simulation.ends,
    )


class _Simulation:
    def __init__(
        self,
        platform: Platform,
        workers: int,
        *,
        breaker: bool,
        deadlines: Mapping[ViewKey, float],
        order: Callable[[PlannedView], Any] | None,
    ) -> None:
        self._platform = platform
        self._now = 0.0
        self._order = count()
        self._running: list[tuple[float, int, PlannedView]] = []
        self._breaker = CircuitBreakerState() if breaker else None
        self._ended = SimpleQueue[Ended | None]()
        self.results: list[RefreshResult] = []
        self.ends: dict[ViewKey, float] = {}
        self.given_up = 0
        due = {key: self._at(seconds) for key, seconds in deadlines.items()}
        inputs = replace(platform.plan_inputs, deadlines=due, now=_MIDNIGHT, workers=workers)
        views = build_plan(platform.selection, inputs).views
        callbacks = RunCallbacks(
            refresh=lambda start: {view: self._result(view) for view in start},
            give_up=self._give_up,
            admit=self._admit,
            record_result=self._record_result,
            cancel=lambda: None,
            on_tick=lambda: None,
            close_worker=lambda: None,
            on_event=self._on_event,
            clock=lambda: self._now,
        )
        max_hold = timedelta(hours=1)
        policy = StartPolicy(workers=workers, max_batch_size=8, batch_delay=timedelta(), max_hold=max_hold)
        self._scheduler = DatabaseScheduler(
            sorted(views, key=order) if order else views,
            policy=policy,
            callbacks=callbacks,
            ended_views=self._ended,
            results={},
        )

    def run(self) -> float:
        """Return the duration of the night."""
        while not self._scheduler.is_finished:
            self._scheduler.start_views()
            if self._scheduler.is_finished:
                break
            if not self._running:
                self._now += 0.5  # starts are held while nothing runs: the scheduler polls again
                continue
            self._now, _, view = heappop(self._running)
            self._scheduler.finish(view, self._result(view))
        self._scheduler.pool.shutdown(wait=True)
        return self._now

    def _on_event(self, event: RunEvent) -> None:
        match event:
            case ViewStarted(view=view):
                end = self._now + self._platform.seconds[view.key]
                heappush(self._running, (end, next(self._order), view))
            case ViewEnded(view=view, result=result):
                self.results.append(result)
                self.ends[view.key] = self._now

    def _give_up(self, _: PlannedView, hold: Hold, __: RefreshCost) -> RefreshResult:
        self.given_up += 1
        return _failed(hold.reason, self._at(self._now), self._at(self._now))

    def _result(self, view: PlannedView) -> RefreshResult:
        finished = self._at(self._now)
        started = finished - timedelta(seconds=self._platform.seconds[view.key])
        if view.key in self._platform.fails:
            return _failed("division_by_zero", started, finished)
        return RefreshResult(outcome=Outcome.REFRESHED, started_at=started, finished_at=finished)

    def _admit(self, _: str) -> AdmissionDecision:
        if self._breaker is None or self._breaker.opened_at is None:
            return Admit.BATCH
        trial = self._breaker.start_trial(self._at(self._now), reset_after=timedelta(seconds=300))
        if trial is None:
            return Hold(reason=HoldReason.CIRCUIT_OPEN, message="the circuit breaker is open")
        self._breaker = trial
        return Admit.TRIAL

    def _record_result(self, view: PlannedView, result: RefreshResult, context: StartContext) -> None:
        if self._breaker is not None:
            now = self._at(self._now)
            breaker = self._breaker
            self._breaker = (
                breaker.failed(
                    now,
                    view=str(view.key.name),
                    reason=result.failure.reason,
                    max_failures=5,
                    is_trial=context.is_trial,
                )
                if result.failure
                else breaker.succeeded()
            )

    def _at(self, seconds: float) -> datetime:
        return _MIDNIGHT + timedelta(seconds=seconds)


def _failed(reason: str, started: datetime, finished: datetime) -> RefreshResult:
    failure = Failure(reason=reason, message=reason)
    return RefreshResult(outcome=Outcome.FAILED, started_at=started, finished_at=finished, failure=failure)
