"""REFRESH … CONCURRENTLY, and when it falls back to a plain one."""

import pytest
from pytest_django import Settings

from seeder.domain.outcomes import RefreshMode, RefreshResult
from seeder.domain.refresh_requests import AllReports
from seeder.services.run import orchestrator
from tests.conftest import another_session, create_custom_manifest, sql

pytestmark = pytest.mark.usefixtures("contract_tables")


@pytest.fixture(autouse=True)
def _concurrently(settings: Settings, contract_tables: None) -> None:
    settings.SEEDER = {"REFRESH_CONCURRENTLY": True, "MAX_RETRIES": 0}
    sql("CREATE TABLE reporting.source AS SELECT generate_series(1, 100) AS n")


def view(query: str = "SELECT n FROM reporting.source", *, data: bool = True) -> None:
    sql(f"CREATE MATERIALIZED VIEW reporting.a AS {query} WITH {'' if data else 'NO '}DATA")
    create_custom_manifest("reporting.a", query)


def refreshed() -> RefreshResult:
    [result] = orchestrator.execute_run(AllReports()).results.values()
    return result


def test_with_a_unique_index_a_reader_is_not_kept_waiting_and_keeps_nobody_waiting() -> None:
    view()
    sql("CREATE UNIQUE INDEX ON reporting.a (n)")
    sql("INSERT INTO reporting.source VALUES (101), (102)")
    with another_session() as reader:
        reader.execute("BEGIN; SELECT count(*) FROM reporting.a")
        result = refreshed()
    assert (result.mode, result.fell_back, result.failure) == (RefreshMode.CONCURRENT, False, None)
    assert result.rows == 2, "the rows that changed"
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
def test_without_a_usable_unique_index_it_falls_back_and_says_so(index: str) -> None:
    view()
    if index:
        sql(index)
    result = refreshed()
    assert (result.mode, result.fell_back, result.rows) == (RefreshMode.PLAIN, True, 100)


def test_a_view_that_was_never_filled_is_filled_plainly() -> None:
    view(data=False)
    sql("CREATE UNIQUE INDEX ON reporting.a (n)")
    assert refreshed().fell_back
    assert sql("SELECT count(*) FROM reporting.a") == [(100,)]
    assert refreshed().mode is RefreshMode.CONCURRENT


def test_who_must_never_block_readers_gets_an_error_instead(settings: Settings) -> None:
    settings.SEEDER = {"REFRESH_CONCURRENTLY": "yes", "CONCURRENT_FALLBACK": "off"}
    view()
    failure = refreshed().failure
    assert failure
    assert failure.sqlstate == "55000"
    assert "Create a unique index" in failure.message


def test_an_input_that_was_never_filled_is_no_reason_to_fall_back() -> None:
    sql("CREATE MATERIALIZED VIEW reporting.input AS SELECT 1 AS n WITH NO DATA")
    sql("CREATE MATERIALIZED VIEW reporting.a AS SELECT n FROM reporting.input WITH NO DATA")
    sql("REFRESH MATERIALIZED VIEW reporting.input")
    sql("REFRESH MATERIALIZED VIEW reporting.a")
    sql("CREATE UNIQUE INDEX ON reporting.a (n)")
    sql("REFRESH MATERIALIZED VIEW reporting.input WITH NO DATA")
    create_custom_manifest("reporting.a", "SELECT n FROM reporting.input")
    with another_session() as reader:  # a plain refresh would wait for this one, in vain
        reader.execute("BEGIN; SELECT n FROM reporting.a")
        result = refreshed()
    assert result.failure
    assert (result.failure.sqlstate, result.fell_back) == ("55000", False)
    assert sql("SELECT n FROM reporting.a") == [(1,)]


def test_duplicate_rows_are_no_reason_to_fall_back() -> None:
    view()
    sql("CREATE UNIQUE INDEX ON reporting.a (n)")
    sql("INSERT INTO reporting.source VALUES (1)")
    result = refreshed()
    assert result.failure
    assert (result.failure.sqlstate, result.fell_back) in {("21000", False), ("23505", False)}


def test_a_table_is_no_reason_to_fall_back() -> None:
    sql("CREATE TABLE reporting.a AS SELECT 7 AS n")
    create_custom_manifest("reporting.a", "SELECT 1 AS n")
    result = refreshed()
    assert result.failure
    assert result.failure.sqlstate == "0A000"
    assert sql("SELECT n FROM reporting.a") == [(7,)]
