"""Starting the views of one database, with a clock that only the test advances."""

from collections.abc import Iterator
from datetime import timedelta
from queue import SimpleQueue

import pytest

from seeder.domain.admission_decisions import AdmissionDecision, Admit, Hold, HoldReason, TrialOnly
from seeder.domain.outcomes import RefreshResult, StartContext
from seeder.domain.plan import PlannedView, RefreshPlan
from seeder.domain.run_events import RunEvent, StartsHeld, StartsResumed, ViewStarted
from seeder.services.run.database_scheduler import DatabaseScheduler, StartPolicy
from seeder.services.run.worker_pool import Ended
from tests.unit.domain.plan_values import plan
from tests.unit.services.run_callbacks import FAILED_RESULT, REFRESHED, run_callbacks, start_policy

BUSY = Hold(reason=HoldReason.SERVER_BUSY, message="21 queries are active")
BUSIER = Hold(reason=HoldReason.SERVER_BUSY, message="25 queries are active")


class ObservedScheduler:
    """A scheduler with the state that tests read and the clock that they advance."""

    def __init__(self, plan: RefreshPlan, policy: StartPolicy) -> None:
        self.now = 0.0
        self.decision: AdmissionDecision = Admit()
        self.admission_checks = 0
        self.events: list[RunEvent] = []
        self.contexts: dict[str, StartContext] = {}
        self.recorded: list[tuple[str, bool]] = []
        self._ended = SimpleQueue[Ended | None]()
        callbacks = run_callbacks(
            self._refresh,
            admit=self._admit,
            record_result=lambda view, _, context: self.recorded.append((view.key.name.name, context.is_trial)),
            on_event=self.events.append,
            clock=lambda: self.now,
        )
        self.inner = DatabaseScheduler(
            "default", plan.views, policy=policy, callbacks=callbacks, ended_views=self._ended
        )

    def start(self) -> list[str]:
        """Return the views that have started, and with `!` those that were given up."""
        event_count = len(self.events)
        given_up = [f"!{view.key.name.name}" for view, _ in self.inner.start()]
        started = [event.view.key.name.name for event in self.events[event_count:] if isinstance(event, ViewStarted)]
        return started + given_up

    def end(self, result: RefreshResult = REFRESHED) -> str:
        """Let the next refresh end."""
        ended = self._ended.get(timeout=10)
        assert ended
        self.inner.pool.release()
        self.inner.finish(ended[0], result)
        return ended[0].key.name.name

    def _refresh(self, view: PlannedView, context: StartContext) -> RefreshResult:
        self.contexts[view.key.name.name] = context
        return REFRESHED

    def _admit(self, database: str) -> AdmissionDecision:
        assert database == "default"
        self.admission_checks += 1
        return self.decision


@pytest.fixture
def schedulers() -> Iterator[list[ObservedScheduler]]:
    created: list[ObservedScheduler] = []
    yield created
    for scheduler in created:
        scheduler.inner.pool.shutdown(wait=True)


def observe(schedulers: list[ObservedScheduler], plan: RefreshPlan, policy: StartPolicy) -> ObservedScheduler:
    schedulers.append(ObservedScheduler(plan, policy))
    return schedulers[-1]


def test_admission_is_checked_per_batch_of_limited_size(schedulers: list[ObservedScheduler]) -> None:
    scheduler = observe(schedulers, plan(*"abcde"), start_policy(workers=5, batch=2))
    assert scheduler.start() == list("abcde")
    assert scheduler.admission_checks == 3


def test_batch_is_limited_to_the_free_workers(schedulers: list[ObservedScheduler]) -> None:
    scheduler = observe(schedulers, plan(*"abc"), start_policy(workers=1))
    assert scheduler.start() == ["a"]
    assert scheduler.start() == []
    scheduler.end()
    assert scheduler.start() == ["b"]


def test_delay_separates_two_batches(schedulers: list[ObservedScheduler]) -> None:
    scheduler = observe(schedulers, plan(*"abcd"), start_policy(workers=4, batch=2, delay=0.5))
    assert scheduler.start() == ["a", "b"]
    assert scheduler.inner.next_start_in == 0.5
    scheduler.now = 0.499
    assert scheduler.start() == []
    scheduler.now = 0.5
    assert scheduler.inner.next_start_in is None
    assert scheduler.start() == ["c", "d"]


def test_hold_starts_nothing_and_is_reported_once_per_reason(schedulers: list[ObservedScheduler]) -> None:
    scheduler = observe(schedulers, plan("a"), start_policy())
    scheduler.decision = BUSY
    assert [scheduler.start(), scheduler.start()] == [[], []]
    scheduler.decision = BUSIER
    assert scheduler.start() == []
    assert scheduler.events == [StartsHeld(database="default", hold=BUSY), StartsHeld(database="default", hold=BUSIER)]
    scheduler.now, scheduler.decision = 7.0, Admit()
    assert scheduler.start() == ["a"]
    assert scheduler.events[2] == StartsResumed(database="default", duration=timedelta(seconds=7))


def test_admission_is_not_checked_without_a_ready_view(schedulers: list[ObservedScheduler]) -> None:
    scheduler = observe(schedulers, plan("a", "b", depends_on={"b": "a"}), start_policy())
    assert [scheduler.start(), scheduler.start()] == [["a"], []]
    assert scheduler.admission_checks == 1


def test_hold_beyond_its_limit_gives_up_the_remaining_views(schedulers: list[ObservedScheduler]) -> None:
    scheduler = observe(
        schedulers,
        plan("a", "b", "c", "d", depends_on={"c": "b", "d": "a"}),
        start_policy(workers=2, batch=1, max_wait=60),
    )
    scheduler.start()
    scheduler.end()
    scheduler.decision = BUSY
    assert scheduler.start() == []
    scheduler.now = 59.9
    assert scheduler.start() == []
    scheduler.now = 60.0
    started = scheduler.start()
    assert started
    assert all(name.startswith("!") for name in started)
    scheduler.end()
    assert not scheduler.start() or scheduler.inner.is_finished
    assert scheduler.inner.is_finished


def test_admission_resets_the_hold_limit(schedulers: list[ObservedScheduler]) -> None:
    scheduler = observe(schedulers, plan(*"ab"), start_policy(workers=1, max_wait=60))
    scheduler.decision = BUSY
    scheduler.start()
    scheduler.now, scheduler.decision = 59.0, Admit()
    assert scheduler.start() == ["a"]
    scheduler.end()
    scheduler.now, scheduler.decision = 70.0, BUSY
    assert scheduler.start() == []
    scheduler.now = 129.0
    assert scheduler.start() == []
    scheduler.now = 130.0
    assert scheduler.start() == ["!b"]


def test_trial_starts_one_view_that_usually_succeeds(schedulers: list[ObservedScheduler]) -> None:
    refresh_plan = plan("new", "failing", "reliable", seconds={"reliable": 1, "failing": 9}, failures={"failing": 2})
    scheduler = observe(schedulers, refresh_plan, start_policy(workers=3))
    scheduler.decision = TrialOnly()
    assert scheduler.start() == ["reliable"]
    assert scheduler.start() == [], "only one"
    assert scheduler.end() == "reliable"
    assert scheduler.recorded == [("reliable", True)]
    scheduler.decision = Admit()
    assert scheduler.start() == ["new", "failing"]


def test_trial_without_a_reliable_view_starts_the_most_urgent(schedulers: list[ObservedScheduler]) -> None:
    scheduler = observe(schedulers, plan("a", "b"), start_policy())
    scheduler.decision = TrialOnly()
    assert scheduler.start() == ["a"]


def test_failing_trial_does_not_reset_the_hold_limit(schedulers: list[ObservedScheduler]) -> None:
    scheduler = observe(schedulers, plan(*"abc"), start_policy(max_wait=60))
    scheduler.decision = BUSY
    scheduler.start()
    scheduler.now, scheduler.decision = 50.0, TrialOnly()
    assert scheduler.start() == ["a"]
    scheduler.end(FAILED_RESULT)
    scheduler.now, scheduler.decision = 60.0, BUSY
    assert scheduler.start() == ["!b", "!c"]


def test_wait_for_worker_and_throttle_are_measured_separately(schedulers: list[ObservedScheduler]) -> None:
    scheduler = observe(schedulers, plan("a", "b", seconds={"a": 2, "b": 1}), start_policy(workers=1))
    scheduler.decision = BUSY
    scheduler.start()
    scheduler.now, scheduler.decision = 3.0, Admit()
    assert scheduler.start() == ["a"]
    scheduler.now = 10.0
    scheduler.end()
    scheduler.decision = BUSY
    assert scheduler.start() == []
    scheduler.now, scheduler.decision = 14.0, Admit()
    assert scheduler.start() == ["b"]
    scheduler.end()
    assert (scheduler.contexts["a"].worker_wait, scheduler.contexts["a"].throttle_wait) == (
        timedelta(),
        timedelta(seconds=3),
    )
    assert (scheduler.contexts["b"].worker_wait, scheduler.contexts["b"].throttle_wait) == (
        timedelta(seconds=7),
        timedelta(seconds=7),
    )


def test_view_knows_its_failed_dependencies_and_when_others_ended(schedulers: list[ObservedScheduler]) -> None:
    scheduler = observe(schedulers, plan("a", "b", "c", depends_on={"c": "a b"}), start_policy(workers=1))
    scheduler.start()
    scheduler.end(FAILED_RESULT)
    scheduler.start()
    scheduler.end()
    assert scheduler.start() == ["c"]
    scheduler.end()
    assert [key.name.name for key in scheduler.contexts["c"].failed_dependencies] == ["a"]
    assert scheduler.contexts["c"].dependencies_finished_at == REFRESHED.finished_at
    assert scheduler.contexts["a"].dependencies_finished_at is None
