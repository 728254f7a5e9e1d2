"""Profiles of views compared with simple queries, for all types."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from seeder import conf
from seeder.domain.manifests import ViewKey
from seeder.domain.snapshots import column_grouping
from seeder.domain.snapshots.snapshot_contents import ColumnStatistics, Release, Snapshot
from seeder.domain.view_names import ViewName
from seeder.postgres import column_statistics
from seeder.services.snapshots.parallel_column_count import CaptureOptions
from seeder.services.snapshots.view_profile import profile_view
from tests.conftest import sql

pytestmark = pytest.mark.usefixtures("contract_tables")

MAX_TOP_VALUES = 3
EXAMPLES = int(os.environ.get("SEEDER_EXAMPLES", "10"))  # `make soak` sets more


@dataclass(frozen=True)
class TypeSample:
    """A type with some of its values as text. `lacks` is the operator that it does not have."""

    name: str
    values: tuple[str, ...]
    lacks: str | None = None


TYPE_SAMPLES = (
    TypeSample("integer", ("0", "-1", "2147483647")),
    TypeSample("bigint", ("9223372036854775807", "9223372036854775806", "9007199254740993", "9007199254740992")),
    TypeSample("numeric", ("NaN", "Infinity", "-Infinity", "1.0", "1.00", "12345678901234567890.123456789", "0")),
    TypeSample("numeric(20,4)", ("9007199254740993.0001", "9007199254740993.0002", "-1")),
    TypeSample("double precision", ("NaN", "Infinity", "-Infinity", "-0", "0", "0.1", "0.30000000000000004")),
    TypeSample("real", ("NaN", "1e-30", "0.1")),
    TypeSample("money", ("1.00", "-1.00")),
    TypeSample("text", ("", " ", "a", "A", "ä", "\\u0000", "\\x00", "null", '"', "'", "x" * 300, "x" * 301)),
    TypeSample("varchar(5)", ("", "abc", "ABC")),
    TypeSample("character(4)", ("a", "ab", "")),
    TypeSample('"char"', ("a", "b")),
    TypeSample("name", ("a", "b")),
    TypeSample("boolean", ("true", "false")),
    TypeSample("date", ("2026-01-01", "0044-03-15 BC", "infinity", "-infinity")),
    TypeSample("timestamp with time zone", ("2026-01-01 00:00+00", "2026-01-01 01:00+01", "4713-01-01 00:00:00+00 BC")),
    TypeSample("time", ("00:00", "24:00")),
    TypeSample("interval", ("1 month", "30 days", "-1 day", "00:00:01")),
    TypeSample("uuid", ("00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff")),
    TypeSample("bytea", ("\\x", "\\x00", "\\xff00", "\\x0001")),
    TypeSample("inet", ("10.0.0.1", "10.0.0.0/8", "::1")),
    TypeSample("macaddr", ("08:00:2b:01:02:03", "08:00:2b:01:02:04")),
    TypeSample("bit(3)", ("101", "000")),
    TypeSample("oid", ("1", "4294967295")),
    TypeSample("jsonb", ("{}", "[]", "null", '{"a": 1.0}', '{"a": 1.00}', '"x"')),
    TypeSample("integer[]", ("{}", "{1,2}", "{NULL}", "{{1},{2}}")),
    TypeSample("text[]", ("{}", '{""}', '{"a,b"}')),
    TypeSample("int4range", ("empty", "[1,3)", "[1,2]", "(,)")),
    TypeSample("datemultirange", ("{}", "{[2026-01-01,2026-02-01)}")),
    TypeSample("tsvector", ("", "a b", "b a")),
    TypeSample("reporting.mood", ("sad", "ok")),
    TypeSample("reporting.positive", ("1", "2")),
    TypeSample("reporting.pair", ("(1,a)", "(,)", "(1,)")),
    TypeSample("reporting.pair[]", ('{"(1,a)"}', "{}")),
    TypeSample("xid", ("1", "4294967295"), lacks="order"),
    TypeSample("json", ("{}", "null", '{"a": 1}'), lacks="equality"),
    TypeSample("json[]", ("{}", '{"{}"}'), lacks="equality"),
    TypeSample("polygon", ("((0,0),(1,1),(1,0))",), lacks="equality"),
    TypeSample("point", ("(0,0)", "(1,1)"), lacks="equality"),
    TypeSample("reporting.holder", ("({})",), lacks="equality"),
)
NAMES = [
    "select",
    'a "quoted" one',
    "value",
    "n",
    "v",
    "Ünïcode",
    *(f"c{number}" for number in range(6, len(TYPE_SAMPLES))),
]


@pytest.fixture
def types(contract_tables: None) -> None:
    sql("CREATE TYPE reporting.mood AS ENUM ('sad', 'ok')")
    sql("CREATE DOMAIN reporting.positive AS integer CHECK (VALUE > 0)")
    sql("CREATE TYPE reporting.pair AS (number integer, word text)")
    sql("CREATE TYPE reporting.holder AS (document json)")


def create_view(rows: Sequence[tuple[str | None, ...]], kinds: tuple[TypeSample, ...] = TYPE_SAMPLES) -> ViewKey:
    """Create the view again with these rows."""
    sql("DROP MATERIALIZED VIEW IF EXISTS reporting.made; DROP TABLE IF EXISTS reporting.source")
    columns = ", ".join(f"{quote_identifier(name)} {kind.name}" for name, kind in zip(NAMES, kinds, strict=False))
    sql(f"CREATE TABLE reporting.source ({columns})")
    for row in rows:
        literals = ", ".join("NULL" if value is None else "'" + value.replace("'", "''") + "'" for value in row)
        sql(f"INSERT INTO reporting.source VALUES ({literals})")
    sql("CREATE MATERIALIZED VIEW reporting.made AS TABLE reporting.source")
    return ViewKey(database="default", name=ViewName(schema="reporting", name="made"))


def quote_identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def options(**changes: Any) -> CaptureOptions:
    return replace(
        CaptureOptions(
            settings=conf.load(),
            release=Release(tag="test"),
            top_values_columns=frozenset(NAMES),
            max_top_values=MAX_TOP_VALUES,
            strict=False,
        ),
        **changes,
    )


def reference_statistics(name: str, kind: TypeSample) -> ColumnStatistics:
    """Calculate the statistics with simple queries, never grouped by hash."""
    column, source = quote_identifier(name), "FROM reporting.made"
    shown = (
        f"CASE WHEN length({column}::text) > 200"
        f" THEN left({column}::text, 200) || '... MD5 ' || md5({column}::text) ELSE {column}::text END"
    )
    [(nulls,)] = sql(f"SELECT count(*) - count({column}) {source}")
    if kind.lacks == "equality":
        return ColumnStatistics(nulls=nulls, lacks="equality")
    [(distinct,)] = sql(f"SELECT count(DISTINCT {column}) {source}") if not kind.lacks else [(None,)]
    if kind.lacks:
        [(distinct,)] = sql(f"SELECT count(DISTINCT {column}::text) {source}")
    ends = [None, None]
    if not kind.lacks and distinct:
        where = f"WHERE num_nonnulls({column}) = 1"
        ends = [
            sql(f"SELECT {shown} {source} {where} ORDER BY made.{column} {direction} LIMIT 1")[0][0]
            for direction in ("", "DESC")
        ]
    return ColumnStatistics(nulls=nulls, distinct=distinct, minimum=ends[0], maximum=ends[1], lacks=kind.lacks)


def set_output_formats() -> None:
    for setting, value in [("timezone", "UTC"), ("datestyle", "ISO"), ("intervalstyle", "iso_8601")]:
        sql(f"SET {setting} = '{value}'")


def same_as_text(left: str | None, right: str | None, kind: TypeSample) -> bool:
    """Compare two texts, whose equal values may be printed differently."""
    if left == right:
        return True
    if left is None or right is None:
        return False
    literals = [text.replace("'", "''") for text in (left, right)]
    [(equal,)] = sql(f"SELECT '{literals[0]}'::{kind.name} = '{literals[1]}'::{kind.name}")
    return bool(equal)


def assert_right(found: Snapshot, rows: int) -> None:
    assert found.statistics.row_count == rows
    for name, kind in zip(NAMES, TYPE_SAMPLES, strict=True):
        figures, expected = found.statistics.columns[name], reference_statistics(name, kind)
        facts = (figures.nulls, figures.distinct, figures.lacks, figures.exact)
        assert facts == (expected.nulls, expected.distinct, kind.lacks, True), kind
        for left, right in ((figures.minimum, expected.minimum), (figures.maximum, expected.maximum)):
            assert same_as_text(left, right, kind), kind
        if kind.lacks != "equality":
            assert figures.top is not None
            column = quote_identifier(name)
            key = f"{column}::text" if kind.lacks else column
            counts = sql(
                f"SELECT count(*) FROM reporting.made WHERE num_nonnulls({column}) = 1"
                f" GROUP BY {key} ORDER BY 1 DESC LIMIT {MAX_TOP_VALUES}"
            )
            assert [top.count for top in figures.top] == [count for (count,) in counts], kind


row = st.tuples(*(st.none() | st.sampled_from(kind.values) for kind in TYPE_SAMPLES))


@pytest.mark.usefixtures("types")
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(row, max_size=12))
def test_statistics_of_every_type_equal_the_reference(rows: list[tuple[str | None, ...]]) -> None:
    set_output_formats()
    assert_right(profile_view(create_view(rows), options()), len(rows))


@pytest.mark.usefixtures("types")
def test_columns_with_a_shared_scan_have_the_same_statistics() -> None:
    set_output_formats()
    key = create_view([tuple(kind.values[number % len(kind.values)] for kind in TYPE_SAMPLES) for number in range(60)])
    with_separate_scans = profile_view(key, options())
    assert_right(with_separate_scans, 60)
    sql("ANALYZE reporting.made")
    with_shared_scans = profile_view(key, options(connections=3))
    assert with_shared_scans.statistics == with_separate_scans.statistics
    assert with_shared_scans.columns == with_separate_scans.columns


@given(st.lists(st.none() | st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=3), max_size=30))
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_is_counted_and_returned_unchanged(texts: list[str | None]) -> None:
    found = profile_view(
        create_view([(text,) for text in texts], (TypeSample("text", ()),)), options(max_top_values=100)
    )
    figures = found.statistics.columns[NAMES[0]]
    filled = [text for text in texts if text is not None]
    assert (figures.nulls, figures.distinct) == (len(texts) - len(filled), len(set(filled)))
    assert {top.value: top.count for top in figures.top or ()} == {text: filled.count(text) for text in filled}


def test_view_without_columns_has_a_row_count() -> None:
    sql("CREATE MATERIALIZED VIEW reporting.made AS SELECT FROM generate_series(1, 3)")
    found = profile_view(ViewKey(database="default", name=ViewName(schema="reporting", name="made")), options())
    assert (found.statistics.row_count, found.statistics.columns, found.columns) == (3, {}, ())


def test_statistics_do_not_depend_on_the_session() -> None:
    sql(
        "CREATE MATERIALIZED VIEW reporting.made AS"
        " SELECT timestamptz '2026-07-01 12:00+02' AS at, interval '1 day' AS i"
    )
    key = ViewKey(database="default", name=ViewName(schema="reporting", name="made"))
    first = profile_view(key, options())
    sql(
        "SET timezone = 'Asia/Tokyo'; SET datestyle = 'German'; SET intervalstyle = 'sql_standard';"
        " SET search_path = reporting"
    )
    second = profile_view(key, options())
    assert first == replace(second, captured_at=first.captured_at)
    assert second.statistics.columns["at"].minimum == "2026-07-01 10:00:00+00"


@pytest.mark.usefixtures("types")
def test_estimates_are_close_and_marked_as_estimates() -> None:
    rows = [tuple(kind.values[number % len(kind.values)] for kind in TYPE_SAMPLES) for number in range(200)]
    found = profile_view(create_view(rows), options(approximate=True))
    assert (found.statistics.row_count, found.statistics.exact) == (200, False)
    assert not any(figures.exact for figures in found.statistics.columns.values())
    integers = found.statistics.columns["select"]
    assert (integers.nulls, integers.distinct, integers.minimum, integers.maximum) == (0, 3, "-1", "2147483647")
    assert [top.count for top in integers.top or ()] == [67, 67, 66]


def test_large_columns_are_counted_separately_after_a_refresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """A refresh resets only the estimated row count.

    The estimated share of distinct values is kept.
    """
    counted: list[int] = []
    count = column_statistics.count_columns

    def record_and_count(database: str, task: column_statistics.CountTask) -> column_statistics.CountedColumns:
        counted.append(len(task.columns))
        return count(database, task)

    monkeypatch.setattr(column_statistics, "count_columns", record_and_count)
    sql(
        "CREATE MATERIALIZED VIEW reporting.made AS SELECT n AS a, -n AS b, n %% 2 = 0 AS c"
        " FROM generate_series(1, %s) AS n",
        999,
    )
    key = ViewKey(database="default", name=ViewName(schema="reporting", name="made"))
    sql("ANALYZE reporting.made")
    sql("REFRESH MATERIALIZED VIEW reporting.made")
    assert sql("SELECT reltuples FROM pg_class WHERE oid = 'reporting.made'::regclass") == [(-1,)]
    profile_view(key, options())
    assert counted == [1, 1, 1]


@pytest.mark.usefixtures("types")
def test_sorted_columns_have_the_same_statistics(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(column_grouping, "MAX_COMBINATIONS", 0)
    set_output_formats()
    key = create_view([tuple(kind.values[number % len(kind.values)] for kind in TYPE_SAMPLES) for number in range(60)])
    assert_right(profile_view(key, options()), 60)
