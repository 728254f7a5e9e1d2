"""Cells of OpenDocument sheets as CSV fields."""

import re
from collections.abc import Callable, Mapping

from data_pipeline.storage.cell_fields import csv_field, number_field
from data_pipeline.storage.xml_parsing import Attributes

_MAX_SPACES = 32_767
_WHITE_SPACE = re.compile("[ \t\r\n]+")
# Characters that XML cannot have stand for those that must not be collapsed.
_SPACE, _TAB, _LINE_BREAK = "\x01", "\x02", "\x03"
_KEPT = str.maketrans({_SPACE: " ", _TAB: "\t", _LINE_BREAK: "\n"})
_DURATION = re.compile(r"(-?)PT(\d+)H(\d+)M(\d+)(?:[.,](\d+))?S", re.ASCII)
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)T(?=\d\d:)", re.ASCII)
_NOT_IN_THE_CELL = {"annotation", "note", "ruby-text", "frame", "custom-shape"}


def _duration(value: str) -> bytes:
    """Return `PT25H30M00S` as hours, minutes and seconds."""
    match = _DURATION.fullmatch(value)
    if match is None:
        return csv_field(value.encode())
    sign, hours, minutes, seconds, fraction = match.groups(default="")
    microseconds = f"{fraction:0<6}"[:6]
    text = f"{sign}{int(hours):02d}:{int(minutes):02d}:{int(seconds):02d}"
    return (text if int(microseconds) == 0 else f"{text}.{microseconds}").encode()


def _number(value: str) -> bytes:
    return number_field(value.encode())


# By the value's type: the attribute that has it, and how it is written.
_VALUES: Mapping[str, tuple[str, Callable[[str], bytes]]] = {
    "float": ("office:value", _number),
    "percentage": ("office:value", _number),
    "currency": ("office:value", _number),
    "date": ("office:date-value", lambda value: csv_field(_MOMENT.sub(r"\1 ", value).encode())),
    "time": ("office:time-value", _duration),
    "boolean": ("office:boolean-value", lambda value: csv_field(value.encode())),
    "string": ("office:string-value", lambda value: csv_field(value.encode())),
}


class CellParser:
    """Reads the content of one cell after the other."""

    def __init__(self) -> None:
        self.depth = 0  # of the cell's element; 0 outside of cells
        self.attributes: Attributes = {}
        self._is_covered = False
        self._paragraphs: list[str] = []
        self._parts: list[str] = []
        self._paragraph = 0  # depth of the paragraph; 0 outside
        self._skipped = 0  # depth of an element that is not part of the cell's text; 0 outside

    def begin(self, name: str, attributes: Attributes, *, depth: int) -> None:
        """Begin a cell."""
        self.depth, self.attributes = depth, attributes
        self._is_covered = name == "covered-table-cell"  # by a merged cell, which has the value
        self._paragraphs = []

    def start(self, name: str, attributes: Attributes, *, depth: int) -> None:
        """Note the start of an element inside the cell."""
        if self._skipped:
            return
        if name in _NOT_IN_THE_CELL:
            self._skipped = depth
        elif name == "p" and depth == self.depth + 1:
            self._paragraph, self._parts = depth, []
        elif name == "s":
            count = attributes.get("text:c", "1")
            self._parts.append(_SPACE * (min(int(count), _MAX_SPACES) if len(count) <= 5 and count.isdecimal() else 1))
        elif name in {"tab", "line-break"}:
            self._parts.append(_TAB if name == "tab" else _LINE_BREAK)

    def add(self, text: str) -> None:
        """Add text of the element that was started last."""
        if self._paragraph and not self._skipped:
            self._parts.append(text)

    def end(self, *, depth: int) -> None:
        """Note the end of an element inside the cell."""
        if depth == self._skipped:
            self._skipped = 0
        elif depth == self._paragraph:
            self._paragraphs.append(_WHITE_SPACE.sub(" ", "".join(self._parts)).strip(" ").translate(_KEPT))
            self._paragraph = 0

    def finish(self) -> bytes:
        """Return the cell's field, and leave the cell."""
        self.depth = 0
        if self._is_covered:
            return b""
        attribute, write = _VALUES.get(self.attributes.get("office:value-type", ""), ("", _number))
        value = self.attributes.get(attribute)
        # A formula's error has an empty text as its value, and is shown as #N/A, which typed columns refuse.
        if value is None or self.attributes.get("calcext:value-type") == "error":
            return csv_field("\n".join(self._paragraphs).encode())
        return write(value)
