"""REFRESH … CONCURRENTLY, and its fallback to a plain refresh."""

import pytest
from pytest_django import Settings

from seeder.domain.mode_predictor import RefreshMode
from seeder.domain.outcomes import RefreshResult
from seeder.domain.refresh_requests import AllReports
from seeder.services.run import orchestrator
from tests.conftest import another_session, create_custom_manifest, sql

pytestmark = pytest.mark.usefixtures("contract_tables")


@pytest.fixture(autouse=True)
def _with_concurrent_refreshes(settings: Settings, contract_tables: None) -> None:
    settings.SEEDER = {"REFRESH_CONCURRENTLY": True, "MAX_RETRIES": 0}
    sql("CREATE TABLE reporting.source AS SELECT generate_series(1, 100) AS n")


def create_view(query: str = "SELECT n FROM reporting.source", *, data: bool = True) -> None:
    sql(f"CREATE MATERIALIZED VIEW reporting.a AS {query} WITH {'' if data else 'NO '}DATA")
    create_custom_manifest("reporting.a", query)


def refresh() -> RefreshResult:
    [result] = orchestrator.execute_run(AllReports()).results.values()
    return result


def test_concurrent_refresh_neither_blocks_readers_nor_waits() -> None:
    create_view()
    sql("CREATE UNIQUE INDEX ON reporting.a (n)")
    sql("INSERT INTO reporting.source VALUES (101), (102)")
    with another_session() as reader:
        reader.execute("BEGIN; SELECT count(*) FROM reporting.a")
        result = refresh()
    assert (result.mode, result.fell_back, result.failure) == (RefreshMode.CONCURRENT, False, None)
    assert (result.rows, result.cost.rows_inserted, result.cost.rows_deleted) == (102, 2, 0)
    assert sql("SELECT count(*) FROM reporting.a") == [(102,)]


@pytest.mark.parametrize(
    "index",
    [
        "",
        "CREATE INDEX ON reporting.a (n)",
        "CREATE UNIQUE INDEX ON reporting.a (n) WHERE n > 0",
        "CREATE UNIQUE INDEX ON reporting.a ((n + 1))",
    ],
)
def test_missing_usable_unique_index_falls_back(index: str) -> None:
    create_view()
    if index:
        sql(index)
    result = refresh()
    assert (result.mode, result.fell_back, result.rows) == (RefreshMode.PLAIN, True, 100)


def test_unpopulated_view_falls_back_once() -> None:
    create_view(data=False)
    sql("CREATE UNIQUE INDEX ON reporting.a (n)")
    assert refresh().fell_back
    assert sql("SELECT count(*) FROM reporting.a") == [(100,)]
    assert refresh().mode is RefreshMode.CONCURRENT


def test_disabled_fallback_fails_with_advice(settings: Settings) -> None:
    settings.SEEDER = {"REFRESH_CONCURRENTLY": "yes", "CONCURRENT_FALLBACK": "off"}
    create_view()
    failure = refresh().failure
    assert failure
    assert failure.sqlstate == "55000"
    assert "Create a unique index" in failure.message


def test_unpopulated_input_does_not_fall_back() -> None:
    sql("CREATE MATERIALIZED VIEW reporting.input AS SELECT 1 AS n WITH NO DATA")
    sql("CREATE MATERIALIZED VIEW reporting.a AS SELECT n FROM reporting.input WITH NO DATA")
    sql("REFRESH MATERIALIZED VIEW reporting.input")
    sql("REFRESH MATERIALIZED VIEW reporting.a")
    sql("CREATE UNIQUE INDEX ON reporting.a (n)")
    sql("REFRESH MATERIALIZED VIEW reporting.input WITH NO DATA")
    create_custom_manifest("reporting.a", "SELECT n FROM reporting.input")
    with another_session() as reader:  # it would block a plain refresh
        reader.execute("BEGIN; SELECT n FROM reporting.a")
        result = refresh()
    assert result.failure
    assert (result.failure.sqlstate, result.fell_back) == ("55000", False)
    assert sql("SELECT n FROM reporting.a") == [(1,)]


def test_duplicate_rows_do_not_fall_back() -> None:
    create_view()
    sql("CREATE UNIQUE INDEX ON reporting.a (n)")
    sql("INSERT INTO reporting.source VALUES (1)")
    result = refresh()
    assert result.failure
    assert (result.failure.sqlstate, result.fell_back) in {("21000", False), ("23505", False)}


def test_table_with_the_name_does_not_fall_back() -> None:
    sql("CREATE TABLE reporting.a AS SELECT 7 AS n")
    create_custom_manifest("reporting.a", "SELECT 1 AS n")
    result = refresh()
    assert result.failure
    assert result.failure.sqlstate == "0A000"
    assert sql("SELECT n FROM reporting.a") == [(7,)]
