"""What a view's query finds on the server is not what its author had."""

import pytest

from seeder.domain.outcomes import Outcome
from tests.architecture.markdown import blocks, text
from tests.conftest import custom, sql
from tests.faults.scenes import filled, reason, refreshed, rows
from tests.faults.servers import PrivateServer

pytestmark = pytest.mark.usefixtures("reporting")

TABLE = "CREATE FUNCTION reporting.called() RETURNS bigint LANGUAGE sql AS 'SELECT n FROM source'"
FUNCTION = "CREATE FUNCTION reporting.called() RETURNS bigint LANGUAGE sql AS 'SELECT one()'"


@pytest.mark.parametrize(("function", "sqlstate"), [(TABLE, "42P01"), (FUNCTION, "42883")], ids=["table", "function"])
def test_a_function_that_needs_a_search_path_fails_its_view_until_it_has_one(function: str, sqlstate: str) -> None:
    """PostgreSQL refreshes views without any from 17 on."""
    sql("CREATE TABLE reporting.source AS SELECT 1::bigint AS n")
    sql("CREATE FUNCTION reporting.one() RETURNS bigint LANGUAGE sql AS 'SELECT 1::bigint'")
    sql(f"SET search_path = reporting, public; {function}")
    filled("old", "SELECT reporting.called() AS n WITH NO DATA")
    custom("reporting.new", "SELECT reporting.called() AS n")
    custom("reporting.other", "SELECT 1 AS n")
    results = refreshed()
    for name in ("old", "new"):
        assert (reason(results[name]), results[name].attempts) == (sqlstate, 1)
        assert "does not exist" in str(rows()[name][1])
    assert results["other"].outcome is Outcome.CREATED
    # Whoever upgrades finds it before that happens.
    [find] = [block for block in blocks(text("upgrading.md"), "sql") if "pg_rewrite" in block]
    assert sql(f"SELECT view::text, function::text FROM ({find.strip().rstrip(';')}) AS found") == [("old", "called()")]
    sql("ALTER FUNCTION reporting.called() SET search_path = reporting")
    assert [result.failure for result in refreshed().values()] == [None, None, None]
    assert sql("SELECT old.n, new.n FROM reporting.old, reporting.new") == [(1, 1)]
    assert sql(find) == []


def test_without_pg_stat_statements_everything_is_refreshed_all_the_same(server: PrivateServer) -> None:
    server.restart(shared_preload_libraries="")
    assert sql("SHOW shared_preload_libraries") == [("",)]
    assert not sql("SELECT 1 FROM pg_extension WHERE extname = 'pg_stat_statements'")
    filled("a", "SELECT 1 AS n")
    custom("reporting.b", "SELECT n FROM reporting.a")
    assert [result.outcome for result in refreshed().values()] == [Outcome.REFRESHED, Outcome.CREATED]
