import sys
from collections import Counter
from datetime import timedelta
from itertools import permutations
from types import FrameType

from hypothesis import given
from hypothesis import strategies as st

from seeder.domain.plan import PlanInputs, PlannedAction, RefreshPlan, build_plan
from tests.unit.domain.plan_values import plan, selection, view_key, view_names


def dependencies(plan: RefreshPlan) -> dict[str, set[str]]:
    return {view.key.name.name: {read.name.name for read in view.depends_on} for view in plan.views}


def test_independent_views_start_longest_first() -> None:
    assert view_names(plan("a", "b", "c", seconds={"a": 1, "b": 3, "c": 2})) == ["b", "c", "a"]


def test_start_of_the_longest_chain_precedes_a_longer_single_view() -> None:
    refresh_plan = plan("a", "b", "single", depends_on={"b": "a"}, seconds={"a": 1, "b": 5, "single": 4})
    assert view_names(refresh_plan) == ["a", "b", "single"]


def test_view_without_success_precedes_measured_views() -> None:
    assert view_names(plan("a", "b", "new", seconds={"a": 50, "b": 60})) == ["new", "b", "a"]


def test_unmeasured_view_is_estimated_from_its_row_count() -> None:
    durations = {"a": 10.0, "b": 20.0}
    refresh_plan = plan(
        "a", "b", "small", "large", "new", seconds=durations, rows={"a": 10, "b": 20, "small": 5, "large": 25}
    )
    assert view_names(refresh_plan) == ["new", "large", "b", "a", "small"]
    assert [view.expected_duration is None for view in refresh_plan.views] == [True, True, False, False, True], (
        "an estimate is not shown"
    )


def test_without_measurements_the_largest_view_is_first() -> None:
    assert view_names(plan("a", "b", "c", "new", rows={"a": 5, "b": 50, "c": 20})) == ["new", "b", "c", "a"]


def test_view_with_duration_zero_counts_as_measured() -> None:
    assert view_names(plan("a", "b", seconds={"a": 0, "b": 1})) == ["b", "a"]


def test_failing_views_follow_views_of_similar_urgency() -> None:
    refresh_plan = plan("long", "b", "c", "d", seconds={"long": 15, "b": 8, "c": 9, "d": 7}, failures={"long": 3})
    assert view_names(refresh_plan) == ["c", "b", "long", "d"]


def test_view_that_never_succeeded_is_last_and_a_new_view_first() -> None:
    assert view_names(plan("a", "b", "new", seconds={"b": 0.1}, failures={"a": 3})) == ["new", "b", "a"]


def test_failing_view_precedes_views_half_as_urgent() -> None:
    refresh_plan = plan("failing", "a", "b", seconds={"failing": 16, "a": 15, "b": 0.1}, failures={"failing": 3})
    assert view_names(refresh_plan) == ["failing", "a", "b"]


def test_equally_urgent_views_are_ordered_by_name() -> None:
    assert view_names(plan("c", "a", "b")) == ["a", "b", "c"]


def test_plan_does_not_depend_on_input_order() -> None:
    refresh_plan = {
        tuple(view_names(plan(*names, depends_on={"c": "a", "d": "a b"}))) for names in permutations("abcd")
    }
    assert len(refresh_plan) == 1


def test_calls_grow_with_the_number_of_views_and_not_with_its_square() -> None:
    calls = Counter[int]()
    for number in (100, 400):
        names = [f"view_{one:03}" for one in range(number)]

        def count(frame: FrameType, event: str, _: object, number: int = number) -> None:
            calls[number] += event == "call"

        chain = dict(zip(names[1:], names, strict=False))
        sys.setprofile(count)
        plan(*names, depends_on=chain)
        sys.setprofile(None)
    assert calls[400] < 6 * calls[100]  # sorting takes a little more than four times


def test_view_outside_the_selection_is_no_dependency() -> None:
    assert dependencies(plan("a", depends_on={"a": "unselected", "unselected": "other"})) == {"a": set()}


def test_dependency_cycle_is_cut_in_one_place() -> None:
    refresh_plan = plan("a", "b", "c", "last", depends_on={"a": "c", "b": "a", "c": "b", "last": "c"})
    assert dependencies(refresh_plan) == {"a": set(), "b": {"a"}, "c": {"b"}, "last": {"c"}}


def test_view_that_depends_on_a_cycle_keeps_its_dependency() -> None:
    refresh_plan = plan("0_reader", "a", "b", depends_on={"0_reader": "a", "a": "b", "b": "a"})
    assert dependencies(refresh_plan)["0_reader"] == {"a"}


def test_view_that_reads_itself_has_no_dependency() -> None:
    assert dependencies(plan("a", depends_on={"a": "a"})) == {"a": set()}


def test_missing_view_is_created_and_existing_view_refreshed() -> None:
    plan_inputs = PlanInputs(row_counts={view_key("old"): 0}, expected_durations={view_key("old"): timedelta(1)})
    refresh_plan = build_plan(selection("old", "new"), plan_inputs)
    assert {view.key.name.name: view.action for view in refresh_plan.views} == {
        "old": PlannedAction.REFRESH,
        "new": PlannedAction.CREATE,
    }


@given(st.dictionaries(st.sampled_from("abcdefgh"), st.sets(st.sampled_from("abcdefgh")), min_size=8))
def test_dependencies_never_form_a_cycle(reads: dict[str, set[str]]) -> None:
    refresh_plan = plan(*"abcdefgh", depends_on={name: " ".join(names_read) for name, names_read in reads.items()})
    waiting = dependencies(refresh_plan)
    while ready := [name for name, names_read in waiting.items() if not names_read & waiting.keys()]:
        for name in ready:
            del waiting[name]
    assert waiting == {}
