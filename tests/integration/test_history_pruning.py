"""Pruning: its limits, concurrent runs, and its queries with many rows."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.db import connections

from seeder.domain.refresh_requests import AgencyReports, AllReports
from seeder.models import QueuedRefresh, Run, RunHistory
from seeder.postgres import sessions
from seeder.services import history_pruning
from seeder.services.queue import enqueue
from seeder.services.run import orchestrator
from seeder.services.stop_signal import StopSignal
from tests.conftest import another_session, create_custom_manifest, need_statements, sql
from tests.old_rows import history_ids, insert_history_row, insert_queued_part, insert_run

pytestmark = pytest.mark.usefixtures("contract_tables")


def test_latest_row_of_each_report_is_kept_by_start_and_id() -> None:
    sql(
        "INSERT INTO reporting.seeder_run_history (run_id, manifest_id, table_name, report_name, agency_id,"
        " agency_slug, report_type, status, start_time, finish_time)"
        " SELECT 'r', n % 2, 'reporting.a', 'a', 1, 'demo', 'custom', 'success', at, at"
        " FROM generate_series(1, 20) AS n, CAST('2020-01-01' AS timestamptz) AS at"
    )
    assert history_pruning.prune(days=9, batch=3).deleted_history == 18
    assert len(history_ids()) == 2
    assert set(RunHistory.objects.values_list("manifest_id", flat=True)) == {0, 1}


def test_latest_row_is_kept_by_report_type_number_and_name() -> None:
    rows = [
        insert_history_row("reporting.a", 50),
        insert_history_row("reporting.a", 40),
        insert_history_row("reporting.b", 30),
    ]
    sql("UPDATE reporting.seeder_run_history SET report_type = 'canned' WHERE id = %s", rows[0])
    assert history_pruning.prune(days=9).deleted_history == 0
    assert history_ids() == rows


def test_row_that_ended_after_the_limit_is_kept_with_its_run() -> None:
    run_id = insert_run(50)
    row = insert_history_row("reporting.a", 50, run=run_id)
    insert_history_row("reporting.a", 5)
    sql("UPDATE reporting.seeder_run_history SET finish_time = now() WHERE id = %s", row)
    pruned = history_pruning.prune(days=9)
    assert (pruned.old_rows, pruned.deleted_history, pruned.deleted_runs) == (0, 0, 0)


def test_row_without_end_has_the_age_of_its_start() -> None:
    rows = [insert_history_row("reporting.a", 50), insert_history_row("reporting.a", 40)]
    sql("UPDATE reporting.seeder_run_history SET finish_time = NULL")
    assert history_pruning.prune(days=9).deleted_history == 1
    assert history_ids() == rows[1:]


def test_run_is_deleted_with_its_last_row() -> None:
    emptied, kept, still_running = insert_run(60), insert_run(50), insert_run(40)
    insert_history_row("reporting.a", 60, run=emptied)
    insert_history_row("reporting.b", 60, run=emptied)
    insert_history_row("reporting.b", 50, run=kept)
    insert_history_row("reporting.a", 50, run=kept)
    insert_history_row("reporting.c", 40, "running", run=still_running)
    insert_run(30)  # without any views
    assert history_pruning.prune(days=9).deleted_runs == 2
    assert set(Run.objects.values_list("run_id", flat=True)) == {kept, still_running}


def test_request_is_deleted_as_a_whole_with_its_key() -> None:
    create_custom_manifest("reporting.a", "SELECT 1 AS n")
    insert_queued_part("done", 50, part=1, key="k")
    insert_queued_part("done", 40, part=2)
    insert_queued_part("late", 50, part=1)
    insert_queued_part("late", 5, part=2)
    insert_queued_part("open", 50, part=1)
    insert_queued_part("open", None, part=2)
    assert history_pruning.prune(days=9, batch=1).deleted_parts == 2
    assert set(QueuedRefresh.objects.values_list("request_id", flat=True)) == {"late", "open"}
    assert (
        enqueue.enqueue_refresh(AgencyReports(slug="demo"), requested_by="a test", idempotency_key="k").request_id
        != "done"
    )


def test_cancelled_request_is_pruned_like_an_ended_one() -> None:
    insert_queued_part("cancelled", 50)
    insert_queued_part("recently", 5)
    QueuedRefresh.objects.update(state="cancelled")
    history_pruning.prune(days=30)
    assert [part.request_id for part in QueuedRefresh.objects.all()] == ["recently"]


@pytest.mark.parametrize("table", ["seeder_run", "seeder_run_metrics", "seeder_queued_refresh"])
def test_pruning_works_without_an_optional_table(table: str) -> None:
    rows = [insert_history_row("reporting.a", 50), insert_history_row("reporting.a", 40)]
    sql(f"DROP TABLE reporting.{table}")
    assert history_pruning.prune(days=9).deleted_history == 1
    assert history_ids() == rows[1:]


@pytest.mark.parametrize("reference", ["", "FOREIGN KEY (history_id) REFERENCES reporting.seeder_run_history (id)"])
def test_metrics_are_deleted_without_a_cascading_foreign_key(reference: str) -> None:
    rows = [insert_history_row("reporting.a", 50), insert_history_row("reporting.a", 40)]
    sql("ALTER TABLE reporting.seeder_run_metrics DROP CONSTRAINT seeder_run_metrics_history_id_fkey")
    if reference:
        sql(f"ALTER TABLE reporting.seeder_run_metrics ADD {reference}")
    sql("INSERT INTO reporting.seeder_run_metrics (history_id) SELECT id FROM reporting.seeder_run_history")
    history_pruning.prune(days=9)
    assert sql("SELECT history_id FROM reporting.seeder_run_metrics") == [(rows[1],)]


@pytest.mark.slow
def test_concurrent_runs_lose_no_rows() -> None:
    for name in "abcdef":
        create_custom_manifest(f"reporting.{name}", "SELECT 1 AS n" if name != "f" else "SELECT 1 / 0 AS n")
    insert_history(3_000)
    with ThreadPoolExecutor(1) as pool:
        pruned = pool.submit(_prune_and_close_connections)
        run_count = 0
        while not pruned.done() or run_count < 2:
            assert orchestrator.execute_run(AllReports()).failed == 1
            run_count += 1
    result = pruned.result()
    assert result.deleted_history + result.kept_rows == result.old_rows
    assert RunHistory.objects.filter(run_id__startswith="old").count() == 3_000 - result.deleted_history
    assert RunHistory.objects.exclude(run_id__startswith="old").count() == 6 * run_count


def _prune_and_close_connections() -> history_pruning.PruneResult:
    try:
        return history_pruning.prune(days=1, batch=50)
    finally:
        connections.close_all()


class RecordedWaits(StopSignal):
    """A stop signal that records each wait and returns immediately."""

    def __init__(self) -> None:
        super().__init__()
        self.waits: list[timedelta] = []

    def wait(self, duration: timedelta) -> None:
        self.waits.append(duration)


def test_pruning_pauses_while_other_queries_are_active() -> None:
    for days in (50, 40, 30, 20):
        insert_history_row("reporting.a", days)
    on_idle_server, on_busy_server = RecordedWaits(), RecordedWaits()
    history_pruning.prune(days=45, batch=1, stop=on_idle_server)
    with another_session() as other_session:
        other_session.execute("BEGIN")
        history_pruning.prune(days=9, batch=1, stop=on_busy_server)
    assert on_idle_server.waits == []
    assert len(on_busy_server.waits) == 3
    assert timedelta() < max(on_busy_server.waits) <= timedelta(seconds=1)


@pytest.mark.slow
def test_large_history_is_scanned_once_and_deleted_in_batches(plans: list[Any]) -> None:
    insert_history(60_000)
    sql("ANALYZE reporting.seeder_run_history")
    plans.clear()
    result = history_pruning.prune(days=20, batch=500)
    assert result.deleted_history > 12_000
    of_history = [plan for plan in plans if "seeder_run_history" in json.dumps(plan["Plan"])]
    full_scans = [plan for plan in of_history if rows_read(plan["Plan"]) > 10_000]
    assert len(full_scans) == 1
    assert "WITH latest AS" in full_scans[0]["Query Text"]
    batches = [plan for plan in of_history if "ORDER BY start_time, id" in plan["Query Text"]]
    assert len(batches) == result.old_rows // 500 + 1
    assert max(rows_read(plan["Plan"]) for plan in of_history if plan not in full_scans) <= 2 * 500


def insert_history(rows: int) -> None:
    """Insert history rows of 1,000 reports, one every five minutes, some failed."""
    sql(
        "INSERT INTO reporting.seeder_run_history (run_id, manifest_id, table_name, report_name, agency_id,"
        " agency_slug, report_type, status, start_time, finish_time)"
        " SELECT 'old ' || n / 100, n % 1000, 'reporting.v' || n % 1000, 'v', 1, 'demo', 'custom',"
        " CASE WHEN n % 200 = 0 THEN 'error' ELSE 'success' END, at, at"
        f" FROM generate_series(1, {rows}) AS n, LATERAL (SELECT now() - n * interval '5 minutes') AS past (at)"
    )


@pytest.fixture
def plans() -> Iterator[list[Any]]:
    """Collect the plans of all following statements, reported by auto_explain."""
    collected: list[Any] = []

    def on_notice(notice: psycopg.errors.Diagnostic) -> None:
        head, _, plan = (notice.message_primary or "").partition("plan:")
        if head.startswith("duration:"):
            collected.append(json.loads(plan))

    need_statements()  # skips on a server without auto_explain
    sql(
        "LOAD 'auto_explain'; SET auto_explain.log_min_duration = 0; SET auto_explain.log_level = 'notice';"
        " SET auto_explain.log_format = 'json'; SET auto_explain.log_analyze = on; SET auto_explain.log_timing = off"
    )
    session = sessions.driver_connection("default")
    session.add_notice_handler(on_notice)
    yield collected
    session.remove_notice_handler(on_notice)


def rows_read(node: Any) -> int:
    """Return the number of table rows read, including filtered ones."""
    is_table = node["Node Type"].endswith("Scan") and node["Node Type"] not in {"Bitmap Index Scan", "CTE Scan"}
    rows = node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
    return int(is_table * node["Actual Loops"] * rows) + sum(map(rows_read, node.get("Plans", [])))
