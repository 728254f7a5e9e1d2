"""Views that share a transaction are started together."""

from dataclasses import replace
from datetime import timedelta

from seeder.domain.admission_types import Admit
from seeder.domain.plan import RefreshPlan
from seeder.domain.run_events import ViewPostponed
from seeder.domain.shared_transactions import SharingLimits
from seeder.services.run.database_scheduler import StartPolicy
from tests.unit.domain.plan_values import plan
from tests.unit.services.run_callbacks import REFRESHED, start_policy
from tests.unit.services.scheduled_database import ScheduledDatabase, scheduled


def sharing_policy(plan: RefreshPlan, *, workers: int = 1, batch: int = 8) -> StartPolicy:
    limits = SharingLimits(max_duration=timedelta(milliseconds=20))
    policy = start_policy(workers=workers, batch=batch)
    return replace(policy, sharing=limits, shareable=frozenset(plan.views))


def small_views(names: str) -> RefreshPlan:
    return plan(*names, seconds=dict.fromkeys(names, 0.001))


def test_small_views_share_a_transaction_in_one_worker(databases: list[ScheduledDatabase]) -> None:
    one_plan = small_views("abc")
    database = scheduled(databases, one_plan, sharing_policy(one_plan))
    assert database.start() == ["a", "b", "c"]
    assert database.scheduler.pool.busy == 1
    assert database.end_shared() == ["a", "b", "c"]
    assert all(database.contexts[name].shares_transaction for name in "abc")
    assert database.recorded == [("a", False), ("b", False), ("c", False)]
    assert database.scheduler.is_finished


def test_small_views_are_spread_over_the_workers(databases: list[ScheduledDatabase]) -> None:
    one_plan = small_views("abcdef")
    database = scheduled(databases, one_plan, sharing_policy(one_plan, workers=3))
    assert database.start() == list("abcdef")
    assert database.scheduler.pool.busy == 3
    assert sorted(len(database.end_shared()) for _ in range(3)) == [2, 2, 2]


def test_shared_transaction_has_at_most_the_views_of_a_batch(databases: list[ScheduledDatabase]) -> None:
    one_plan = small_views("abcdefg")
    policy = replace(sharing_policy(one_plan, workers=2, batch=3), batch_delay=timedelta(seconds=1))
    database = scheduled(databases, one_plan, policy)
    assert database.start() == ["a", "b", "c"]


def test_dependents_of_a_shared_view_start_after_it(databases: list[ScheduledDatabase]) -> None:
    one_plan = plan("a", "b", "c", depends_on={"c": "a"}, seconds=dict.fromkeys("abc", 0.001))
    database = scheduled(databases, one_plan, sharing_policy(one_plan))
    assert database.start() == ["a", "b"]
    database.end_shared()
    assert database.start() == ["c"]
    assert database.end() == "c"
    assert database.contexts["c"].dependencies_finished_at == REFRESHED.finished_at


def test_views_that_could_not_share_are_started_alone(databases: list[ScheduledDatabase]) -> None:
    one_plan = small_views("abc")
    database = scheduled(databases, one_plan, sharing_policy(one_plan))
    database.start()
    database.separate()
    assert database.events[-3:] == [ViewPostponed(view=view) for view in one_plan.views]
    assert database.recorded == []
    assert [database.start(), database.end()] == [["a"], "a"]
    assert not database.contexts["a"].shares_transaction


def test_no_views_share_after_five_failures(databases: list[ScheduledDatabase]) -> None:
    names = "abcdefghijkl"
    one_plan = small_views(names)
    database = scheduled(databases, one_plan, sharing_policy(one_plan, batch=2, workers=1))
    while database.scheduler.pool.free and (started := database.start()):
        if len(started) == 1:
            database.end()
        else:
            database.separate()
    shared = [name for name in names if database.contexts[name].shares_transaction]
    assert shared == []
    postponed = [event for event in database.events if isinstance(event, ViewPostponed)]
    assert len(postponed) == 10, "the last two views have not tried"


def test_trial_shares_no_transaction(databases: list[ScheduledDatabase]) -> None:
    one_plan = small_views("ab")
    database = scheduled(databases, one_plan, sharing_policy(one_plan))
    database.decision = Admit.TRIAL
    assert [database.start(), database.end()] == [["a"], "a"]
    assert not database.contexts["a"].shares_transaction
