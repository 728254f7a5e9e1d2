"""A query reports an error of another server. Seeder's own session still answers, so its server is not to blame."""

from typing import Any

import pytest

from tests.cases.conftest import Deployment
from tests.conftest import CompletedCommand, sql

SERVER = {
    "SEEDER_BREAKER_COUNTS": "server",
    "SEEDER_MAX_FAILURES": "1",
    "SEEDER_MAX_WORKERS": "1",
    "SEEDER_MAX_WAIT_SECONDS": "3",
}


def extension(name: str) -> None:
    if not sql("SELECT 1 FROM pg_available_extensions WHERE name = %s", name):
        pytest.skip(f"this server has no {name}")
    sql(f"CREATE EXTENSION {name} SCHEMA public")


def failures() -> dict[str, tuple[Any, ...]]:
    """Return SQLSTATE and number of attempts of each failed view."""
    rows = sql(
        "SELECT table_name, sqlstate, attempts FROM reporting.seeder_run_metrics"
        " JOIN reporting.seeder_run_history AS h ON h.id = history_id WHERE status = 'error'"
    )
    return {name: tuple(values) for name, *values in rows}


def refresh_all(deployment: Deployment) -> CompletedCommand:
    deployment.execute("CREATE TABLE public.src AS SELECT generate_series(1, 5) AS n")
    deployment.add_manifest("reporting.near", "SELECT n FROM public.src")
    return deployment.manage("refresh_all", **SERVER)


def assert_only_failures(expected: dict[str, tuple[Any, ...]]) -> None:
    assert failures() == expected
    assert sql("SELECT count(*) FROM reporting.near") == [(5,)]
    assert sql("SELECT failures FROM reporting.seeder_circuit_breaker WHERE failures > 0") == []


def test_foreign_server_that_is_down_is_no_lost_connection(deployment: Deployment) -> None:
    extension("postgres_fdw")
    try:
        sql("GRANT USAGE ON FOREIGN DATA WRAPPER postgres_fdw TO seeder")
        deployment.execute(
            "CREATE SERVER away FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '127.0.0.1', port '1', dbname 'x');"
            "CREATE USER MAPPING FOR seeder SERVER away OPTIONS (user 'u', password 'p');"
            "CREATE FOREIGN TABLE public.remote (n int) SERVER away;"
        )
        deployment.add_manifest("reporting.a_far", "SELECT n FROM public.remote")
        deployment.add_manifest("reporting.b_far", "SELECT n + 1 AS n FROM public.remote")
        assert refresh_all(deployment).exit_code == 1
        assert_only_failures(dict.fromkeys(("reporting.a_far", "reporting.b_far"), ("08001", 1)))
        [errors] = {row[0] for row in sql("SELECT errors FROM reporting.seeder_run_history WHERE errors IS NOT NULL")}
        assert (
            "Seeder's own session still answers: a foreign server or a function in the query reported this." in errors
        )
    finally:
        sql("DROP EXTENSION postgres_fdw CASCADE")


def test_unreachable_server_of_dblink_is_no_lost_connection(deployment: Deployment) -> None:
    extension("dblink")
    try:
        deployment.add_manifest(
            "reporting.far", "SELECT n FROM public.dblink('host=127.0.0.1 port=1 user=u password=p', 'x') AS t (n int)"
        )
        assert refresh_all(deployment).exit_code == 1
        assert_only_failures({"reporting.far": ("08001", 1)})
    finally:
        sql("DROP EXTENSION dblink CASCADE")


@pytest.mark.parametrize(
    "state",
    [
        "08000",
        "08003",
        "08006",
        "08P01",
        "53000",
        "53100",
        "53200",
        "53300",
        "57000",
        "57P01",
        "57P02",
        "57P03",
        "57P04",
        "57P05",
        "58000",
        "58030",
        "25P03",
        "25006",
        "XX000",
        "XX001",
        "XX002",
    ],
)
def test_error_raised_by_a_function_does_not_blame_the_server(deployment: Deployment, state: str) -> None:
    deployment.execute(
        "CREATE FUNCTION public.f() RETURNS int LANGUAGE plpgsql AS"
        f" $$BEGIN RAISE EXCEPTION 'so it is' USING ERRCODE = '{state}'; END$$"
    )
    deployment.add_manifest("reporting.far", "SELECT public.f() AS n")
    assert refresh_all(deployment).exit_code == 1
    assert_only_failures({"reporting.far": (state, 1)})


@pytest.mark.parametrize(
    ("query", "state"),
    [
        ("SELECT pg_read_file('no/such/file') AS t", "58P01"),
        ("SELECT array_fill(1::bigint, ARRAY[134217727])", "XX000"),
    ],
)
def test_error_of_a_query_does_not_blame_the_server(deployment: Deployment, query: str, state: str) -> None:
    sql("GRANT pg_read_server_files TO seeder; GRANT EXECUTE ON FUNCTION pg_read_file(text) TO seeder")
    deployment.add_manifest("reporting.far", query)
    assert refresh_all(deployment).exit_code == 1
    assert_only_failures({"reporting.far": (state, 1)})


def test_terminated_session_of_seeder_is_retried(deployment: Deployment) -> None:
    deployment.execute(
        "CREATE SEQUENCE public.calls; CREATE FUNCTION public.f() RETURNS bigint LANGUAGE sql AS"
        " $$SELECT CASE nextval('public.calls') WHEN 1 THEN pg_terminate_backend(pg_backend_pid())::int ELSE 7 END$$"
    )
    deployment.add_manifest("reporting.near", "SELECT public.f() AS n")
    assert deployment.manage("refresh_all", **SERVER).exit_code == 0
    [(attempts,)] = sql("SELECT attempts FROM reporting.seeder_run_metrics")
    assert attempts == 2


def test_session_of_seeder_that_is_always_terminated_blames_the_server(deployment: Deployment) -> None:
    deployment.add_manifest("reporting.a", "SELECT pg_terminate_backend(pg_backend_pid())")
    deployment.manage("refresh_all", **SERVER, SEEDER_MAX_RETRIES="0")
    assert failures() == {"reporting.a": ("57P01", 1)}
    assert sql("SELECT failures FROM reporting.seeder_circuit_breaker") == [(1,)]
