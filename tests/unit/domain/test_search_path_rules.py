"""Which names of a function's body have no schema, and which functions a view reaches."""

import pytest

from seeder.domain.doctor.search_path_rules import (
    FunctionWithoutSearchPath,
    NameLocation,
    check_functions,
    functions_reached,
    unqualified_names,
)
from seeder.domain.doctor.view_rules import DatabaseRole

US = DatabaseRole(database_alias="default", database_name="reports", role_name="seeder", server_major=17)


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
def test_a_name_is_bare_where_no_schema_stands_before_it(body: str, names: set[str]) -> None:
    assert unqualified_names(body) == names


def function(oid: int, name: str, body: str) -> FunctionWithoutSearchPath:
    return FunctionWithoutSearchPath(oid=oid, schema="reporting", name=name, signature=f"reporting.{name}()", body=body)


ONE = function(1, "one", "SELECT reporting.two()")
TWO = function(2, "two", "SELECT n FROM source WHERE reporting.one() > 0")
OTHER = function(3, "other", "SELECT n FROM source")


def test_a_function_that_another_one_calls_is_reached_too_also_in_a_circle() -> None:
    assert functions_reached({1: {"a"}, 99: {"b"}}, [ONE, TWO, OTHER]) == {ONE: {"a"}, TWO: {"a"}}
    assert functions_reached({1: {"a"}, 2: {"b"}}, [ONE, TWO]) == {ONE: {"a", "b"}, TWO: {"a", "b"}}


def test_only_names_that_mean_something_are_told_with_a_path_that_finds_them() -> None:
    homes = {
        "source": [
            NameLocation(quoted_schema="zoo", search_path_position=1),
            NameLocation(quoted_schema='"A b"', search_path_position=None),
            NameLocation(quoted_schema="mid", search_path_position=2),
        ]
    }
    [found] = check_functions({ONE: {"a"}, TWO: {"v1", "v2", "v3", "v4"}}, homes, US)
    assert (found.problem, found.subject) == ("function_unqualified", "reporting.two()")
    assert "source without a schema, and is used by v1, v2, v3 and 1 more view" in found.message
    assert found.sql == 'ALTER FUNCTION reporting.two() SET search_path = zoo, mid, "A b";'


def test_before_17_it_is_about_the_upgrade() -> None:
    before = DatabaseRole(database_alias="default", database_name="reports", role_name="seeder", server_major=16)
    [found] = check_functions(
        {TWO: {"a"}}, {"source": [NameLocation(quoted_schema="reporting", search_path_position=None)]}, before
    )
    assert found.problem == "function_upgrade"
