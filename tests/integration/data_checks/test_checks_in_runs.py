"""Data checks of views in another database, and in runs that are stopped or lose a connection."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections
from pytest_django import Settings

from seeder.domain.data_checks import check_order
from seeder.domain.outcomes import Outcome, RunSummary
from seeder.domain.refresh_requests import AllReports
from seeder.models import CustomReportManifest, DataCheckResult, DataCheckWaiver, JobStatus, RunHistory
from seeder.services.data_checks.waivers import HeldChecks, waive_checks
from seeder.services.run import orchestrator
from seeder.services.stop_signal import StopSignal
from tests.conftest import another_session, sql
from tests.integration.data_checks.checked_view import add_check, create_view, refresh
from tests.polling import eventually

pytestmark = pytest.mark.usefixtures("contract_tables")
IN_PG_SLEEP = (
    "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'"
    " AND application_name ~ '^seeder '"
)


@pytest.mark.parametrize("budget", [0, 1_000_000], ids=["before the refresh", "inside"])
def test_view_in_another_database_is_held_and_waived(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, budget: int
) -> None:
    settings.SEEDER = {"DATABASES": {1: "default", 2: "archive"}, "READER_WAIT_BUDGET_MS": budget}
    monkeypatch.setattr(check_order, "_MIN_SHARE", 0)
    sql("CREATE SCHEMA reporting", using="archive")
    sql("CREATE TABLE reporting.source AS SELECT generate_series(1, 10) AS id", using="archive")
    create_view("a", "SELECT id FROM reporting.source")
    CustomReportManifest.objects.update(database_id=2)
    add_check("row_count", arguments={"max_drop": 0.1}, database_alias="archive")
    add_check("row_count", arguments={"min": 100}, database_alias="default")
    assert refresh()["a"].outcome is Outcome.CREATED
    sql("DELETE FROM reporting.source WHERE id > 5", using="archive")
    result = refresh()["a"]
    assert (result.outcome, result.checks[0].figures["last_accepted"]) == (Outcome.HELD, 10)
    assert sql("SELECT count(*) FROM reporting.a", using="archive") == [(10,)]
    assert DataCheckResult.objects.latest("history_id").database_alias == "archive"
    waive_checks(HeldChecks(table_name="reporting.a", database="archive"), reason="r", granted_by="anna")
    assert refresh()["a"].outcome is Outcome.REFRESHED
    assert sql("SELECT count(*) FROM reporting.a", using="archive") == [(5,)]
    assert DataCheckWaiver.objects.get().used_run_id == RunHistory.objects.latest("id").run_id
    assert [row.outcome for row in DataCheckResult.objects.order_by("history_id")] == ["passed", "failed", "waived"]


def test_stopped_run_interrupts_a_check_and_holds_nothing() -> None:
    create_view()
    refresh()
    add_check("query", arguments={"query": "SELECT 1 FROM pg_sleep(60)"})
    stop = StopSignal()

    def run() -> RunSummary:
        try:
            return orchestrator.execute_run(AllReports(), stop=stop)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as threads:
        future = threads.submit(run)
        eventually(lambda: sql(IN_PG_SLEEP))
        stop.request("SIGTERM")
        summary = future.result(30)
    assert (len(summary.interrupted), summary.held) == (1, 0)
    row = RunHistory.objects.latest("id")
    assert row.errors == "interrupted: SIGTERM"
    assert JobStatus.objects.get().consecutive_failures == 0


def test_lost_connection_during_a_check_is_retried(settings: Settings) -> None:
    settings.SEEDER = {"MAX_RETRIES": 2}
    create_view()
    sql("CREATE TABLE reporting.naps AS SELECT 60 AS seconds")
    query = "SELECT 1 FROM reporting.naps WHERE pg_sleep(seconds)::text <> ''"
    add_check("query", arguments={"query": query})

    def run() -> Outcome:
        try:
            return refresh()["a"].outcome
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as threads, another_session() as session:
        future = threads.submit(run)
        eventually(lambda: sql(IN_PG_SLEEP))
        session.execute("UPDATE reporting.naps SET seconds = 0")
        session.execute(f"SELECT pg_terminate_backend(pid) FROM ({IN_PG_SLEEP}) AS sleeping".encode())
        assert future.result(60) is Outcome.CREATED
