"""What a refresh may take of the server, and what is tried again."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError
from pytest_django import Settings

from seeder.domain.outcomes import Outcome, RefreshResult
from seeder.domain.refresh_requests import AllReports
from seeder.errors import ConfigurationError
from seeder.models import JobStatus, RunHistory
from seeder.postgres import sessions, transactions
from seeder.services import run_history
from seeder.services.run import orchestrator, view_refresh
from seeder.services.run_history import RunHistoryWriter
from seeder.services.stop_signal import StopSignal
from tests.conftest import another_session, create_custom_manifest, sql

pytestmark = pytest.mark.usefixtures("contract_tables")


def refreshed() -> RefreshResult:
    [result] = orchestrator.execute_run(AllReports()).results.values()
    return result


def test_the_limits_hold_in_the_refresh_and_the_server_knows_whose_it_is(settings: Settings) -> None:
    settings.SEEDER = {"LOCK_TIMEOUT_MS": 1500, "STATEMENT_TIMEOUT_MS": 70_000}
    names = ["lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout", "application_name"]
    names += ["client_connection_check_interval"]
    create_custom_manifest(
        "reporting.a", "SELECT " + ", ".join(f"current_setting('{name}') AS {name}" for name in names)
    )
    summary = orchestrator.execute_run(AllReports())
    assert sql("TABLE reporting.a") == [("1500ms", "70s", "30s", f"seeder {summary.run_id}", "2s")]


@pytest.mark.parametrize(
    ("seats", "allowed", "without"), [(2, False, {"a", "b"}), (2, True, set()), (1, False, set()), (4, False, set())]
)
def test_where_that_is_asked_for_a_view_that_leaves_no_seat_free_has_no_parallel_workers(
    settings: Settings, *, seats: int, allowed: bool, without: set[str]
) -> None:
    settings.SEEDER = {"MAX_WORKERS": seats, "PARALLEL_WHEN_BUSY": allowed}
    setting = "current_setting('max_parallel_workers_per_gather')"
    for name, source in (("a", ""), ("b", ""), ("reader", " FROM reporting.a, reporting.b")):
        create_custom_manifest(f"reporting.{name}", f"SELECT '{name}' AS name, {setting} AS workers{source}")
    orchestrator.execute_run(AllReports())
    orchestrator.execute_run(AllReports())
    rows = sql("TABLE reporting.a UNION TABLE reporting.b UNION TABLE reporting.reader")
    assert {name for name, workers in rows if workers == "0"} == without


def test_a_statement_that_takes_too_long_is_cancelled_and_not_tried_again(settings: Settings) -> None:
    settings.SEEDER = {"STATEMENT_TIMEOUT_MS": 100}
    create_custom_manifest("reporting.a", "SELECT 1 AS n FROM pg_sleep(60)")
    result = refreshed()
    assert result.failure
    assert (result.failure.reason, result.attempts) == ("query_canceled", 1)
    assert "statement timeout" in result.failure.message


def test_a_reader_in_the_way_is_waited_for_no_longer_than_the_limit(settings: Settings) -> None:
    settings.SEEDER = {"LOCK_TIMEOUT_MS": 1100, "MAX_RETRIES": 0}
    sql("CREATE MATERIALIZED VIEW reporting.a AS SELECT 1 AS n")
    create_custom_manifest("reporting.a", "SELECT 1 AS n")
    with another_session() as reader:
        reader.execute("BEGIN; SELECT n FROM reporting.a")
        result = refreshed()
    assert result.failure
    assert (result.failure.sqlstate, result.failure.reason) == ("55P03", "lock_not_available")


def test_a_lock_that_was_not_granted_is_asked_for_again(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.SEEDER = {"LOCK_TIMEOUT_MS": 1100}
    sql("CREATE MATERIALIZED VIEW reporting.a AS SELECT 1 AS n")
    create_custom_manifest("reporting.a", "SELECT 1 AS n")
    with another_session() as reader:
        reader.execute("BEGIN; SELECT n FROM reporting.a")
        monkeypatch.setattr(StopSignal, "wait", lambda *_: reader.execute("ROLLBACK"))
        result = refreshed()
    assert (result.outcome, result.attempts) == (Outcome.REFRESHED, 2)


def test_attempts_are_bounded_and_the_waits_between_them_grow(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.SEEDER = {"MAX_RETRIES": 3}
    sql("CREATE SEQUENCE reporting.tries")
    create_custom_manifest(
        "reporting.a", "SELECT nextval('reporting.tries'), pg_terminate_backend(pg_backend_pid()) AS n"
    )
    waits: list[timedelta] = []
    monkeypatch.setattr(StopSignal, "wait", lambda _, span: waits.append(span))
    monkeypatch.setattr("random.random", lambda: 1.0)
    result = refreshed()
    assert (result.outcome, result.attempts) == (Outcome.FAILED, 4)
    assert waits == [timedelta(seconds=0.5), timedelta(seconds=8), timedelta(seconds=16)]
    assert sql("SELECT last_value FROM reporting.tries") == [(4,)]
    assert RunHistory.objects.get().status == "error"


def test_a_wrong_query_is_tried_once() -> None:
    sql("CREATE SEQUENCE reporting.tries")
    create_custom_manifest("reporting.a", "SELECT 1 / (nextval('reporting.tries') * 0) AS n")
    assert refreshed().attempts == 1
    assert sql("SELECT last_value FROM reporting.tries") == [(1,)]


@pytest.mark.parametrize("retries", [0, 3])
def test_a_connection_lost_after_the_commit_does_not_refresh_again_nor_lie(
    retries: int, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.SEEDER = {"MAX_RETRIES": retries}
    create_custom_manifest("reporting.a", "SELECT 1 AS n")
    losing = [True]

    class LosesTheFirst(transactions.BatchedTransaction):
        def __exit__(self, kind: type[BaseException] | None, *error: object) -> None:
            super().__exit__(kind, *error)
            if losing:
                losing.pop()
                raise OperationalError

    monkeypatch.setattr(transactions, "BatchedTransaction", LosesTheFirst)
    monkeypatch.setattr(StopSignal, "wait", lambda *_: None)
    result = refreshed()
    assert not losing
    assert (result.outcome, result.attempts) == (Outcome.CREATED, 1)
    assert (RunHistory.objects.get().status, JobStatus.objects.get().status) == ("success", "success")


def test_bookkeeping_is_tried_again_too(monkeypatch: pytest.MonkeyPatch) -> None:
    create_custom_manifest("reporting.a", "SELECT 1 / 0 AS n")
    original = RunHistoryWriter.record_result

    def fails_once(*_: Any) -> None:
        monkeypatch.setattr(RunHistoryWriter, "record_result", original)
        raise OperationalError

    monkeypatch.setattr(RunHistoryWriter, "record_result", fails_once)
    monkeypatch.setattr(StopSignal, "wait", lambda *_: None)
    assert refreshed().outcome is Outcome.FAILED
    assert RunHistory.objects.get().status == "error"


def test_a_lock_limit_within_which_postgresql_does_not_look_what_is_in_the_way_is_refused(settings: Settings) -> None:
    settings.SEEDER = {"LOCK_TIMEOUT_MS": 1000}
    with pytest.raises(ConfigurationError, match="more than the server's deadlock_timeout, which is 1000 ms"):
        orchestrator.execute_run(AllReports())


def test_a_connection_lost_after_a_failure_was_recorded_counts_it_once(monkeypatch: pytest.MonkeyPatch) -> None:
    create_custom_manifest("reporting.a", "SELECT 1 / 0 AS n")
    original, losing = transactions.durable_transaction, [True]

    @contextmanager
    def loses_the_record(database: str) -> Iterator[None]:
        with original(database):
            yield
        if losing and RunHistory.objects.filter(status="error").exists():
            losing.pop()
            raise OperationalError

    for place in (transactions, view_refresh, run_history):
        monkeypatch.setattr(place, "durable_transaction", loses_the_record, raising=False)
    monkeypatch.setattr(StopSignal, "wait", lambda *_: None)
    assert refreshed().outcome is Outcome.FAILED
    assert not losing
    assert (JobStatus.objects.get().consecutive_failures, RunHistory.objects.get().consecutive_failures) == (1, 1)


def test_a_connection_that_is_lost_between_two_statements_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    create_custom_manifest("reporting.a", "SELECT 1 AS n")
    original = RunHistoryWriter.mark_running

    def loses_its_connection(*args: Any, **kwargs: Any) -> None:
        monkeypatch.setattr(RunHistoryWriter, "mark_running", original)
        [(pid,)] = sql("SELECT pg_backend_pid()")
        with another_session() as other:
            other.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
        sessions.server_time("default")

    monkeypatch.setattr(RunHistoryWriter, "mark_running", loses_its_connection)
    monkeypatch.setattr(StopSignal, "wait", lambda *_: None)
    assert refreshed().outcome is Outcome.CREATED
