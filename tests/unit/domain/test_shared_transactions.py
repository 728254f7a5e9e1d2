"""Which views share a transaction."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from seeder.domain.data_checks.results import DataCheck
from seeder.domain.data_checks.rules import parse_rule
from seeder.domain.mode_predictor import Prediction, RefreshMode
from seeder.domain.plan import PlannedAction, PlannedView, ViewInputs
from seeder.domain.read_relations import ReadRelations
from seeder.domain.refresh_mode import ModeChoice
from seeder.domain.row_changes import ChangeRequest
from seeder.domain.shared_transactions import NO_SHARING, SharingLimits, companions, may_share
from seeder.domain.skip_decision import SkipAction, SkipPlan
from tests.unit.domain.plan_values import manifest, plan, view_key

LIMITS = SharingLimits(max_duration=timedelta(milliseconds=20))
READS = ReadRelations(view_oid=1, relations=())


def small_view(name: str = "a", seconds: float = 0.01, **changes: Any) -> PlannedView:
    [view] = plan(name, seconds={name: seconds}).views
    return replace(view, inputs=ViewInputs(), **changes)


def choice(mode: RefreshMode, seconds: float) -> ModeChoice:
    return ModeChoice(mode=mode, prediction=Prediction(plain=timedelta(seconds=seconds)))


def test_short_plain_refresh_may_share() -> None:
    assert may_share(small_view(), LIMITS, default_database="default")
    decided = SkipPlan(action=SkipAction.REFRESH, reason="Not skipped.")
    assert may_share(small_view(skip_plan=decided), LIMITS, default_database="default")
    short = choice(RefreshMode.PLAIN, 0.05)
    assert may_share(small_view(mode_choice=short), LIMITS, default_database="default")


@pytest.mark.parametrize(
    "view",
    [
        small_view(seconds=0.02),
        small_view(expected_duration=None),
        small_view(consecutive_failures=1),
        small_view(action=PlannedAction.CREATE),
        replace(small_view(), inputs=None),
        replace(small_view(), inputs=ViewInputs(materialized=(1,))),
        small_view(checks=(DataCheck(name="rows", rule=parse_rule("row_count", {"min": 1})),)),
        small_view(change_request=ChangeRequest(id=1, max_rows=5)),
        small_view(skip_plan=SkipPlan(action=SkipAction.PROVE, reason="")),
        small_view(
            skip_plan=SkipPlan(action=SkipAction.REFRESH, reason="", reads=ReadRelations(view_oid=1, relations=()))
        ),
        small_view(mode_choice=choice(RefreshMode.CONCURRENT, 0.01)),
        small_view(mode_choice=choice(RefreshMode.PLAIN, 0.06)),  # because of a window
    ],
)
def test_view_with_more_to_do_has_its_own_transaction(view: PlannedView) -> None:
    assert not may_share(view, LIMITS, default_database="default")


def test_views_of_other_databases_and_with_declared_dependencies_have_their_own() -> None:
    assert not may_share(small_view(), LIMITS, default_database="reporting")
    view = small_view()
    declares = manifest("a", query="-- depends_on: reporting.b\nSELECT 1")
    declared = replace(view, spec=replace(view.spec, manifests=(declares,)))
    assert declared.spec.declaration is not None
    assert not may_share(declared, LIMITS, default_database="default")


def test_nothing_is_shared_without_a_limit() -> None:
    assert not may_share(small_view(seconds=0), NO_SHARING, default_database="default")
    assert not may_share(
        small_view(), replace(LIMITS, max_total=timedelta(milliseconds=10)), default_database="default"
    )


def test_companions_fit_into_the_time_in_the_order_of_the_queue() -> None:
    views = [small_view(name, seconds) for name, seconds in (("b", 0.015), ("c", 0.02), ("d", 0.015), ("e", 0.01))]
    first = small_view("a", 0.01)
    chosen = companions(first, views, LIMITS, shareable={*views}, most=9)
    assert [view.key for view in chosen] == [view_key("b"), view_key("c")]
    chosen = companions(first, views, LIMITS, shareable={*views} - {views[1]}, most=9)
    assert [view.key for view in chosen] == [view_key("b"), view_key("d"), view_key("e")]
    assert len(companions(first, views, LIMITS, shareable={*views}, most=1)) == 1


def test_at_most_sixteen_views_share() -> None:
    views = [small_view(f"view_{number:02}", 0.001) for number in range(30)]
    assert len(companions(views[0], views[1:], LIMITS, shareable={*views}, most=99)) == 15
