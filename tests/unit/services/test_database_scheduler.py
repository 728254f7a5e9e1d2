"""How one database's views are admitted to their seats, with a clock that only the test moves."""

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


class Street:
    """A lane with everything about it that a test looks at or moves."""

    def __init__(self, plan: RefreshPlan, pace: StartPolicy) -> None:
        self.now = 0.0
        self.answer: AdmissionDecision = Admit()
        self.asked = 0
        self.events: list[RunEvent] = []
        self.turns: dict[str, StartContext] = {}
        self.counted: list[tuple[str, bool]] = []
        self._ended = SimpleQueue[Ended | None]()
        work = run_callbacks(
            self._refresh,
            admit=self._admit,
            record_result=lambda view, _, turn: self.counted.append((view.key.name.name, turn.is_trial)),
            on_event=self.events.append,
            clock=lambda: self.now,
        )
        self.lane = DatabaseScheduler("default", plan.views, policy=pace, callbacks=work, ended_views=self._ended)

    def start(self) -> list[str]:
        """What has started, `!` before what was given up."""
        before = len(self.events)
        refused = [f"!{view.key.name.name}" for view, _ in self.lane.start()]
        started = [event.view.key.name.name for event in self.events[before:] if isinstance(event, ViewStarted)]
        return started + refused

    def end(self, result: RefreshResult = REFRESHED) -> str:
        """The next view to end does."""
        ended = self._ended.get(timeout=10)
        assert ended
        self.lane.pool.release()
        self.lane.finish(ended[0], result)
        return ended[0].key.name.name

    def _refresh(self, view: PlannedView, turn: StartContext) -> RefreshResult:
        self.turns[view.key.name.name] = turn
        return REFRESHED

    def _admit(self, database: str) -> AdmissionDecision:
        assert database == "default"
        self.asked += 1
        return self.answer


@pytest.fixture
def streets() -> Iterator[list[Street]]:
    made: list[Street] = []
    yield made
    for street in made:
        street.lane.pool.shutdown(wait=True)


def street(streets: list[Street], plan: RefreshPlan, pace: StartPolicy) -> Street:
    streets.append(Street(plan, pace))
    return streets[-1]


def test_a_batch_starts_no_more_than_its_size_and_every_batch_is_asked_for(streets: list[Street]) -> None:
    lane = street(streets, plan(*"abcde"), start_policy(workers=5, batch=2))
    assert lane.start() == list("abcde")
    assert lane.asked == 3


def test_a_batch_is_no_larger_than_the_free_seats(streets: list[Street]) -> None:
    lane = street(streets, plan(*"abc"), start_policy(workers=1))
    assert lane.start() == ["a"]
    assert lane.start() == []
    lane.end()
    assert lane.start() == ["b"]


def test_between_two_batches_there_is_a_delay(streets: list[Street]) -> None:
    lane = street(streets, plan(*"abcd"), start_policy(workers=4, batch=2, delay=0.5))
    assert lane.start() == ["a", "b"]
    assert lane.lane.next_start_in == 0.5
    lane.now = 0.499
    assert lane.start() == []
    lane.now = 0.5
    assert lane.lane.next_start_in is None
    assert lane.start() == ["c", "d"]


def test_while_it_is_held_back_nothing_starts_and_that_is_said_once_a_reason(streets: list[Street]) -> None:
    lane = street(streets, plan("a"), start_policy())
    lane.answer = BUSY
    assert [lane.start(), lane.start()] == [[], []]
    lane.answer = BUSIER
    assert lane.start() == []
    assert lane.events == [StartsHeld(database="default", hold=BUSY), StartsHeld(database="default", hold=BUSIER)]
    lane.now, lane.answer = 7.0, Admit()
    assert lane.start() == ["a"]
    assert lane.events[2] == StartsResumed(database="default", duration=timedelta(seconds=7))


def test_nobody_is_asked_while_there_is_nothing_to_start(streets: list[Street]) -> None:
    lane = street(streets, plan("a", "b", depends_on={"b": "a"}), start_policy())
    assert [lane.start(), lane.start()] == [["a"], []]
    assert lane.asked == 1


def test_who_is_held_back_for_longer_than_its_patience_gives_up_what_has_not_started(streets: list[Street]) -> None:
    lane = street(
        streets,
        plan("a", "b", "c", "d", depends_on={"c": "b", "d": "a"}),
        start_policy(workers=2, batch=1, max_wait=60),
    )
    lane.start()
    lane.end()
    lane.answer = BUSY
    assert lane.start() == []
    lane.now = 59.9
    assert lane.start() == []
    lane.now = 60.0
    started = lane.start()
    assert started
    assert all(name.startswith("!") for name in started)
    lane.end()
    assert not lane.start() or lane.lane.is_finished
    assert lane.lane.is_finished


def test_being_let_through_starts_the_patience_anew(streets: list[Street]) -> None:
    lane = street(streets, plan(*"ab"), start_policy(workers=1, max_wait=60))
    lane.answer = BUSY
    lane.start()
    lane.now, lane.answer = 59.0, Admit()
    assert lane.start() == ["a"]
    lane.end()
    lane.now, lane.answer = 70.0, BUSY
    assert lane.start() == []
    lane.now = 129.0
    assert lane.start() == []
    lane.now = 130.0
    assert lane.start() == ["!b"]


def test_a_trial_is_one_view_that_usually_succeeds(streets: list[Street]) -> None:
    drawn = plan("new", "failing", "reliable", seconds={"reliable": 1, "failing": 9}, failures={"failing": 2})
    lane = street(streets, drawn, start_policy(workers=3))
    lane.answer = TrialOnly()
    assert lane.start() == ["reliable"]
    assert lane.start() == [], "one"
    assert lane.end() == "reliable"
    assert lane.counted == [("reliable", True)]
    lane.answer = Admit()
    assert lane.start() == ["new", "failing"]


def test_where_no_view_usually_succeeds_the_most_urgent_is_tried(streets: list[Street]) -> None:
    lane = street(streets, plan("a", "b"), start_policy())
    lane.answer = TrialOnly()
    assert lane.start() == ["a"]


def test_failing_trials_do_not_start_the_patience_anew(streets: list[Street]) -> None:
    lane = street(streets, plan(*"abc"), start_policy(max_wait=60))
    lane.answer = BUSY
    lane.start()
    lane.now, lane.answer = 50.0, TrialOnly()
    assert lane.start() == ["a"]
    lane.end(FAILED_RESULT)
    lane.now, lane.answer = 60.0, BUSY
    assert lane.start() == ["!b", "!c"]


def test_how_long_a_view_waited_is_told_apart_by_what_for(streets: list[Street]) -> None:
    lane = street(streets, plan("a", "b", seconds={"a": 2, "b": 1}), start_policy(workers=1))
    lane.answer = BUSY
    lane.start()
    lane.now, lane.answer = 3.0, Admit()
    assert lane.start() == ["a"]
    lane.now = 10.0
    lane.end()
    lane.answer = BUSY
    assert lane.start() == []
    lane.now, lane.answer = 14.0, Admit()
    assert lane.start() == ["b"]
    lane.end()
    assert (lane.turns["a"].worker_wait, lane.turns["a"].throttle_wait) == (timedelta(), timedelta(seconds=3))
    assert (lane.turns["b"].worker_wait, lane.turns["b"].throttle_wait) == (timedelta(seconds=7), timedelta(seconds=7))


def test_a_view_knows_which_of_its_inputs_failed_and_when_the_others_ended(streets: list[Street]) -> None:
    lane = street(streets, plan("a", "b", "c", depends_on={"c": "a b"}), start_policy(workers=1))
    lane.start()
    lane.end(FAILED_RESULT)
    lane.start()
    lane.end()
    assert lane.start() == ["c"]
    lane.end()
    assert [key.name.name for key in lane.turns["c"].failed_dependencies] == ["a"]
    assert lane.turns["c"].dependencies_finished_at == REFRESHED.finished_at
    assert lane.turns["a"].dependencies_finished_at is None
