"""Which names of a function's body have no schema, and which functions a view reaches."""

import pytest

from seeder.domain.function_rules import Function, Home, bare, of_functions, reached
from seeder.domain.view_rules import Us

US = Us(database="default", name="reports", role="seeder", major=17)


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
    assert bare(body) == names


def function(oid: int, name: str, body: str) -> Function:
    return Function(oid=oid, schema="reporting", name=name, signature=f"reporting.{name}()", body=body)


ONE = function(1, "one", "SELECT reporting.two()")
TWO = function(2, "two", "SELECT n FROM source WHERE reporting.one() > 0")
OTHER = function(3, "other", "SELECT n FROM source")


def test_a_function_that_another_one_calls_is_reached_too_also_in_a_circle() -> None:
    assert reached({1: {"a"}, 99: {"b"}}, [ONE, TWO, OTHER]) == {ONE: {"a"}, TWO: {"a"}}
    assert reached({1: {"a"}, 2: {"b"}}, [ONE, TWO]) == {ONE: {"a", "b"}, TWO: {"a", "b"}}


def test_only_names_that_mean_something_are_told_with_a_path_that_finds_them() -> None:
    homes = {"source": [Home(sql="zoo", place=1), Home(sql='"A b"', place=None), Home(sql="mid", place=2)]}
    [found] = of_functions({ONE: {"a"}, TWO: {"v1", "v2", "v3", "v4"}}, homes, US)
    assert (found.word, found.about) == ("function_unqualified", "reporting.two()")
    assert "source without a schema, and is used by v1, v2, v3 and 1 more view" in found.message
    assert found.sql == 'ALTER FUNCTION reporting.two() SET search_path = zoo, mid, "A b";'


def test_before_17_it_is_about_the_upgrade() -> None:
    before = Us(database="default", name="reports", role="seeder", major=16)
    [found] = of_functions({TWO: {"a"}}, {"source": [Home(sql="reporting", place=None)]}, before)
    assert found.word == "function_upgrade"
