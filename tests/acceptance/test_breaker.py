"""The circuit breaker as commands and the monitoring page show it."""

from collections.abc import Callable

import pytest

from tests.conftest import CompletedCommand, create_custom_manifest, sql

Manage = Callable[..., CompletedCommand]
pytestmark = pytest.mark.usefixtures("contract_tables")

OPEN = (
    "INSERT INTO reporting.seeder_circuit_breaker (database_alias, failures, opened_at, causes)"
    """ VALUES ('default', 2, now(), '{"reporting.a": "disk_full", "reporting.b": "io_error"}')"""
)


def test_repeated_failures_of_one_view_do_not_hold_others(manage: Manage) -> None:
    create_custom_manifest("reporting.bad", "SELECT 1 / 0 AS n")
    create_custom_manifest("reporting.good", "SELECT 1 AS n")
    for _ in range(5):
        assert manage("refresh_table", "reporting.bad", SEEDER_MAX_FAILURES="2").exit_code == 1
    assert sql("SELECT failures, opened_at FROM reporting.seeder_circuit_breaker") == [(1, None)]
    assert manage("refresh_table", "reporting.good", SEEDER_MAX_WAIT_SECONDS="1").exit_code == 0
    assert sql("SELECT failures, causes::text FROM reporting.seeder_circuit_breaker") == [(0, "{}")]


def test_failures_of_several_views_open_the_breaker(manage: Manage) -> None:
    for name in "ab":
        create_custom_manifest(f"reporting.{name}", "SELECT 1 / 0 AS n")
        manage("refresh_table", f"reporting.{name}", SEEDER_MAX_FAILURES="2")
    text = (
        " after 2 failures in a row: reporting.a (division_by_zero), reporting.b (division_by_zero); one view is tried"
    )
    assert any(text in line for line in manage("refresh_status").lines)
    [described] = manage("refresh_status", "--json").document["openBreakers"]
    assert described.startswith("the circuit breaker of default is open since ")
    assert text in described


@pytest.mark.slow
def test_reset_breaker_closes_it_and_views_start_again(manage: Manage) -> None:
    create_custom_manifest("reporting.good", "SELECT 1 AS n")
    sql(OPEN)
    assert manage("refresh_all", SEEDER_MAX_WAIT_SECONDS="1").exit_code == 1
    ended = manage("reset_breaker")
    assert ended.exit_code == 0
    assert ended.out.startswith("Closed: the circuit breaker of default is open since ")
    assert "reporting.a (disk_full), reporting.b (io_error)" in ended.out
    assert manage("reset_breaker").out.startswith("No circuit breaker was open.")
    assert manage("refresh_status", "--json").document["openBreakers"] == []
    assert manage("refresh_all", SEEDER_MAX_WAIT_SECONDS="1").exit_code == 0


def test_reset_without_the_optional_table_is_one_line(manage: Manage) -> None:
    sql("DROP TABLE reporting.seeder_circuit_breaker")
    ended = manage("reset_breaker")
    assert (ended.exit_code, ended.out, ended.err.count("\n")) == (2, "", 1)
    assert manage("refresh_status", "--json").document["openBreakers"] == []
