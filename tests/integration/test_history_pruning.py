"""What pruning takes away at its edges, beside whom, and what that asks of many rows."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import psycopg
import pytest

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


def test_the_last_of_each_report_is_told_by_when_it_began_and_of_two_at_once_by_its_number() -> None:
    sql(
        "INSERT INTO reporting.seeder_run_history (run_id, manifest_id, table_name, report_name, agency_id,"
        " agency_slug, report_type, status, start_time, finish_time)"
        " SELECT 'r', n % 2, 'reporting.a', 'a', 1, 'demo', 'custom', 'success', at, at"
        " FROM generate_series(1, 20) AS n, CAST('2020-01-01' AS timestamptz) AS at"
    )
    assert history_pruning.prune(days=9, batch=3).deleted_history == 18
    assert len(history_ids()) == 2
    assert set(RunHistory.objects.values_list("manifest_id", flat=True)) == {0, 1}


def test_one_number_of_both_kinds_and_one_report_under_two_names_are_told_apart() -> None:
    rows = [
        insert_history_row("reporting.a", 50),
        insert_history_row("reporting.a", 40),
        insert_history_row("reporting.b", 30),
    ]
    sql("UPDATE reporting.seeder_run_history SET report_type = 'canned' WHERE id = %s", rows[0])
    assert history_pruning.prune(days=9).deleted_history == 0
    assert history_ids() == rows


def test_what_began_before_and_ended_after_the_limit_stays_and_so_does_its_run() -> None:
    name = insert_run(50)
    row = insert_history_row("reporting.a", 50, run=name)
    insert_history_row("reporting.a", 5)
    sql("UPDATE reporting.seeder_run_history SET finish_time = now() WHERE id = %s", row)
    done = history_pruning.prune(days=9)
    assert (done.old_rows, done.deleted_history, done.deleted_runs) == (0, 0, 0)


def test_a_row_that_never_said_when_it_ended_is_as_old_as_its_beginning() -> None:
    rows = [insert_history_row("reporting.a", 50), insert_history_row("reporting.a", 40)]
    sql("UPDATE reporting.seeder_run_history SET finish_time = NULL")
    assert history_pruning.prune(days=9).deleted_history == 1
    assert history_ids() == rows[1:]


def test_a_run_goes_with_the_last_of_its_rows() -> None:
    emptied, kept, going_on = insert_run(60), insert_run(50), insert_run(40)
    insert_history_row("reporting.a", 60, run=emptied)
    insert_history_row("reporting.b", 60, run=emptied)
    insert_history_row("reporting.b", 50, run=kept)
    insert_history_row("reporting.a", 50, run=kept)
    insert_history_row("reporting.c", 40, "running", run=going_on)
    insert_run(30)  # which had nothing to do
    assert history_pruning.prune(days=9).deleted_runs == 2
    assert set(Run.objects.values_list("run_id", flat=True)) == {kept, going_on}


def test_a_request_goes_as_a_whole_and_its_key_with_it() -> None:
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


@pytest.mark.parametrize("table", ["seeder_run", "seeder_run_metrics", "seeder_queued_refresh"])
def test_an_optional_table_may_be_missing(table: str) -> None:
    rows = [insert_history_row("reporting.a", 50), insert_history_row("reporting.a", 40)]
    sql(f"DROP TABLE reporting.{table}")
    assert history_pruning.prune(days=9).deleted_history == 1
    assert history_ids() == rows[1:]


@pytest.mark.parametrize("reference", ["", "FOREIGN KEY (history_id) REFERENCES reporting.seeder_run_history (id)"])
def test_metrics_go_with_their_row_also_where_the_server_was_not_told_so(reference: str) -> None:
    rows = [insert_history_row("reporting.a", 50), insert_history_row("reporting.a", 40)]
    sql("ALTER TABLE reporting.seeder_run_metrics DROP CONSTRAINT seeder_run_metrics_history_id_fkey")
    if reference:
        sql(f"ALTER TABLE reporting.seeder_run_metrics ADD {reference}")
    sql("INSERT INTO reporting.seeder_run_metrics (history_id) SELECT id FROM reporting.seeder_run_history")
    history_pruning.prune(days=9)
    assert sql("SELECT history_id FROM reporting.seeder_run_metrics") == [(rows[1],)]


def test_runs_go_on_meanwhile_and_lose_nothing() -> None:
    for name in "abcdef":
        create_custom_manifest(f"reporting.{name}", "SELECT 1 AS n" if name != "f" else "SELECT 1 / 0 AS n")
    many(3_000)
    with ThreadPoolExecutor(1) as pool:
        pruned = pool.submit(_pruned_here)
        runs_made = 0
        while not pruned.done() or runs_made < 2:
            assert orchestrator.execute_run(AllReports()).failed == 1
            runs_made += 1
    done = pruned.result()
    assert done.deleted_history + done.kept_rows == done.old_rows
    assert RunHistory.objects.filter(run_id__startswith="old").count() == 3_000 - done.deleted_history
    assert RunHistory.objects.exclude(run_id__startswith="old").count() == 6 * runs_made


def _pruned_here() -> history_pruning.PruneResult:
    try:
        return history_pruning.prune(days=1, batch=50)
    finally:
        sessions.close_thread_connections()


class Patient(StopSignal):
    """Does not wait, but remembers for how long it was to."""

    def __init__(self) -> None:
        super().__init__()
        self.spans: list[timedelta] = []

    def wait(self, span: timedelta) -> None:
        self.spans.append(span)


def test_it_leaves_half_of_the_time_to_others_who_are_at_work() -> None:
    for days in (50, 40, 30, 20):
        insert_history_row("reporting.a", days)
    alone, beside = Patient(), Patient()
    history_pruning.prune(days=45, batch=1, stop=alone)
    with another_session() as other:
        other.execute("BEGIN")
        history_pruning.prune(days=9, batch=1, stop=beside)
    assert alone.spans == []
    assert len(beside.spans) == 3
    assert timedelta() < max(beside.spans) <= timedelta(seconds=1)


def test_a_hundred_thousand_rows_are_read_once_and_then_a_batch_at_a_time(plans: list[Any]) -> None:
    many(100_000)
    sql("ANALYZE reporting.seeder_run_history")
    plans.clear()
    done = history_pruning.prune(days=100, batch=2_000)
    assert done.deleted_history > 60_000
    of_history = [plan for plan in plans if "seeder_run_history" in json.dumps(plan["Plan"])]
    whole = [plan for plan in of_history if looked_at(plan["Plan"]) > 10_000]
    assert len(whole) == 1
    assert "WITH latest AS" in whole[0]["Query Text"]
    batches = [plan for plan in of_history if "-- The next rows, and" in plan["Query Text"]]
    assert len(batches) == done.old_rows // 2_000 + 1
    assert max(looked_at(plan["Plan"]) for plan in of_history if plan not in whole) <= 2 * 2_000


def many(rows: int) -> None:
    """A thousand reports, every five minutes one, some of which fail."""
    sql(
        "INSERT INTO reporting.seeder_run_history (run_id, manifest_id, table_name, report_name, agency_id,"
        " agency_slug, report_type, status, start_time, finish_time)"
        " SELECT 'old ' || n / 100, n % 1000, 'reporting.v' || n % 1000, 'v', 1, 'demo', 'custom',"
        " CASE WHEN n % 200 = 0 THEN 'error' ELSE 'success' END, at, at"
        f" FROM generate_series(1, {rows}) AS n, LATERAL (SELECT now() - n * interval '5 minutes') AS past (at)"
    )


@pytest.fixture
def plans() -> Iterator[list[Any]]:
    """What the server did for each statement from now on, as it tells us."""
    told: list[Any] = []

    def hear(notice: psycopg.errors.Diagnostic) -> None:
        head, _, plan = (notice.message_primary or "").partition("plan:")
        if head.startswith("duration:"):
            told.append(json.loads(plan))

    need_statements()  # a server without it has no auto_explain either
    sql(
        "LOAD 'auto_explain'; SET auto_explain.log_min_duration = 0; SET auto_explain.log_level = 'notice';"
        " SET auto_explain.log_format = 'json'; SET auto_explain.log_analyze = on; SET auto_explain.log_timing = off"
    )
    session = sessions.driver_connection("default")
    session.add_notice_handler(hear)
    yield told
    session.remove_notice_handler(hear)


def looked_at(node: Any) -> int:
    """How many rows of tables, those that were thrown away among them."""
    is_table = node["Node Type"].endswith("Scan") and node["Node Type"] not in {"Bitmap Index Scan", "CTE Scan"}
    rows = node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
    return int(is_table * node["Actual Loops"] * rows) + sum(map(looked_at, node.get("Plans", [])))
