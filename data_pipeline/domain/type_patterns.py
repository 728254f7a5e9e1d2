"""Patterns of texts that PostgreSQL accepts for a type without a check.

They are regular expressions of Python and of PostgreSQL. Other texts may be accepted, too.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from data_pipeline.domain.csv_fields import CsvFormat
from data_pipeline.domain.iso_patterns import ISO_DATE, ISO_TIMESTAMP

_NUMBER = r"[+-]?\d{{1,{whole}}}(?:\.\d{{1,9}})?"
_PATTERNS = {
    "bigint": r"[+-]?\d{1,18}",
    "integer": r"[+-]?\d{1,9}",
    "smallint": r"[+-]?\d{1,4}",
    "boolean": "(?:true|false|t|f)",
    "date": ISO_DATE,
    "timestamp with time zone": ISO_TIMESTAMP,
    "timestamp without time zone": ISO_TIMESTAMP,
    "numeric": _NUMBER.format(whole=100),
    "double precision": _NUMBER.format(whole=100),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class FieldType:
    """What a field of a record must be."""

    type: str | None  # of PostgreSQL; None if every text is a value
    is_required: bool


def pattern_of_type(type_name: str) -> str | None:
    """Return the pattern of texts that a type surely accepts, or None."""
    if not type_name.startswith("numeric("):
        return _PATTERNS.get(type_name)
    precision, _, scale = type_name.removeprefix("numeric(").rstrip(")").partition(",")
    whole = int(precision) - int(scale or 0)
    return _NUMBER.format(whole=whole - 1) if whole > 1 else None  # rounding can add a digit


def pattern_of_record(fields: Sequence[FieldType], csv_format: CsvFormat) -> re.Pattern[bytes] | None:
    """Return the pattern of records whose values PostgreSQL surely accepts. None if a type has no pattern."""
    d, q = re.escape(csv_format.delimiter), re.escape(csv_format.quote)
    patterns = []
    for field in fields:
        if field.type is None:
            many = b"++" if field.is_required else b"*+"
            patterns.append(rb"(?:[^%b%b\r\n]%b|%b(?>(?:[^%b]++|%b%b)*)%b)" % (d, q, many, q, q, q, q, q))
            continue
        pattern = pattern_of_type(field.type)
        if pattern is None or csv_format.delimiter in b"+-.:0123456789TZ ":
            return None
        patterns.append(b"(?:%b)%b" % (pattern.encode(), b"" if field.is_required else b"?"))
    return re.compile(d.join(patterns))
