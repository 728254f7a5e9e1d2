"""Reads a dialect from TOML. A dialect is data: nothing in it is executed."""

import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from data_pipeline.dialect_errors import BadDialectValue, DialectUnreadable, UnknownDialectKey
from data_pipeline.domain import dialect_values as values
from data_pipeline.domain.case_folding import fold
from data_pipeline.domain.date_formats import parse_format
from data_pipeline.domain.dialect_values import BadValue
from data_pipeline.domain.dialects import (
    NUMBER_RULES,
    TIME_RULES,
    Column,
    Dialect,
    Lookup,
    Missing,
    Mode,
    Pii,
    Rule,
    Surplus,
)
from seeder.domain.suggestions import did_you_mean
from seeder.texts import Text

_Readers = Mapping[str, Callable[[object], Any]]

DIALECT_KEYS: Final[_Readers] = {
    "delimiter": values.read_separator,
    "quote": values.read_separator,
    "encoding": values.read_encoding,
    "null_words": values.read_words,
    "decimal_mark": values.read_decimal_mark,
    "group_mark": values.read_group_mark,
    "date_formats": values.read_date_formats,
    "target": values.read_target,
    "key": values.read_words,
    "mode": values.read_word(Mode),
    "surplus": values.read_word(Surplus),
    "rescue_column": values.read_column_name,
    "sheet": values.read_text,
}
COLUMN_KEYS: Final[_Readers] = {
    "type": values.read_type,
    "aliases": values.read_words,
    "required": values.read_flag,
    "rule": values.read_word(Rule),
    "decimal_mark": values.read_decimal_mark,
    "group_mark": values.read_group_mark,
    "currency": values.read_currency,
    "formats": values.read_formats,
    "values": values.read_mapping,
    "pii": values.read_word(Pii),
}
LOOKUP_KEYS: Final[_Readers] = {
    "column": values.read_column_name,
    "reference": values.read_text,
    "table": values.read_relation,
    "match": values.read_text,
    "take": values.read_text,
    "missing": values.read_word(Missing),
}
# Keys without an effect are refused, because they show that another rule was meant.
_RULES_OF_KEY: Final = {
    "decimal_mark": NUMBER_RULES,
    "group_mark": NUMBER_RULES,
    "currency": frozenset((Rule.CURRENCY,)),
    "formats": TIME_RULES,
    "values": frozenset((Rule.MAP,)),
}


def parse_dialect(text: str, *, name: str) -> Dialect:
    """Parse a dialect. `name` is that of its file, without the suffix.

    Raises a `DialectError` with the name, the key, its value and what is allowed.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise DialectUnreadable(dialect=name, cause=error) from error
    try:
        return _read_dialect(document, name=name)
    except _UnknownKey as problem:
        raise UnknownDialectKey(dialect=name, **problem.facts) from None
    except _BadKey as problem:
        raise BadDialectValue(dialect=name, **problem.facts) from None


class _UnknownKey(Exception):
    def __init__(self, key: str, allowed: Iterable[str], prefix: str) -> None:
        names = sorted(allowed)
        suggestion = did_you_mean(key, names)
        self.facts = {"key": f"{prefix}{key}", "suggestion": suggestion, "allowed": ", ".join(names)}


class _BadKey(Exception):
    def __init__(self, key: str, value: object, expected: str, suggestion: str = "") -> None:
        self.facts = {"key": key, "value": value, "expected": expected, "suggestion": suggestion}


def _read_dialect(document: dict[str, Any], *, name: str) -> Dialect:
    tables = document.pop("columns", {})
    if not isinstance(tables, dict):
        raise _BadKey("columns", tables, Text("tables [columns.NAME]"))
    lookups = document.pop("lookups", {})
    if not isinstance(lookups, dict):
        raise _BadKey("lookups", lookups, Text("tables [lookups.NAME]"))
    settings = _read_keys(document, DIALECT_KEYS, prefix="", others=("columns", "lookups"))
    dialect = Dialect(
        name=name,
        **settings,
        columns=tuple(_read_column(column, table, settings) for column, table in tables.items()),
        lookups=tuple(_read_lookup(lookup, table) for lookup, table in lookups.items()),
    )
    if dialect.delimiter == dialect.quote:
        raise _BadKey("quote", dialect.quote, Text("another character than the delimiter"))
    _check_key(dialect)
    _check_aliases(dialect)
    _check_lookups(dialect)
    return dialect


def _read_column(name: str, table: object, settings: Mapping[str, Any]) -> Column:
    prefix = f"columns.{name}."
    if not isinstance(table, dict) or not values.is_identifier(name):
        raise _BadKey(
            prefix[:-1],
            table,
            Text("a table with a name of 1 to {max_bytes} bytes", max_bytes=values.MAX_NAME_BYTES),
        )
    given = _read_keys(table, COLUMN_KEYS, prefix=prefix)
    rule = given.get("rule")
    for key, rules in _RULES_OF_KEY.items():
        if key in given and rule not in rules:
            raise _BadKey(prefix + key, table[key], Text("beside rule = {rules}", rules=" or ".join(sorted(rules))))
    inherited = {key: settings[source] for key, source in _inherited_keys(rule).items() if source in settings}
    column = Column(name=name, **(inherited | given))
    if problem := _rule_problem(column, is_mark_declared="decimal_mark" in inherited | given):
        raise _BadKey(f"{prefix}rule", str(rule), problem)
    return column


def _read_lookup(name: str, table: object) -> Lookup:
    prefix = f"lookups.{name}."
    if not isinstance(table, dict) or not values.is_identifier(name):
        raise _BadKey(
            prefix[:-1],
            table,
            Text("a table with a name of 1 to {max_bytes} bytes", max_bytes=values.MAX_NAME_BYTES),
        )
    given = _read_keys(table, LOOKUP_KEYS, prefix=prefix)
    if "column" not in given:
        raise _BadKey(f"{prefix}column", None, Text("given"))
    if ("reference" in given) == ("table" in given):
        raise _BadKey(f"{prefix}reference", table.get("reference"), Text("given, or else the key table"))
    return Lookup(name=name, **{"match": given["column"], "take": name, **given})


def _inherited_keys(rule: Rule | None) -> Mapping[str, str]:
    if rule in NUMBER_RULES:
        return {"decimal_mark": "decimal_mark", "group_mark": "group_mark"}
    return {"formats": "date_formats"} if rule is Rule.DATE else {}


def _rule_problem(column: Column, *, is_mark_declared: bool) -> str | None:
    """Return what the column's rule needs, or None if it has all."""
    if column.rule in NUMBER_RULES and not is_mark_declared:
        return Text("beside decimal_mark = '.' or ',', because 1.234 differs by it")
    if column.rule in NUMBER_RULES and column.decimal_mark == column.group_mark:
        return Text("beside a group_mark that differs from decimal_mark")
    if column.rule is Rule.DATE and any(parse_format(text).has_time for text in column.formats):
        return Text("beside formats without a time; the rule timestamp keeps it")
    if column.rule is Rule.MAP and not column.values:
        return Text("beside values")
    return None


def _read_keys(
    table: Mapping[str, object], readers: _Readers, *, prefix: str, others: Sequence[str] = ()
) -> dict[str, Any]:
    for key in table:
        if key not in readers:
            raise _UnknownKey(key, (*readers, *others), prefix)
    return {key: _read_value(readers[key], value, key=f"{prefix}{key}") for key, value in table.items()}


def _read_value(read: Callable[[object], Any], value: object, *, key: str) -> object:
    try:
        return read(value)
    except BadValue as problem:
        raise _BadKey(key, value, problem.expected, problem.suggestion) from problem


def _check_key(dialect: Dialect) -> None:
    """Refuse a key whose values are not stored: its rows could not be told apart."""
    for column in dialect.columns:
        if column.name in dialect.key and column.pii in {Pii.DROP, Pii.MASK}:
            raise _BadKey(
                f"columns.{column.name}.pii",
                str(column.pii),
                Text("hash, because the column is of the key"),
            )


def _check_aliases(dialect: Dialect) -> None:
    """Refuse a header that would name two columns."""
    owners: dict[str, str] = {}
    for column in dialect.columns:
        for spelling in (column.name, *column.aliases):
            if owners.setdefault(fold(spelling), column.name) != column.name:
                other = owners[fold(spelling)]
                raise _BadKey(
                    f"columns.{column.name}.aliases",
                    spelling,
                    Text("no name of the column {other}", other=other),
                )


def _check_lookups(dialect: Dialect) -> None:
    """Refuse lookups of undeclared or personal columns, and names of columns."""
    columns = {column.name: column for column in dialect.columns}
    for lookup in dialect.lookups:
        column = columns.get(lookup.column)
        if column is None or column.pii is not None:
            raise _BadKey(
                f"lookups.{lookup.name}.column",
                lookup.column,
                Text("a column of the dialect without pii"),
            )
        if lookup.name in columns:
            raise _BadKey(f"lookups.{lookup.name}", lookup.name, Text("another name than those of the columns"))
