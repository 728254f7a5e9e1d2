"""Typed reading of CSV cells. An unreadable cell stops the load with its file and line.

The demo shows figures by which people judge the tool. A skipped row or a text instead of a number would make them
wrong, so there is no lenient mode.
"""

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import NoReturn


@dataclass(frozen=True, kw_only=True)
class Record:
    """A future row: the fields of each kind of record are the columns of its source table."""


class UnreadableFileError(ValueError):
    """A line of a dataset is invalid. The message has the file, the line and the cell."""

    def __init__(self, file: str, line: int, complaint: str) -> None:
        super().__init__(f"{file}, line {line}: {complaint}")


@dataclass(frozen=True, kw_only=True)
class CsvLine:
    file: str
    number: int  # of the last physical line of the record, from 1
    cells: Mapping[str, str]

    def text(self, column: str) -> str:
        """Read a required text."""
        return self.optional_text(column) or self._raise_unreadable(column, "a text")

    def optional_text(self, column: str) -> str | None:
        if column not in self.cells:
            raise UnreadableFileError(self.file, self.number, f"there is no column {column!r}")
        return self.cells[column].strip() or None

    def count(self, column: str) -> int:
        """Read a whole number that is not negative. Thousands separators, which no file has, are refused."""
        value = self.optional_count(column)
        return self._raise_unreadable(column, "a whole number") if value is None else value

    def optional_count(self, column: str) -> int | None:
        written = self.optional_text(column)
        if written is None:
            return None
        if not (written.isascii() and written.isdigit()):
            self._raise_unreadable(column, "a whole number")
        return int(written)

    def decimal(self, column: str) -> Decimal:
        try:
            value = Decimal(self.text(column))
        except InvalidOperation:
            self._raise_unreadable(column, "a decimal number")
        return value if value.is_finite() else self._raise_unreadable(column, "a decimal number")

    def american_date(self, column: str) -> date:
        """Read a date in the format MM/DD/YYYY."""
        written = self.text(column)
        try:
            return datetime.strptime(written, "%m/%d/%Y").date()  # noqa: DTZ007  a day has no time zone
        except ValueError:
            self._raise_unreadable(column, "a date MM/DD/YYYY")

    def contradiction(self, complaint: str) -> UnreadableFileError:
        """Return the error for a line whose cells contradict each other."""
        return UnreadableFileError(self.file, self.number, complaint)

    def _raise_unreadable(self, column: str, expected: str) -> NoReturn:
        raise UnreadableFileError(self.file, self.number, f"{column!r} holds {self.cells[column]!r}, not {expected}")


@dataclass(frozen=True, kw_only=True)
class Dataset:
    table: str  # in the schema `records`
    file: str
    record: type[Record]
    parse: Callable[[Iterable[CsvLine]], Iterator[Record]]


def read_lines(file: str, text: Iterable[str]) -> Iterator[CsvLine]:
    """Return the lines of a CSV text below its header. A line with another number of cells is an error."""
    rows = csv.reader(text, strict=True)
    try:
        header = next(rows, [])
        if not header or len(set(header)) < len(header):
            raise UnreadableFileError(file, 1, "the header is empty or names a column twice")
        for cells in rows:
            if len(cells) != len(header):
                raise UnreadableFileError(file, rows.line_num, f"{len(cells)} cells under {len(header)} column names")
            yield CsvLine(file=file, number=rows.line_num, cells=dict(zip(header, cells, strict=True)))
    except csv.Error as error:
        raise UnreadableFileError(file, rows.line_num, f"not CSV: {error}") from error
