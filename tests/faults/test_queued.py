"""A view changes while its refresh waits for a lock or runs."""

import psycopg
import pytest
from pytest_django import Settings

from seeder.domain.outcomes import Outcome, RefreshResult
from tests.conftest import another_session, sql
from tests.faults.gated_views import (
    create_filled_view,
    create_gated_view,
    latest_statuses,
    open_gate,
    refresh_everything,
    results_by_name,
    run_in_background,
    set_lock_timeout,
    sqlstate_of,
    wait_until_at_gate,
    wait_until_lock_is_queued,
)
from tests.faults.private_server import MAX_WAIT_SECONDS

pytestmark = pytest.mark.usefixtures("contract_tables")


@pytest.fixture(params=[False, True], ids=["plain", "concurrent"])
def two_views(request: pytest.FixtureRequest, settings: Settings, contract_tables: None) -> None:
    """Filled views `a` and `b`, refreshed with and without CONCURRENTLY."""
    settings.SEEDER = {"REFRESH_CONCURRENTLY": request.param, "LOCK_TIMEOUT_MS": 30_000, "MAX_WORKERS": 1}
    sql("CREATE TABLE reporting.source AS SELECT 1 AS n")
    for name in "ab":
        create_filled_view(name)
        sql(f"CREATE UNIQUE INDEX ON reporting.{name} (n)")
    sql("UPDATE reporting.source SET n = 2")


def result_after(change: str) -> RefreshResult:
    """Commit a change while the refresh of `a` waits for it. Return the result of `a`."""
    with another_session() as other_session:
        other_session.execute(f"BEGIN; {change}".encode())
        with run_in_background() as run:
            wait_until_lock_is_queued("reporting.a")
            other_session.execute("COMMIT")
            results = results_by_name(run.result(MAX_WAIT_SECONDS))
    assert results["b"].outcome is Outcome.REFRESHED, "other views are refreshed"
    assert results["a"].attempts == 1
    return results["a"]


@pytest.mark.parametrize(
    "change",
    ["DROP MATERIALIZED VIEW reporting.a", "ALTER MATERIALIZED VIEW reporting.a RENAME TO elsewhere"],
    ids=["dropped", "renamed"],
)
def test_dropped_view_fails_and_is_created_by_the_next_run(change: str, two_views: None) -> None:
    assert sqlstate_of(result_after(change)) == "42P01"
    assert latest_statuses()["a"][0] == "error"
    assert refresh_everything()["a"].outcome is Outcome.CREATED
    assert sql("SELECT n FROM reporting.a") == [(2,)]


def test_table_in_place_of_the_view_is_left_unchanged(two_views: None) -> None:
    change = "DROP MATERIALIZED VIEW reporting.a; CREATE TABLE reporting.a AS SELECT 7 AS n"
    assert sqlstate_of(result_after(change)) == "0A000"
    assert sql("SELECT n FROM reporting.a") == [(7,)]


def test_new_view_of_the_same_name_is_refreshed(two_views: None) -> None:
    change = (
        "DROP MATERIALIZED VIEW reporting.a;"
        " CREATE MATERIALIZED VIEW reporting.a AS SELECT n * 10 AS n FROM reporting.source WITH NO DATA"
    )
    assert result_after(change).outcome is Outcome.REFRESHED
    assert sql("SELECT n FROM reporting.a") == [(20,)]


def test_drop_waits_for_the_refresh_and_the_next_run_creates() -> None:
    create_gated_view("a")
    with run_in_background() as run, another_session() as other_session:
        wait_until_at_gate(1)
        set_lock_timeout(other_session, 50)
        with pytest.raises(psycopg.errors.LockNotAvailable):
            other_session.execute("DROP MATERIALIZED VIEW reporting.a")
        open_gate()
        assert results_by_name(run.result(MAX_WAIT_SECONDS))["a"].outcome is Outcome.REFRESHED
        set_lock_timeout(other_session, 0)
        other_session.execute("DROP MATERIALIZED VIEW reporting.a")
    assert latest_statuses() == {"a": ("success", None)}
    assert refresh_everything()["a"].outcome is Outcome.CREATED


def test_view_dropped_before_its_start_is_created() -> None:
    create_gated_view("a")
    create_filled_view("b", "SELECT * FROM reporting.a")
    with run_in_background() as run:
        wait_until_at_gate(1)
        sql("DROP MATERIALIZED VIEW reporting.b")
        open_gate()
        results = results_by_name(run.result(MAX_WAIT_SECONDS))
    assert (results["a"].outcome, results["b"].outcome) == (Outcome.REFRESHED, Outcome.CREATED)
    assert latest_statuses() == {"a": ("success", None), "b": ("success", None)}
