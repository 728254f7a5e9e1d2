"""Limits of a refresh on the server, and retries."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError
from django.db.transaction import atomic
from pytest_django import Settings

from seeder.domain.outcomes import Outcome, RefreshResult
from seeder.domain.refresh_requests import AllReports
from seeder.errors import ConfigurationError
from seeder.models import DataCheck, JobStatus, RunHistory
from seeder.postgres import sessions, transactions
from seeder.services.history_rows import RunHistoryWriter
from seeder.services.run import orchestrator, skipping, view_refresh
from seeder.services.stop_signal import StopSignal
from tests.conftest import another_session, create_custom_manifest, sql

pytestmark = pytest.mark.usefixtures("contract_tables")


def refresh() -> RefreshResult:
    [result] = orchestrator.execute_run(AllReports()).results.values()
    return result


def test_limits_and_application_name_apply_during_the_refresh(settings: Settings) -> None:
    settings.SEEDER = {"LOCK_TIMEOUT_MS": 1500, "STATEMENT_TIMEOUT_MS": 70_000}
    names = ["lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout", "application_name"]
    names += ["client_connection_check_interval"]
    create_custom_manifest(
        "reporting.a", "SELECT " + ", ".join(f"current_setting('{name}') AS {name}" for name in names)
    )
    summary = orchestrator.execute_run(AllReports())
    assert sql("TABLE reporting.a") == [("1500ms", "70s", "30s", f"seeder {summary.run_id}", "2s")]


@pytest.mark.parametrize(
    ("workers", "parallel_when_busy", "serial_views"),
    [(2, False, {"a", "b"}), (2, True, set()), (1, False, set()), (4, False, set())],
)
def test_parallel_plans_are_off_while_all_workers_are_busy(
    settings: Settings, *, workers: int, parallel_when_busy: bool, serial_views: set[str]
) -> None:
    settings.SEEDER = {"MAX_WORKERS": workers, "PARALLEL_WHEN_BUSY": parallel_when_busy}
    setting = "current_setting('max_parallel_workers_per_gather')"
    for name, source in (("a", ""), ("b", ""), ("reader", " FROM reporting.a, reporting.b")):
        create_custom_manifest(f"reporting.{name}", f"SELECT '{name}' AS name, {setting} AS workers{source}")
    orchestrator.execute_run(AllReports())
    orchestrator.execute_run(AllReports())
    rows = sql("TABLE reporting.a UNION TABLE reporting.b UNION TABLE reporting.reader")
    assert {name for name, workers in rows if workers == "0"} == serial_views


def test_statement_timeout_cancels_without_a_retry(settings: Settings) -> None:
    settings.SEEDER = {"STATEMENT_TIMEOUT_MS": 100}
    create_custom_manifest("reporting.a", "SELECT 1 AS n FROM pg_sleep(60)")
    result = refresh()
    assert result.failure
    assert (result.failure.reason, result.attempts) == ("query_canceled", 1)
    assert "statement timeout" in result.failure.message


@pytest.mark.slow
def test_lock_wait_is_limited_by_the_lock_timeout(settings: Settings) -> None:
    settings.SEEDER = {"LOCK_TIMEOUT_MS": 1100, "MAX_RETRIES": 0}
    sql("CREATE MATERIALIZED VIEW reporting.a AS SELECT 1 AS n")
    create_custom_manifest("reporting.a", "SELECT 1 AS n")
    with another_session() as reader:
        reader.execute("BEGIN; SELECT n FROM reporting.a")
        result = refresh()
    assert result.failure
    assert (result.failure.sqlstate, result.failure.reason) == ("55P03", "lock_not_available")


@pytest.mark.slow
def test_lock_timeout_is_retried(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.SEEDER = {"LOCK_TIMEOUT_MS": 1100}
    sql("CREATE MATERIALIZED VIEW reporting.a AS SELECT 1 AS n")
    create_custom_manifest("reporting.a", "SELECT 1 AS n")
    with another_session() as reader:
        reader.execute("BEGIN; SELECT n FROM reporting.a")
        monkeypatch.setattr(StopSignal, "wait", lambda *_: reader.execute("ROLLBACK"))
        result = refresh()
    assert (result.outcome, result.attempts) == (Outcome.REFRESHED, 2)


def test_retries_are_limited_with_growing_delays(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.SEEDER = {"MAX_RETRIES": 3}
    sql("CREATE SEQUENCE reporting.tries")
    create_custom_manifest(
        "reporting.a", "SELECT nextval('reporting.tries'), pg_terminate_backend(pg_backend_pid()) AS n"
    )
    waits: list[timedelta] = []
    monkeypatch.setattr(StopSignal, "wait", lambda _, span: waits.append(span))
    monkeypatch.setattr("random.random", lambda: 1.0)
    result = refresh()
    assert (result.outcome, result.attempts) == (Outcome.FAILED, 4)
    assert waits == [timedelta(seconds=0.5), timedelta(seconds=8), timedelta(seconds=16)]
    assert sql("SELECT last_value FROM reporting.tries") == [(4,)]
    assert RunHistory.objects.get().status == "error"


def test_invalid_query_is_not_retried() -> None:
    sql("CREATE SEQUENCE reporting.tries")
    create_custom_manifest("reporting.a", "SELECT 1 / (nextval('reporting.tries') * 0) AS n")
    assert refresh().attempts == 1
    assert sql("SELECT last_value FROM reporting.tries") == [(1,)]


@pytest.mark.parametrize("retries", [0, 3])
def test_connection_lost_after_commit_is_a_success_without_retry(
    retries: int, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.SEEDER = {"MAX_RETRIES": retries}
    create_custom_manifest("reporting.a", "SELECT 1 AS n")
    remaining_losses = [True]

    class LosesFirstConnection(transactions.BatchedTransaction):
        def __exit__(self, kind: type[BaseException] | None, *error: object) -> None:
            super().__exit__(kind, *error)
            if remaining_losses:
                remaining_losses.pop()
                raise OperationalError

    monkeypatch.setattr(skipping, "BatchedTransaction", LosesFirstConnection)
    monkeypatch.setattr(StopSignal, "wait", lambda *_: None)
    result = refresh()
    assert not remaining_losses
    assert (result.outcome, result.attempts) == (Outcome.CREATED, 1)
    assert (RunHistory.objects.get().status, JobStatus.objects.get().status) == ("success", "success")


def test_recording_a_failure_is_retried(monkeypatch: pytest.MonkeyPatch) -> None:
    create_custom_manifest("reporting.a", "SELECT 1 / 0 AS n")
    original = RunHistoryWriter.record_result

    def fails_once(*_: Any) -> None:
        monkeypatch.setattr(RunHistoryWriter, "record_result", original)
        raise OperationalError

    monkeypatch.setattr(RunHistoryWriter, "record_result", fails_once)
    monkeypatch.setattr(StopSignal, "wait", lambda *_: None)
    assert refresh().outcome is Outcome.FAILED
    assert RunHistory.objects.get().status == "error"


def test_lock_timeout_below_the_deadlock_timeout_is_refused(settings: Settings) -> None:
    settings.SEEDER = {"LOCK_TIMEOUT_MS": 1000}
    with pytest.raises(ConfigurationError, match="more than the server's deadlock_timeout, which is 1000 ms"):
        orchestrator.execute_run(AllReports())


@pytest.mark.parametrize(("query", "outcome"), [("SELECT 1 / 0 AS n", Outcome.FAILED), ("SELECT 1 AS n", Outcome.HELD)])
def test_connection_lost_after_a_recorded_failure_counts_once(
    monkeypatch: pytest.MonkeyPatch, query: str, outcome: Outcome
) -> None:
    create_custom_manifest("reporting.a", query)
    DataCheck.objects.create(table_name="reporting.a", check_name="rows", kind="row_count", arguments={"min": 2})
    remaining_losses = [True]

    @contextmanager
    def loses_connection_once(*, durable: bool) -> Iterator[None]:
        with atomic(durable=durable):
            yield
        if remaining_losses and RunHistory.objects.filter(status="error").exists():
            remaining_losses.pop()
            raise OperationalError

    monkeypatch.setattr(view_refresh, "atomic", loses_connection_once)
    monkeypatch.setattr(StopSignal, "wait", lambda *_: None)
    assert refresh().outcome is outcome
    assert not remaining_losses
    assert (JobStatus.objects.get().consecutive_failures, RunHistory.objects.get().consecutive_failures) == (1, 1)


def test_connection_lost_between_two_statements_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    create_custom_manifest("reporting.a", "SELECT 1 AS n")
    original = RunHistoryWriter.mark_running

    def loses_its_connection(*args: Any, **kwargs: Any) -> None:
        monkeypatch.setattr(RunHistoryWriter, "mark_running", original)
        [(pid,)] = sql("SELECT pg_backend_pid()")
        with another_session() as other_session:
            other_session.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
        sessions.server_time("default")

    monkeypatch.setattr(RunHistoryWriter, "mark_running", loses_its_connection)
    monkeypatch.setattr(StopSignal, "wait", lambda *_: None)
    assert refresh().outcome is Outcome.CREATED
