from datetime import timedelta
from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from seeder.domain.plan import PlanInputs, PlannedAction, RefreshPlan, build_plan
from tests.unit.domain.plan_values import plan, selection, view_key, view_names


def waits_for(plan: RefreshPlan) -> dict[str, set[str]]:
    return {view.key.name.name: {read.name.name for read in view.depends_on} for view in plan.views}


def test_independent_views_go_longest_first() -> None:
    assert view_names(plan("a", "b", "c", seconds={"a": 1, "b": 3, "c": 2})) == ["b", "c", "a"]


def test_what_holds_up_the_longest_chain_goes_before_a_longer_single_view() -> None:
    drawn = plan("a", "b", "single", depends_on={"b": "a"}, seconds={"a": 1, "b": 5, "single": 4})
    assert view_names(drawn) == ["a", "b", "single"]


def test_a_view_that_never_succeeded_goes_before_all_known_ones() -> None:
    assert view_names(plan("a", "b", "new", seconds={"a": 50, "b": 60})) == ["new", "b", "a"]


def test_an_unknown_view_is_guessed_from_its_rows_and_what_others_took_for_theirs() -> None:
    took = {"a": 10.0, "b": 20.0}
    drawn = plan("a", "b", "small", "large", "new", seconds=took, rows={"a": 10, "b": 20, "small": 5, "large": 25})
    assert view_names(drawn) == ["new", "large", "b", "a", "small"]
    assert [view.expected_duration is None for view in drawn.views] == [True, True, False, False, True], (
        "a guess is not shown"
    )


def test_where_nothing_was_ever_measured_the_largest_go_first() -> None:
    assert view_names(plan("a", "b", "c", "new", rows={"a": 5, "b": 50, "c": 20})) == ["new", "b", "c", "a"]


def test_a_view_that_took_no_time_is_known() -> None:
    assert view_names(plan("a", "b", seconds={"a": 0, "b": 1})) == ["b", "a"]


def test_views_on_a_failing_streak_go_last_among_those_of_like_urgency() -> None:
    drawn = plan("long", "b", "c", "d", seconds={"long": 15, "b": 8, "c": 9, "d": 7}, failures={"long": 3})
    assert view_names(drawn) == ["c", "b", "long", "d"]


def test_a_view_that_has_only_ever_failed_goes_last_and_a_new_one_first() -> None:
    assert view_names(plan("a", "b", "new", seconds={"b": 0.1}, failures={"a": 3})) == ["new", "b", "a"]


def test_a_failing_view_starts_before_those_that_are_half_as_urgent() -> None:
    drawn = plan("failing", "a", "b", seconds={"failing": 16, "a": 15, "b": 0.1}, failures={"failing": 3})
    assert view_names(drawn) == ["failing", "a", "b"]


def test_equally_urgent_views_go_by_name() -> None:
    assert view_names(plan("c", "a", "b")) == ["a", "b", "c"]


def test_the_plan_does_not_depend_on_the_order_of_its_input() -> None:
    drawn = {tuple(view_names(plan(*names, depends_on={"c": "a", "d": "a b"}))) for names in permutations("abcd")}
    assert len(drawn) == 1


def test_a_view_outside_the_selection_is_not_waited_for() -> None:
    assert waits_for(plan("a", depends_on={"a": "outsider", "outsider": "other"})) == {"a": set()}


def test_a_circle_through_a_function_is_opened_at_one_place_only() -> None:
    drawn = plan("a", "b", "c", "last", depends_on={"a": "c", "b": "a", "c": "b", "last": "c"})
    assert waits_for(drawn) == {"a": set(), "b": {"a"}, "c": {"b"}, "last": {"c"}}


def test_a_view_that_only_waits_for_a_circle_keeps_waiting_for_it() -> None:
    drawn = plan("0_reader", "a", "b", depends_on={"0_reader": "a", "a": "b", "b": "a"})
    assert waits_for(drawn)["0_reader"] == {"a"}


def test_a_view_that_reads_itself_waits_for_nothing() -> None:
    assert waits_for(plan("a", depends_on={"a": "a"})) == {"a": set()}


def test_a_missing_view_is_created_and_an_existing_one_refreshed() -> None:
    known = PlanInputs(row_counts={view_key("old"): 0}, expected_durations={view_key("old"): timedelta(1)})
    drawn = build_plan(selection("old", "new"), known)
    assert {view.key.name.name: view.action for view in drawn.views} == {
        "old": PlannedAction.REFRESH,
        "new": PlannedAction.CREATE,
    }


@given(st.dictionaries(st.sampled_from("abcdefgh"), st.sets(st.sampled_from("abcdefgh")), min_size=8))
def test_whatever_reads_what_no_view_waits_for_a_circle_of_others(reads: dict[str, set[str]]) -> None:
    drawn = plan(*"abcdefgh", depends_on={name: " ".join(others) for name, others in reads.items()})
    waiting = waits_for(drawn)
    while ready := [name for name, others in waiting.items() if not others & waiting.keys()]:
        for name in ready:
            del waiting[name]
    assert waiting == {}
