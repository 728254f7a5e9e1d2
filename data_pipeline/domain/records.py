"""Splits CSV bytes that PostgreSQL refused into records, and finds those that are malformed.

Stricter than COPY, which accepts quotes in the middle of a field and removes them. A record is well formed if each
field is quoted as a whole or has no quote, and if it has as many fields as the header (RFC 4180, section 2).
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from data_pipeline.domain.rejects import MAX_RAW_BYTES, Problem, Reject

BAD_COPY_FILE_FORMAT = "22P04"  # PostgreSQL's SQLSTATE for the same faults
INVALID_UTF8, NUL_BYTE = "22021", "22021"


@dataclass(kw_only=True, slots=True)
class SplitRecords:
    """The records of some bytes. `numbers`, `lines` and `records` have an entry for each well-formed record."""

    numbers: list[int] = field(default_factory=list)  # record numbers, from 1
    lines: list[int] = field(default_factory=list)  # physical lines at which the records begin, from 1
    records: list[bytes] = field(default_factory=list)  # without their line ends
    rejects: list[Reject] = field(default_factory=list)

    @property
    def count(self) -> int:
        return len(self.records) + len(self.rejects)


@dataclass(frozen=True, kw_only=True, slots=True)
class CsvFormat:
    """What separates and quotes fields."""

    delimiter: bytes = b","
    quote: bytes = b'"'
    line_end: bytes = b"\n"


def split_records(
    data: bytes, csv_format: CsvFormat, *, columns: int, first_line: int, first_number: int
) -> SplitRecords:
    """Split whole records. Lines without a character are no records, unless there is only one column.

    After a malformed record, parsing continues in the next physical line, so that an unclosed quote costs one line.
    """
    split, lines = SplitRecords(), data.split(csv_format.line_end)
    if not lines[-1]:
        lines.pop()
    is_utf8 = _is_utf8(data)
    position, number = 0, first_number
    while position < len(lines):
        text, length = _record_at(lines, position, csv_format)
        line = first_line + position
        if not text and columns > 1:
            position += 1
            continue
        problem = _problem(text, csv_format, columns) if is_utf8 else _problem_of_any_bytes(text, csv_format, columns)
        if problem is None:
            split.numbers.append(number)
            split.lines.append(line)
            split.records.append(text)
            position += length
        else:
            raw = text if length == 1 or not problem.is_structural else _without_return(lines[position])
            reject = Reject(line_no=line, record_no=number, raw=raw[:MAX_RAW_BYTES], problems=[problem.as_problem()])
            split.rejects.append(reject)
            position += 1 if problem.is_structural else length
        number += 1
    return split


@dataclass(frozen=True, slots=True)
class _Fault:
    sqlstate: str
    reason: str
    is_structural: bool = True  # the end of the record is uncertain

    def as_problem(self) -> Problem:
        return Problem(column=None, sqlstate=self.sqlstate, reason=self.reason)


def _record_at(lines: Sequence[bytes], position: int, csv_format: CsvFormat) -> tuple[bytes, int]:
    """Return the record that begins in a line, without its line end, and its number of physical lines."""
    first, quote = lines[position], csv_format.quote
    if not first.count(quote) & 1:
        return _without_return(first), 1
    for end in range(position + 1, len(lines)):
        if lines[end].count(quote) & 1:
            return _without_return(csv_format.line_end.join(lines[position : end + 1])), end + 1 - position
    return _without_return(first), 1  # the quote is never closed


def _without_return(line: bytes) -> bytes:
    """Return a line without the carriage return of a CRLF."""
    return line[:-1] if line.endswith(b"\r") else line


def _problem_of_any_bytes(record: bytes, csv_format: CsvFormat, columns: int) -> _Fault | None:
    try:
        record.decode()
    except UnicodeDecodeError as error:
        reason = f"byte {error.start + 1} of the record is not UTF-8: 0x{record[error.start]:02x}"
        return _Fault(INVALID_UTF8, reason, is_structural=b"\n" in record)
    return _problem(record, csv_format, columns)


def _problem(record: bytes, csv_format: CsvFormat, columns: int) -> _Fault | None:
    """Return the fault of a record, or None."""
    if b"\0" in record:
        return _Fault(NUL_BYTE, f"byte {record.index(bytes(1)) + 1} of the record is NUL", is_structural=False)
    if csv_format.quote in record:
        fields = list(_fields(record, csv_format))
        if fields[-1] is None:
            return _quote_fault(record, csv_format)
        found = len(fields)
    else:
        found = record.count(csv_format.delimiter) + 1
    if found != columns:
        few_or_many = "missing data: " if found < columns else "extra data: "
        return _Fault(BAD_COPY_FILE_FORMAT, f"{few_or_many}the record has {found} fields, but the header has {columns}")
    has_return = b"\r" in record and any(b"\r" in one for one in _unquoted_fields(record, csv_format))
    if has_return:
        return _Fault(BAD_COPY_FILE_FORMAT, "a field that is not quoted has a carriage return", is_structural=False)
    return None


def _quote_fault(record: bytes, csv_format: CsvFormat) -> _Fault:
    if record.count(csv_format.quote) & 1:
        return _Fault(BAD_COPY_FILE_FORMAT, "a quote that opens in this line is not closed, or stands inside a field")
    return _Fault(BAD_COPY_FILE_FORMAT, "a quote stands inside a field that is not quoted, or after the closing quote")


@lru_cache(maxsize=16)
def _field_pattern(delimiter: bytes, quote: bytes) -> re.Pattern[bytes]:
    d, q = re.escape(delimiter), re.escape(quote)
    return re.compile(rb"(?:%b((?:[^%b]|%b%b)*+)%b|([^%b%b]*+))(%b|\Z)" % (q, q, q, q, q, q, d, d), re.DOTALL)


def _fields(record: bytes, csv_format: CsvFormat) -> Iterator[re.Match[bytes] | None]:
    """Yield a match for each field, and None at the first malformed one."""
    pattern, position = _field_pattern(csv_format.delimiter, csv_format.quote), 0
    while True:
        found = pattern.match(record, position)
        yield found
        if found is None or not found[3]:
            return
        position = found.end()


def _unquoted_fields(record: bytes, csv_format: CsvFormat) -> Iterator[bytes]:
    for found in _fields(record, csv_format):
        if found is not None and found[2]:
            yield found[2]


def parse_fields(record: bytes, csv_format: CsvFormat) -> list[str | None]:
    """Return the values of a well-formed record. An empty field without quotes is None, as in COPY.

    Raises `UnicodeDecodeError`.
    """
    values: list[str | None] = []
    quote = csv_format.quote.decode()
    for found in _fields(record, csv_format):
        if found is None or found[1] is None:
            values.append((found[2].decode() or None) if found else None)
        else:
            values.append(found[1].decode().replace(quote * 2, quote))
    return values


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
