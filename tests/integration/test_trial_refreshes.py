"""Trial refreshes count the rows that change in dependent views, and leave nothing after the rollback."""

import pytest
from pytest_django import Settings

from seeder.domain.refresh_requests import AllReports
from seeder.domain.view_names import ViewName
from seeder.errors import DatabaseError
from seeder.postgres.transactions import rolled_back_atomic
from seeder.services.run.orchestrator import execute_run
from seeder.services.trial_refreshes import TrialRefreshes, limit_lock_waits, refresh_on_trial
from tests.conftest import another_session, create_custom_manifest, sql

pytestmark = pytest.mark.usefixtures("contract_tables")


@pytest.fixture(autouse=True)
def source(contract_tables: None) -> None:
    sql("CREATE TABLE reporting.source AS SELECT n FROM generate_series(1, 3) AS n")


def create_views(**queries: str) -> None:
    for name, query in queries.items():
        create_custom_manifest(f"reporting.{name}", query)
    execute_run(AllReports())


def try_out(change: str = "INSERT INTO reporting.source VALUES (4)", *, lock_timeout_ms: int = 1000) -> TrialRefreshes:
    with rolled_back_atomic("default"):
        sql(f"SET LOCAL lock_timeout = {lock_timeout_ms}")
        sql(change)
        return refresh_on_trial([ViewName.parse("reporting.source")])


def counts(result: TrialRefreshes) -> dict[str, tuple[int, int, int, int]]:
    return {
        one.view.name: (one.changes.before, one.changes.after, one.changes.added, one.changes.removed)
        for one in result.views
        if one.changes
    }


@pytest.mark.parametrize("index", ["", "CREATE UNIQUE INDEX ON reporting.a (n)"])
def test_changed_rows_are_counted_and_rolled_back(index: str) -> None:
    create_views(a="SELECT n, n * 2 AS double FROM reporting.source")
    sql(index or "SELECT 1")
    change = "DELETE FROM reporting.source WHERE n = 1; INSERT INTO reporting.source VALUES (4), (5)"
    assert counts(try_out(change)) == {"a": (3, 4, 2, 1)}
    assert sql("SELECT count(*), sum(n) FROM reporting.a") == [(3, 6)]
    assert sql("SELECT to_regclass('pg_temp.seeder_old_rows')") == [(None,)]


def test_views_of_views_are_refreshed_in_their_order() -> None:
    create_views(a="SELECT sum(n) AS n FROM reporting.z", z="SELECT n FROM reporting.source", other="SELECT 1 AS n")
    result = try_out()
    assert [one.view.name for one in result.views] == ["z", "a"]
    assert counts(result) == {"z": (3, 4, 1, 0), "a": (1, 1, 1, 1)}


def test_declared_dependency_orders_the_views() -> None:
    sql(
        "CREATE FUNCTION reporting.opaque() RETURNS bigint LANGUAGE plpgsql"
        " AS 'BEGIN RETURN (SELECT sum(n) FROM reporting.z); END'"
    )
    create_views(z="SELECT n FROM reporting.source", a="-- depends_on: reporting.z\nSELECT reporting.opaque() AS n")
    assert counts(try_out()) == {"z": (3, 4, 1, 0), "a": (1, 1, 1, 1)}


def test_equal_rows_and_types_without_equality_are_counted() -> None:
    create_views(a="SELECT 1 AS one, '{}'::json AS j, point(1, 2) AS p FROM reporting.source")
    assert counts(try_out("DELETE FROM reporting.source WHERE n > 1")) == {"a": (3, 1, 0, 2)}


def test_view_that_would_fail_is_reported_and_others_are_tried() -> None:
    create_views(a="SELECT 1 / (n - 4) AS n FROM reporting.source", b="SELECT n FROM reporting.source")
    result = try_out()
    assert [(one.view.name, one.problem) for one in result.views] == [("a", "division by zero"), ("b", None)]


def test_view_without_data_is_counted_from_nothing() -> None:
    create_views(a="SELECT n FROM reporting.source")
    sql("REFRESH MATERIALIZED VIEW reporting.a WITH NO DATA")
    assert counts(try_out()) == {"a": (0, 4, 4, 0)}


def test_view_that_may_depend_on_the_table_is_undetermined() -> None:
    sql("CREATE FUNCTION reporting.opaque() RETURNS bigint LANGUAGE sql AS 'SELECT sum(n) FROM reporting.source'")
    create_views(a="SELECT reporting.opaque() AS n")
    result = try_out()
    assert (list(result.views), [str(view) for view in result.undetermined]) == ([], ["reporting.a"])


def test_readers_of_a_view_with_unique_index_do_not_wait() -> None:
    create_views(a="SELECT n FROM reporting.source")
    sql("CREATE UNIQUE INDEX ON reporting.a (n)")
    with another_session() as reader, rolled_back_atomic("default"):
        reader.execute("SET lock_timeout = 100")
        sql("INSERT INTO reporting.source VALUES (4)")
        refresh_on_trial([ViewName.parse("reporting.source")])
        assert len(reader.execute("SELECT n FROM reporting.a").fetchall()) == 3


def test_view_that_is_locked_elsewhere_is_reported_after_the_limit() -> None:
    create_views(a="SELECT n FROM reporting.source")
    with another_session() as reader:
        reader.execute("BEGIN; SELECT FROM reporting.a")
        [one] = try_out(lock_timeout_ms=50).views
    assert one.problem == "canceling statement due to lock timeout"


def test_lock_waits_are_limited_by_the_setting(settings: Settings) -> None:
    settings.SEEDER = {"LOCK_TIMEOUT_MS": 1234}
    with rolled_back_atomic("default"):
        limit_lock_waits()
        assert sql("SHOW lock_timeout") == [("1234ms",)]


def test_database_without_the_reporting_tables_is_an_error() -> None:
    sql("DROP TABLE reporting.seeder_canned_report_manifest")
    with pytest.raises(DatabaseError):
        try_out()
