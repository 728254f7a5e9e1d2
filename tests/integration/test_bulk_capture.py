"""Captures of views: from one snapshot, within limits, of many views, and interrupted."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import current_thread, main_thread

import pytest
from django.db import connections
from pytest_django import Settings

from seeder.domain.refresh_requests import AgencyReports, AllReports
from seeder.domain.snapshots import column_grouping
from seeder.domain.snapshots.snapshot_contents import Release
from seeder.errors import (
    AmbiguousView,
    BadTag,
    CaptureFailed,
    NeverFilled,
    NotAView,
    NothingToCapture,
    UnknownColumn,
    UnknownTable,
    ViewMissing,
)
from seeder.models import CustomReportManifest, ReleaseSnapshot
from seeder.postgres import column_statistics
from seeder.postgres.named_statements import STATEMENTS
from seeder.services.snapshots import parallel_column_count
from seeder.services.snapshots.bulk_capture import CaptureResult, capture_all
from seeder.services.snapshots.release_snapshots import (
    capture_release_snapshot,
    find_by_tag,
)
from tests.blocked_calls import BLOCKED_BY
from tests.conftest import another_session, create_canned_report, create_custom_manifest, sql
from tests.integration.captured_views import assert_capture_refused, create_view_with_manifest, stored_count
from tests.polling import eventually

pytestmark = pytest.mark.usefixtures("contract_tables")


@pytest.mark.parametrize("mode", ["CONCURRENTLY", ""])
def test_all_statistics_are_of_one_snapshot_during_a_refresh(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A plain refresh would be visible, so it waits for the capture."""
    monkeypatch.setenv("SEEDER_SNAPSHOT_CONNECTIONS", "3")
    sql("CREATE TABLE reporting.source AS SELECT n AS a, n AS b, n AS c, n AS d FROM generate_series(1, 100) AS n")
    table = create_view_with_manifest("view", "SELECT * FROM reporting.source")
    sql("CREATE UNIQUE INDEX ON reporting.view (a)")
    was_blocked: list[bool] = []

    def refresh_meanwhile(*_: int) -> None:
        if was_blocked:
            return
        was_blocked.append(False)
        with another_session(options="-c lock_timeout=200ms") as other_session:
            other_session.execute("DELETE FROM reporting.source WHERE a > 10")
            try:
                other_session.execute(f"REFRESH MATERIALIZED VIEW {mode} reporting.view")
            except Exception:  # noqa: BLE001  # any error shows that the refresh was blocked
                was_blocked[0] = True

    snapshot = capture_release_snapshot(table, "v1", on_progress=refresh_meanwhile)
    assert was_blocked == [mode == ""]
    assert {figures.distinct for figures in snapshot.statistics.columns.values()} == {100}
    assert snapshot.statistics.row_count == 100


def test_refused_capture_states_the_reason_and_stores_nothing() -> None:
    create_view_with_manifest()
    assert "The nearest one is 'reporting.a'" in assert_capture_refused(UnknownTable, "reporting.aa")
    assert assert_capture_refused(BadTag, "reporting.a", " ")
    assert "no column 'knid'. The nearest one is 'kind'." in assert_capture_refused(
        UnknownColumn, "reporting.a", top_values_columns=["n", "knid"]
    )
    create_custom_manifest("reporting.never", "SELECT 1")
    assert "does not exist" in assert_capture_refused(ViewMissing, "reporting.never")
    sql("CREATE MATERIALIZED VIEW reporting.never AS SELECT 1 AS n WITH NO DATA")
    assert "was never filled" in assert_capture_refused(NeverFilled, "reporting.never")
    create_custom_manifest("reporting.plain", "SELECT 1")
    sql("CREATE VIEW reporting.plain AS SELECT 1 AS n")
    assert "is not a materialized view" in assert_capture_refused(NotAView, "reporting.plain")
    create_custom_manifest("reporting.off", "SELECT 1", enabled=False)
    assert "nothing to capture" in assert_capture_refused(NothingToCapture, "reporting.off")


def test_ambiguous_view_name_is_refused(settings: Settings) -> None:
    settings.SEEDER = {"DATABASES": {1: "default", 2: "archive"}}
    create_view_with_manifest()
    create_custom_manifest("reporting.a", "SELECT 1")
    CustomReportManifest.objects.filter(pk=2).update(database_id=2)
    assert "a view in each of the databases archive and default" in assert_capture_refused(AmbiguousView, "reporting.a")
    [result] = capture_all(AllReports(), Release(tag="v1"))
    assert "a view in each of the databases archive and default" in str(result.error)


def test_view_dropped_during_a_capture_is_missing() -> None:
    table = create_view_with_manifest()
    with another_session() as other_session:
        other_session.autocommit = False
        other_session.execute("DROP MATERIALIZED VIEW reporting.a")
        pid = other_session.info.backend_pid
        with ThreadPoolExecutor(1) as pool:
            capture = pool.submit(_run_and_close_connections, lambda: assert_capture_refused(ViewMissing, table))
            eventually(lambda: capture.done() or sql(BLOCKED_BY, pid))
            assert not capture.done()
            other_session.commit()
            assert "does not exist" in capture.result()


def _run_and_close_connections(function: Callable[[], str]) -> str:
    try:
        return function()
    finally:
        connections.close_all()


def test_tables_of_the_view_are_not_locked_during_a_capture() -> None:
    sql("CREATE TABLE reporting.source AS SELECT 1 AS n")
    table, truncated = create_view_with_manifest("view", "SELECT n FROM reporting.source"), list[bool]()

    def truncate_source(*_: int) -> None:
        with another_session(options="-c lock_timeout=200ms") as other_session:
            other_session.execute("TRUNCATE reporting.source")
            truncated.append(True)

    capture_release_snapshot(table, "v1", on_progress=truncate_source)
    assert truncated == [True]


def test_interrupted_bulk_capture_stores_nothing_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEEDER_SNAPSHOT_CONNECTIONS", "1")
    for name in ("a", "b", "c"):
        create_view_with_manifest(name)
    stored: list[int] = []

    def interrupt(*_: object) -> None:
        stored.append(stored_count())
        raise KeyboardInterrupt("SIGINT")

    with pytest.raises(KeyboardInterrupt):
        capture_all(AllReports(), Release(tag="v1"), on_progress=interrupt)
    assert stored_count() <= stored[0] + 1, "at most the snapshot that was being written"


def test_interrupt_cancels_a_capture_that_waits_for_a_lock() -> None:
    create_view_with_manifest()
    create_view_with_manifest("b", "SELECT 1 AS n")
    with another_session() as other_session, other_session.transaction():
        other_session.execute("REFRESH MATERIALIZED VIEW reporting.a")
        pid = other_session.info.backend_pid

        def interrupt(*_: object) -> None:
            eventually(lambda: sql(BLOCKED_BY, pid))
            raise KeyboardInterrupt("SIGINT")

        with pytest.raises(KeyboardInterrupt):  # while the lock is held
            capture_all(AllReports(), Release(tag="v1"), on_progress=interrupt)
    assert [row.table_name for row in ReleaseSnapshot.objects.all()] == ["reporting.b"]


@pytest.mark.slow
def test_idle_session_of_a_parallel_capture_stays_connected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(STATEMENTS, "apply_limits", STATEMENTS["apply_limits"].replace("'30s'", "'1s'"))
    monkeypatch.setenv("SEEDER_MAX_RETRIES", "0")
    monkeypatch.setattr(parallel_column_count, "_KEEPALIVE_INTERVAL", 0.05)
    monkeypatch.setattr(column_grouping, "MAX_COMBINATIONS", 1)
    count_columns, tasks_of_helper = column_statistics.count_columns, list[column_statistics.CountTask]()

    def slow_in_helper_thread(database: str, task: column_statistics.CountTask) -> column_statistics.CountedColumns:
        if current_thread() is not main_thread():
            tasks_of_helper.append(task)
            sql("SELECT pg_sleep(2)")
        elif not tasks_of_helper:  # leave a task for the helper thread
            sql("SELECT pg_sleep(0.2)")
        return count_columns(database, task)

    monkeypatch.setattr(column_statistics, "count_columns", slow_in_helper_thread)
    snapshot = capture_release_snapshot(create_view_with_manifest(), "v1")
    assert tasks_of_helper
    assert snapshot.statistics.row_count == 12


def test_capture_respects_lock_and_statement_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEEDER_MAX_RETRIES", "0")
    monkeypatch.setenv("SEEDER_LOCK_TIMEOUT_MS", "50")
    table = create_view_with_manifest()
    with another_session() as other_session, other_session.transaction():
        other_session.execute("REFRESH MATERIALIZED VIEW reporting.a")
        assert "lock timeout" in assert_capture_refused(CaptureFailed, table)
    monkeypatch.setenv("SEEDER_STATEMENT_TIMEOUT_MS", "5")
    slow = create_view_with_manifest(
        "slow", "SELECT a, b FROM generate_series(1, 700) AS a, generate_series(1, 1000) AS b"
    )
    assert "statement timeout" in assert_capture_refused(CaptureFailed, slow)


def test_bulk_capture_continues_after_a_failed_view() -> None:
    create_view_with_manifest()
    create_view_with_manifest("b", "SELECT 1 AS n")
    create_custom_manifest("reporting.missing", "SELECT 1")
    create_custom_manifest("bad.name.indeed", "SELECT 1")
    create_view_with_manifest("elsewhere", "SELECT 1 AS n", agency="harbor")
    create_canned_report("reporting.b", "SELECT 1 AS n", agencies=("demo", "harbor"))
    progress: list[tuple[str, int, int]] = []

    def on_progress(result: CaptureResult, number: int, total: int) -> None:
        progress.append((result.table_name, number, total))

    results = {
        result.table_name: result
        for result in capture_all(
            AgencyReports(slug="demo"),
            Release(tag="v1"),
            top_values_columns=frozenset({"kind"}),
            on_progress=on_progress,
        )
    }
    assert sorted(results) == ["bad.name.indeed", "reporting.a", "reporting.b", "reporting.missing"]
    assert [(number, total) for _, number, total in progress] == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert {name for name, result in results.items() if result.snapshot} == {"reporting.a", "reporting.b"}
    assert "does not exist" in str(results["reporting.missing"].error)
    assert "3 parts" in str(results["bad.name.indeed"].error)
    a, b = (find_by_tag(name, "v1").statistics.columns for name in ("reporting.a", "reporting.b"))
    assert a["kind"].top
    assert b["n"].top is None
    second_results = {result.table_name: result for result in capture_all(AllReports(), Release(tag="v1"))}
    assert {name for name, result in second_results.items() if result.snapshot} == {"reporting.elsewhere"}
    create_custom_manifest("reporting.off", "SELECT 1", enabled=False, agency="metro")
    with pytest.raises(NothingToCapture, match="the agency 'metro'"):
        capture_all(AgencyReports(slug="metro"), Release(tag="v1"))
