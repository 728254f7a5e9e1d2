import pytest

from seeder.domain.view_names import ViewName
from seeder.postgres import view_survey
from tests.conftest import sql

pytestmark = pytest.mark.usefixtures("contract_tables")


def view_name(name: str) -> ViewName:
    return ViewName.parse(name)


def dependencies(**queries: str) -> dict[str, set[str]]:
    """Return the dependencies of each view, without the schema reporting."""
    surveyed = view_survey.survey("default", {view_name(name): [query] for name, query in queries.items()})
    return {
        reader.name: {dependency.name for dependency in names_read}
        for reader, names_read in surveyed.dependencies.items()
    }


def test_dependency_between_existing_views_is_found() -> None:
    sql("CREATE MATERIALIZED VIEW reporting.a AS SELECT 1 AS n")
    sql("CREATE MATERIALIZED VIEW reporting.b AS SELECT n FROM reporting.a")
    assert dependencies(a="", b="") == {"b": {"a"}}


def test_dependency_through_plain_views_is_found() -> None:
    sql("CREATE MATERIALIZED VIEW reporting.a AS SELECT 1 AS n")
    sql("CREATE VIEW reporting.between AS SELECT n FROM reporting.a")
    sql("CREATE VIEW reporting.further AS SELECT n FROM reporting.between")
    sql("CREATE MATERIALIZED VIEW reporting.b AS SELECT n FROM reporting.further")
    assert dependencies(a="", b="") == {"b": {"a"}}


def test_dependency_through_parsed_function_bodies_is_found() -> None:
    sql("CREATE MATERIALIZED VIEW reporting.a AS SELECT 1 AS n")
    sql(
        "CREATE FUNCTION reporting.newest() RETURNS integer LANGUAGE sql"
        " BEGIN ATOMIC SELECT max(n) FROM reporting.a; END"
    )
    sql("CREATE MATERIALIZED VIEW reporting.b AS SELECT reporting.newest() AS n")
    assert dependencies(a="", b="") == {"b": {"a"}}


def test_dependency_through_operator_and_policy_is_found() -> None:
    sql("CREATE MATERIALIZED VIEW reporting.a AS SELECT 1 AS n")
    sql("CREATE FUNCTION reporting.plus(integer) RETURNS integer BEGIN ATOMIC SELECT max(n) + $1 FROM reporting.a; END")
    sql("CREATE OPERATOR reporting.@@+ (FUNCTION = reporting.plus, RIGHTARG = integer)")
    sql("CREATE MATERIALIZED VIEW reporting.b AS SELECT OPERATOR(reporting.@@+) 1 AS n")
    sql("CREATE TABLE reporting.secret (n integer)")
    sql("CREATE POLICY p ON reporting.secret USING (n IN (SELECT n FROM reporting.b))")
    sql("CREATE MATERIALIZED VIEW reporting.c AS SELECT n FROM reporting.secret")
    assert dependencies(a="", b="", c="") == {"b": {"a"}, "c": {"b"}}


def test_unselected_materialized_view_ends_the_dependency_path() -> None:
    sql("CREATE MATERIALIZED VIEW reporting.a AS SELECT 1 AS n")
    sql("CREATE MATERIALIZED VIEW reporting.outsider AS SELECT n FROM reporting.a")
    sql("CREATE MATERIALIZED VIEW reporting.b AS SELECT n FROM reporting.outsider")
    assert dependencies(a="", b="") == {}


def test_dependencies_of_missing_views_are_found_in_any_order() -> None:
    assert dependencies(a="SELECT n FROM reporting.b;", b="SELECT n FROM reporting.c -- yes", c="SELECT 1 AS n") == {
        "a": {"b"},
        "b": {"c"},
    }


def test_invalid_query_does_not_hide_other_dependencies() -> None:
    assert dependencies(a="SELEC", b="SELECT n FROM reporting.c", c="SELECT 1 AS n", d="SELECT n FROM reporting.a") == {
        "b": {"c"}
    }


def test_survey_leaves_no_objects_behind() -> None:
    before = sql("SELECT count(*) FROM pg_class")
    dependencies(a="SELECT n FROM reporting.b", b="SELECT 1 AS n; CREATE TABLE reporting.left_behind ()")
    assert sql("SELECT count(*) FROM pg_class") == before


def test_quoted_names_are_surveyed_unchanged() -> None:
    sql('CREATE SCHEMA "Gotham PD"')
    sql('CREATE TABLE "Gotham PD"."Use of Force" ()')
    surveyed = view_survey.survey(
        "default", {view_name('"Gotham PD"."Use of Force"'): [""], view_name("missing"): ["SELECT 1 AS n"]}
    )
    assert [str(name) for name in surveyed.row_counts] == ['"Gotham PD"."Use of Force"']
