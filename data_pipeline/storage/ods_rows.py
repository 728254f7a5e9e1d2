"""Rows of an OpenDocument sheet."""

from collections.abc import Iterator
from pathlib import Path

from data_pipeline.artefact_errors import DamagedArtefact, WorkbookRefused
from data_pipeline.storage.ods_cells import CellParser
from data_pipeline.storage.workbook_types import Row
from data_pipeline.storage.xml_parsing import Attributes, XmlParser, require_bounded_element
from seeder.texts import Text

TABLE_DEPTH = 4  # document-content, body, spreadsheet, table
_MAX_ROW = 1 << 24  # of LibreOffice's largest sheets
_MAX_COLUMNS = 1 << 14
_CELLS = {"table-cell", "covered-table-cell"}


class TableParser:
    """Reads the table of a number, from 0, and skips the others."""

    def __init__(self, path: Path | str, *, number: int) -> None:
        self.has_ended = False
        self._path = path
        self._tables_before = number
        self._is_in_table = False
        self._depth = 0
        self._ended: list[tuple[Row, int]] = []  # each with its repetitions
        self._rows = 0  # that have ended
        self._row_repeats = 1
        self._fields: list[bytes] = []
        self._empty_cells = 0  # after the last field
        self._size = 0  # bytes of the row's fields
        self._cell = CellParser()
        self.parser = XmlParser(path, on_start=self._start, on_end=self._end, on_text=self._cell.add)
        self.parser.settle()

    def take(self) -> Iterator[Row]:
        """Yield the rows that have ended since the last call."""
        ended, self._ended = self._ended, []
        for row, count in ended:
            for number in range(row.number, row.number + count):
                yield Row(number, row.fields.copy())

    def _start(self, name: str, attributes: Attributes) -> None:
        self._depth += 1
        if name == "table" and self._depth == TABLE_DEPTH:
            self._is_in_table = self._tables_before == 0
            self._tables_before -= 1
        elif not self._is_in_table:
            return
        elif self._cell.depth:
            self._cell.start(name, attributes, depth=self._depth)
        elif name == "table-row":
            self._row_repeats = self._count(attributes, "table:number-rows-repeated", _MAX_ROW - self._rows)
            self._fields, self._empty_cells, self._size = [], 0, 0
        elif name in _CELLS:
            self._cell.begin(name, attributes, depth=self._depth)

    def _end(self, name: str) -> None:
        if not self._is_in_table:
            self.parser.settle()
        elif self._cell.depth:
            self._end_in_cell()
        elif name == "table-row":
            self.parser.settle()
            self._end_row()
        elif self._depth == TABLE_DEPTH:
            self._is_in_table = False
            self.has_ended = True
        self._depth -= 1

    def _end_in_cell(self) -> None:
        """End the cell, or an element inside it."""
        if self._depth != self._cell.depth:
            self._cell.end(depth=self._depth)
            return
        columns = len(self._fields) + self._empty_cells
        count = self._count(self._cell.attributes, "table:number-columns-repeated", _MAX_COLUMNS - columns)
        field = self._cell.finish()
        if not field:
            self._empty_cells += count
            return
        self._size += len(field) * count
        require_bounded_element(self._size, path=self._path)
        self._fields += [b""] * self._empty_cells
        self._fields += [field] * count
        self._empty_cells = 0

    def _end_row(self) -> None:
        """Keep the row if it has values. A last empty one is repeated to the end of the sheet."""
        if self._fields:
            self._ended.append((Row(self._rows + 1, self._fields), self._row_repeats))
        self._rows += self._row_repeats

    def _count(self, attributes: Attributes, name: str, limit: int) -> int:
        """Return how often a row or a cell is repeated."""
        text = attributes.get(name, "1")
        if not (text.isascii() and text.isdigit() and len(text) <= 9):
            raise DamagedArtefact(path=self._path, problem=Text("{name} is {value!r}", name=name, value=text[:20]))
        if int(text) > limit:
            problem = Text(
                "it has more than {rows:,} rows or {columns:,} columns",
                rows=_MAX_ROW,
                columns=_MAX_COLUMNS,
            )
            raise WorkbookRefused(path=self._path, problem=problem)
        return int(text)
