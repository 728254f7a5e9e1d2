"""More missing views than the server's lock table has space for."""

from collections.abc import Callable

import pytest

from tests.conftest import CompletedCommand, create_custom_manifest, sql
from tests.faults.conftest import bare_database, contract_tables, private_server, server  # noqa: F401  # fixtures
from tests.faults.private_server import PrivateServer

pytestmark = pytest.mark.usefixtures("contract_tables")

Manage = Callable[..., CompletedCommand]
HUB = "CASE WHEN i = {count} THEN 'SELECT n FROM public.src' ELSE 'SELECT n FROM reporting.v{count}' END"


@pytest.fixture
def small_server(server: PrivateServer) -> PrivateServer:  # noqa: F811  # pytest's way to use a fixture
    """A server with space for about 300 locks."""
    server.restart(max_connections="30", max_locks_per_transaction="10")
    sql("CREATE TABLE public.src AS SELECT 1 AS n")
    return server


def add_manifests(count: int, query: str) -> None:
    """Add custom manifests with the SQL expression `query`, which can use `i`."""
    sql(
        "INSERT INTO reporting.seeder_custom_report_manifest"
        " (table_name, report_name, agency_id, agency_slug, database_id, query)"
        " SELECT 'reporting.v' || lpad(i::text, 4, '0'), 'v' || i, 1, 'demo', 1, "
        + query.format(count=count)
        + f" FROM generate_series(1, {count}) AS i"
    )


def planned_dependencies(plan: CompletedCommand) -> dict[str, list[str]]:
    return {view["view"]: view["dependsOn"] for view in plan.document["views"]}


@pytest.mark.slow
@pytest.mark.usefixtures("small_server")
def test_all_dependencies_on_one_missing_view_are_planned(manage: Manage) -> None:
    add_manifests(1000, HUB)
    plan = manage("refresh_all", "--dry-run", "--json")
    assert plan.document["warnings"] == []
    dependencies = planned_dependencies(plan)
    assert dependencies.pop("reporting.v1000") == []
    assert (len(dependencies), {*map(tuple, dependencies.values())}) == (999, {("reporting.v1000",)})


@pytest.mark.usefixtures("small_server")
def test_long_chain_of_missing_views_is_planned(manage: Manage) -> None:
    add_manifests(
        400, "CASE i WHEN {count} THEN 'TABLE public.src' ELSE 'TABLE reporting.v' || lpad((i + 1)::text, 4, '0') END"
    )
    plan = manage("refresh_all", "--dry-run", "--json")
    assert (plan.exit_code, plan.document["warnings"]) == (0, [])
    dependencies = planned_dependencies(plan)
    assert dependencies.pop("reporting.v0400") == []
    assert dependencies == {f"reporting.v{i:04}": [f"reporting.v{i + 1:04}"] for i in range(1, 400)}


@pytest.mark.slow
@pytest.mark.usefixtures("small_server")
def test_query_that_needs_the_whole_lock_table_is_named(manage: Manage) -> None:
    tables = [f"public.t{i}" for i in range(2000)]
    for start in range(0, len(tables), 100):
        sql("; ".join(f"CREATE TABLE {table} AS SELECT 1 AS n" for table in tables[start : start + 100]))
    create_custom_manifest("reporting.a", "SELECT n FROM reporting.b")
    create_custom_manifest("reporting.b", f"SELECT count(*) AS n FROM {', '.join(tables)}")
    plan = manage("refresh_all", "--dry-run", "--json")
    [warning] = plan.document["warnings"]
    assert warning.startswith("The dependencies of reporting.b in default are unknown")
    assert planned_dependencies(plan) == {"reporting.a": ["reporting.b"], "reporting.b": []}
