"""The throttle and the circuit breaker, on a real server."""

from collections.abc import Callable
from datetime import timedelta
from threading import Thread

import pytest
from pytest_django import Settings

from seeder import conf
from seeder.domain.admission_types import HoldReason
from seeder.domain.refresh_requests import AllReports
from seeder.domain.run_events import RunEvent, RunWarning, StartsHeld, StartsResumed, ViewEnded
from seeder.models import CircuitBreaker, JobStatus, RunHistory, RunMetrics
from seeder.postgres import server_activity
from seeder.postgres.contract import OptionalTables
from seeder.services.run import orchestrator
from seeder.services.run.admission_control import CircuitBreakers
from tests.conftest import CompletedCommand, another_session, create_custom_manifest, sql
from tests.polling import eventually

pytestmark = pytest.mark.usefixtures("contract_tables")
Manage = Callable[..., CompletedCommand]


def create_failing_views(*names: str) -> None:
    for name in names:
        create_custom_manifest(f"reporting.{name}", "SELECT 1 / 0 AS n")


def test_busy_server_holds_starts_until_it_is_idle(settings: Settings) -> None:
    with another_session() as first_session, another_session() as second_session:
        first_session.execute("BEGIN")  # an idle transaction counts as active
        before = server_activity.active_query_count("default")
        assert before >= 1
        second_session.execute("BEGIN")
        assert server_activity.active_query_count("default") == before + 1
        second_session.execute("ROLLBACK")
        settings.SEEDER = {"MAX_DB_ACTIVE_QUERIES": before}
        create_custom_manifest("reporting.a", "SELECT 1 AS n")
        events: list[RunEvent] = []

        def on_event(event: RunEvent) -> None:
            events.append(event)
            if isinstance(event, StartsHeld):
                assert not sql("SELECT 1 FROM reporting.seeder_run_history WHERE status <> 'pending'")
                first_session.execute("ROLLBACK")

        summary = orchestrator.execute_run(AllReports(), on_event=on_event)
    assert summary.failed == 0
    [held] = [event for event in events if isinstance(event, StartsHeld)]
    assert held.hold.reason is HoldReason.SERVER_BUSY
    assert held.hold.message.endswith(f"active on the server and SEEDER_MAX_DB_ACTIVE_QUERIES is {before}")
    assert [type(event) for event in events if isinstance(event, StartsHeld | StartsResumed)] == [
        StartsHeld,
        StartsResumed,
    ]
    [result] = summary.results.values()
    assert result.cost.throttle_wait > timedelta()


@pytest.mark.slow
def test_held_run_gives_up_its_views_with_the_reason(settings: Settings, manage: Manage) -> None:
    create_custom_manifest("reporting.a", "SELECT 1 AS n")
    create_custom_manifest("reporting.b", "SELECT n FROM reporting.a")
    with another_session() as first_session:
        first_session.execute("BEGIN")
        result = manage("refresh_all", SEEDER_MAX_DB_ACTIVE_QUERIES="1", SEEDER_MAX_WAIT_SECONDS="1")
    assert result.exit_code == 1
    assert "waiting: 1 query is active on the server and SEEDER_MAX_DB_ACTIVE_QUERIES is 1" in result.lines
    assert set(RunHistory.objects.values_list("status", "errors")) == {
        ("error", "Not started, because 1 query is active on the server and SEEDER_MAX_DB_ACTIVE_QUERIES is 1.")
    }
    assert set(JobStatus.objects.values_list("consecutive_failures", flat=True)) == {1}


def test_refresh_that_waits_for_a_lock_does_not_count_as_active() -> None:
    sql("CREATE TABLE reporting.t ()")
    with another_session() as holder, another_session() as waiter:
        before = server_activity.active_query_count("default")
        holder.execute("BEGIN; LOCK reporting.t")
        waiter.execute("SET application_name = 'seeder some-run'")
        waiting = Thread(target=waiter.execute, args=("SELECT FROM reporting.t",))
        waiting.start()
        waits = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND application_name ~ '^seeder'"
        eventually(lambda: sql(waits))
        assert server_activity.active_query_count("default") == before + 1, "only the holder"
        holder.execute("ROLLBACK")
        waiting.join(10)


def test_role_that_cannot_see_other_sessions_gets_a_warning(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert server_activity.can_see_all_sessions("default")
    sql("DROP ROLE IF EXISTS blind")
    sql("CREATE ROLE blind")
    try:
        sql("SET ROLE blind")
        assert not server_activity.can_see_all_sessions("default")
    finally:
        sql("RESET ROLE")
        sql("DROP ROLE blind")
    settings.SEEDER = {"MAX_DB_ACTIVE_QUERIES": 1000}
    monkeypatch.setattr(server_activity, "can_see_all_sessions", lambda _: False)
    create_custom_manifest("reporting.a", "SELECT 1 AS n")
    notices: list[str] = []
    orchestrator.execute_run(AllReports(), on_event=lambda event: notices.append(getattr(event, "message", "")))
    assert any("GRANT pg_read_all_stats" in notice for notice in notices)


def test_breaker_stops_starts_after_consecutive_failures(settings: Settings) -> None:
    settings.SEEDER = {"MAX_WORKERS": 1, "MAX_FAILURES": 2, "MAX_WAIT_SECONDS": 1}
    create_failing_views("a", "b", "c", "d")
    events: list[RunEvent] = []
    summary = orchestrator.execute_run(AllReports(), on_event=events.append)
    reasons = [result.failure and result.failure.reason for result in summary.results.values()]
    assert reasons == ["division_by_zero", "division_by_zero", "circuit_open", "circuit_open"]
    [held] = [event for event in events if isinstance(event, StartsHeld)]
    assert held.hold.message.startswith("the circuit breaker of default is open since ")
    assert "after 2 failures in a row; one view is tried at " in held.hold.message
    given_up = RunHistory.objects.filter(errors__startswith="Not started, because the circuit breaker of default")
    assert given_up.count() == 2
    measured = RunMetrics.objects.filter(history_id__in=given_up.values("id"))
    assert [row.reason for row in measured] == ["circuit_open"] * 2
    assert all((row.throttle_wait_seconds or 0) >= 1 for row in measured)
    breaker = CircuitBreaker.objects.get()
    assert (breaker.failures, breaker.opened_at is None, breaker.last_trial_at) == (2, False, None)


def test_open_breaker_applies_to_other_processes_with_one_trial(settings: Settings, manage: Manage) -> None:
    settings.SEEDER = {"MAX_FAILURES": 1, "RESET_SECONDS": 3600}
    create_failing_views("a")
    orchestrator.execute_run(AllReports())
    result = manage("refresh_all", SEEDER_RESET_SECONDS="3600", SEEDER_MAX_WAIT_SECONDS="1")
    assert result.exit_code == 1
    assert any(line.startswith("waiting: the circuit breaker of default is open since ") for line in result.lines)
    sql("UPDATE reporting.seeder_circuit_breaker SET opened_at = opened_at - interval '1 hour'")
    first, second = (CircuitBreakers(conf.load(), OptionalTables.read("default")) for _ in "12")
    assert [first.claim_trial("default"), second.claim_trial("default")] == [True, False]


def test_successful_trial_closes_the_breaker(settings: Settings, manage: Manage) -> None:
    create_custom_manifest("reporting.good", "SELECT 1 AS n")
    assert manage("refresh_all").exit_code == 0
    create_failing_views("x", "y")
    CircuitBreaker.objects.create(pk="default", failures=5)
    sql("UPDATE reporting.seeder_circuit_breaker SET opened_at = now() - interval '10 minutes'")
    settings.SEEDER = {"MAX_WORKERS": 1, "MAX_FAILURES": 3}
    ended_views: list[str] = []
    orchestrator.execute_run(
        AllReports(),
        on_event=lambda event: ended_views.append(event.view.key.name.name) if isinstance(event, ViewEnded) else None,
    )
    assert ended_views[0] == "good", "the trial is a view that usually succeeds"
    assert len(ended_views) == 3
    assert (CircuitBreaker.objects.get().failures, CircuitBreaker.objects.get().opened_at) == (2, None)


@pytest.mark.slow
def test_failed_trial_keeps_the_breaker_open(settings: Settings) -> None:
    create_failing_views("x", "y")
    CircuitBreaker.objects.create(pk="default", failures=5)
    sql("UPDATE reporting.seeder_circuit_breaker SET opened_at = now() - interval '10 minutes'")
    settings.SEEDER = {"MAX_WAIT_SECONDS": 1}
    reasons = [
        result.failure and result.failure.reason for result in orchestrator.execute_run(AllReports()).results.values()
    ]
    assert reasons == ["division_by_zero", "circuit_open"]
    breaker = CircuitBreaker.objects.get()
    assert breaker.failures == 6
    assert breaker.opened_at
    assert breaker.last_trial_at
    assert breaker.last_trial_at > breaker.opened_at


def test_failure_of_a_view_does_not_count_if_only_server_faults_do(settings: Settings) -> None:
    settings.SEEDER = {"MAX_FAILURES": 1, "BREAKER_COUNTS": "server"}
    create_failing_views("a", "b")
    summary = orchestrator.execute_run(AllReports())
    assert {result.failure and result.failure.reason for result in summary.results.values()} == {"division_by_zero"}
    assert not CircuitBreaker.objects.exists()


@pytest.mark.slow
def test_breaker_of_one_database_does_not_hold_another(settings: Settings) -> None:
    settings.SEEDER = {"DATABASES": {1: "default", 2: "archive"}, "MAX_WAIT_SECONDS": 1}
    CircuitBreaker.objects.create(pk="archive", failures=5)
    sql("UPDATE reporting.seeder_circuit_breaker SET opened_at = now()")
    sql("CREATE SCHEMA reporting", using="archive")
    create_custom_manifest("reporting.here", "SELECT 1 AS n")
    create_custom_manifest("reporting.there", "SELECT 1 AS n")
    sql("UPDATE reporting.seeder_custom_report_manifest SET database_id = 2 WHERE table_name = 'reporting.there'")
    outcomes = {
        view.key.name.name: result.outcome for view, result in orchestrator.execute_run(AllReports()).results.items()
    }
    assert outcomes == {"here": "created", "there": "failed"}


def test_breaker_without_its_table_is_per_run_with_a_warning(settings: Settings) -> None:
    sql("DROP TABLE reporting.seeder_circuit_breaker")
    settings.SEEDER = {"MAX_WORKERS": 1, "MAX_FAILURES": 1, "MAX_WAIT_SECONDS": 1}
    create_failing_views("a", "b")
    events: list[RunEvent] = []
    orchestrator.execute_run(AllReports(), on_event=events.append)
    [notice] = [event.message for event in events if isinstance(event, RunWarning)]
    assert notice == (
        "reporting.seeder_circuit_breaker: a table in the contract, missing here. Without it each process has its own"
        " circuit breakers, which do not know the failures of other processes. `manage.py doctor` says what to do."
    )
    assert [event.hold.reason for event in events if isinstance(event, StartsHeld)] == [HoldReason.CIRCUIT_OPEN]
