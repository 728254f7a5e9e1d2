"""Values that PostgreSQL does not accept for the type of a column, and those whose meaning would change."""

from pathlib import Path

import pytest

from tests.acceptance.data_pipeline.file_loads import Bad, States, create, load, rejects, require, rows
from tests.conftest import server_major_version, sql

pytestmark = pytest.mark.usefixtures("load_tables")
SYNTAX, RANGE, DATE, DATE_RANGE, TOO_LONG = "22P02", "22003", "22007", "22008", "22001"

# Type, values that are accepted with their text afterwards, and refused values with their SQLSTATE.
TYPES: dict[str, tuple[dict[str, str | None], dict[str, str]]] = {
    "smallint": ({"32767": "32767", " 1 ": "1", "": None}, {"32768": RANGE, "1.0": SYNTAX, "1e5": SYNTAX}),
    "integer": (
        {"2147483647": "2147483647", "-5": "-5", "+5": "5", "007": "7"},
        {"2147483648": RANGE, "twelve": SYNTAX, "1,000": SYNTAX, "1 000": SYNTAX, "12-": SYNTAX, "(12)": SYNTAX,
         "١٢": SYNTAX, "1O": SYNTAX, "now": SYNTAX, "€5": SYNTAX, "5 €": SYNTAX, "1\u202f000": SYNTAX},
    ),
    "bigint": ({"9223372036854775807": "9223372036854775807"}, {"9223372036854775808": RANGE, "NaN": SYNTAX}),
    "numeric": ({"1e5": "100000", "NaN": "NaN", "Infinity": "Infinity", ".5": "0.5"}, {"1,5": SYNTAX, "1.2.3": SYNTAX}),
    "numeric(5,2)": ({"999.99": "999.99", "1.005": "1.01"}, {"1000": RANGE, "999.995": RANGE, "Infinity": RANGE}),
    "numeric(3)": ({"12.5": "13", "999.4": "999"}, {"999.5": RANGE}),
    "real": ({"1e5": "100000", "-inf": "-Infinity"}, {"1e39": RANGE, "1e-60": RANGE, "x": SYNTAX}),
    "double precision": ({"1e300": "1e+300", "NaN": "NaN"}, {"1e400": RANGE}),
    "boolean": ({"true": "true", "T": "true", "yes": "true", "on": "true", "0": "false"}, {"2": SYNTAX, "ja": SYNTAX}),
    "text": ({"any ": "any ", "": None}, {}),
    "varchar(3)": ({"abc": "abc", "abc  ": "abc", "żółć"[:3]: "żół"}, {"abcd": TOO_LONG, "żółć": TOO_LONG}),
    "char(3)": ({"ab": "ab", "abc   ": "abc"}, {"abcd": TOO_LONG}),
    "date": (
        {"2025-02-28": "2025-02-28", "2024-02-29": "2024-02-29", "20250228": "2025-02-28", "epoch": "1970-01-01",
         "infinity": "infinity", "J2451187": "1999-01-08", "2025-06-30 24:00": "2025-06-30"},
        {"2025-02-29": DATE_RANGE, "2025-13-01": DATE_RANGE, "01/02/2025": DATE_RANGE, "31.12.2025": DATE_RANGE,
         "2025": DATE, "yesterdays": DATE, "0000-01-01": DATE_RANGE, "5874898-01-01": DATE_RANGE, "n/a": DATE,
         "today": DATE, "NOW": DATE, " Tomorrow ": DATE, "yesterday 10:00": DATE},
    ),
    "timestamp": (
        {"2025-01-01": "2025-01-01 00:00:00", "2025-01-01T24:00:00": "2025-01-02 00:00:00",
         "2016-12-31 23:59:60": "2017-01-01 00:00:00", "2025-01-01 10:00+05": "2025-01-01 10:00:00"},
        {"2025-01-01 24:00:01": DATE_RANGE, "2025-01-01 25:00": DATE_RANGE, "2025-01-01 23:59:61": DATE_RANGE,
         "now": DATE, "today 10:00": DATE, "10:00 tomorrow": DATE, "294277-01-01": DATE_RANGE},
    ),
    "timestamptz": (
        {"2025-01-01 10:00+05:45": "2025-01-01 04:15:00+00", "2025-07-01 10:00 Europe/Warsaw": "2025-07-01 08:00:00+00",
         "2025-01-01 10:00Z": "2025-01-01 10:00:00+00", "2025-01-01 10:00 EST": "2025-01-01 15:00:00+00"},
        {"2025-01-01 10:00 Mars/Base": "22023", "2025-01-01 10:00+25": "22009", "now": DATE, "tomorrow": DATE},
    ),
    "time": ({"24:00": "24:00:00", "10:00": "10:00:00", "allballs": "00:00:00"}, {"24:01": DATE_RANGE, "now": DATE}),
    "interval": ({"1 day": "1 day", "-1:30": "-01:30:00"}, {"1 fortnight": DATE}),
    "uuid": ({"A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11": "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"}, {"123": SYNTAX}),
    "jsonb": ({'{"a": 1}': '{"a": 1}', "null": "null"}, {"{": SYNTAX, "{'a': 1}": SYNTAX, '"\\u0000"': "22P05"}),
    "integer[]": ({"{1,NULL}": "{1,NULL}"}, {"1,2": SYNTAX, "{1,x}": SYNTAX, "{1": SYNTAX, "{{1},{2,3}}": SYNTAX}),
    "varchar(2)[]": ({"{ab}": "{ab}"}, {"{abc}": TOO_LONG}),
    "date[]": ({"{2025-01-01}": "{2025-01-01}"}, {"{2025-01-01,today}": DATE, '{"now"}': DATE}),
    "daterange": ({"[2025-01-01,2025-01-03)": "[2025-01-01,2025-01-03)"}, {"[2,1]": DATE, "[2025-01-01,now)": DATE}),
    "int4range": ({"[1,3]": "[1,4)"}, {"[3,1]": "22000"}),
    "bytea": ({"\\xff": "\\xff"}, {"\\xf": "22023", "\\xgg": "22023"}),
    "bit(3)": ({"101": "101"}, {"10": "22026", "1010": "22026", "222": SYNTAX}),
    "inet": ({"10.0.0.1": "10.0.0.1/32"}, {"10.0.0.256": SYNTAX}),
    "money": ({"12.50": "$12.50"}, {"x": SYNTAX}),
    "tsquery": ({"a & b": "'a' & 'b'"}, {"a &": "42601"}),
    "regclass": ({"pg_class": "pg_class"}, {"nosuch": "42P01"}),
    "jsonpath": ({"$.a": '$."a"'}, {"$.": "42601"}),
    "landing.mood": ({"happy": "happy"}, {"Happy": SYNTAX}),
    "landing.odd": ({"3": "3", "": None}, {"2": "23514", "x": SYNTAX, "10000000000": RANGE}),
    "landing.short": ({"ab": "ab"}, {"abc": TOO_LONG, "": "23502"}),
    "landing.pair": ({"(1,b)": "(1,b)"}, {"(1)": SYNTAX, "(x,b)": SYNTAX}),
    "landing.inverse": ({"2": "2"}, {"0": "22012", "-1": "23514", "x": SYNTAX}),
    "landing.moment": ({"2025-01-01": "2025-01-01"}, {"today": DATE}),
}  # fmt: skip
_SETUP = """
CREATE TYPE landing.mood AS ENUM ('happy', 'sad');
CREATE DOMAIN landing.odd AS integer CHECK (VALUE % 2 = 1);
CREATE DOMAIN landing.filled AS varchar(2) NOT NULL;
CREATE DOMAIN landing.short AS landing.filled;
CREATE TYPE landing.pair AS (a integer, b text);
CREATE DOMAIN landing.moment AS date;
CREATE DOMAIN landing.inverse AS integer CHECK (1 / VALUE >= 0);
SET lc_monetary = 'C';
"""


@pytest.mark.parametrize("type_name", TYPES)
def test_each_value_is_loaded_or_refused_as_postgresql_reads_it(tmp_path: Path, type_name: str) -> None:
    sql(_SETUP)
    create(f"id integer, value {type_name}")
    accepted, refused = TYPES[type_name]
    lines = [f"{number},{quoted(value)}" for number, value in enumerate([*refused, *accepted], start=1)]
    loaded = load(tmp_path, "\n".join(["id,value", *lines]).encode())
    bad = [
        Bad(number + 1, number, lines[number - 1].encode(), {"value": state})
        for number, state in enumerate(refused.values(), start=1)
    ]
    require(loaded, good=len(accepted), bad=bad)
    assert [text for _, text in rows("id", "value::text")] == list(accepted.values())


def quoted(value: str) -> str:
    return '"' + value.replace('"', '""') + '"' if set(value) & set(',"') else value


@pytest.mark.parametrize("value", ["1_000", "0x10", "0b11", "0o7"])
def test_integer_that_only_newer_servers_read_is_judged_by_the_server(tmp_path: Path, value: str) -> None:
    create("id integer, value integer")
    loaded = load(tmp_path, f"id,value\n1,{value}\n".encode())
    is_number = server_major_version() >= 16
    bad = [Bad(2, 1, f"1,{value}".encode(), {"value": SYNTAX})]
    require(loaded, good=int(is_number), bad=[] if is_number else bad)


def test_every_bad_column_of_a_record_is_named(tmp_path: Path) -> None:
    create("id integer NOT NULL, day date, amount numeric(5,2), name varchar(3), note text NOT NULL")
    loaded = load(tmp_path, b'id,day,amount,name,note\n,2025-02-30,1O.50,long,\n1,2025-02-28,1.5,ok,""\n')
    states: States = {"id": "23502", "day": DATE_RANGE, "amount": SYNTAX, "name": TOO_LONG, "note": "23502"}
    require(loaded, good=1, bad=[Bad(2, 1, b",2025-02-30,1O.50,long,", states)])
    assert rows("id", "note") == [(1, "")]


def test_words_of_dates_in_other_columns_are_text(tmp_path: Path) -> None:
    create("day date, name text")
    require(load(tmp_path, b'day,name\n2025-01-01,today\n2025-01-01,"now, or tomorrow"\n'), good=2)


def test_dates_of_today_are_loaded(tmp_path: Path) -> None:
    create("day date, name text")
    [(today,)] = sql("SELECT current_date")
    loaded = load(tmp_path, f"day,name\n{today},now\ntoday,x\n{today},y\n".encode())
    require(loaded, good=2, bad=[Bad(3, 2, b"today,x", {"day": DATE})])


def test_reason_and_value_of_a_long_text_are_cut(tmp_path: Path) -> None:
    create("id integer, name text")
    loaded = load(tmp_path, b"id,name\n" + b"x" * 100_000 + b",a\n")
    [problem] = loaded.rejects[0].problems
    assert (problem.column, problem.sqlstate, len(loaded.rejects[0].raw)) == ("id", SYNTAX, 64 * 1024)
    assert len(problem.reason) <= 1100
    assert problem.value == "x" * 1000


def test_file_of_one_column_has_null_in_blank_lines(tmp_path: Path) -> None:
    create("value integer")
    loaded = load(tmp_path, b"value\n1\n\nx\n3\n")
    require(loaded, good=3, bad=[Bad(4, 3, b"x", {"value": SYNTAX})])
    assert sql("SELECT count(*), count(value) FROM landing.orders") == [(3, 2)]
    assert rejects(loaded)[0].raw == b"x"


def test_bad_rows_are_found_in_a_large_file(tmp_path: Path) -> None:
    create("id integer, value integer")
    lines = [b"%d,%b" % (number, b"x" if number % 100 == 50 else b"1") for number in range(1, 5001)]
    loaded = load(tmp_path, b"\n".join([b"id,value", *lines]))
    bad = [Bad(number + 1, number, b"%d,x" % number, {"value": SYNTAX}) for number in range(50, 5001, 100)]
    require(loaded, good=4950, bad=bad)
