"""The order of a run with deadlines, and the contracts that it will miss."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from seeder.domain.freshness.deadlines import ContractDeadline
from seeder.domain.freshness.forecast import missed_contracts
from seeder.domain.freshness.slack import latest_starts
from seeder.domain.plan import PlanInputs, PlannedGroup, RefreshPlan, build_plan, typical_durations
from tests.unit.domain.freshness.contract_values import due_contract, utc
from tests.unit.domain.plan_values import selection, view_key, view_names

NOW = utc("2026-01-05 02:00")


def inputs(
    names: str,
    *,
    seconds: dict[str, float],
    deadlines: dict[str, float],
    depends_on: dict[str, str] | None = None,
    workers: int = 1,
) -> PlanInputs:
    return PlanInputs(
        row_counts={view_key(name): 0 for name in names},
        depends_on={view_key(name): {view_key(read) for read in reads} for name, reads in (depends_on or {}).items()},
        expected_durations={view_key(name): timedelta(seconds=one) for name, one in seconds.items()},
        deadlines={view_key(name): NOW + timedelta(seconds=one) for name, one in deadlines.items()},
        now=NOW,
        workers=workers,
    )


def order(names: str, **facts: object) -> str:
    return "".join(view_names(build_plan(selection(*names), inputs(names, **facts))))  # type: ignore[arg-type]


def test_view_with_the_least_slack_starts_first() -> None:
    seconds = {"a": 100, "b": 10, "c": 50}
    assert order("abc", seconds=seconds, deadlines={"b": 20, "c": 65}) == "bca"


def test_deadline_counts_from_its_latest_start() -> None:
    assert order("ab", seconds={"a": 10, "b": 50}, deadlines={"a": 60, "b": 70}) == "ba"


def test_deadline_is_handed_up_to_dependencies() -> None:
    facts = {"seconds": {"a": 10, "b": 10, "c": 10, "d": 90}, "depends_on": {"b": "a", "c": "b"}}
    assert order("abcd", deadlines={"c": 40}, **facts) == "abcd"
    assert order("abcd", deadlines={}, **facts) == "dabc", "without deadlines the longest chain is first"


def test_hopeless_deadline_delays_no_other() -> None:
    assert order("ab", seconds={"a": 50, "b": 20}, deadlines={"a": 40, "b": 25}) == "ba"


def test_deadline_behind_a_long_dependency_is_hopeless() -> None:
    facts = {"seconds": {"a": 30, "b": 5, "c": 20}, "depends_on": {"b": "a"}}
    assert order("abc", deadlines={"b": 30, "c": 25}, **facts) == "cab"


def test_hopeless_dependent_does_not_hide_a_later_deadline_behind_it() -> None:
    graph = {"a": set[str](), "b": {"a"}}
    durations = dict.fromkeys("ab", timedelta(seconds=10))
    deadlines = {"a": NOW, "b": NOW + timedelta(seconds=25)}
    assert latest_starts(graph, durations, deadlines, NOW) == {
        "a": NOW + timedelta(seconds=5),
        "b": NOW + timedelta(seconds=15),
    }


def test_long_view_without_a_deadline_does_not_prolong_the_run() -> None:
    seconds = {"a": 100, "b": 10, "c": 10}
    assert order("abc", seconds=seconds, deadlines={"b": 500, "c": 500}, workers=2)[0] == "a"


def test_unmeasured_view_counts_as_the_median_of_its_agency() -> None:
    facts = inputs("abcn", seconds={"a": 10, "b": 20, "c": 90}, deadlines={})
    assert typical_durations(selection(*"abcn").views, facts)[view_key("n")] == timedelta(seconds=20)


NAMES = "abcdefgh"


@given(
    st.dictionaries(st.sampled_from(NAMES), st.sets(st.sampled_from(NAMES), max_size=2)),
    st.lists(st.integers(0, 100), min_size=8, max_size=8),
    st.dictionaries(st.sampled_from(NAMES), st.integers(0, 3), max_size=2),
)
def test_order_without_deadlines_does_not_change(
    reads: dict[str, set[str]], seconds: list[int], failures: dict[str, int]
) -> None:
    facts = inputs(
        NAMES,
        seconds=dict(zip(NAMES, seconds, strict=True)),
        deadlines={},
        depends_on={name: "".join(names) for name, names in reads.items()},
    )
    facts = replace(facts, consecutive_failures={view_key(name): count for name, count in failures.items()})
    plain = replace(facts, now=None)
    with_far_deadline = replace(facts, deadlines={view_key("unselected"): NOW})
    expected = view_names(build_plan(selection(*NAMES), plain))
    for one in (facts, with_far_deadline):
        assert view_names(build_plan(selection(*NAMES), one)) == expected


def missed(
    names: str, *, deadlines: dict[str, float], workers: int = 1, group: str = "", **facts: Any
) -> list[tuple[str, float]]:
    """Return the names of views that will miss their contracts, and their expected ends in seconds.

    The last refresh of the group lasted 40 seconds.
    """
    plan_inputs = inputs(names, deadlines=deadlines, workers=workers, **facts)
    plan: RefreshPlan = build_plan(selection(*names), plan_inputs)
    contracts = {
        key: [ContractDeadline(contract=due_contract("06:30"), at=at)] for key, at in plan_inputs.deadlines.items()
    }
    durations = typical_durations(selection(*names).views, plan_inputs)
    members = tuple(view for view in plan.views if view.key.name.name in group)
    duration = timedelta(seconds=40)
    groups = (
        [PlannedGroup(name="g", views=members, estimated_duration=duration, measured_duration=duration)]
        if group
        else []
    )
    found = missed_contracts(plan.views, contracts, durations, now=NOW, workers=workers, groups=groups)
    return [(one.view.name.name, (one.expected_end - NOW).total_seconds()) for one in found]


def test_plan_lists_the_contracts_that_it_will_miss() -> None:
    seconds = {"a": 30, "b": 30, "c": 30}
    assert missed("abc", seconds=seconds, deadlines={"a": 30, "b": 60, "c": 89}) == [("c", 90)]
    assert missed("abc", seconds=seconds, deadlines={"a": 30, "b": 60, "c": 90}) == []
    assert missed("abc", seconds=seconds, deadlines={"a": 30, "b": 60, "c": 89}, workers=2) == []


def test_missed_contract_counts_the_wait_for_its_dependencies() -> None:
    facts: dict[str, Any] = {"seconds": {"a": 30, "b": 5}, "depends_on": {"b": "a"}}
    assert missed("ab", deadlines={"b": 34}, workers=8, **facts) == [("b", 35)]


def test_members_of_a_group_meet_contracts_when_the_group_ends() -> None:
    facts: dict[str, Any] = {"seconds": {"a": 30, "b": 30, "c": 10}, "depends_on": {"c": "a"}, "workers": 2}
    assert missed("abc", deadlines={"a": 35, "b": 35, "c": 49}, **facts) == []
    grouped = missed("abc", deadlines={"a": 35, "b": 40, "c": 49}, group="ab", **facts)
    assert grouped == [("a", 40), ("c", 50)]
    assert missed("ab", deadlines={"b": 69}, group="ab", seconds={"a": 30}) == [("b", 70)]


def test_missed_contract_is_described() -> None:
    plan_inputs = inputs("a", seconds={"a": 60}, deadlines={"a": 30})
    plan = build_plan(selection("a"), plan_inputs)
    for at, ending in (
        (30, "it is expected at 2026-01-05 02:01 UTC, due 02:00 UTC."),
        (-1, "its deadline has passed."),
    ):
        contract = ContractDeadline(contract=due_contract("02:00"), at=NOW + timedelta(seconds=at))
        [one] = missed_contracts(
            plan.views,
            {view_key("a"): [contract]},
            {view_key("a"): timedelta(seconds=60)},
            now=NOW,
            workers=1,
        )
        assert str(one) == f"reporting.a will probably miss its contract (due at 02:00 UTC): {ending}"
