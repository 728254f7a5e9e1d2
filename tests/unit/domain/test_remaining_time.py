from datetime import timedelta

from seeder.domain.remaining_time import estimate_remaining
from tests.unit.domain.plan_values import plan, view_key

SECOND = timedelta(seconds=1)


def test_one_worker_needs_the_sum_of_the_rest() -> None:
    views = plan("a", "b", "c", seconds={"a": 1, "b": 2, "c": 4}).views
    assert estimate_remaining(views, ended={view_key("c")}, running={}, workers=1) == 3 * SECOND


def test_many_workers_need_at_least_the_longest_view() -> None:
    views = plan("a", "b", "c", seconds={"a": 1, "b": 2, "c": 9}).views
    assert estimate_remaining(views, ended=set(), running={}, workers=3) == 9 * SECOND


def test_many_workers_need_at_least_the_longest_chain() -> None:
    views = plan("a", "b", "c", depends_on={"b": "a", "c": "b"}, seconds={"a": 1, "b": 2, "c": 3}).views
    assert estimate_remaining(views, ended=set(), running={}, workers=8) == 6 * SECOND
    assert estimate_remaining(views, ended={view_key("a")}, running={view_key("b"): SECOND}, workers=8) == 4 * SECOND


def test_elapsed_time_is_subtracted_up_to_the_expected_duration() -> None:
    views = plan("a", "b", seconds={"a": 5, "b": 2}).views
    assert (
        estimate_remaining(views, ended=set(), running={view_key("a"): SECOND, view_key("b"): 9 * SECOND}, workers=1)
        == 4 * SECOND
    )


def test_view_without_history_takes_as_long_as_the_average() -> None:
    views = plan("a", "b", "new", depends_on={"new": "a"}, seconds={"a": 5, "b": 1}).views
    assert estimate_remaining(views, ended=set(), running={}, workers=1) == 9 * SECOND
    assert estimate_remaining(views, ended=set(), running={}, workers=8) == 8 * SECOND
    assert estimate_remaining(views, ended={view_key("new")}, running={}, workers=1) == 6 * SECOND
    assert estimate_remaining(views, ended={view_key("a"), view_key("b")}, running={}, workers=1) == 3 * SECOND


def test_plan_without_any_history_has_no_estimate() -> None:
    assert estimate_remaining(plan("a", "b").views, ended=set(), running={}, workers=1) is None


def test_nothing_remains_when_all_views_have_ended() -> None:
    assert estimate_remaining(plan("a").views, ended={view_key("a")}, running={}, workers=8) == timedelta()
