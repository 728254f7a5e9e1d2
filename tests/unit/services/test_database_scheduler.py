"""The scheduler of one database, with a clock advanced by the test."""

from dataclasses import replace
from datetime import timedelta

from seeder.domain.admission_types import Admit, Hold, HoldReason
from seeder.domain.outcomes import GroupReason
from seeder.domain.plan import PlannedGroup, RefreshPlan
from seeder.domain.run_events import StartsHeld, StartsResumed
from tests.unit.domain.plan_values import plan
from tests.unit.services.run_callbacks import FAILED_RESULT, REFRESHED, failed_result, start_policy
from tests.unit.services.scheduled_database import ScheduledDatabase, scheduled

BUSY = Hold(reason=HoldReason.SERVER_BUSY, message="21 queries are active")
BUSIER = Hold(reason=HoldReason.SERVER_BUSY, message="25 queries are active")


def test_batch_has_at_most_its_size_and_needs_a_decision(databases: list[ScheduledDatabase]) -> None:
    database = scheduled(databases, plan(*"abcde"), start_policy(workers=5, batch=2))
    assert database.start() == list("abcde")
    assert database.decisions == 3


def test_batch_is_limited_by_free_workers(databases: list[ScheduledDatabase]) -> None:
    database = scheduled(databases, plan(*"abc"), start_policy(workers=1))
    assert database.start() == ["a"]
    assert database.start() == []
    database.end()
    assert database.start() == ["b"]


def test_batch_delay_separates_two_batches(databases: list[ScheduledDatabase]) -> None:
    database = scheduled(databases, plan(*"abcd"), start_policy(workers=4, batch=2, delay=0.5))
    assert database.start() == ["a", "b"]
    assert database.scheduler.next_start_in == 0.5
    database.now = 0.499
    assert database.start() == []
    database.now = 0.5
    assert database.scheduler.next_start_in is None
    assert database.start() == ["c", "d"]


def test_hold_starts_nothing_and_is_reported_once_per_message(databases: list[ScheduledDatabase]) -> None:
    database = scheduled(databases, plan("a"), start_policy())
    database.decision = BUSY
    assert [database.start(), database.start()] == [[], []]
    database.decision = BUSIER
    assert database.start() == []
    assert database.events == [StartsHeld(database="default", hold=BUSY), StartsHeld(database="default", hold=BUSIER)]
    database.now, database.decision = 7.0, Admit.BATCH
    assert database.start() == ["a"]
    assert database.events[2] == StartsResumed(database="default", duration=timedelta(seconds=7))


def test_no_decision_is_made_without_a_ready_view(databases: list[ScheduledDatabase]) -> None:
    database = scheduled(databases, plan("a", "b", depends_on={"b": "a"}), start_policy())
    assert [database.start(), database.start()] == [["a"], []]
    assert database.decisions == 1


def test_hold_longer_than_max_hold_gives_up_remaining_views(databases: list[ScheduledDatabase]) -> None:
    database = scheduled(
        databases,
        plan("a", "b", "c", "d", depends_on={"c": "b", "d": "a"}),
        start_policy(workers=2, batch=1, max_wait=60),
    )
    database.start()
    database.end()
    database.decision = BUSY
    assert database.start() == []
    database.now = 59.9
    assert database.start() == []
    database.now = 60.0
    given_up = database.start()
    assert given_up
    assert all(name.startswith("!") for name in given_up)
    database.end()
    assert not database.start() or database.scheduler.is_finished
    assert database.scheduler.is_finished


def test_admitted_batch_resets_max_hold(databases: list[ScheduledDatabase]) -> None:
    database = scheduled(databases, plan(*"ab"), start_policy(workers=1, max_wait=60))
    database.decision = BUSY
    database.start()
    database.now, database.decision = 59.0, Admit.BATCH
    assert database.start() == ["a"]
    database.end()
    database.now, database.decision = 70.0, BUSY
    assert database.start() == []
    database.now = 129.0
    assert database.start() == []
    database.now = 130.0
    assert database.start() == ["!b"]


def test_trial_is_one_view_that_succeeded_last_time(databases: list[ScheduledDatabase]) -> None:
    plan_of_three = plan("new", "failing", "reliable", seconds={"reliable": 1, "failing": 9}, failures={"failing": 2})
    database = scheduled(databases, plan_of_three, start_policy(workers=3))
    database.decision = Admit.TRIAL
    assert database.start() == ["reliable"]
    assert database.start() == [], "one trial at a time"
    assert database.end() == "reliable"
    assert database.recorded == [("reliable", True)]
    database.decision = Admit.BATCH
    assert database.start() == ["new", "failing"]


def test_trial_without_a_reliable_view_is_the_most_urgent(databases: list[ScheduledDatabase]) -> None:
    database = scheduled(databases, plan("a", "b"), start_policy())
    database.decision = Admit.TRIAL
    assert database.start() == ["a"]


def test_failing_trial_does_not_reset_max_hold(databases: list[ScheduledDatabase]) -> None:
    database = scheduled(databases, plan(*"abc"), start_policy(max_wait=60))
    database.decision = BUSY
    database.start()
    database.now, database.decision = 50.0, Admit.TRIAL
    assert database.start() == ["a"]
    database.end(FAILED_RESULT)
    database.now, database.decision = 60.0, BUSY
    assert database.start() == ["!b", "!c"]


def test_worker_wait_and_throttle_wait_are_separate(databases: list[ScheduledDatabase]) -> None:
    database = scheduled(databases, plan("a", "b", seconds={"a": 2, "b": 1}), start_policy(workers=1))
    database.decision = BUSY
    database.start()
    database.now, database.decision = 3.0, Admit.BATCH
    assert database.start() == ["a"]
    database.now = 10.0
    database.end()
    database.decision = BUSY
    assert database.start() == []
    database.now, database.decision = 14.0, Admit.BATCH
    assert database.start() == ["b"]
    database.end()
    assert database.waits("a") == (timedelta(), timedelta(seconds=3))
    assert database.waits("b") == (timedelta(seconds=7), timedelta(seconds=7))


def test_start_context_has_failed_dependencies_and_last_end(databases: list[ScheduledDatabase]) -> None:
    database = scheduled(databases, plan("a", "b", "c", depends_on={"c": "a b"}), start_policy(workers=1))
    database.start()
    database.end(FAILED_RESULT)
    database.start()
    database.end()
    assert database.start() == ["c"]
    database.end()
    assert [key.name.name for key in database.contexts["c"].failed_dependencies] == ["a"]
    assert database.contexts["c"].dependencies_finished_at == REFRESHED.finished_at
    assert database.contexts["a"].dependencies_finished_at is None


def grouped(one_plan: RefreshPlan, *names: str) -> RefreshPlan:
    by_name = {view.key.name.name: view for view in one_plan.views}
    members = tuple(by_name[name] for name in names)
    group = PlannedGroup(name="g", views=members, estimated_duration=timedelta())
    return replace(one_plan, groups=(group,))


def test_group_is_started_by_one_worker_after_what_any_member_reads(databases: list[ScheduledDatabase]) -> None:
    one_plan = grouped(plan("a", "b", "x", depends_on={"b": "a x"}), "a", "b")
    database = scheduled(databases, one_plan, start_policy(workers=3))
    assert database.start() == ["x"]
    database.end(FAILED_RESULT)
    assert database.start() == ["a", "b"]
    assert database.scheduler.pool.busy == 1
    database.end(dict.fromkeys(one_plan.groups[0].views, REFRESHED))
    assert [key.name.name for key in database.contexts["a"].failed_dependencies] == ["x"]
    assert database.scheduler.is_finished


def test_failed_group_counts_once_with_its_cause(databases: list[ScheduledDatabase]) -> None:
    one_plan = grouped(plan("a", "b", "c"), "a", "b", "c")
    database = scheduled(databases, one_plan, start_policy())
    database.start()
    consequence = failed_result(GroupReason.FAILED)
    a, b, c = one_plan.groups[0].views
    database.end({a: consequence, b: FAILED_RESULT, c: consequence})
    assert database.recorded == [("b", False)]


def test_all_members_of_a_group_are_given_up_after_a_long_hold(databases: list[ScheduledDatabase]) -> None:
    database = scheduled(databases, grouped(plan("a", "b"), "a", "b"), start_policy(max_wait=10))
    database.decision = BUSY
    assert database.start() == []
    database.now = 10
    assert database.start() == ["!a", "!b"]
    assert database.scheduler.is_finished
