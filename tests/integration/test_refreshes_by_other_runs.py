"""Two runs of one view: the second uses the refresh of the first if it is recent enough."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from threading import Thread

import pytest
from django.db import connections
from pytest_django import Settings

from seeder.domain.outcomes import Outcome, RefreshResult
from seeder.domain.refresh_requests import AgencyReports, AllReports
from seeder.domain.run_events import RunEvent, RunStarted, ViewEnded
from seeder.models import JobStatus, RunHistory, RunMetrics
from seeder.services.run import orchestrator
from tests.conftest import another_session, create_canned_report, create_custom_manifest, sql
from tests.polling import eventually

pytestmark = pytest.mark.usefixtures("contract_tables")


def results_after(
    function: Callable[[], object], request: AllReports | AgencyReports | None = None
) -> dict[str, RefreshResult]:
    """Execute a run that calls a function before its first refresh."""

    def on_event(event: RunEvent) -> None:
        if isinstance(event, RunStarted):
            function()

    summary = orchestrator.execute_run(request or AllReports(), on_event=on_event)
    return {view.key.name.name: result for view, result in summary.results.items()}


def in_thread(function: Callable[[], object]) -> None:
    def run() -> None:
        try:
            function()
        finally:
            connections.close_all()

    thread = Thread(target=run)
    thread.start()
    thread.join()


def test_refresh_started_after_the_request_is_shared() -> None:
    create_canned_report(
        "reporting.shared", "SELECT current_setting('application_name') AS run", agencies=("demo", "metro")
    )
    results = results_after(
        lambda: in_thread(lambda: orchestrator.execute_run(AgencyReports(slug="metro"))), AgencyReports(slug="demo")
    )
    own_row, other_row = RunHistory.objects.get(agency_slug="demo"), RunHistory.objects.get(agency_slug="metro")
    assert results["shared"].satisfied_by == other_row.run_id
    assert sql("SELECT run FROM reporting.shared") == [(f"seeder {other_row.run_id}",)], "refreshed once"
    assert (own_row.status, own_row.start_time, own_row.finish_time) == (
        "success",
        other_row.start_time,
        other_row.finish_time,
    )
    assert own_row.records_processed == 1
    assert own_row.errors is None
    [notes] = RunMetrics.objects.filter(pk=own_row.pk).values_list("notes", flat=True)
    assert notes == f"Refreshed by run {other_row.run_id}, which started after this run was requested."
    assert JobStatus.objects.get().last_run_id == own_row.run_id


def test_refresh_started_before_the_request_is_not_shared() -> None:
    create_custom_manifest("reporting.a", "SELECT 1 AS n")
    orchestrator.execute_run(AllReports())
    assert results_after(lambda: None)["a"].satisfied_by is None


def test_failed_refresh_is_not_shared() -> None:
    sql("CREATE TABLE reporting.source AS SELECT 0 AS n")
    create_custom_manifest("reporting.a", "SELECT 1 / n AS n FROM reporting.source")

    def fail_and_repair() -> None:
        in_thread(lambda: orchestrator.execute_run(AllReports()))
        sql("UPDATE reporting.source SET n = 1")

    result = results_after(fail_and_repair)["a"]
    assert (result.satisfied_by, result.failure) == (None, None)


def test_refresh_from_older_inputs_is_not_shared() -> None:
    sql("CREATE TABLE reporting.source AS SELECT 1 AS n")
    create_custom_manifest("reporting.input", "SELECT n FROM reporting.source")
    create_custom_manifest("reporting.output", "SELECT n FROM reporting.input", agency="metro")
    orchestrator.execute_run(AllReports())
    sql("UPDATE reporting.source SET n = 2")
    # The other run refreshes only the output, not its input.
    results = results_after(lambda: in_thread(lambda: orchestrator.execute_run(AgencyReports(slug="metro"))))
    assert results["output"].satisfied_by is None
    assert sql("SELECT n FROM reporting.output") == [(2,)]


def test_view_of_the_same_name_in_another_database_is_not_shared(settings: Settings) -> None:
    settings.SEEDER = {"DATABASES": {1: "default", 2: "archive"}}
    sql("CREATE SCHEMA reporting", using="archive")
    create_custom_manifest("reporting.a", "SELECT 1 AS n")
    create_custom_manifest("reporting.a", "SELECT 1 AS n", agency="metro")
    sql("UPDATE reporting.seeder_custom_report_manifest SET database_id = 2 WHERE agency_slug = 'metro'")
    results = results_after(
        lambda: in_thread(lambda: orchestrator.execute_run(AgencyReports(slug="metro"))), AgencyReports(slug="demo")
    )
    assert results["a"].satisfied_by is None
    assert sql("SELECT n FROM reporting.a") == [(1,)]


@pytest.mark.slow
def test_waits_for_tables_and_other_runs_do_not_count_as_duration(settings: Settings) -> None:
    settings.SEEDER = {"LOCK_TIMEOUT_MS": 20_000}
    sql("CREATE TABLE reporting.gate ()")
    create_custom_manifest("reporting.a", "SELECT count(*) AS n FROM reporting.gate")
    orchestrator.execute_run(AllReports())
    results: list[RefreshResult] = []

    def on_event(event: RunEvent) -> None:
        if isinstance(event, ViewEnded):
            results.append(event.result)

    def are_waiting(number: int) -> bool:
        refreshes = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND application_name ~ '^seeder '"
        return len(sql(refreshes)) == number

    with another_session() as gate_session:
        gate_session.execute("BEGIN; LOCK reporting.gate")
        threads = [
            Thread(
                target=_run_and_close_connections,
                args=(lambda: orchestrator.execute_run(AllReports(), on_event=on_event),),
            )
            for _ in "12"
        ]
        for number, thread in enumerate(threads):
            thread.start()
            eventually(partial(are_waiting, number + 1))
        gate_session.execute("SELECT pg_sleep(1.2); ROLLBACK")
    for thread in threads:
        thread.join(20)
    assert [result.failure for result in results] == [None, None]
    assert [result.satisfied_by is None for result in results] == [True, False], "the first began after both requests"
    assert all(result.duration.total_seconds() < 1 < result.cost.lock_wait.total_seconds() for result in results)


@contextmanager
def locked_view(view: str) -> Iterator[None]:
    """Hold the lock of a view, like another run during its refresh."""
    with another_session() as other_session:
        other_session.execute("SET application_name = 'seeder other'")
        other_session.execute(f"SELECT pg_advisory_lock(hashtextextended('seeder.view {view}', 0))")
        yield


@pytest.mark.slow
def test_wait_for_another_run_may_exceed_other_limits(settings: Settings) -> None:
    settings.SEEDER = {"LOCK_TIMEOUT_MS": 1100, "STATEMENT_TIMEOUT_MS": 1000, "MAX_RETRIES": 0}
    create_custom_manifest("reporting.a", "SELECT 1 AS n")
    results: list[RefreshResult] = []
    thread = Thread(
        target=_run_and_close_connections,
        args=(lambda: results.extend(orchestrator.execute_run(AllReports()).results.values()),),
    )
    with locked_view("reporting.a"):
        thread.start()
        waiting = (
            "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'advisory' AND now() - query_start > interval '1.3 s'"
        )
        eventually(lambda: sql(waiting) or not thread.is_alive())
        assert thread.is_alive(), results
    thread.join(20)
    [result] = results
    assert (result.outcome, result.attempts) == (Outcome.CREATED, 1)
    assert result.cost.lock_wait.total_seconds() > 1.1


@pytest.mark.slow
def test_wait_for_another_run_is_limited_by_max_wait(settings: Settings) -> None:
    settings.SEEDER = {"LOCK_TIMEOUT_MS": 1100, "MAX_WAIT_SECONDS": 2, "MAX_RETRIES": 0}
    create_custom_manifest("reporting.a", "SELECT 1 AS n")
    with locked_view("reporting.a"):
        [result] = orchestrator.execute_run(AllReports()).results.values()
    assert result.failure
    assert result.failure.reason == "lock_not_available"
    assert ", seeder other, of " in result.failure.message
    assert 2 <= result.cost.lock_wait.total_seconds() < 10


def _run_and_close_connections(function: Callable[[], object]) -> None:
    try:
        function()
    finally:
        connections.close_all()


@pytest.mark.slow
def test_blocking_session_is_named_in_the_failure(settings: Settings) -> None:
    settings.SEEDER = {"LOCK_TIMEOUT_MS": 1100, "MAX_RETRIES": 0}
    create_custom_manifest("reporting.a", "SELECT 1 AS n")
    orchestrator.execute_run(AllReports())
    with another_session() as reader:
        reader.execute("SET application_name = 'a dashboard'")
        reader.execute("BEGIN; SELECT n FROM reporting.a")
        [result] = orchestrator.execute_run(AllReports()).results.values()
        pid = reader.info.backend_pid
    assert result.failure
    assert f"Blocked by pid {pid}, a dashboard, of " in result.failure.message
    assert re.search(r"idle in transaction, its transaction open for \d s\.", result.failure.message)
    assert 1 < result.cost.lock_wait.total_seconds() < 10
