"""Unqualified names in functions, and the functions of a view."""

import pytest

from seeder.domain.doctor.search_path_rules import (
    FunctionWithoutSearchPath,
    NameLocation,
    check_functions,
    functions_reached,
    unqualified_names,
)
from seeder.domain.doctor.view_rules import DatabaseRole

ROLE = DatabaseRole(database_alias="default", database_name="reports", role_name="seeder", server_major=17)


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
def test_name_without_schema_is_unqualified(body: str, names: set[str]) -> None:
    assert unqualified_names(body) == names


def function(oid: int, name: str, body: str) -> FunctionWithoutSearchPath:
    return FunctionWithoutSearchPath(oid=oid, schema="reporting", name=name, signature=f"reporting.{name}()", body=body)


ONE = function(1, "one", "SELECT reporting.two()")
TWO = function(2, "two", "SELECT n FROM source WHERE reporting.one() > 0")
OTHER = function(3, "other", "SELECT n FROM source")


def test_functions_called_by_functions_are_reached_also_in_a_cycle() -> None:
    assert functions_reached({1: {"a"}, 99: {"b"}}, [ONE, TWO, OTHER]) == {ONE: {"a"}, TWO: {"a"}}
    assert functions_reached({1: {"a"}, 2: {"b"}}, [ONE, TWO]) == {ONE: {"a", "b"}, TWO: {"a", "b"}}


def test_only_existing_names_are_reported_with_a_search_path() -> None:
    locations = {
        "source": [
            NameLocation(quoted_schema="zoo", search_path_position=1),
            NameLocation(quoted_schema='"A b"', search_path_position=None),
            NameLocation(quoted_schema="mid", search_path_position=2),
        ]
    }
    [found] = check_functions({ONE: {"a"}, TWO: {"v1", "v2", "v3", "v4"}}, locations, ROLE)
    assert (found.problem, found.subject) == ("function_unqualified", "reporting.two()")
    assert "source without a schema, and is used by v1, v2, v3 and 1 more view" in found.message
    assert found.sql == 'ALTER FUNCTION reporting.two() SET search_path = zoo, mid, "A b";'


def test_function_before_postgresql_17_is_reported_for_the_upgrade() -> None:
    role_on_16 = DatabaseRole(database_alias="default", database_name="reports", role_name="seeder", server_major=16)
    [found] = check_functions(
        {TWO: {"a"}}, {"source": [NameLocation(quoted_schema="reporting", search_path_position=None)]}, role_on_16
    )
    assert found.problem == "function_upgrade"
