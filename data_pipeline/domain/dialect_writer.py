"""Writes a dialect as TOML that `parse_dialect` reads back."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import MISSING, fields
from enum import StrEnum

from data_pipeline.domain.dialects import NUMBER_RULES, Column, Dialect, Lookup


def dialect_to_toml(dialect: Dialect, *, notes: Iterable[str] = ()) -> str:
    """Return the text of a dialect's file.

    Keys that have their default are left out. The notes are comments.
    """
    lines = ["#:schema ./contract.schema.json", *(f"# {note}" for note in notes), *_assignments(dialect)]
    for column in dialect.columns:
        lines += ["", f"[columns.{_text(column.name)}]", *_assignments(column)]
    for lookup in dialect.lookups:
        lines += ["", f"[lookups.{_text(lookup.name)}]", *_assignments(lookup)]
    return "\n".join(lines) + "\n"


def _assignments(one: Dialect | Column | Lookup) -> Iterator[str]:
    for field in fields(one):
        value = getattr(one, field.name)
        default = field.default_factory() if field.default_factory is not MISSING else field.default
        needs_mark = field.name == "decimal_mark" and isinstance(one, Column) and one.rule in NUMBER_RULES
        if field.name not in {"name", "columns", "lookups"} and (value != default or needs_mark):
            yield f"{field.name} = {_value(value)}"


def _value(value: bool | str | StrEnum | Sequence[str] | Mapping[str, str]) -> str:  # noqa: FBT001
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_text(key)} = {_text(one)}" for key, one in value.items()) + "}"
    return "[" + ", ".join(map(_text, value)) + "]"


def _text(text: str) -> str:
    """Return a basic string of TOML.

    It has the escapes of JSON, and also escapes DEL.
    """
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
