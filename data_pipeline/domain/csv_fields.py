"""The fields of a CSV record, and what makes a record malformed.

In a well-formed record (RFC 4180), each field is quoted as a whole or has no quote. It has as many fields as the
header. COPY is less strict: it accepts quotes in the middle of a field and removes them.
"""

import re
import sys
from dataclasses import dataclass
from functools import lru_cache

from data_pipeline.domain.rejects import Problem
from seeder.domain.human_format import format_count
from seeder.texts import Text

BAD_COPY_FILE_FORMAT = "22P04"  # PostgreSQL's SQLSTATE for the same faults
UNTRANSLATABLE_BYTES = "22021"
# Python before 3.11.5 matches possessive repetitions of such groups wrongly (gh-106052). The atomic groups that replace
# them take twice the time and much more memory.
HAS_POSSESSIVE_GROUPS = sys.version_info >= (3, 11, 5)


@dataclass(frozen=True, kw_only=True, slots=True)
class CsvFormat:
    """What separates and quotes fields."""

    delimiter: bytes = b","
    quote: bytes = b'"'
    line_end: bytes = b"\n"


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a record is malformed."""

    sqlstate: str
    reason: str
    is_structural: bool  # the end of the record is uncertain

    def as_problem(self) -> Problem:
        return Problem(column=None, sqlstate=self.sqlstate, reason=self.reason)


def find_fault(record: bytes, csv_format: CsvFormat, *, columns: int | None) -> Fault | None:
    """Return the fault of a record, or None. The number of columns is None for a header."""
    if columns and _record_pattern(csv_format.delimiter, csv_format.quote, columns).fullmatch(record):
        return _text_fault(record)
    fields = fields_of(record, csv_format)
    if fields is None:
        return _quote_fault(record, csv_format)
    found = len(fields)
    if columns is not None and found != columns:
        numbers = {"fields": format_count(found, "field"), "columns": columns}
        if found < columns:
            reason = Text("missing data: the record has {fields}, but the header has {columns}", **numbers)
        else:
            reason = Text("extra data: the record has {fields}, but the header has {columns}", **numbers)
        return Fault(BAD_COPY_FILE_FORMAT, reason, is_structural=True)
    fault = _text_fault(record)
    if fault is None and any(one[2] and (b"\r" in one[2] or b"\n" in one[2]) for one in fields):
        reason = Text("a field that is not quoted has a carriage return or line feed")
        return Fault(BAD_COPY_FILE_FORMAT, reason, is_structural=False)
    return fault


def _text_fault(record: bytes) -> Fault | None:
    """Return the fault of bytes that are not text, or None."""
    if b"\0" in record:
        reason = Text("byte {position} of the record is NUL", position=record.index(bytes(1)) + 1)
        return Fault(UNTRANSLATABLE_BYTES, reason, is_structural=False)
    try:
        record.decode()
    except UnicodeDecodeError as error:
        reason = Text(
            "byte {position} of the record is not UTF-8: 0x{byte:02x}",
            position=error.start + 1,
            byte=record[error.start],
        )
        return Fault(UNTRANSLATABLE_BYTES, reason, is_structural=False)
    return None


def parse_fields(record: bytes, csv_format: CsvFormat) -> list[str | None]:
    """Return the values of a well-formed record. An empty field without quotes is None, as in COPY."""
    quote = csv_format.quote.decode()
    return [
        (one[2].decode() or None) if one[1] is None else one[1].decode().replace(quote * 2, quote)
        for one in fields_of(record, csv_format) or ()
    ]


def fields_of(record: bytes, csv_format: CsvFormat) -> list[re.Match[bytes]] | None:
    """Return a match for each field.

    None if a quote is misplaced. Group 1 is the text of a quoted field, group 2 that of another.
    """
    pattern, matches, position = _field_pattern(csv_format.delimiter, csv_format.quote), [], 0
    while (found := pattern.match(record, position)) is not None:
        matches.append(found)
        if not found[3]:
            return matches
        position = found.end()
    return None


def _quote_fault(record: bytes, csv_format: CsvFormat) -> Fault:
    if record.count(csv_format.quote) & 1:
        reason = Text("a quote that opens in this line is not closed, or stands inside a field")
    else:
        reason = Text("a quote stands inside a field that is not quoted, or after the closing quote")
    return Fault(BAD_COPY_FILE_FORMAT, reason, is_structural=True)


@lru_cache(maxsize=16)
def _record_pattern(delimiter: bytes, quote: bytes, columns: int) -> re.Pattern[bytes]:
    """Return the pattern of the fields of a well-formed record. It is ten times as fast as a match for each field."""
    d, q = re.escape(delimiter), re.escape(quote)
    one = rb"(?:%b(?>(?:[^%b]++|%b%b)*)%b|[^%b%b\r\n]*+)" % (q, q, q, q, q, q, d)
    return re.compile(rb"%b(?:%b%b){%d}" % (one, d, one, columns - 1))


@lru_cache(maxsize=16)
def _field_pattern(delimiter: bytes, quote: bytes) -> re.Pattern[bytes]:
    d, q = re.escape(delimiter), re.escape(quote)
    return re.compile(rb"(?:%b((?>(?:[^%b]|%b%b)*))%b|([^%b%b]*+))(%b|\Z)" % (q, q, q, q, q, q, d, d), re.DOTALL)
