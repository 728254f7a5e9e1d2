"""Ranges and top values of columns, in the order and text of each type: exact and estimated."""

from dataclasses import dataclass

import pytest

from seeder import conf
from seeder.domain.manifests import ViewKey
from seeder.domain.snapshots.snapshot_contents import ColumnStatistics, Release
from seeder.domain.view_names import ViewName
from seeder.services.snapshots.parallel_column_count import CaptureOptions
from seeder.services.snapshots.view_profile import profile_view
from tests.conftest import sql

pytestmark = pytest.mark.usefixtures("contract_tables", "own_types")

KEY = ViewKey(database="default", name=ViewName(schema="reporting", name="made"))

# A type like citext: it ignores case, and can be cast to text implicitly.
FOLDED_TEXT = """
CREATE TYPE reporting.folded;
CREATE FUNCTION reporting.folded_in(cstring) RETURNS reporting.folded LANGUAGE internal IMMUTABLE STRICT AS 'textin';
CREATE FUNCTION reporting.folded_out(reporting.folded) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'textout';
CREATE TYPE reporting.folded (
    INPUT = reporting.folded_in, OUTPUT = reporting.folded_out, LIKE = text, CATEGORY = 'S', COLLATABLE = true
);
CREATE CAST (reporting.folded AS text) WITHOUT FUNCTION AS IMPLICIT;
CREATE FUNCTION reporting.folded_cmp(reporting.folded, reporting.folded) RETURNS integer LANGUAGE sql IMMUTABLE
    AS 'SELECT bttextcmp(lower($1::text), lower($2::text))';
"""
OPERATORS = {"<": "lt", "<=": "le", "=": "eq", ">=": "ge", ">": "gt"}


@pytest.fixture
def own_types(contract_tables: None) -> None:
    sql(FOLDED_TEXT)
    for operator, name in OPERATORS.items():
        sql(
            f"CREATE FUNCTION reporting.folded_{name}(reporting.folded, reporting.folded) RETURNS boolean LANGUAGE sql"
            f" IMMUTABLE AS 'SELECT reporting.folded_cmp($1, $2) {operator} 0';"
            f"CREATE OPERATOR reporting.{operator} (LEFTARG = reporting.folded, RIGHTARG = reporting.folded,"
            f" FUNCTION = reporting.folded_{name})"
        )
    strategies = ", ".join(f"OPERATOR {n} reporting.{operator}" for n, operator in enumerate(OPERATORS, start=1))
    sql(
        "CREATE OPERATOR CLASS reporting.folded_ops DEFAULT FOR TYPE reporting.folded USING btree AS"
        f" {strategies}, FUNCTION 1 reporting.folded_cmp(reporting.folded, reporting.folded)"
    )
    sql("CREATE DOMAIN reporting.folded_domain AS reporting.folded")
    sql("CREATE DOMAIN reporting.measure AS real; CREATE DOMAIN reporting.length AS reporting.measure CHECK (true)")
    sql("CREATE DOMAIN reporting.amount AS numeric; CREATE DOMAIN reporting.price AS numeric(8,2)")
    sql("CREATE DOMAIN reporting.tags AS text[]; CREATE DOMAIN reporting.name_of_type AS regtype")
    sql("CREATE TYPE reporting.mood AS ENUM ('sad', 'ok', 'happy'); CREATE TYPE reporting.pair AS (n integer, w text)")
    if has_icu():
        sql("CREATE COLLATION reporting.icu (provider = icu, locale = 'und')")
        sql("CREATE COLLATION reporting.folding (provider = icu, locale = 'und-u-ks-level2', deterministic = false)")
        sql("CREATE DOMAIN reporting.icu_text AS text COLLATE reporting.icu")


def has_icu() -> bool:
    return bool(sql("SELECT 1 FROM pg_collation WHERE collname = 'und-x-icu'"))


def need_icu() -> None:
    if not has_icu():
        pytest.skip("this server was built without ICU")


@dataclass(frozen=True)
class Range:
    """The type of a column, its values in ascending order, and how they are printed if not in the same way."""

    type: str
    values: tuple[str, ...]
    printed: tuple[str, ...] | None = None

    def __str__(self) -> str:
        return self.type

    @property
    def texts(self) -> tuple[str, ...]:
        return self.printed or self.values


RANGES = (
    Range("reporting.folded", ("a", "B", "c")),
    Range("reporting.folded_domain", ("a", "B", "c")),
    Range("reporting.folded[]", ("{a}", "{B}", "{c}")),
    Range("text", ("B", "a")),
    Range('text COLLATE "C"', ("B", "a")),
    Range("text COLLATE reporting.icu", ("a", "B", "c")),
    Range("text COLLATE reporting.folding", ("a", "B", "c")),
    Range("varchar(3) COLLATE reporting.icu", ("a", "B", "c")),
    Range("character(3) COLLATE reporting.icu", ("a", "B", "c"), ("a  ", "B  ", "c  ")),
    Range("reporting.icu_text", ("a", "B", "c")),
    Range("text[] COLLATE reporting.icu", ("{a}", "{B}", "{c}")),
    Range("varchar(5)", ("10", "9")),
    Range("name", ("10", "9")),
    Range('"char"', ("B", "a")),
    Range("real", ("-2.7", "0", "1e-05", "0.1", "3.3")),
    Range("reporting.length", ("-2.7", "-0", "3.3"), ("-2.7", "0", "3.3")),
    Range("real[]", ("{0.1}", "{3.3}")),
    Range("double precision", ("-0", "0.1", "NaN"), ("0", "0.1", "NaN")),
    Range("numeric", ("1.50", "9.00", "10"), ("1.5", "9", "10")),
    Range("numeric(8,2)", ("1.50", "9.00", "10.00")),
    Range("reporting.amount", ("1.50", "9.00", "10"), ("1.5", "9", "10")),
    Range("reporting.price", ("1.50", "9.00", "10.00")),
    Range("money", ("-1.00", "9.00", "10.00"), ("-$1.00", "$9.00", "$10.00")),
    Range("boolean", ("false", "true")),
    Range("reporting.mood", ("sad", "ok", "happy")),
    Range("reporting.pair", ("(9,a)", "(10,a)")),
    Range("integer[]", ("{9}", "{10}", "{10,NULL}")),
    Range("reporting.tags", ("{a}", '{"a b"}', "{b}")),
    Range("reporting.pair[]", ('{"(9,a)"}', '{"(10,a)"}')),
    Range("inet", ("10.0.0.9", "10.0.0.10", "10.0.0.10/8"), ("10.0.0.10/8", "10.0.0.9", "10.0.0.10")),
    Range("cidr", ("9.0.0.0/8", "10.0.0.0/8")),
    Range("timetz", ("12:00:00+02", "12:00:00+00")),
    Range(
        "timestamptz",
        ("2026-01-01 01:00:00+02", "2026-01-01 00:00:00+00"),
        ("2025-12-31 23:00:00+00", "2026-01-01 00:00:00+00"),
    ),
    Range("interval", ("29 days", "1 month", "31 days"), ("P29D", "P1M", "P31D")),
    Range("bit(4)", ("0011", "1000")),
    Range("bit varying", ("0011", "1", "1000")),
    Range("reporting.name_of_type", ("bigint", "integer", "text")),
    Range("jsonb", ('"b"', "9", "10", "[1]")),
    Range("bytea", ("\\x00", "\\xff")),
)


def made_column(kind: Range, *, approximate: bool = False) -> ColumnStatistics:
    """Create a view of the values, the last one most frequently, and profile it."""
    sql(f"CREATE TABLE reporting.source (value {kind.type})")
    for number, value in enumerate(kind.values, start=1):
        sql("INSERT INTO reporting.source SELECT %s FROM generate_series(1, %s)", value, 10 * number)
    sql("CREATE MATERIALIZED VIEW reporting.made AS TABLE reporting.source")
    options = CaptureOptions(
        settings=conf.load(),
        release=Release(tag="test"),
        top_values_columns=frozenset({"value"}),
        approximate=approximate,
    )
    return profile_view(KEY, options).statistics.columns["value"]


@pytest.mark.parametrize("kind", RANGES, ids=str)
@pytest.mark.parametrize("way", ["exact", "estimated"])
def test_range_and_top_values_have_the_order_and_text_of_the_type(kind: Range, way: str) -> None:
    if "icu" in kind.type or "folding" in kind.type:
        need_icu()
    column = made_column(kind, approximate=way == "estimated")
    assert (column.minimum, column.maximum) == (kind.texts[0], kind.texts[-1])
    assert column.top is not None
    assert {top.value for top in column.top} == set(kind.texts)
    assert column.distinct == len(kind.values)


def test_shared_scan_has_the_order_and_text_of_each_type() -> None:
    kinds = [kind for kind in RANGES if has_icu() or not ("icu" in kind.type or "folding" in kind.type)]
    columns = {f"c{number}": kind for number, kind in enumerate(kinds)}
    sql("CREATE TABLE reporting.source (" + ", ".join(f"{name} {kind.type}" for name, kind in columns.items()) + ")")
    for row in range(max(len(kind.values) for kind in kinds)):
        values = [kind.values[min(row, len(kind.values) - 1)] for kind in kinds]
        sql(f"INSERT INTO reporting.source VALUES ({', '.join(['%s'] * len(values))})", *values)
    sql("CREATE MATERIALIZED VIEW reporting.made AS TABLE reporting.source")
    sql("ANALYZE reporting.made")
    found = profile_view(KEY, CaptureOptions(settings=conf.load(), release=Release(tag="test"))).statistics.columns
    assert {name: (column.minimum, column.maximum) for name, column in found.items()} == {
        name: (kind.texts[0], kind.texts[-1]) for name, kind in columns.items()
    }


def test_values_without_case_are_counted_as_one() -> None:
    need_icu()
    column = made_column(Range("text COLLATE reporting.folding", ("a", "A", "b")))
    assert (column.distinct, column.maximum) == (2, "b")
    assert [top.count for top in column.top or ()] == [30, 30]


def test_estimate_ignores_a_constraint_that_was_never_validated() -> None:
    sql("CREATE DOMAIN reporting.small AS integer; CREATE TABLE reporting.source (value reporting.small)")
    sql("INSERT INTO reporting.source VALUES (1000), (1000), (1)")
    sql("CREATE MATERIALIZED VIEW reporting.made AS TABLE reporting.source")
    sql("ALTER DOMAIN reporting.small ADD CHECK (VALUE < 10) NOT VALID")
    options = CaptureOptions(settings=conf.load(), release=Release(tag="test"), approximate=True)
    assert profile_view(KEY, options).statistics.columns["value"].maximum == "1000"
