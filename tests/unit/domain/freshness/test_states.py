"""The state of a contract, and its cause."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seeder.domain.freshness.contract import FreshnessContract
from seeder.domain.freshness.data_age import NEVER_RECORDED, DataAge, UnknownAge
from seeder.domain.freshness.deadlines import fresh_bounds
from seeder.domain.freshness.states import FreshnessState, Judgement, LateCause, ViewFacts, judge
from seeder.domain.outcomes import Status
from tests.unit.domain.freshness.contract_values import due_contract, lag_contract, utc

DUE = due_contract("06:30", grace=0.5)
YESTERDAY, TODAY = utc("2026-01-04 02:00"), utc("2026-01-05 02:00")
REFRESHED = ViewFacts(status=Status.SUCCESS, last_success_at=YESTERDAY, usual_duration=timedelta(minutes=10))
OLD = DataAge(as_of=YESTERDAY)
DUE_CONTRACTS = [
    due_contract("06:30", zone="Europe/Berlin"),
    due_contract("02:30", zone="Europe/Berlin", since="20:00", grace=0.5),
    due_contract("06:30", days="1,3", grace=2),
    due_contract("23:00", grace=10),
]


def state(now: str, age: DataAge = OLD, facts: ViewFacts = REFRESHED) -> tuple[str, str | None]:
    found = judge(DUE, age, facts, utc(now))
    return found.state, found.cause


def test_contract_is_due_when_a_refresh_should_have_started_and_late_after_the_grace() -> None:
    assert state("2026-01-05 06:19:59") == ("fresh", None)
    assert state("2026-01-05 06:20") == ("due", "not_started")
    assert state("2026-01-05 07:00") == ("due", "not_started")
    assert state("2026-01-05 07:00:01") == ("late", "not_started")


def test_late_contract_is_fresh_again_after_a_refresh() -> None:
    assert state("2026-01-05 09:00", DataAge(as_of=utc("2026-01-05 08:00"))) == ("fresh", None)


def test_judgement_names_its_deadline() -> None:
    late = judge(DUE, OLD, REFRESHED, utc("2026-01-05 09:00"))
    assert late == Judgement(state=FreshnessState.LATE, cause=LateCause.NOT_STARTED, deadline=utc("2026-01-05 07:00"))
    assert judge(DUE, OLD, REFRESHED, utc("2026-01-05 01:00")).deadline == utc("2026-01-05 07:00")


@pytest.mark.parametrize(
    ("facts", "cause"),
    [
        ({"status": Status.PENDING}, "waiting"),
        ({"status": Status.RUNNING, "is_held": True}, "running"),
        ({"status": Status.ERROR, "failing": True}, "failed"),
        ({"status": Status.ERROR, "failing": True, "is_held": True}, "held"),
        ({"status": Status.ERROR, "is_interrupted": True}, "interrupted"),
        ({"status": Status.ERROR, "is_interrupted": True, "failing": True}, "failed"),
        ({"status": Status.SUCCESS, "last_success_at": TODAY}, "upstream_late"),
        ({"status": Status.SUCCESS, "last_success_at": YESTERDAY}, "not_started"),
    ],
)
def test_late_contract_has_a_cause(facts: dict[str, object], cause: str) -> None:
    known = ViewFacts(**{"last_success_at": YESTERDAY, **facts})  # type: ignore[arg-type]
    assert state("2026-01-05 09:00", facts=known) == ("late", cause)


def test_hold_is_shown_before_the_deadline_and_does_not_hide_a_late_contract() -> None:
    held = ViewFacts(status=Status.ERROR, failing=True, last_success_at=YESTERDAY, is_held=True)
    assert state("2026-01-05 06:40", facts=held) == ("held", "held")
    assert state("2026-01-05 09:00", facts=held) == ("late", "held")
    assert state("2026-01-05 03:00", facts=held) == ("fresh", None)


def test_refreshed_view_with_data_of_an_unknown_age_is_unknown() -> None:
    unknown = DataAge(as_of=None, unknown=UnknownAge.REFRESHED_BY_OTHERS)
    assert state("2026-01-05 09:00", unknown) == ("unknown", "age_unknown")


def test_view_without_data_is_late_at_its_due_time() -> None:
    assert state("2026-01-05 09:00", NEVER_RECORDED, ViewFacts()) == ("late", "never_refreshed")


def test_view_without_data_is_late_for_a_target_lag_once_it_failed() -> None:
    failed = ViewFacts(status=Status.ERROR, failing=True)
    for facts, expected in ((ViewFacts(), ("unknown", "never_refreshed")), (failed, ("late", "failed"))):
        found = judge(lag_contract(2), NEVER_RECORDED, facts, TODAY)
        assert (found.state, found.cause) == expected


def test_target_lag_is_judged_by_the_data_not_by_the_last_refresh() -> None:
    facts = ViewFacts(status=Status.SUCCESS, last_success_at=TODAY)
    found = judge(lag_contract(2), DataAge(as_of=YESTERDAY), facts, TODAY)
    assert (found.state, found.cause) == ("late", "upstream_late")


@given(
    st.sampled_from([lag_contract(26), lag_contract(0.2, grace=1), *DUE_CONTRACTS]),
    st.integers(0, 7 * 24 * 60),
    st.integers(0, 60 * 60),
    st.integers(0, 9 * 60),
)
def test_data_within_the_bounds_are_fresh(
    contract: FreshnessContract, minute: int, age_minutes: int, duration_minutes: int
) -> None:
    now = utc("2026-03-26 00:00") + timedelta(minutes=minute)  # the clocks change in Berlin
    as_of, duration = now - timedelta(minutes=age_minutes), timedelta(minutes=duration_minutes)
    bounds = fresh_bounds(contract, now)
    is_current = bounds.current_since is not None and as_of >= bounds.current_since
    spare = as_of - bounds.usable_since if bounds.spare is None else bounds.spare
    facts = ViewFacts(status=Status.SUCCESS, last_success_at=as_of, usual_duration=duration)
    found = judge(contract, DataAge(as_of=as_of), facts, now).state
    if is_current or (as_of >= bounds.usable_since and duration < spare):
        assert found is FreshnessState.FRESH
    elif contract.grace < timedelta(hours=9):  # otherwise two deadlines are open, and the bounds are narrower
        assert found is not FreshnessState.FRESH
