import pytest

from seeder.domain.view_names import ViewName
from seeder.postgres import catalog
from tests.conftest import sql

pytestmark = pytest.mark.usefixtures("contract_tables")


def named(name: str) -> ViewName:
    return ViewName.parse(name)


def reads(**queries: str) -> dict[str, set[str]]:
    """Which view reads which; all names are in schema reporting."""
    seen = catalog.survey("default", {named(name): [query] for name, query in queries.items()})
    return {reader.name: {read.name for read in others} for reader, others in seen.dependencies.items()}


def test_an_existing_view_reads_another() -> None:
    sql("CREATE MATERIALIZED VIEW reporting.a AS SELECT 1 AS n")
    sql("CREATE MATERIALIZED VIEW reporting.b AS SELECT n FROM reporting.a")
    assert reads(a="", b="") == {"b": {"a"}}


def test_the_way_leads_through_plain_views() -> None:
    sql("CREATE MATERIALIZED VIEW reporting.a AS SELECT 1 AS n")
    sql("CREATE VIEW reporting.between AS SELECT n FROM reporting.a")
    sql("CREATE VIEW reporting.further AS SELECT n FROM reporting.between")
    sql("CREATE MATERIALIZED VIEW reporting.b AS SELECT n FROM reporting.further")
    assert reads(a="", b="") == {"b": {"a"}}


def test_the_way_leads_through_functions_whose_body_the_server_has_parsed() -> None:
    sql("CREATE MATERIALIZED VIEW reporting.a AS SELECT 1 AS n")
    sql(
        "CREATE FUNCTION reporting.newest() RETURNS integer LANGUAGE sql"
        " BEGIN ATOMIC SELECT max(n) FROM reporting.a; END"
    )
    sql("CREATE MATERIALIZED VIEW reporting.b AS SELECT reporting.newest() AS n")
    assert reads(a="", b="") == {"b": {"a"}}


def test_the_way_ends_at_a_materialized_view_that_is_not_asked_for() -> None:
    sql("CREATE MATERIALIZED VIEW reporting.a AS SELECT 1 AS n")
    sql("CREATE MATERIALIZED VIEW reporting.outsider AS SELECT n FROM reporting.a")
    sql("CREATE MATERIALIZED VIEW reporting.b AS SELECT n FROM reporting.outsider")
    assert reads(a="", b="") == {}


def test_missing_views_may_read_one_another_in_any_order() -> None:
    assert reads(a="SELECT n FROM reporting.b;", b="SELECT n FROM reporting.c -- yes", c="SELECT 1 AS n") == {
        "a": {"b"},
        "b": {"c"},
    }


def test_a_query_that_cannot_be_a_view_does_not_hide_the_others() -> None:
    assert reads(a="SELEC", b="SELECT n FROM reporting.c", c="SELECT 1 AS n", d="SELECT n FROM reporting.a") == {
        "b": {"c"}
    }


def test_finding_out_leaves_nothing_behind() -> None:
    before = sql("SELECT count(*) FROM pg_class")
    reads(a="SELECT n FROM reporting.b", b="SELECT 1 AS n; CREATE TABLE reporting.left_behind ()")
    assert sql("SELECT count(*) FROM pg_class") == before


def test_a_table_and_a_view_that_needs_quotes_are_found_as_they_are() -> None:
    sql('CREATE SCHEMA "Gotham PD"')
    sql('CREATE TABLE "Gotham PD"."Use of Force" ()')
    seen = catalog.survey("default", {named('"Gotham PD"."Use of Force"'): [""], named("missing"): ["SELECT 1 AS n"]})
    assert [str(name) for name in seen.row_counts] == ['"Gotham PD"."Use of Force"']
