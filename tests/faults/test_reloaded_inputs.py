"""Refreshes that wait for a reload of a table they read see the reloaded rows.

TRUNCATE and rewriting ALTER TABLE are not MVCC-safe: a snapshot from before their commit finds an empty table.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from threading import Event, Thread
from typing import Any

import psycopg
import pytest
from pytest_django import Settings

from seeder.domain.mode_predictor import RefreshMode
from seeder.domain.outcomes import Outcome, RefreshResult, RunSummary
from seeder.domain.run_events import RunEvent, RunStarted
from tests.conftest import another_session, create_custom_manifest, sql
from tests.faults.gated_views import (
    create_filled_view,
    create_missing_view,
    refresh_everything,
    results_by_name,
    run_in_background,
    wait_until_lock_is_queued,
)
from tests.faults.private_server import MAX_WAIT_SECONDS, PrivateServer

pytestmark = pytest.mark.usefixtures("contract_tables")

RELOAD = "TRUNCATE {0}; INSERT INTO {0} SELECT generate_series(1, 12)"
SOURCE = "CREATE TABLE reporting.source AS SELECT generate_series(1, 5) AS n"
PARTITIONED = """
CREATE TABLE reporting.source (n integer) PARTITION BY RANGE (n);
CREATE TABLE reporting.low PARTITION OF reporting.source FOR VALUES FROM (0) TO (100);
CREATE TABLE reporting.high PARTITION OF reporting.source FOR VALUES FROM (100) TO (200);
INSERT INTO reporting.source SELECT generate_series(1, 5);
"""


@contextmanager
def run_during(
    *statements: str, first: Callable[[], object] = lambda: None, then: Callable[[], object] = lambda: None
) -> "Iterator[tuple[psycopg.Connection[Any], Future[RunSummary]]]":
    """Start a run. When it has its plan, another transaction executes the statements, and commits at the end."""
    with another_session() as loader, loader.transaction():

        def load(event: RunEvent) -> None:
            if isinstance(event, RunStarted):
                first()
                loader.execute("; ".join(statements).encode())
                then()

        with run_in_background(on_event=load) as run:
            yield loader, run
            loader.execute("COMMIT; BEGIN")
            run.exception(MAX_WAIT_SECONDS)


def refresh_during(*statements: str, relation: str = "reporting.source") -> RefreshResult:
    """Refresh view `a` while another transaction has executed statements. It commits when the refresh waits for it."""
    with run_during(*statements) as (_, run):
        wait_until_lock_is_queued(relation)
    return results_by_name(run.result())["a"]


@pytest.mark.parametrize("mode", RefreshMode)
def test_refresh_after_truncate_has_the_new_rows(settings: Settings, mode: RefreshMode) -> None:
    settings.SEEDER = {"REFRESH_CONCURRENTLY": mode is RefreshMode.CONCURRENT}
    sql(SOURCE)
    create_filled_view("a")
    sql("CREATE UNIQUE INDEX ON reporting.a (n)")
    result = refresh_during(RELOAD.format("reporting.source"))
    assert (result.outcome, result.mode, sql("SELECT count(*) FROM reporting.a")) == (
        Outcome.REFRESHED,
        mode,
        [(12,)],
    )


def test_view_created_after_truncate_has_the_new_rows() -> None:
    sql(SOURCE)
    create_missing_view("a")
    result = refresh_during(RELOAD.format("reporting.source"))
    assert (result.outcome, sql("SELECT count(*) FROM reporting.a")) == (Outcome.CREATED, [(12,)])


def test_view_created_after_partition_was_truncated_has_the_new_rows() -> None:
    sql(PARTITIONED)
    create_missing_view("a")
    result = refresh_during(RELOAD.format("reporting.low"), relation="reporting.low")
    assert (result.outcome, sql("SELECT count(*) FROM reporting.a")) == (Outcome.CREATED, [(12,)])


PATHS = {
    "plain views": """
        CREATE VIEW reporting.inner_view AS SELECT n FROM reporting.source;
        CREATE VIEW reporting.outer_view AS SELECT n FROM reporting.inner_view;
        CREATE MATERIALIZED VIEW reporting.a AS SELECT n FROM reporting.outer_view
    """,
    "parsed function": """
        CREATE FUNCTION reporting.rows() RETURNS SETOF integer BEGIN ATOMIC SELECT n FROM reporting.source; END;
        CREATE MATERIALIZED VIEW reporting.a AS SELECT n FROM reporting.rows() AS n
    """,
    "aggregate": """
        CREATE MATERIALIZED VIEW reporting.a AS
        SELECT generate_series(1, total) AS n FROM (SELECT count(*) AS total FROM reporting.source) AS counted
    """,
}


@pytest.mark.parametrize("path", PATHS)
def test_refresh_locks_tables_behind(path: str) -> None:
    sql(SOURCE)
    sql(PATHS[path])
    create_custom_manifest("reporting.a", "SELECT n FROM reporting.source")
    refresh_during(RELOAD.format("reporting.source"))
    assert sql("SELECT count(*) FROM reporting.a") == [(12,)]


def test_refresh_looks_up_what_a_replaced_plain_view_reads() -> None:
    sql(SOURCE)
    sql("CREATE TABLE reporting.other AS SELECT 1 AS n; CREATE VIEW reporting.plain AS SELECT n FROM reporting.source")
    create_filled_view("a", "SELECT n FROM reporting.plain")

    def replace() -> None:
        with another_session() as replacing:
            replacing.execute("CREATE OR REPLACE VIEW reporting.plain AS SELECT n FROM reporting.other")

    with run_during("TRUNCATE reporting.other", first=replace) as (loader, run):
        wait_until_lock_is_queued("reporting.other")
        loader.execute(RELOAD.format("reporting.other").encode())
    assert results_by_name(run.result())["a"].outcome is Outcome.REFRESHED
    assert sql("SELECT count(*) FROM reporting.a") == [(12,)]


TWO_TABLES = "CREATE TABLE reporting.one AS SELECT 1 AS n; CREATE TABLE reporting.two AS SELECT 1 AS n"
UNION = "SELECT n FROM reporting.one UNION ALL SELECT n FROM reporting.two"
LOCK_SOON = "SET LOCAL lock_timeout = '500ms'; LOCK TABLE reporting.{}"


@pytest.mark.parametrize("exists", [True, False])
@pytest.mark.parametrize(("awaited", "other"), [("one", "two"), ("two", "one")])
def test_refresh_that_waits_for_an_input_holds_no_other_one(
    server: PrivateServer, awaited: str, other: str, *, exists: bool
) -> None:
    server.restart(deadlock_timeout="1s")  # as by default
    sql(TWO_TABLES)
    (create_filled_view if exists else create_missing_view)("a", UNION)
    with run_during(f"LOCK TABLE reporting.{awaited}") as (loader, run):
        wait_until_lock_is_queued(f"reporting.{awaited}")
        loader.execute(LOCK_SOON.format(other).encode())
    result = results_by_name(run.result())["a"]
    assert (result.failure, result.cost.lock_wait > timedelta()) == (None, True)


@pytest.mark.parametrize("queries", [("SELECT n FROM reporting.one", "SELECT n FROM reporting.two"), (UNION,)])
def test_plan_that_waits_for_a_table_holds_no_other_one(server: PrivateServer, queries: tuple[str, ...]) -> None:
    server.restart(deadlock_timeout="1s")
    sql(TWO_TABLES)
    for number, query in enumerate(queries):
        create_missing_view(f"a{number}", query)
    with another_session() as loader, loader.transaction():
        loader.execute("LOCK TABLE reporting.two")
        with run_in_background() as run:
            wait_until_lock_is_queued("reporting.two", by="")
            loader.execute(LOCK_SOON.format("one").encode())
            loader.execute("COMMIT; BEGIN")
            results = results_by_name(run.result(MAX_WAIT_SECONDS))
    assert [result.failure for result in results.values()] == [None] * len(queries)


REWRITES = {
    "ALTER TABLE": "ALTER TABLE reporting.source ALTER n TYPE text",
    "SET UNLOGGED": "ALTER TABLE reporting.source SET UNLOGGED",
    "CLUSTER": "CLUSTER reporting.source USING source_key",
    "delete": "LOCK TABLE reporting.source; DELETE FROM reporting.source WHERE n > 7; "
    "INSERT INTO reporting.source SELECT generate_series(8, 10)",
}


@pytest.mark.parametrize("rewrite", REWRITES)
def test_refresh_after_rewrite_has_all_rows(rewrite: str) -> None:
    sql("CREATE TABLE reporting.source AS SELECT generate_series(1, 10) AS n")
    sql("CREATE UNIQUE INDEX source_key ON reporting.source (n)")
    create_filled_view("a", "SELECT count(*) AS n FROM reporting.source")
    assert refresh_during(REWRITES[rewrite]).outcome is Outcome.REFRESHED
    assert sql("SELECT n FROM reporting.a") == [(10,)]


def test_refresh_after_vacuum_full_has_all_rows() -> None:
    sql("CREATE TABLE reporting.source AS SELECT generate_series(1, 10) AS n")
    create_filled_view("a", "SELECT count(*) AS n FROM reporting.source")
    with another_session(application_name="vacuuming") as vacuuming, ThreadPoolExecutor(1) as threads:

        def vacuum() -> None:
            threads.submit(vacuuming.execute, b"VACUUM FULL reporting.source")
            wait_until_lock_is_queued("reporting.source", by="vacuuming")

        with run_during("SELECT FROM reporting.source", then=vacuum) as (_, run):
            wait_until_lock_is_queued("reporting.source")
    assert results_by_name(run.result())["a"].outcome is Outcome.REFRESHED
    assert sql("SELECT n FROM reporting.a") == [(10,)]


ATTACH = """
CREATE TABLE reporting.new (n integer);
INSERT INTO reporting.new VALUES (200), (201);
ALTER TABLE reporting.source ATTACH PARTITION reporting.new FOR VALUES FROM (200) TO (300);
LOCK TABLE reporting.source
"""


@pytest.mark.parametrize(
    ("statement", "rows"),
    [
        (RELOAD.format("reporting.low"), 12),
        (ATTACH, 7),
        ("ALTER TABLE reporting.source DETACH PARTITION reporting.low", 0),
        ("DROP TABLE reporting.low", 0),
    ],
    ids=["truncated", "attached", "detached", "dropped"],
)
def test_refresh_after_change_of_partitions_has_their_rows(statement: str, rows: int) -> None:
    sql(PARTITIONED)
    create_filled_view("a")
    relation = "reporting.low" if "TRUNCATE" in statement else "reporting.source"
    refresh_during(statement, relation=relation)
    assert sql("SELECT count(*) FROM reporting.a") == [(rows,)]


def test_refresh_after_reload_of_an_inheriting_table_has_the_new_rows() -> None:
    sql("CREATE TABLE reporting.source (n integer); CREATE TABLE reporting.child () INHERITS (reporting.source)")
    create_filled_view("a")
    refresh_during(RELOAD.format("reporting.child"), relation="reporting.child")
    assert sql("SELECT count(*) FROM reporting.a") == [(12,)]


def test_input_locked_longer_than_the_limit_fails_the_view(settings: Settings) -> None:
    settings.SEEDER = {"LOCK_TIMEOUT_MS": 100, "MAX_RETRIES": 1}
    sql(SOURCE)
    create_filled_view("a")
    with run_during("TRUNCATE reporting.source") as (_, run):
        result = results_by_name(run.result(MAX_WAIT_SECONDS))["a"]
    assert result.failure
    assert (result.failure.sqlstate, result.attempts) == ("55P03", 2)
    assert sql("SELECT count(*) FROM reporting.a") == [(5,)]
    assert "Blocked by" in result.failure.message


@pytest.mark.parametrize("name", ['odd "name"', "with, comma", "{brace}", "$seeder$", "per%cent", "'; DROP TABLE x"])
def test_input_with_an_odd_name_is_locked(name: str) -> None:
    quoted = '"' + name.replace('"', '""') + '"'
    sql(f"CREATE TABLE reporting.{quoted} AS SELECT 1 AS n")
    create_filled_view("a", f"SELECT n FROM reporting.{quoted}")
    refresh_during(RELOAD.format(f"reporting.{quoted}"), relation=f"reporting.{quoted}")
    assert sql("SELECT count(*) FROM reporting.a") == [(12,)]


@pytest.mark.slow
def test_loaders_that_lock_in_any_order_never_fail(server: PrivateServer) -> None:
    server.restart(deadlock_timeout="1s")  # as by default: longer than planning waits for a lock
    sql("CREATE TABLE reporting.one (n integer); CREATE TABLE reporting.two (n integer)")
    sql("CREATE TABLE reporting.three (n integer)")
    create_filled_view("a", "SELECT n FROM reporting.one UNION ALL TABLE reporting.two UNION ALL TABLE reporting.three")
    orders = [("one", "two", "three"), ("three", "two", "one"), ("two", "three", "one")]
    errors: list[psycopg.Error] = []
    done = Event()

    def load(tables: tuple[str, ...]) -> None:
        with another_session() as loader:
            while not done.is_set():
                try:
                    # Loaders do not deadlock with each other.
                    with loader.transaction():
                        loader.execute("SELECT pg_advisory_xact_lock(1)")
                        for table in tables:
                            loader.execute(RELOAD.format(f"reporting.{table}").encode())
                except psycopg.Error as error:
                    errors.append(error)

    threads = [Thread(target=load, args=(tables,)) for tables in orders]
    for thread in threads:
        thread.start()
    try:
        results = [refresh_everything()["a"] for _ in range(20)]
    finally:
        done.set()
        for thread in threads:
            thread.join(MAX_WAIT_SECONDS)
    assert errors == []
    assert {result.outcome for result in results} == {Outcome.REFRESHED}
