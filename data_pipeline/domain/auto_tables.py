"""The table that `--table auto` creates: name, columns and types."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import Final

from data_pipeline.domain.dialect_inference import column_names, infer_columns, safe_name
from data_pipeline.domain.dialects import Column, Dialect, Rule, Surplus
from data_pipeline.domain.headers import RESERVED_NAMES, find_targets
from data_pipeline.domain.inferred_types import InferredType

_COMPRESSIONS: Final = {".gz", ".zst", ".zip"}
_NUMBERS_AT_END = re.compile(r"(_[0-9]+)+$")
_DELIMITERS: Final = (",", ";", "\t", "|")
_TYPE_OF_RULE: Final[Mapping[Rule, str]] = {
    Rule.DECIMAL: "numeric",
    Rule.CURRENCY: "numeric",
    Rule.DATE: "date",
    Rule.TIMESTAMP: "timestamp",
    Rule.BOOLEAN: "boolean",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class NewColumn:
    """A nullable column of a new table."""

    name: str
    type: str


def table_name(file_name: str) -> str:
    """Return the name of the table for a file's name.

    It is in lower case, without suffixes and without numbers at the end. Everything that is neither a letter nor a
    digit becomes an underscore. So `Orders 2025-01-31.csv.gz` and `orders_7.xlsx` belong to the table `orders`.
    """
    path = PurePath(file_name)
    if path.suffix.lower() in _COMPRESSIONS:
        path = path.with_suffix("")
    name = safe_name(path.stem)
    without_numbers = _NUMBERS_AT_END.sub("", name)
    return f"file_{name}".rstrip("_") if without_numbers[:1].isdigit() or not name else without_numbers


def likely_delimiter(header: str) -> str:
    """Return the delimiter that separates most names of a header. A comma if there is none."""
    outside_quotes = "".join(header.split('"')[::2])
    return max(_DELIMITERS, key=outside_quotes.count)


def with_header(dialect: Dialect, names: Sequence[str], *, target: str, artefact: str) -> Dialect:
    """Return a dialect with a target and a column for each heading.

    A heading that no declared column has gets a column with a safe name. Raises `HeaderRefused`.
    """
    known = find_targets(names, dialect=dialect, table_columns=[column.name for column in dialect.columns])
    safe = [f"{name}_" if name in RESERVED_NAMES else name for name in column_names(names, artefact=artefact)]
    added = tuple(
        Column(name=name, aliases=() if heading == name else (heading,))
        for heading, name, column in zip(names, safe, known, strict=True)
        if column is None
    )
    return replace(dialect, target=target, columns=(*dialect.columns, *added))


def new_columns(
    dialect: Dialect, names: Sequence[str], sample: Iterable[Sequence[str]], *, artefact: str
) -> Sequence[NewColumn]:
    """Return a new table's columns in the order of the dialect.

    A type that the dialect does not declare is that of the rule, or the narrowest of the sample. Local dates and
    columns without a value stay text, so that PostgreSQL reads the values of later files alike.
    """
    inferred = infer_columns(names, sample, artefact=artefact).columns
    targets = find_targets(names, dialect=dialect, table_columns=[column.name for column in dialect.columns])
    types = {
        target: InferredType.TEXT if column.date_format else column.type
        for target, column in zip(targets, inferred, strict=True)
    }
    columns = [
        NewColumn(name=column.name, type=_type(column, types.get(column.name, InferredType.TEXT)))
        for column in dialect.columns
    ]
    columns += [NewColumn(name=lookup.name, type="text") for lookup in dialect.lookups]
    if dialect.surplus is Surplus.RESCUE:
        columns.append(NewColumn(name=dialect.rescue_column, type="jsonb"))
    return columns


def _type(column: Column, inferred: InferredType) -> str:
    if column.type is not None:
        return column.type
    if column.pii is not None:
        return InferredType.TEXT.value
    if column.rule is not None:
        return _TYPE_OF_RULE.get(column.rule, InferredType.TEXT.value)
    return inferred.value
