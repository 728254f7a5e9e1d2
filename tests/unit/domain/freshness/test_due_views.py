"""Which views have to start now to meet their contracts."""

from dataclasses import replace
from datetime import timedelta

from seeder.domain.freshness.contract import FreshnessContract
from seeder.domain.freshness.due_views import ViewWithContracts, find_due_views
from seeder.domain.freshness.states import ViewFacts
from seeder.domain.outcomes import Status
from tests.unit.domain.freshness.contract_values import due_contract, lag_contract, utc
from tests.unit.domain.plan_values import view_key

DUE = due_contract("06:30")


def view(
    *contracts: FreshnessContract, minutes: float = 10, reads: str = "", as_of: str = "2026-01-04 03:00"
) -> ViewWithContracts:
    at = utc(as_of)
    facts = ViewFacts(
        status=Status.SUCCESS, last_started_at=at, last_success_at=at, usual_duration=timedelta(minutes=minutes)
    )
    return ViewWithContracts(reads={view_key(name) for name in reads}, contracts=contracts, data_as_of=at, facts=facts)


def due(
    now: str, views: dict[str, ViewWithContracts] | None = None, *, workers: int = 4, **named: ViewWithContracts
) -> str:
    by_key = {view_key(name): one for name, one in {**(views or {}), **named}.items()}
    found = find_due_views(by_key, now=utc(now), workers=workers)
    return "".join(key.name.name for key in found)


def test_view_is_due_just_in_time_and_not_at_night() -> None:
    # 06:30, less 1.4 times ten minutes, less three minutes until it starts
    assert due("2026-01-05 02:00", a=view(DUE)) == ""
    assert due("2026-01-05 06:12:59", a=view(DUE)) == ""
    assert due("2026-01-05 06:13", a=view(DUE)) == "a"
    assert due("2026-01-05 06:14", a=view(DUE, as_of="2026-01-05 00:00")) == "", "the data meet it"


def test_views_with_one_deadline_start_as_early_as_their_workers_require() -> None:
    views = {name: view(DUE) for name in "abc"}
    for now, count in (("05:44", 0), ("05:45", 1), ("05:59", 2), ("06:13", 3)):
        assert len(due(f"2026-01-05 {now}", views, workers=1)) == count
    assert due("2026-01-05 06:12", views, workers=3) == ""


def test_view_behind_a_contract_is_refreshed_with_it() -> None:
    views = {"a": view(), "b": view(DUE, reads="a"), "c": view()}
    assert due("2026-01-05 05:58", views) == ""
    assert due("2026-01-05 05:59", views) == "ab"


def test_view_behind_a_contract_that_has_new_data_is_not_refreshed_again() -> None:
    assert due("2026-01-05 06:20", a=view(as_of="2026-01-05 04:00"), b=view(DUE, reads="a")) == "b"


def test_target_lag_counts_from_the_oldest_data_behind_a_view() -> None:
    lag = lag_contract(2)
    old, new = view(as_of="2026-01-05 04:00"), view(as_of="2026-01-05 04:30")
    derived = view(lag, reads="a", as_of="2026-01-05 04:00")
    assert due("2026-01-05 05:20", a=old, b=derived) == ""
    assert due("2026-01-05 05:31", a=old, b=derived) == "ab"
    assert due("2026-01-05 05:43", a=new, b=derived) == "ab", "b has two hours again"
    assert due("2026-01-05 05:43", a=view(as_of="2026-01-05 05:20"), b=derived) == "b"


def test_running_and_queued_views_are_not_due_again() -> None:
    one = view(DUE)
    for status in (Status.RUNNING, Status.PENDING):
        assert due("2026-01-05 06:20", a=replace(one, facts=replace(one.facts, status=status))) == ""
    assert due("2026-01-05 06:20", a=replace(one, is_queued=True)) == ""


def test_view_waits_for_one_that_it_reads_and_that_is_refreshed_now() -> None:
    read = view(DUE)
    for busy in (replace(read, is_queued=True), replace(read, facts=replace(read.facts, status=Status.RUNNING))):
        assert due("2026-01-05 06:20", a=busy, b=view(DUE, reads="a")) == ""


def test_view_waits_for_one_that_waits_itself() -> None:
    views = {"a": replace(view(DUE), is_queued=True), "b": view(reads="a"), "c": view(DUE, reads="b")}
    assert due("2026-01-05 06:20", views) == ""


def test_view_does_not_wait_for_one_that_fails() -> None:
    read = view(DUE)
    failing = replace(read, facts=replace(read.facts, failing=True, last_started_at=utc("2026-01-05 06:10")))
    assert due("2026-01-05 06:20", a=failing, b=view(DUE, reads="a")) == "b"
    running = replace(failing, facts=replace(failing.facts, status=Status.RUNNING))
    assert due("2026-01-05 06:20", a=running, b=view(DUE, reads="a")) == ""
    recent = replace(failing, facts=replace(failing.facts, failing=False))
    assert due("2026-01-05 06:20", a=recent, b=view(DUE, reads="a")) == "", "its refresh did not help yet"


def test_view_that_follows_waits_for_all_views_that_it_reads() -> None:
    views = {"a": view(minutes=100), "b": view(minutes=1), "c": view(DUE, reads="ab", minutes=1)}
    assert due("2026-01-05 04:06", views) == "a"


def test_view_whose_refresh_did_not_help_is_tried_again_later() -> None:
    one = view(DUE)
    failed = replace(
        one, facts=replace(one.facts, status=Status.ERROR, failing=True, last_started_at=utc("2026-01-05 06:20"))
    )
    assert due("2026-01-05 06:34:59", a=failed) == ""
    assert due("2026-01-05 06:35", a=failed) == "a"
    lag = replace(failed, contracts=[lag_contract(1 / 6)])
    assert due("2026-01-05 06:25:01", a=lag) == "a"


def test_data_of_an_unknown_age_count_from_the_last_success() -> None:
    unknown = replace(view(lag_contract(2), as_of="2026-01-05 04:00"), data_as_of=None)
    assert due("2026-01-05 05:00", a=unknown) == ""
    assert due("2026-01-05 05:50", a=unknown) == "a"
    assert due("2026-01-05 06:20", a=replace(view(DUE, as_of="2026-01-05 04:00"), data_as_of=None)) == ""


def test_view_that_was_never_refreshed_is_due_for_its_deadline() -> None:
    assert due("2026-01-05 06:28", a=ViewWithContracts(contracts=[DUE])) == "a"
    assert due("2026-01-05 06:20", a=ViewWithContracts(contracts=[DUE])) == ""
    assert due("2026-01-05 06:20", a=ViewWithContracts(contracts=[lag_contract(2)])) == "a"
