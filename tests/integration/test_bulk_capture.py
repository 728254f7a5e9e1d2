"""How views are captured: at one instant, within the limits, many at once, and interrupted."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import current_thread, main_thread

import pytest
from django.db import connections
from pytest_django import Settings

from seeder.domain.refresh_requests import AgencyReports, AllReports
from seeder.domain.snapshots import scan_grouping
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
from seeder.services.snapshots import parallel_count
from seeder.services.snapshots.bulk_capture import CaptureResult, capture_all
from seeder.services.snapshots.release_snapshots import (
    capture_release_snapshot,
    find_by_tag,
)
from tests.conftest import another_session, create_canned_report, create_custom_manifest, sql
from tests.integration.captured_views import assert_capture_refused, create_view_with_manifest, stored_count
from tests.polling import eventually

pytestmark = pytest.mark.usefixtures("contract_tables")


@pytest.mark.parametrize("how", ["CONCURRENTLY", ""])
def test_all_figures_are_of_one_instant_whatever_is_refreshed_meanwhile(
    how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a plain refresh puts in place every transaction would see, so that it has to wait."""
    monkeypatch.setenv("SEEDER_SNAPSHOT_CONNECTIONS", "3")
    sql("CREATE TABLE reporting.source AS SELECT n AS a, n AS b, n AS c, n AS d FROM generate_series(1, 100) AS n")
    table = create_view_with_manifest("view", "SELECT * FROM reporting.source")
    sql("CREATE UNIQUE INDEX ON reporting.view (a)")
    waited: list[bool] = []

    def meddle(*_: int) -> None:
        if waited:
            return
        waited.append(False)
        with another_session(options="-c lock_timeout=200ms") as somebody:
            somebody.execute("DELETE FROM reporting.source WHERE a > 10")
            try:
                somebody.execute(f"REFRESH MATERIALIZED VIEW {how} reporting.view")
            except Exception:  # noqa: BLE001  # whatever it is, it did not get through
                waited[0] = True

    snapshot = capture_release_snapshot(table, "v1", on_progress=meddle)
    assert waited == [how == ""]
    assert {figures.distinct for figures in snapshot.statistics.columns.values()} == {100}
    assert snapshot.statistics.row_count == 100


def test_what_cannot_be_captured_says_why_and_leaves_nothing() -> None:
    create_view_with_manifest()
    assert "The nearest known one is 'reporting.a'" in assert_capture_refused(UnknownTable, "reporting.aa")
    assert assert_capture_refused(BadTag, "reporting.a", " ")
    assert "no column 'knid'. The nearest it has is 'kind'." in assert_capture_refused(
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


def test_a_name_that_means_two_views_is_refused(settings: Settings) -> None:
    settings.SEEDER = {"DATABASES": {1: "default", 2: "archive"}}
    create_view_with_manifest()
    create_custom_manifest("reporting.a", "SELECT 1")
    CustomReportManifest.objects.filter(pk=2).update(database_id=2)
    assert "a view in each of the databases archive and default" in assert_capture_refused(AmbiguousView, "reporting.a")
    [one] = capture_all(AllReports(), Release(tag="v1"))
    assert "a view in each of the databases archive and default" in str(one.error)


BLOCKED_BY = "SELECT pid FROM pg_stat_activity WHERE %s = ANY (pg_blocking_pids(pid))"


def test_a_view_that_is_dropped_meanwhile_is_missing() -> None:
    table = create_view_with_manifest()
    with another_session() as somebody:
        somebody.autocommit = False
        somebody.execute("DROP MATERIALIZED VIEW reporting.a")
        pid = somebody.info.backend_pid
        with ThreadPoolExecutor(1) as pool:
            going = pool.submit(_in_a_thread, lambda: assert_capture_refused(ViewMissing, table))
            eventually(lambda: going.done() or sql(BLOCKED_BY, pid))
            assert not going.done()
            somebody.commit()
            assert "does not exist" in going.result()


def _in_a_thread(act: Callable[[], str]) -> str:
    try:
        return act()
    finally:
        connections.close_all()


def test_what_the_view_reads_is_free_while_it_is_counted() -> None:
    sql("CREATE TABLE reporting.source AS SELECT 1 AS n")
    table, free = create_view_with_manifest("view", "SELECT n FROM reporting.source"), list[bool]()

    def load(*_: int) -> None:
        with another_session(options="-c lock_timeout=200ms") as somebody:
            somebody.execute("TRUNCATE reporting.source")
            free.append(True)

    capture_release_snapshot(table, "v1", on_progress=load)
    assert free == [True]


def test_an_interrupt_of_many_captures_stores_nothing_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEEDER_SNAPSHOT_CONNECTIONS", "1")
    for name in ("a", "b", "c"):
        create_view_with_manifest(name)
    stored: list[int] = []

    def interrupt(*_: object) -> None:
        stored.append(stored_count())
        raise KeyboardInterrupt("SIGINT")

    with pytest.raises(KeyboardInterrupt):
        capture_all(AllReports(), Release(tag="v1"), on_progress=interrupt)
    assert stored_count() <= stored[0] + 1, "at most what was being written at that moment"


def test_an_interrupt_reaches_a_capture_that_waits_for_a_lock() -> None:
    create_view_with_manifest()
    create_view_with_manifest("b", "SELECT 1 AS n")
    with another_session() as somebody, somebody.transaction():
        somebody.execute("REFRESH MATERIALIZED VIEW reporting.a")
        pid = somebody.info.backend_pid

        def interrupt(*_: object) -> None:
            eventually(lambda: sql(BLOCKED_BY, pid))
            raise KeyboardInterrupt("SIGINT")

        with pytest.raises(KeyboardInterrupt):  # the lock is held on
            capture_all(AllReports(), Release(tag="v1"), on_progress=interrupt)
    assert [one.table_name for one in ReleaseSnapshot.objects.all()] == ["reporting.b"]


def test_a_session_that_waits_for_the_others_is_not_ended_for_being_idle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(STATEMENTS, "apply_limits", STATEMENTS["apply_limits"].replace("'30s'", "'300ms'"))
    monkeypatch.setenv("SEEDER_MAX_RETRIES", "0")
    monkeypatch.setattr(parallel_count, "_KEEPALIVE_INTERVAL", 0.05)
    monkeypatch.setattr(scan_grouping, "MAX_COMBINATIONS", 1)
    count, helped = column_statistics.count_columns, list[column_statistics.CountTask]()

    def slowly_in_another_thread(database: str, task: column_statistics.CountTask) -> column_statistics.CountedColumns:
        if current_thread() is not main_thread():
            helped.append(task)
            sql("SELECT pg_sleep(1)")
        elif not helped:  # leave something to the other one
            sql("SELECT pg_sleep(0.2)")
        return count(database, task)

    monkeypatch.setattr(column_statistics, "count_columns", slowly_in_another_thread)
    snapshot = capture_release_snapshot(create_view_with_manifest(), "v1")
    assert helped
    assert snapshot.statistics.row_count == 12


def test_the_limits_apply(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEEDER_MAX_RETRIES", "0")
    monkeypatch.setenv("SEEDER_LOCK_TIMEOUT_MS", "50")
    table = create_view_with_manifest()
    with another_session() as somebody, somebody.transaction():
        somebody.execute("REFRESH MATERIALIZED VIEW reporting.a")
        assert "lock timeout" in assert_capture_refused(CaptureFailed, table)
    monkeypatch.setenv("SEEDER_STATEMENT_TIMEOUT_MS", "5")
    slow = create_view_with_manifest(
        "slow", "SELECT a, b FROM generate_series(1, 700) AS a, generate_series(1, 1000) AS b"
    )
    assert "statement timeout" in assert_capture_refused(CaptureFailed, slow)


def test_every_view_of_a_request_is_captured_and_one_that_fails_stops_no_other() -> None:
    create_view_with_manifest()
    create_view_with_manifest("b", "SELECT 1 AS n")
    create_custom_manifest("reporting.missing", "SELECT 1")
    create_custom_manifest("bad.name.indeed", "SELECT 1")
    create_view_with_manifest("elsewhere", "SELECT 1 AS n", agency="harbor")
    create_canned_report("reporting.b", "SELECT 1 AS n", agencies=("demo", "harbor"))
    heard: list[tuple[str, int, int]] = []

    def tell(one: CaptureResult, number: int, total: int) -> None:
        heard.append((one.table_name, number, total))

    ended = {
        one.table_name: one
        for one in capture_all(
            AgencyReports(slug="demo"), Release(tag="v1"), top_values_columns=frozenset({"kind"}), on_progress=tell
        )
    }
    assert sorted(ended) == ["bad.name.indeed", "reporting.a", "reporting.b", "reporting.missing"]
    assert [(number, total) for _, number, total in heard] == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert {name for name, one in ended.items() if one.snapshot} == {"reporting.a", "reporting.b"}
    assert "does not exist" in str(ended["reporting.missing"].error)
    assert "3 parts" in str(ended["bad.name.indeed"].error)
    a, b = (find_by_tag(name, "v1").statistics.columns for name in ("reporting.a", "reporting.b"))
    assert a["kind"].top
    assert b["n"].top is None
    again = {one.table_name: one for one in capture_all(AllReports(), Release(tag="v1"))}
    assert {name for name, one in again.items() if one.snapshot} == {"reporting.elsewhere"}
    create_custom_manifest("reporting.off", "SELECT 1", enabled=False, agency="metro")
    with pytest.raises(NothingToCapture, match="the agency 'metro'"):
        capture_all(AgencyReports(slug="metro"), Release(tag="v1"))
