import json
from dataclasses import replace
from importlib.resources import files
from typing import Any

import pytest

from data_pipeline.dialect_errors import BadDialectValue, DialectError, DialectUnreadable, UnknownDialectKey
from data_pipeline.domain.dialect_parser import COLUMN_KEYS, DIALECT_KEYS, LOOKUP_KEYS, parse_dialect
from data_pipeline.domain.dialect_writer import dialect_to_toml
from data_pipeline.domain.dialects import Column, Dialect, Lookup, Missing, Mode, Pii, Rule, Surplus

LOOKUP = "[lookups.b]\ncolumn = 'a'\nreference = 'r.csv'\n"


def test_empty_dialect_has_the_defaults() -> None:
    assert parse_dialect("", name="plain") == Dialect(name="plain")


def test_every_key_is_read() -> None:
    text = """
        delimiter = ";"
        quote = "'"
        encoding = "windows-1252"
        null_words = ["NULL", "-"]
        decimal_mark = ","
        group_mark = "."
        date_formats = ["%d.%m.%Y"]
        target = "public.orders"
        key = ["id"]
        mode = "upsert"
        surplus = "rescue"
        sheet = "Data"
        [columns.id]
        type = "bigint"
        aliases = ["Order ID"]
        required = true
        [columns.price]
        rule = "currency"
        currency = "EUR"
        [columns.weight]
        rule = "decimal"
        decimal_mark = "."
        group_mark = ""
        [columns.day]
        rule = "date"
        [columns.at]
        rule = "timestamp"
        formats = ["%d.%m.%Y %H:%M"]
        [columns.paid]
        rule = "map"
        values = {ja = "true", nein = "false"}
        pii = "hash"
    """
    assert parse_dialect(text, name="orders") == Dialect(
        name="orders",
        delimiter=";",
        quote="'",
        encoding="cp1252",
        null_words=("NULL", "-"),
        decimal_mark=",",
        group_mark=".",
        date_formats=("%d.%m.%Y",),
        target="public.orders",
        key=("id",),
        mode=Mode.UPSERT,
        surplus=Surplus.RESCUE,
        sheet="Data",
        columns=(
            Column(name="id", type="bigint", aliases=("Order ID",), required=True),
            Column(name="price", rule=Rule.CURRENCY, decimal_mark=",", group_mark=".", currency="EUR"),
            Column(name="weight", rule=Rule.DECIMAL, decimal_mark=".", group_mark=""),
            Column(name="day", rule=Rule.DATE, formats=("%d.%m.%Y",)),
            Column(name="at", rule=Rule.TIMESTAMP, formats=("%d.%m.%Y %H:%M",)),
            Column(name="paid", rule=Rule.MAP, values={"ja": "true", "nein": "false"}, pii=Pii.HASH),
        ),
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "delimeter = ';'",
            "has the unknown key delimeter. The nearest one is 'delimiter'. Allowed: columns, date_form",
        ),
        (
            "[columns.a]\nrul = 'trim'",
            "has the unknown key columns.a.rul. The nearest one is 'rule'. Allowed: aliases,",
        ),
        ("name = 'x'", "has the unknown key name"),
    ],
)
def test_unknown_key_is_refused_with_the_nearest(text: str, message: str) -> None:
    with pytest.raises(UnknownDialectKey) as caught:
        parse_dialect(text, name="orders")
    assert str(caught.value).startswith(f"The dialect orders {message}")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("delimiter = ''", "delimiter: '' must be one ASCII character other than a letter, a digit or a line end."),
        ("delimiter = '||'", "delimiter: '||' must be one ASCII character other than a letter, a digit or a line end."),
        ("delimiter = '§'", "delimiter: '§' must be one ASCII character"),
        ("delimiter = 'x'", "delimiter: 'x' must be one ASCII character"),
        ('delimiter = "\\n"', "delimiter: '\\n' must be one ASCII character"),
        ("quote = 5", "quote: 5 must be one ASCII character"),
        ("quote = ','", "quote: ',' must be another character than the delimiter."),
        ("encoding = 'cp125'", "encoding: 'cp125' must be the name of an encoding"),
        ("encoding = 'rot13'", "encoding: 'rot13' must be the name of an encoding"),
        ("encoding = 'utf-7'", "encoding: 'utf-7' must be an encoding with the characters of ASCII."),
        ("encoding = 'unicode_escape'", "encoding: 'unicode_escape' must be an encoding with the characters of ASCII."),
        ("encoding = 'cp500'", "encoding: 'cp500' must be an encoding with the characters of ASCII."),
        ("null_words = 'NULL'", "null_words: 'NULL' must be a list of texts that are not empty."),
        ("null_words = ['']", "null_words: [''] must be a list of texts that are not empty."),
        ("key = ['a', 'a']", "key: ['a', 'a'] must be a list without duplicates."),
        ("decimal_mark = ';'", "decimal_mark: ';' must be '.' or ','."),
        ("decimal_mark = ['.']", "decimal_mark: ['.'] must be '.' or ','."),
        ("group_mark = '_'", "group_mark: '_' must be '.', ','"),
        ("date_formats = ['%d.%m.%y']", "must be formats such as '%d.%m.%Y': %y is not one of %Y, %m"),
        ("date_formats = ['%d.%m.%Y %H:%M']", "must be formats of dates without a time."),
        ("date_formats = ['%d/%m/%Y', '%m/%d/%Y']", "'%d/%m/%Y' and '%m/%d/%Y' read '03/02/2001' differently."),
        ("target = 'a.b.c'", "target: 'a.b.c' must be 'table' or 'schema.table'."),
        ("target = 'a.'", "target: 'a.' must be 'table' or 'schema.table'."),
        ("mode = 'upsrt'", "must be one of append, upsert, replace, snapshot. The nearest one is 'upsert'."),
        ("surplus = true", "surplus: True must be one of refuse, add, rescue."),
        ("sheet = ''", "sheet: '' must be a text that is not empty."),
        ("columns = 5", "columns: 5 must be tables [columns.NAME]."),
        ("[columns]\na = 5", "columns.a: 5 must be a table with a name of 1 to 63 bytes."),
        ("[columns.'']", "columns.: {} must be a table with a name of 1 to 63 bytes."),
        ("[columns.a]\ntype = 'int; DROP TABLE x'", "columns.a.type: 'int; DROP TABLE x' must be a type"),
        ("[columns.a]\ntype = 'int--'", "columns.a.type: 'int--' must be a type"),
        ("[columns.a]\nrequired = 1", "columns.a.required: 1 must be true or false."),
        ("[columns.a]\nrule = 'datum'", "columns.a.rule: 'datum' must be one of trim, upper"),
        ("[columns.a]\nrule = 'decimal'", "columns.a.rule: 'decimal' must be beside decimal_mark = '.' or ','"),
        ("decimal_mark = ','\n[columns.a]\nrule = 'decimal'\ngroup_mark = ','", "a group_mark that differs"),
        ("[columns.a]\nrule = 'map'", "columns.a.rule: 'map' must be beside values."),
        ("[columns.a]\nrule = 'date'\nformats = ['%Y-%m-%d %H']", "beside formats without a time"),
        ("[columns.a]\nformats = ['%Y-%m-%d']", "columns.a.formats: ['%Y-%m-%d'] must be beside rule = date or timest"),
        ("[columns.a]\nrule = 'decimal'\ncurrency = 'EUR'", "currency: 'EUR' must be beside rule = currency."),
        (
            "[columns.a]\nrule = 'currency'\ncurrency = 'EURO'",
            "an ISO 4217 code such as EUR. The nearest one is 'EUR'.",
        ),
        ("[columns.a]\nrule = 'map'\nvalues = {ja = 1}", "columns.a.values: {'ja': 1} must be texts by text"),
        ("[columns.a]\nrule = 'map'\nvalues = {ja = '1', Ja = '2'}", "must be texts by text that differ in more than"),
        ("[columns.a]\naliases = ['B']\n[columns.b]", "columns.b.aliases: 'b' must be no name of the column a."),
        (
            "key = ['a']\n[columns.a]\npii = 'mask'",
            "columns.a.pii: 'mask' must be hash, because the column is of the key.",
        ),
        ("lookups = 1", "lookups: 1 must be tables [lookups.NAME]."),
        ("[lookups.a]\nreference = 'r.csv'", "lookups.a.column: None must be given."),
        ("[lookups.a]\ncolumn = 'b'", "lookups.a.reference: None must be given, or else the key table."),
        (f"{LOOKUP}table = 'a.b'", "lookups.b.reference: 'r.csv' must be given, or else the key table."),
        ("[lookups.a]\ncolumn = 'b'\ntable = 'c'", "lookups.a.table: 'c' must be 'schema.table'."),
        (
            "[lookups.a]\ncolumn = 'b'\ntable = 'pg_catalog.c'",
            "lookups.a.table: 'pg_catalog.c' must be 'schema.table'.",
        ),
        (f"{LOOKUP}missing = 'ignore'", "lookups.b.missing: 'ignore' must be one of reject, null."),
        (LOOKUP, "lookups.b.column: 'a' must be a column of the dialect without pii."),
        (f"{LOOKUP}[columns.a]\npii = 'mask'", "lookups.b.column: 'a' must be a column of the dialect without pii."),
        (f"{LOOKUP}[columns.a]\n[columns.b]", "lookups.b: 'b' must be another name than those of the columns."),
    ],
)
def test_bad_value_is_refused_with_key_and_what_is_allowed(text: str, message: str) -> None:
    with pytest.raises(BadDialectValue) as caught:
        parse_dialect(text, name="orders")
    assert str(caught.value).startswith("The dialect orders, key ")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_text_that_is_not_toml_is_refused_with_its_place() -> None:
    with pytest.raises(DialectUnreadable, match=r"The dialect orders cannot be read: .*\(at line 1, column 13\)"):
        parse_dialect("delimiter = \nquote = 5", name="orders")


@pytest.mark.parametrize(
    "name",
    ["numeric(12,2)", "numeric(5, -2)", "timestamp(3) with time zone", "text[]", "public.mood", "double precision"],
)
def test_type_of_postgresql_is_accepted(name: str) -> None:
    assert parse_dialect(f"[columns.a]\ntype = '{name}'", name="x").columns[0].type == name


def test_lookup_has_names_of_its_columns_by_default() -> None:
    [lookup] = parse_dialect(f"{LOOKUP}[columns.a]", name="x").lookups
    assert lookup == Lookup(name="b", column="a", reference="r.csv", match="a", take="b", missing=Missing.REJECT)
    text = dialect_to_toml(parse_dialect(f"{LOOKUP}take = 'c'\n[columns.a]", name="x"))
    assert parse_dialect(text, name="x").lookups == (replace(lookup, take="c"),)


def schema() -> Any:
    return json.loads((files("data_pipeline.domain") / "dialect_files" / "contract.schema.json").read_text("utf-8"))


def test_json_schema_has_the_keys_of_the_parser() -> None:
    document = schema()
    assert document["properties"].keys() == {*DIALECT_KEYS, "columns", "lookups"}
    assert document["$defs"]["column"]["properties"].keys() == COLUMN_KEYS.keys()
    assert document["$defs"]["lookup"]["properties"].keys() == LOOKUP_KEYS.keys()


def test_json_schema_has_the_words_of_the_parser() -> None:
    document = schema()
    tables = ((DIALECT_KEYS, document["properties"]), (COLUMN_KEYS, document["$defs"]["column"]["properties"]))
    for readers, properties in tables:
        for key, definition in properties.items():
            for word in definition.get("enum", ()):
                assert readers[key](word) == word


@pytest.mark.parametrize(("kind", "key"), [(Mode, "mode"), (Surplus, "surplus"), (Rule, "rule"), (Pii, "pii")])
def test_json_schema_has_every_word_of_a_closed_set(kind: Any, key: str) -> None:
    document = schema()
    properties = document["properties"] | document["$defs"]["column"]["properties"]
    assert properties[key]["enum"] == [word.value for word in kind]


def test_all_refusals_are_errors_of_dialects() -> None:
    assert all(issubclass(kind, DialectError) for kind in (BadDialectValue, DialectUnreadable, UnknownDialectKey))
