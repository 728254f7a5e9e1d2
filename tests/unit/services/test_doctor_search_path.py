"""Functions that views reach, and their names without a schema."""

import pytest

from seeder.postgres import doctor_queries
from seeder.services.doctor.checks.search_path_functions import (
    FUNCTION_UNQUALIFIED,
    Definition,
    FunctionWithoutSearchPath,
    check,
    check_names,
    functions_reached,
    unqualified_names,
    unqualified_operators,
)
from tests.unit.services.doctor_values import GOOD_SERVER, checked_database


@pytest.mark.parametrize(
    ("body", "names"),
    [
        ("SELECT n FROM source", {"select", "n", "from", "source"}),
        ("SELECT n FROM reporting.source", {"select", "n", "from"}),
        ('FROM "Source"', {"from", "Source"}),
        ('FROM reporting . "Source"', {"from"}),
        ('FROM "a""b"', {"from", 'a"b'}),
        ("FROM Source", {"from", "source"}),
        ("SELECT source.n, s.* FROM reporting.source s", {"select", "from", "s"}),
        ("SELECT 1 AS source", {"select"}),
        ("SELECT x::reporting.kind, CAST(y AS reporting.kind)", {"select", "x", "cast", "y", "as"}),
        ("-- source\nSELECT /* source\n source */ 1", {"select"}),
        ("EXECUTE 'SELECT n FROM source'", {"execute", "select", "n", "from", "source"}),
        ("FROM størrelse", {"from", "størrelse"}),
        ("", set()),
    ],
)
def test_names_without_a_schema_are_found_in_a_body(body: str, names: set[str]) -> None:
    assert unqualified_names(body) == names


@pytest.mark.parametrize(
    ("body", "operators"),
    [
        ("SELECT a = b", {"="}),
        ("SELECT a!=b, c OPERATOR(public.%) d, e::text", {"<>"}),
        ("SELECT a=-1 -- +\n/* % */", {"=-", "="}),
        ("x := y; f(a => 1)", set()),
        ("SELECT name LIKE '%a % b%'", {"~~", "!~~"}),
        ("EXECUTE format('SELECT %I % %L')", {"%"}),
        ("SELECT DISTINCT a FROM b NATURAL JOIN c", {"="}),
        ('SELECT "a=b"', set()),
    ],
)
def test_operators_without_a_schema_are_found_in_a_body(body: str, operators: set[str]) -> None:
    assert unqualified_operators(body) == operators


def function(oid: int, name: str, body: str) -> FunctionWithoutSearchPath:
    return FunctionWithoutSearchPath(oid=oid, schema="reporting", name=name, signature=f"reporting.{name}()", body=body)


ONE = function(1, "one", "SELECT reporting.two()")
TWO = function(2, "two", "SELECT n FROM source WHERE reporting.one() > 0")
OTHER = function(3, "other", "SELECT n FROM source")


def test_functions_called_by_functions_are_reached_also_in_a_cycle() -> None:
    assert functions_reached({1: {"a"}, 99: {"b"}}, [ONE, TWO, OTHER]) == {ONE: {"a"}, TWO: {"a"}}
    assert functions_reached({1: {"a"}, 2: {"b"}}, [ONE, TWO]) == {ONE: {"a", "b"}, TWO: {"a", "b"}}


def test_existing_names_are_reported_with_a_search_path_that_has_them() -> None:
    schemas = ("zoo", "mid", '"A b"')
    definitions = {ONE.oid: [], TWO.oid: [Definition("source", schema) for schema in schemas]}
    [found] = check_names({ONE: {"a"}, TWO: {"v1", "v2", "v3", "v4"}}, definitions, FUNCTION_UNQUALIFIED)
    assert found.subject == "reporting.two()"
    assert found.message == "Without a schema: source. Used by v1, v2, v3 and 1 more view."
    assert found.sql == 'ALTER FUNCTION reporting.two() SET search_path = zoo, mid, "A b";'


@pytest.mark.parametrize(("major", "problem"), [(16, "function_upgrade"), (17, "function_unqualified")])
def test_problem_depends_on_the_server_version(major: int, problem: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = {
        "dependencies": [("reporting", "a", None, None, 1, None, None, True, TWO.oid, True)],
        "functions_without_search_path": [TWO],
        "schemas_defining": [("source", "reporting"), ("other", "elsewhere")],
        "overloads_in_other_schemas": [],
    }
    monkeypatch.setattr(doctor_queries, "read", lambda _, statement, **__: rows[statement])
    [found] = check(checked_database(GOOD_SERVER._replace(version_num=major * 10000)))
    assert found.problem.name == problem
