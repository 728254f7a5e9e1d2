"""Errors in cells and sizes of sheets of XLS workbooks.

Calamine does not return them.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from data_pipeline.artefact_errors import DamagedArtefact, EncryptedArtefact
from seeder.texts import Text

_BOF, _SHEET, _ENCRYPTED = 0x809, 0x85, 0x2F
_FORMULA, _ERROR_OR_BOOLEAN = 0x06, 0x205
_CELLS = {_FORMULA, _ERROR_OR_BOOLEAN, 0x203, 0x204, 0x27E, 0xBD, 0xD6, 0xFD}  # that have values
_ERRORS = {
    0x00: b"#NULL!",
    0x07: b"#DIV/0!",
    0x0F: b"#VALUE!",
    0x17: b"#REF!",
    0x1D: b"#NAME?",
    0x24: b"#NUM!",
    0x2A: b"#N/A",
}


@dataclass(kw_only=True, slots=True)
class BiffSheet:
    """A sheet's cells."""

    cells: int = 0
    rows: int = 0  # up to the last one with a value
    columns: int = 0
    errors: dict[tuple[int, int], bytes] = field(default_factory=dict)  # by row and column, from 0


def biff_sheets(stream: bytes, *, path: Path | str) -> list[BiffSheet]:
    """Return the sheets of a workbook's stream in order. Raises an error if it is encrypted or damaged."""
    by_offset: dict[int, BiffSheet] = {}
    sheet = BiffSheet()  # the workbook's own records come first
    for offset, kind, data in _records(stream, path):
        if kind == _ENCRYPTED:
            raise EncryptedArtefact(path=path)
        if kind == _SHEET and len(data) >= 4:
            by_offset[struct.unpack_from("<I", data)[0]] = BiffSheet()
        elif kind == _BOF:
            sheet = by_offset.get(offset, sheet)
        elif kind in _CELLS and len(data) >= 8:
            _add_cell(sheet, kind, data)
    return list(by_offset.values())


def _add_cell(sheet: BiffSheet, kind: int, data: bytes) -> None:
    """Count a cell, and note its error."""
    row, column = struct.unpack_from("<HH", data)
    sheet.cells += 1
    sheet.rows = max(sheet.rows, row + 1)
    sheet.columns = max(sheet.columns, column + 1)
    code = None
    if kind == _ERROR_OR_BOOLEAN and data[7]:
        code = data[6]
    elif kind == _FORMULA and data[6] == 2 and data[12:14] == b"\xff\xff":  # the cached value is an error
        code = data[8]
    if code is not None:
        sheet.errors[row, column] = _ERRORS.get(code, b"#N/A")


def _records(stream: bytes, path: Path | str) -> Iterator[tuple[int, int, bytes]]:
    """Yield each record with its offset and kind."""
    offset = 0
    while offset + 4 <= len(stream):
        kind, size = struct.unpack_from("<HH", stream, offset)
        if offset + 4 + size > len(stream):
            raise DamagedArtefact(
                path=path, problem=Text("a record at byte {offset:,} of its workbook ends early", offset=offset)
            )
        yield offset, kind, stream[offset + 4 : offset + 4 + size]
        offset += 4 + size
