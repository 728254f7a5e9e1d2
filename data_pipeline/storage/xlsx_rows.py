"""Rows of an XLSX sheet.

Regular rows are read by a pattern, and all others by a parser.
"""

import re
from collections.abc import Iterator

from data_pipeline.storage.byte_streams import ByteStream
from data_pipeline.storage.cell_fields import csv_field, number_field
from data_pipeline.storage.workbook_types import Row
from data_pipeline.storage.xlsx_values import CellValues, put
from data_pipeline.storage.xml_elements import MAX_IRREGULAR, XmlElements
from data_pipeline.storage.xml_parsing import MAX_ELEMENT_BYTES, Attributes, XmlParser, require_bounded_element
from data_pipeline.storage.xml_text import IRREGULAR_REFERENCE, RichText, dereferenced, regular_text

_ROW = rb"(?:\s*<{0}row\b[^<>]*/>)*\s*<{0}row\b([^<>/]*)>"
_ROW_NUMBER = re.compile(rb'\sr="([0-9]+)"')
_CELL = (
    rb'<{0}c r="([A-Za-z]+)[0-9]+"(?: s="([0-9]+)")?(?: t="(s|n|b|e|str|inlineStr)")?'
    rb"(?:/>|>(?:<{0}f\b[^<>]*>(?:[^<]*</{0}f>)?)?"
    rb'(?:<{0}v>([^<]*)</{0}v>|<{0}is><{0}t( xml:space="preserve")?>([^<]*)</{0}t></{0}is>)?</{0}c>)'
)


def rows(stream: ByteStream, values: CellValues) -> Iterator[Row]:
    """Yield the rows of a sheet in order.

    Rows that the sheet leaves out are missing.
    """
    elements = XmlElements(stream, values.path, parent="sheetData", child="row")
    pattern: RegularRows | None = None
    number = irregular = 0
    for element in elements.regular():
        pattern = pattern or RegularRows(values, elements.prefix)
        row = pattern.row(element, previous=number)
        if row is not None:
            number = row.number
            yield row
        else:
            single = RowParser(values, previous=number)
            single.parser.feed(elements.single(element))
            yield from single.take()
            number = single.number
            irregular += 1
            if irregular > MAX_IRREGULAR:
                elements.hand_over()
    rest = RowParser(values, previous=number)
    for _ in elements.parse_rest(rest.parser):
        yield from rest.take()
    yield from rest.take()


class RegularRows:
    """Reads rows as the usual programs write them."""

    def __init__(self, values: CellValues, prefix: bytes) -> None:
        self._values = values
        name = re.escape(prefix)
        self._start = re.compile(_ROW.replace(b"{0}", name)).match
        self._cells = re.compile(_CELL.replace(b"{0}", name)).findall
        self._cell_tag = b"<" + prefix + b"c"

    def row(self, element: bytes, *, previous: int) -> Row | None:
        """Return a row, or None if it is not regular."""
        start = self._start(element)
        number = start and _ROW_NUMBER.search(start[1])
        if start is None or number is None:
            return None
        cells = self._cells(element, start.end())
        if len(cells) != element.count(self._cell_tag) or (b"&" in element and IRREGULAR_REFERENCE.search(element)):
            return None
        if len(cells) * self._values.longest_string > MAX_ELEMENT_BYTES:
            return None  # the parser counts, because a row may repeat a long shared string thousands of times
        return Row(self._values.row_number(number[1], previous=previous), self._fields(cells))

    def _fields(self, cells: list[tuple[bytes, bytes, bytes, bytes, bytes, bytes]]) -> list[bytes]:
        """Return the fields of a row. This loop takes most of the time of reading a workbook."""
        values, columns, styles = self._values, self._values.columns, self._values.styles
        fields: list[bytes] = []
        for letters, style, kind, value, preserved, inline in cells:
            if not value:
                field = csv_field(regular_text(inline, is_preserved=bool(preserved))) if inline else b""
            elif kind == b"s":
                field = values.string(value)
            elif kind or b"&" in value:
                field = values.field(kind, style, dereferenced(value))
            elif style in styles:
                field = values.number(style, value)
            else:
                field = number_field(value)
            column = columns.get(letters)
            if column is None:
                column = values.column(letters)
            if column == len(fields):
                fields.append(field)
            else:
                put(fields, column, field)
        return fields


class RowParser:
    """Reads rows by an XML parser."""

    def __init__(self, values: CellValues, *, previous: int) -> None:
        self._values = values
        self._is_in_data = False
        self._rows: list[Row] = []
        self._fields: list[bytes] = []
        self._size = 0  # bytes of the row's fields
        self._cell: Attributes = {}
        self._value: list[str] | None = None
        self._has_value = False
        self._rich_text = RichText()
        self.number = previous
        self.parser = XmlParser(values.path, on_start=self._start, on_end=self._end, on_text=self._add)
        self.parser.settle()

    def take(self) -> list[Row]:
        """Return the rows that have ended since the last call."""
        taken, self._rows = self._rows, []
        return taken

    def _start(self, name: str, attributes: Attributes) -> None:
        if name == "sheetData":
            self._is_in_data = True
        elif not self._is_in_data:
            return
        elif name == "row":
            number = attributes["r"].encode() if "r" in attributes else None
            self.number = self._values.row_number(number, previous=self.number)
            self._fields, self._size = [], 0
        elif name == "c":
            self._cell, self._value = attributes, None
        elif name == "v":
            self._value, self._has_value = [], True
        else:
            self._rich_text.start(name, attributes)

    def _add(self, text: str) -> None:
        if self._has_value and self._value is not None:
            self._value.append(text)
        else:
            self._rich_text.add(text)

    def _end(self, name: str) -> None:
        if name == "sheetData":
            self._is_in_data = False
        if not self._is_in_data:
            self.parser.settle()
        elif name == "row":
            self.parser.settle()
            self._rows.append(Row(self.number, self._fields))
        elif name == "c":
            self._end_cell()
        elif name == "v":
            self._has_value = False
        else:
            self._rich_text.end(name)

    def _end_cell(self) -> None:
        """Put a cell into its row."""
        text = self._rich_text.take()
        field = csv_field(text)
        if self._value is not None:
            kind, style = (self._cell.get(name, "").encode() for name in ("t", "s"))
            field = self._values.field(kind, style, "".join(self._value).encode())
        letters = self._cell.get("r", "").rstrip("0123456789").encode()
        column = self._values.column(letters) if letters else len(self._fields)
        put(self._fields, column, field)
        self._size += len(field)
        require_bounded_element(self._size, path=self._values.path)
