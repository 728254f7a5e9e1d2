"""Functions in a view's query that need a search_path."""

import pytest

from seeder.domain.outcomes import Outcome
from tests.architecture.markdown import code_blocks, page_text
from tests.conftest import create_custom_manifest, sql
from tests.faults.gated_views import create_filled_view, latest_statuses, refresh_everything, sqlstate_of
from tests.faults.private_server import PrivateServer

pytestmark = pytest.mark.usefixtures("contract_tables")

TABLE = "CREATE FUNCTION reporting.called() RETURNS bigint LANGUAGE sql AS 'SELECT n FROM source'"
FUNCTION = "CREATE FUNCTION reporting.called() RETURNS bigint LANGUAGE sql AS 'SELECT one()'"


@pytest.mark.slow
@pytest.mark.parametrize(("function", "sqlstate"), [(TABLE, "42P01"), (FUNCTION, "42883")], ids=["table", "function"])
def test_function_that_needs_a_search_path_fails_until_it_is_set(function: str, sqlstate: str) -> None:
    """PostgreSQL refreshes views with an empty search_path since version 17."""
    sql("CREATE TABLE reporting.source AS SELECT 1::bigint AS n")
    sql("CREATE FUNCTION reporting.one() RETURNS bigint LANGUAGE sql AS 'SELECT 1::bigint'")
    sql(f"SET search_path = reporting, public; {function}")
    create_filled_view("old", "SELECT reporting.called() AS n WITH NO DATA")
    create_custom_manifest("reporting.new", "SELECT reporting.called() AS n")
    create_custom_manifest("reporting.other", "SELECT 1 AS n")
    results = refresh_everything()
    for name in ("old", "new"):
        assert (sqlstate_of(results[name]), results[name].attempts) == (sqlstate, 1)
        assert "does not exist" in str(latest_statuses()[name][1])
    assert results["other"].outcome is Outcome.CREATED
    # The query in the upgrade guide finds it before the upgrade.
    [find] = [block for block in code_blocks(page_text("how-to/upgrade.md"), "sql") if "pg_rewrite" in block]
    assert sql(f"SELECT view::text, function::text FROM ({find.strip().rstrip(';')}) AS found") == [("old", "called()")]
    sql("ALTER FUNCTION reporting.called() SET search_path = reporting")
    assert [result.failure for result in refresh_everything().values()] == [None, None, None]
    assert sql("SELECT old.n, new.n FROM reporting.old, reporting.new") == [(1, 1)]
    assert sql(find) == []


def test_refresh_works_without_pg_stat_statements(server: PrivateServer) -> None:
    server.restart(shared_preload_libraries="")
    assert sql("SHOW shared_preload_libraries") == [("",)]
    assert not sql("SELECT 1 FROM pg_extension WHERE extname = 'pg_stat_statements'")
    create_filled_view("a", "SELECT 1 AS n")
    create_custom_manifest("reporting.b", "SELECT n FROM reporting.a")
    assert [result.outcome for result in refresh_everything().values()] == [Outcome.REFRESHED, Outcome.CREATED]
