"""Cells of XLSX workbooks as CSV fields."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from data_pipeline.artefact_errors import DamagedArtefact, WorkbookRefused
from data_pipeline.storage.cell_fields import (
    boolean_field,
    csv_field,
    date_field,
    duration_field,
    number_field,
    parse_number,
)
from data_pipeline.storage.number_formats import CellKind
from data_pipeline.storage.shared_strings import SharedStrings
from data_pipeline.storage.xml_text import unescaped
from seeder.texts import Text

MAX_COLUMNS = 16_384
_MAX_LETTERS = 3  # XFD
_MAX_ROW_DIGITS = 9
_ISO_MOMENT = re.compile(rb"(\d{4}-\d\d-\d\d)T(\d\d:)")


class CellValues:
    """What the values of a workbook's cells mean."""

    def __init__(
        self, path: Path | str, *, strings: SharedStrings, styles: Mapping[bytes, CellKind], is_1904: bool
    ) -> None:
        self.path = path
        self.string = strings.field
        self.longest_string = strings.longest  # bytes
        self.styles = styles  # of dates and durations only
        self._is_1904 = is_1904
        self._by_kind: Mapping[bytes, Callable[[bytes], bytes]] = {
            b"s": self.string,
            b"str": lambda text: csv_field(unescaped(text)),
            b"b": boolean_field,
            b"e": csv_field,  # such as #N/A, which typed columns refuse
            b"d": lambda text: csv_field(_ISO_MOMENT.sub(rb"\1 \2", text)),
            b"inlineStr": lambda _text: b"",  # its text is beside the value
        }
        self.columns: dict[bytes, int] = {}  # those that `column` has returned

    def field(self, kind: bytes, style: bytes, text: bytes) -> bytes:
        """Return the field of a cell's type, style and cached value."""
        if not text:
            return b""
        if kind in {b"", b"n"}:
            return self.number(style, text)
        read = self._by_kind.get(kind)
        if read is None:
            raise WorkbookRefused(
                path=self.path, problem=Text("a cell has the type {type!r}", type=kind.decode(errors="replace"))
            )
        return read(text)

    def number(self, style: bytes, text: bytes) -> bytes:
        """Return the field of a number, which may be a date."""
        kind = self.styles.get(style)
        if kind is None:
            return number_field(text)
        number = parse_number(text)
        if number is None:
            return csv_field(text)
        return date_field(number, is_1904=self._is_1904) if kind is CellKind.DATE else duration_field(number)

    def column(self, letters: bytes) -> int:
        """Return the place of a column, from 0."""
        place = 0
        for letter in letters[:_MAX_LETTERS].upper():
            place = place * 26 + letter - ord("A") + 1
        if len(letters) > _MAX_LETTERS or not letters.isalpha() or place > MAX_COLUMNS:
            problem = Text("a cell has the column {column!r}", column=letters[:20].decode(errors="replace"))
            raise DamagedArtefact(path=self.path, problem=problem)
        self.columns[letters] = place - 1
        return place - 1

    def row_number(self, attribute: bytes | None, *, previous: int) -> int:
        """Return the number of a row.

        It follows the previous one unless it is given.
        """
        if attribute is None:
            return previous + 1
        number = int(attribute) if attribute.isdigit() and len(attribute) <= _MAX_ROW_DIGITS else 0
        if number <= previous:
            problem = Text(
                "row {row!r} follows row {previous}", row=attribute[:20].decode(errors="replace"), previous=previous
            )
            raise DamagedArtefact(path=self.path, problem=problem)
        return number


def put(fields: list[bytes], column: int, field: bytes) -> None:
    """Put a field into a row."""
    missing = column - len(fields)
    if missing < 0:
        fields[column] = field
    else:
        if missing:
            fields += [b""] * missing
        fields.append(field)
