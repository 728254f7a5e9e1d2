"""The costs of refreshes that a run records."""

from pathlib import Path

import pytest
from django.db import connection
from pytest_django import Settings

from seeder.domain.refresh_requests import AllReports
from seeder.domain.run_events import RunEvent, RunWarning
from seeder.models import RunHistory, RunMetrics
from seeder.postgres import refresh_cost_queries
from seeder.services.run import orchestrator
from tests.conftest import create_canned_report, create_custom_manifest, need_statements, sql

pytestmark = pytest.mark.usefixtures("contract_tables")
IS_LOCAL = str(connection.settings_dict["HOST"] or "/").startswith("/") and Path("/proc/self/stat").exists()


def metrics(table_name: str) -> RunMetrics:
    return RunMetrics.objects.filter(history__table_name=table_name).latest("history_id")


def test_every_history_row_has_its_costs(settings: Settings) -> None:
    settings.SEEDER = {"REFRESH_CONCURRENTLY": True, "MAX_WORKERS": 1}
    create_canned_report("reporting.shared", "SELECT generate_series(1, 20000) AS n", agencies=("demo", "metro"))
    create_custom_manifest("reporting.indexed", "SELECT 1 AS n")
    create_custom_manifest("reporting.broken", "SELECT 1 / 0 AS n")
    orchestrator.execute_run(AllReports())
    assert metrics("reporting.shared").mode is None, "a created view has no mode"
    sql("CREATE UNIQUE INDEX ON reporting.indexed (n)")
    orchestrator.execute_run(AllReports())
    latest_run = RunHistory.objects.latest("id").run_id
    assert RunMetrics.objects.filter(history__run_id=latest_run).count() == 4
    plain, concurrent, broken = (metrics(f"reporting.{name}") for name in ("shared", "indexed", "broken"))
    assert (plain.mode, plain.fell_back, plain.attempts) == ("plain", True, 1)
    assert (concurrent.mode, concurrent.fell_back) == ("concurrent", False)
    assert (broken.mode, broken.attempts) == (None, 1)
    waited = RunMetrics.objects.filter(worker_wait_seconds__gt=0, throttle_wait_seconds=0, lock_wait_seconds__gte=0)
    assert waited.filter(history__run_id=latest_run).exists(), "with one worker, some view waits for it"


def test_statement_cost_is_that_of_one_refresh() -> None:
    need_statements()
    sql("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
    if refresh_cost_queries.find_cost_source("default") is None:
        pytest.skip("pg_stat_statements is not preloaded")
    create_custom_manifest("reporting.a", "SELECT generate_series(1, 20000) AS n")
    for _ in range(3):
        orchestrator.execute_run(AllReports())
    counted = metrics("reporting.a")
    assert (counted.statement_calls, counted.statement_rows) == (1, 20000)
    assert counted.statement_total_ms
    assert counted.statement_mean_ms == counted.statement_total_ms


def test_backend_write_bytes_are_known_since_postgresql_18() -> None:
    create_custom_manifest("reporting.a", "SELECT generate_series(1, 20000) AS n")
    orchestrator.execute_run(AllReports())
    written = metrics("reporting.a").backend_write_bytes
    if sql("SELECT current_setting('server_version_num')::integer >= 180000") == [(True,)]:
        assert written
        assert written > 500_000
    else:
        assert written is None


@pytest.mark.skipif(not IS_LOCAL, reason="processes are visible only on the server's machine")
def test_cpu_and_memory_of_the_backend_are_recorded() -> None:
    create_custom_manifest("reporting.a", "SELECT count(*) AS n FROM generate_series(1, 300000) AS n WHERE n % 7 = 3")
    orchestrator.execute_run(AllReports())
    row, measured = RunHistory.objects.get(), metrics("reporting.a")
    assert measured.cpu_seconds
    assert measured.peak_memory_bytes
    assert row.memory_usage_mb == round(measured.peak_memory_bytes / 2**20)
    assert row.cpu_percentage
    assert 10 < row.cpu_percentage <= 105


def test_missing_tables_are_one_warning_together() -> None:
    sql("DROP TABLE reporting.seeder_alert, reporting.seeder_mute, reporting.seeder_notification")
    create_custom_manifest("reporting.a", "SELECT 1 AS n")
    events: list[RunEvent] = []
    assert orchestrator.execute_run(AllReports(), on_event=events.append).failed == 0
    [notice] = [event.message for event in events if isinstance(event, RunWarning)]
    assert notice.startswith(
        "Optional tables are missing: reporting.seeder_alert, reporting.seeder_mute, reporting.seeder_notification."
    )


def test_missing_cost_table_is_one_warning_and_no_failure() -> None:
    sql("DROP TABLE reporting.seeder_run_metrics")
    create_custom_manifest("reporting.a", "SELECT 1 AS n")
    create_custom_manifest("reporting.b", "SELECT 1 AS n")
    events: list[RunEvent] = []
    assert orchestrator.execute_run(AllReports(), on_event=events.append).failed == 0
    [notice] = [event.message for event in events if isinstance(event, RunWarning)]
    assert notice.startswith(
        "reporting.seeder_run_metrics: a table in the contract, missing here. Without it the history"
    )
