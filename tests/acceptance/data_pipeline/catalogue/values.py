"""Values that PostgreSQL does not accept for the type of a column, and those whose meaning would change.

A file for each type has its accepted and its refused values. Values that a dialect normalizes have a file of their own.
"""

from tests.acceptance.data_pipeline.catalogue.files import File, value
from tests.acceptance.data_pipeline.file_loads import Bad, States

SYNTAX, RANGE, DATE, DATE_RANGE, TOO_LONG = "22P02", "22003", "22007", "22008", "22001"
NOT_NORMAL = "22023"  # refused by the rule of a dialect
# Type, values that are accepted with their text afterwards, and refused values with their SQLSTATE.
_TEXTS: dict[str, tuple[dict[str, str | None], dict[str, str]]] = {
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
_TYPES = """
CREATE TYPE landing.mood AS ENUM ('happy', 'sad');
CREATE DOMAIN landing.odd AS integer CHECK (VALUE % 2 = 1);
CREATE DOMAIN landing.filled AS varchar(2) NOT NULL;
CREATE DOMAIN landing.short AS landing.filled;
CREATE TYPE landing.pair AS (a integer, b text);
CREATE DOMAIN landing.moment AS date;
CREATE DOMAIN landing.inverse AS integer CHECK (1 / VALUE >= 0);
"""


def _of_type(type_name: str, accepted: dict[str, str | None], refused: dict[str, str]) -> File:
    lines = [f"{number},{_quoted(text)}" for number, text in enumerate([*refused, *accepted], start=1)]
    return File(
        name=f"values of the type {type_name}",
        content="\n".join(["id,value", *lines]).encode(),
        columns=f"id integer, value {type_name}",
        types=_TYPES,
        select="id, value::text",
        rows=list(enumerate(accepted.values(), start=len(refused) + 1)),
        bad=[
            Bad(number + 1, number, lines[number - 1].encode(), {"value": state})
            for number, state in enumerate(refused.values(), start=1)
        ],
    )


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if set(text) & set(',"') else text


def _new_integer(text: str, number: int) -> File:
    return File(
        name=f"integer {text}",
        content=f"value\n{text}\n".encode(),
        columns="value integer",
        bad=[Bad(2, 1, text.encode(), {"value": SYNTAX})],
        accepted_since_16=[(number,)],
    )


_DECIMAL_COMMA = 'delimiter = ";"\ndecimal_mark = ","\nnull_words = ["n/a", "NULL"]\n[columns.value]\nrule = "{}"\n'
_DAY_FIRST = 'delimiter = ";"\n[columns.value]\nrule = "date"\nformats = ["%d/%m/%Y"]\n'


def _amount(name: str, text: str, expected: str | None, *, rule: str = "currency", bad: str = "") -> File:
    states: States | None = {"value": bad} if bad else None
    return value(name, text, expected, of="numeric", bad=states, dialect=_DECIMAL_COMMA.format(rule))


NORMALIZED = [
    _amount("decimal comma", "1.234,56", "1234.56", rule="decimal"),
    _amount("decimal point for a comma", "1,234.56", None, rule="decimal", bad=NOT_NORMAL),
    value(
        "decimal comma without a dialect", "1,5", None, of="numeric", bad={"value": SYNTAX}, dialect='delimiter = ";"'
    ),
    _amount("thin space between thousands", "1\u2009234,50", "1234.50", rule="decimal"),
    _amount("narrow no-break space between thousands", "1\u202f234,50", "1234.50", rule="decimal"),
    _amount("no-break space between thousands", "1\u00a0234,50", "1234.50", rule="decimal"),
    _amount("groups of two digits", "12.34.56", None, rule="decimal", bad=NOT_NORMAL),
    _amount("currency in front", "€ 1.234,50", "1234.50"),
    _amount("currency behind", "1.234,50 zł", "1234.50"),
    _amount("currency of a plain decimal", "5 €", None, rule="decimal", bad=NOT_NORMAL),
    _amount("negative amount in parentheses", "(5,00 EUR)", "-5.00"),
    _amount("trailing minus", "5,00-", "-5.00", rule="decimal"),
    _amount("minus sign of typography", "\u22125,00", "-5.00", rule="decimal"),
    _amount("Arabic digits", "١٢", None, rule="decimal", bad=NOT_NORMAL),
    _amount("full-width digits", "\uff15", None, rule="decimal", bad=NOT_NORMAL),
    _amount("declared word for NULL", "n/a", None),
    _amount("undeclared word for NULL", "unknown", None, bad=NOT_NORMAL),
    value("day before the month, declared", "01/02/2025", "2025-02-01", of="date", dialect=_DAY_FIRST),
    value(
        "month before the day, against the declaration",
        "01/13/2025",
        None,
        of="date",
        bad={"value": NOT_NORMAL},
        dialect=_DAY_FIRST,
    ),
]
VALUES = [
    *[_of_type(type_name, *texts) for type_name, texts in _TEXTS.items()],
    _new_integer("1_000", 1000),
    _new_integer("0x10", 16),
    _new_integer("0b11", 3),
    _new_integer("0o7", 7),
    File(
        name="words of dates in a text",
        content=b'day,name\n2025-01-01,today\n2025-01-02,"now, or tomorrow"\n',
        columns="day date, name text",
        select="day::text, name",
        rows=[("2025-01-01", "today"), ("2025-01-02", "now, or tomorrow")],
    ),
    *NORMALIZED,
]
