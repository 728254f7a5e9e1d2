"""Splits CSV bytes that PostgreSQL refused into records.

Malformed records become rejects. Most lines are records that only have the right number of delimiters. They are found
by removing all ordinary bytes, for many lines together. The others are examined one by one: lines with a quote, with
bytes that are not UTF-8, with NUL, or with an odd line end.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import compress, count, repeat
from operator import ne, not_

from data_pipeline.domain.csv_fields import CsvFormat, Fault, find_fault
from data_pipeline.domain.rejects import MAX_RAW_BYTES, Reject
from seeder.texts import Text

PROGRAM_LIMIT_EXCEEDED = "54000"


@dataclass(kw_only=True, slots=True)
class SplitRecords:
    """The records of some bytes. `numbers`, `lines` and `records` have an entry for each well-formed record."""

    numbers: list[int] = field(default_factory=list)  # record numbers, from 1
    lines: list[int] = field(default_factory=list)  # physical lines at which the records begin, from 1
    records: list[bytes] = field(default_factory=list)  # without their line ends
    rejects: list[Reject] = field(default_factory=list)
    rest: bytes = b""  # a record that may end behind the bytes, and what follows it
    line_count: int = 0  # physical lines of the bytes, with the rest

    @property
    def count(self) -> int:
        return len(self.records) + len(self.rejects)

    def record(self, number: int) -> bytes:
        """Return a well-formed record by its number."""
        return self.records[bisect_left(self.numbers, number)]

    def numbers_between(self, first: int, last: int) -> Sequence[int]:
        """Return the numbers of well-formed records, from one to another."""
        return self.numbers[bisect_left(self.numbers, first) : bisect_right(self.numbers, last)]

    def pick(self, numbers: Iterable[int]) -> "SplitRecords":
        """Return the well-formed records with these numbers, in their order."""
        places = [bisect_left(self.numbers, number) for number in sorted(numbers)]
        return SplitRecords(
            numbers=[self.numbers[at] for at in places],
            lines=[self.lines[at] for at in places],
            records=[self.records[at] for at in places],
        )


def split_records(  # noqa: PLR0913  # where the bytes are in the file
    data: bytes, csv_format: CsvFormat, *, columns: int, first_line: int, first_number: int, is_end: bool = True
) -> SplitRecords:
    """Split bytes into well-formed records and rejects.

    Lines without a character are skipped, unless there is only one column. After a malformed record, splitting
    continues in the next physical line, so that an unclosed quote costs one line. Unless the bytes are the end of the
    file, a record without its closing quote is left in `rest`.
    """
    return _Splitting(data, csv_format, columns=columns, first_line=first_line, first_number=first_number).run(
        is_end=is_end
    )


def count_records(data: bytes, csv_format: CsvFormat) -> int:
    """Return the number of records of bytes that COPY has accepted."""
    outside_quotes = data.split(csv_format.quote)[::2]
    line_ends = sum(part.count(csv_format.line_end) for part in outside_quotes)
    return line_ends + (not data.endswith(csv_format.line_end))


def too_long_record(data: bytes, *, line: int, number: int) -> SplitRecords:
    """Return the reject of a line that was read in part."""
    fault = Fault(PROGRAM_LIMIT_EXCEEDED, Text("the line is longer than 32 MB"), is_structural=True)
    reject = Reject(line_no=line, record_no=number, raw=data, problems=[fault.as_problem()])
    return SplitRecords(rejects=[reject])


class _Splitting:
    def __init__(self, data: bytes, csv_format: CsvFormat, *, columns: int, first_line: int, first_number: int) -> None:
        self._data, self._format, self._columns = data, csv_format, columns
        self._first_line, self._next_number = first_line, first_number
        self._lines = data.split(csv_format.line_end)
        if not self._lines[-1]:
            self._lines.pop()
        self._split = SplitRecords(line_count=len(self._lines))
        # A record of one line; those of several lines keep the carriage returns inside.
        self._texts = [_without_return(line) for line in self._lines] if b"\r" in data else self._lines
        self._unusual = self._unusual_lines()
        self._odd = [at for at in self._unusual if self._lines[at].count(csv_format.quote) & 1]

    def run(self, *, is_end: bool) -> SplitRecords:
        position = 0
        for at in self._unusual:
            if at < position:  # inside of a record
                continue
            self._add_good(position, at)
            if not self._texts[at]:
                position = at + 1
                continue
            length = self._length_at(at)
            if length is None and at > 0 and not is_end:
                self._split.rest = self._data[sum(map(len, self._lines[:at])) + at * len(self._format.line_end) :]
                return self._split
            position = at + self._add_unusual(at, length or 1)
        self._add_good(position, len(self._lines))
        return self._split

    def _unusual_lines(self) -> Sequence[int]:
        """Return the lines that may not be records of one line."""
        data = self._data
        if b"\r" in data and self._format.line_end == b"\n":
            data = data.replace(b"\r\n", b"\n")
        marks = data.translate(None, _ordinary_bytes(self._format)).split(self._format.line_end)
        regular = self._format.delimiter * (self._columns - 1)
        unusual = set(compress(range(len(self._lines)), map(ne, marks, repeat(regular))))
        if not self._data.isascii() and not _is_utf8(self._data):
            unusual.update(at for at in _places_beyond_ascii(self._lines) if not _is_utf8(self._lines[at]))
        return sorted(unusual)

    def _add_good(self, start: int, stop: int) -> None:
        """Add well-formed records of one line."""
        if start < stop:
            self._split.records.extend(self._texts[start:stop])
            self._split.lines.extend(range(self._first_line + start, self._first_line + stop))
            self._split.numbers.extend(range(self._next_number, self._next_number + stop - start))
            self._next_number += stop - start

    def _add_unusual(self, at: int, length: int) -> int:
        """Add the record of some lines. Return its number of lines, which is 1 if its end is uncertain."""
        text = self._texts[at]
        if length > 1:
            text = self._format.line_end.join([*self._lines[at : at + length - 1], self._texts[at + length - 1]])
        fault = find_fault(text, self._format, columns=self._columns)
        if fault is None:
            self._split.records.append(text)
            self._split.lines.append(self._first_line + at)
            self._split.numbers.append(self._next_number)
            self._next_number += 1
            return length
        raw, problem = self._texts[at] if fault.is_structural else text, fault.as_problem()
        reject = Reject(
            line_no=self._first_line + at, record_no=self._next_number, raw=raw[:MAX_RAW_BYTES], problems=[problem]
        )
        self._split.rejects.append(reject)
        self._next_number += 1
        return 1 if fault.is_structural else length

    def _length_at(self, at: int) -> int | None:
        """Return how many lines the record of a line has.

        None means that no line closes its quote.
        """
        if not self._lines[at].count(self._format.quote) & 1:
            return 1
        following = bisect_right(self._odd, at)
        return self._odd[following] - at + 1 if following < len(self._odd) else None


@lru_cache(maxsize=16)
def _ordinary_bytes(csv_format: CsvFormat) -> bytes:
    """Return the bytes that say nothing about the shape of a line."""
    marks = {*csv_format.delimiter, *csv_format.quote, *b"\0\r\n"}
    return bytes(byte for byte in range(256) if byte not in marks)


def _places_beyond_ascii(lines: Iterable[bytes]) -> list[int]:
    """Return the lines that are not ASCII."""
    return list(compress(count(), map(not_, map(bytes.isascii, lines))))


def _without_return(line: bytes) -> bytes:
    """Return a line without the carriage return of a CRLF."""
    return line[:-1] if line.endswith(b"\r") else line


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
