"""What a view holds, against the same figures found in a slow and obvious way, for every type that a view can have."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from seeder import conf
from seeder.domain.manifests import ViewKey
from seeder.domain.snapshots.snapshot_contents import ColumnStatistics
from seeder.domain.view_names import ViewName
from seeder.postgres import column_statistics
from seeder.services.snapshots.parallel_count import CaptureOptions
from seeder.services.snapshots.view_profile import ViewProfile, profile_view
from tests.conftest import sql

pytestmark = pytest.mark.usefixtures("contract_tables")

MOST = 3


@dataclass(frozen=True)
class Kind:
    """A type, and some of its values as PostgreSQL reads them."""

    name: str
    values: tuple[str, ...]
    lacks: str | None = None


KINDS = (
    Kind("integer", ("0", "-1", "2147483647")),
    Kind("bigint", ("9223372036854775807", "9223372036854775806", "9007199254740993", "9007199254740992")),
    Kind("numeric", ("NaN", "Infinity", "-Infinity", "1.0", "1.00", "12345678901234567890.123456789", "0")),
    Kind("numeric(20,4)", ("9007199254740993.0001", "9007199254740993.0002", "-1")),
    Kind("double precision", ("NaN", "Infinity", "-Infinity", "-0", "0", "0.1", "0.30000000000000004")),
    Kind("real", ("NaN", "1e-30", "0.1")),
    Kind("money", ("1.00", "-1.00")),
    Kind("text", ("", " ", "a", "A", "ä", "\\u0000", "\\x00", "null", '"', "'", "x" * 300, "x" * 301)),
    Kind("varchar(5)", ("", "abc", "ABC")),
    Kind("character(4)", ("a", "ab", "")),
    Kind('"char"', ("a", "b")),
    Kind("name", ("a", "b")),
    Kind("boolean", ("true", "false")),
    Kind("date", ("2026-01-01", "0044-03-15 BC", "infinity", "-infinity")),
    Kind("timestamp with time zone", ("2026-01-01 00:00+00", "2026-01-01 01:00+01", "4713-01-01 00:00:00+00 BC")),
    Kind("time", ("00:00", "24:00")),
    Kind("interval", ("1 month", "30 days", "-1 day", "00:00:01")),
    Kind("uuid", ("00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff")),
    Kind("bytea", ("\\x", "\\x00", "\\xff00", "\\x0001")),
    Kind("inet", ("10.0.0.1", "10.0.0.0/8", "::1")),
    Kind("macaddr", ("08:00:2b:01:02:03", "08:00:2b:01:02:04")),
    Kind("bit(3)", ("101", "000")),
    Kind("oid", ("1", "4294967295")),
    Kind("jsonb", ("{}", "[]", "null", '{"a": 1.0}', '{"a": 1.00}', '"x"')),
    Kind("integer[]", ("{}", "{1,2}", "{NULL}", "{{1},{2}}")),
    Kind("text[]", ("{}", '{""}', '{"a,b"}')),
    Kind("int4range", ("empty", "[1,3)", "[1,2]", "(,)")),
    Kind("datemultirange", ("{}", "{[2026-01-01,2026-02-01)}")),
    Kind("tsvector", ("", "a b", "b a")),
    Kind("reporting.mood", ("sad", "ok")),
    Kind("reporting.positive", ("1", "2")),
    Kind("reporting.pair", ("(1,a)", "(,)", "(1,)")),
    Kind("reporting.pair[]", ('{"(1,a)"}', "{}")),
    Kind("xid", ("1", "4294967295"), lacks="order"),
    Kind("json", ("{}", "null", '{"a": 1}'), lacks="equality"),
    Kind("json[]", ("{}", '{"{}"}'), lacks="equality"),
    Kind("polygon", ("((0,0),(1,1),(1,0))",), lacks="equality"),
    Kind("point", ("(0,0)", "(1,1)"), lacks="equality"),
    Kind("reporting.holder", ("({})",), lacks="equality"),
)
NAMES = ["select", 'a "quoted" one', "value", "n", "v", "Ünïcode", *(f"c{number}" for number in range(6, len(KINDS)))]


@pytest.fixture
def types(contract_tables: None) -> None:
    sql("CREATE TYPE reporting.mood AS ENUM ('sad', 'ok')")
    sql("CREATE DOMAIN reporting.positive AS integer CHECK (VALUE > 0)")
    sql("CREATE TYPE reporting.pair AS (number integer, word text)")
    sql("CREATE TYPE reporting.holder AS (document json)")


def view(rows: Sequence[tuple[str | None, ...]], kinds: tuple[Kind, ...] = KINDS) -> ViewKey:
    """Make it anew."""
    sql("DROP MATERIALIZED VIEW IF EXISTS reporting.made; DROP TABLE IF EXISTS reporting.source")
    columns = ", ".join(f"{quoted(name)} {kind.name}" for name, kind in zip(NAMES, kinds, strict=False))
    sql(f"CREATE TABLE reporting.source ({columns})")
    for row in rows:
        literals = ", ".join("NULL" if value is None else "'" + value.replace("'", "''") + "'" for value in row)
        sql(f"INSERT INTO reporting.source VALUES ({literals})")
    sql("CREATE MATERIALIZED VIEW reporting.made AS TABLE reporting.source")
    return ViewKey(database="default", name=ViewName(schema="reporting", name="made"))


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def asked(**differently: Any) -> CaptureOptions:
    return replace(
        CaptureOptions(
            settings=conf.load(),
            application_name="test",
            top_values_columns=frozenset(NAMES),
            max_top_values=MOST,
            strict=False,
        ),
        **differently,
    )


def slowly(name: str, kind: Kind) -> ColumnStatistics:
    """The same figures, each by a question of its own, sorted and never grouped by hash."""
    column, source = quoted(name), "FROM reporting.made"
    shown = (
        f"CASE WHEN length({column}::text) > 200"
        f" THEN left({column}::text, 200) || '… MD5 ' || md5({column}::text) ELSE {column}::text END"
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
            sql(f"SELECT {shown} {source} {where} ORDER BY made.{column} {way} LIMIT 1")[0][0] for way in ("", "DESC")
        ]
    return ColumnStatistics(nulls=nulls, distinct=distinct, minimum=ends[0], maximum=ends[1], lacks=kind.lacks)


def steady_session() -> None:
    for setting, value in [("timezone", "UTC"), ("datestyle", "ISO"), ("intervalstyle", "iso_8601")]:
        sql(f"SET {setting} = '{value}'")


def same_as_text(one: str | None, other: str | None, kind: Kind) -> bool:
    """Equal values may be printed differently: then any of them will do."""
    if one == other:
        return True
    if one is None or other is None:
        return False
    literals = [text.replace("'", "''") for text in (one, other)]
    [(equal,)] = sql(f"SELECT '{literals[0]}'::{kind.name} = '{literals[1]}'::{kind.name}")
    return bool(equal)


def assert_right(found: ViewProfile, rows: int) -> None:
    assert found.statistics.row_count == rows
    for name, kind in zip(NAMES, KINDS, strict=True):
        figures, expected = found.statistics.columns[name], slowly(name, kind)
        facts = (figures.nulls, figures.distinct, figures.lacks, figures.exact)
        assert facts == (expected.nulls, expected.distinct, kind.lacks, True), kind
        for one, other in ((figures.minimum, expected.minimum), (figures.maximum, expected.maximum)):
            assert same_as_text(one, other, kind), kind
        if kind.lacks != "equality":
            assert figures.top is not None
            column = quoted(name)
            key = f"{column}::text" if kind.lacks else column
            counts = sql(
                f"SELECT count(*) FROM reporting.made WHERE num_nonnulls({column}) = 1"
                f" GROUP BY {key} ORDER BY 1 DESC LIMIT {MOST}"
            )
            assert [top.count for top in figures.top] == [count for (count,) in counts], kind


row = st.tuples(*(st.none() | st.sampled_from(kind.values) for kind in KINDS))


@pytest.mark.usefixtures("types")
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(row, max_size=12))
def test_every_figure_of_every_type_is_what_the_slow_way_says(rows: list[tuple[str | None, ...]]) -> None:
    steady_session()
    assert_right(profile_view(view(rows), asked()), len(rows))


@pytest.mark.usefixtures("types")
def test_the_columns_that_share_a_scan_say_the_same_as_each_alone() -> None:
    steady_session()
    key = view([tuple(kind.values[number % len(kind.values)] for kind in KINDS) for number in range(60)])
    alone = profile_view(key, asked())
    assert_right(alone, 60)
    sql("ANALYZE reporting.made")
    together = profile_view(key, asked(connections=3))
    assert together.statistics == alone.statistics
    assert together.shape == alone.shape


@given(st.lists(st.none() | st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=3), max_size=30))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_is_counted_and_comes_back_as_it_is(texts: list[str | None]) -> None:
    found = profile_view(view([(text,) for text in texts], (Kind("text", ()),)), asked(max_top_values=100))
    figures = found.statistics.columns[NAMES[0]]
    filled = [text for text in texts if text is not None]
    assert (figures.nulls, figures.distinct) == (len(texts) - len(filled), len(set(filled)))
    assert {top.value: top.count for top in figures.top or ()} == {text: filled.count(text) for text in filled}


def test_a_view_without_columns_has_rows() -> None:
    sql("CREATE MATERIALIZED VIEW reporting.made AS SELECT FROM generate_series(1, 3)")
    found = profile_view(ViewKey(database="default", name=ViewName(schema="reporting", name="made")), asked())
    assert (found.statistics.row_count, found.statistics.columns, found.shape.columns) == (3, {}, ())


def test_figures_do_not_depend_on_the_session_that_asks() -> None:
    sql(
        "CREATE MATERIALIZED VIEW reporting.made AS"
        " SELECT timestamptz '2026-07-01 12:00+02' AS at, interval '1 day' AS i"
    )
    key = ViewKey(database="default", name=ViewName(schema="reporting", name="made"))
    before = profile_view(key, asked())
    sql(
        "SET timezone = 'Asia/Tokyo'; SET datestyle = 'German'; SET intervalstyle = 'sql_standard';"
        " SET search_path = reporting"
    )
    after = profile_view(key, asked())
    assert (before.shape, before.statistics) == (after.shape, after.statistics)
    assert after.statistics.columns["at"].minimum == "2026-07-01 10:00:00+00"


@pytest.mark.usefixtures("types")
def test_estimates_are_near_and_say_that_they_are_none_but_estimates() -> None:
    rows = [tuple(kind.values[number % len(kind.values)] for kind in KINDS) for number in range(200)]
    found = profile_view(view(rows), asked(approximate=True))
    assert (found.statistics.row_count, found.statistics.exact) == (200, False)
    assert not any(figures.exact for figures in found.statistics.columns.values())
    integers = found.statistics.columns["select"]
    assert (integers.nulls, integers.distinct, integers.minimum, integers.maximum) == (0, 3, "-1", "2147483647")
    assert [top.count for top in integers.top or ()] == [67, 67, 66]


def test_after_a_refresh_columns_of_many_values_are_still_counted_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """A refresh forgets how many rows there are, and keeps the share of them that is distinct."""
    counted: list[int] = []
    count = column_statistics.count_columns

    def counts(database: str, task: column_statistics.CountTask) -> column_statistics.CountedColumns:
        counted.append(len(task.columns))
        return count(database, task)

    monkeypatch.setattr(column_statistics, "count_columns", counts)
    sql(
        "CREATE MATERIALIZED VIEW reporting.made AS SELECT n AS a, -n AS b, n %% 2 = 0 AS c"
        " FROM generate_series(1, %s) AS n",
        999,
    )
    key = ViewKey(database="default", name=ViewName(schema="reporting", name="made"))
    sql("ANALYZE reporting.made")
    sql("REFRESH MATERIALIZED VIEW reporting.made")
    assert sql("SELECT reltuples FROM pg_class WHERE oid = 'reporting.made'::regclass") == [(-1,)]
    profile_view(key, asked())
    assert counted == [1, 1, 1]


def test_a_column_without_a_minimum_function_does_not_part_those_that_share_a_scan(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    executed: list[bool] = []
    unless_lacking = column_statistics.query_if_supported

    def told(database: str, statement: Any) -> Any:
        rows = unless_lacking(database, statement)
        executed.append(rows is not None)
        return rows

    monkeypatch.setattr(column_statistics, "query_if_supported", told)
    sql(
        "CREATE MATERIALIZED VIEW reporting.made AS SELECT n %% 2 = 0 AS a, n %% 3 AS b"
        " FROM generate_series(1, %s) AS n",
        99,
    )
    sql("ANALYZE reporting.made")
    key = ViewKey(database="default", name=ViewName(schema="reporting", name="made"))
    found = profile_view(key, asked())
    assert executed == [True]
    assert (found.statistics.columns["a"].minimum, found.statistics.columns["a"].maximum) == ("false", "true")
