"""The rows of a sheet as CSV.

The first row that is not empty is the header.
"""

from array import array
from bisect import bisect_right
from collections.abc import Iterator
from pathlib import Path

from data_pipeline.artefact_errors import CellOutsideTable, UnpacksTooLarge
from data_pipeline.storage.workbook_types import Row
from seeder.domain.human_format import format_size

_PIECE_BYTES = 1 << 18
_LETTERS = 26


class LineMap:
    """The sheet's row of each line of the CSV.

    Kept are only the lines at which the distance between line and row changes: after empty rows and line breaks.
    """

    def __init__(self) -> None:
        self._lines = array("q")
        self._rows = array("q")
        self._last_rows = array("q")  # before the next kept line
        self._next_line = 1

    def add(self, row: int, *, lines: int) -> None:
        """Note that the next lines are of a row."""
        if not self._rows or row - self._next_line != self._rows[-1] - self._lines[-1]:
            self._lines.append(self._next_line)
            self._rows.append(row)
            self._last_rows.append(row)
        self._last_rows[-1] = row
        self._next_line += lines

    def row_of(self, line: int) -> int:
        """Return the row of a line. Without rows it is the line itself."""
        place = bisect_right(self._lines, line) - 1
        return min(self._rows[place] + line - self._lines[place], self._last_rows[place]) if place >= 0 else line


def csv_pieces(rows: Iterator[Row], lines: LineMap, *, path: Path | str, max_bytes: int) -> Iterator[bytes]:
    """Yield the rows as CSV, without empty rows. Each has at least the fields of the header.

    A row with values right of the header keeps them, so that PostgreSQL refuses that row only. Repeated texts and cells
    are short in a workbook and long as CSV, so that its size is limited.
    """
    header: Row | None = None
    first = 0  # column of the header
    piece = bytearray()
    size = 0
    for row in rows:
        fields = row.fields
        while fields and not fields[-1]:
            fields.pop()
        if not fields:
            continue
        if header is None:
            header, first = row, _first_column(row)
        missing = len(header.fields) - len(fields)
        if missing > 0:
            fields.extend([b""] * missing)
        if first and _first_column(row) < first:
            raise _outside(row, header, path=path)
        line = b",".join(fields[first:] if first else fields) + b"\n"
        lines.add(row.number, lines=line.count(b"\n"))
        piece += line
        if len(piece) >= _PIECE_BYTES:
            size += len(piece)
            if size > max_bytes:
                raise UnpacksTooLarge(path=path, limit=format_size(max_bytes))
            yield bytes(piece)
            piece.clear()
    yield bytes(piece)


def _first_column(row: Row) -> int:
    """Return the column of a row's first value."""
    return next(column for column, field in enumerate(row.fields) if field)


def _outside(row: Row, header: Row, *, path: Path | str) -> CellOutsideTable:
    """Return the error of a value left of the header."""
    return CellOutsideTable(
        path=path,
        row=row.number,
        column=column_letters(_first_column(row)),
        header_row=header.number,
        first=column_letters(_first_column(header)),
    )


def column_letters(column: int) -> str:
    """Return a column's letters: A for 0, AA for 26."""
    letters = ""
    column += 1
    while column:
        column, letter = divmod(column - 1, _LETTERS)
        letters = chr(ord("A") + letter) + letters
    return letters
