"""Minimal XLS workbooks: BIFF8 records in a compound file, written by hand."""

import struct
from collections.abc import Mapping, Sequence
from pathlib import Path

_FREE, _END, _TABLE = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
_SECTOR = 512
_ERROR_CODES = {"#N/A": 0x2A, "#DIV/0!": 0x07}

Value = float | str | bool | None


def made_xls(path: Path, *sheets: tuple[str, int, Sequence[Sequence[Value]]]) -> Path:
    """Write sheets with a name, a visibility (0, 1 or 2) and rows. Text that begins with `=#` is a formula's error."""
    return made_ole(path, {"Workbook": workbook_stream(sheets)})


def workbook_stream(sheets: Sequence[tuple[str, int, Sequence[Sequence[Value]]]]) -> bytes:
    """Return the records of a workbook."""
    start = record(0x809, struct.pack("<HHHHII", 0x600, 0x5, 0, 0, 0, 0)) + _formats()
    contents = [_sheet(rows) for _, _, rows in sheets]
    lengths = [len(_listed(name, state, 0)) for name, state, _ in sheets]
    offset = len(start) + sum(lengths) + 4
    listed = []
    for (name, state, _), content in zip(sheets, contents, strict=True):
        listed.append(_listed(name, state, offset))
        offset += len(content)
    return start + b"".join(listed) + record(0xA, b"") + b"".join(contents)


def record(kind: int, data: bytes) -> bytes:
    """Return a record."""
    return struct.pack("<HH", kind, len(data)) + data


def made_ole(path: Path, streams: Mapping[str, bytes]) -> Path:
    """Write a compound file. Streams shorter than 4,096 bytes are padded, so that all are in regular sectors."""
    padded = {name: data.ljust(4096, b"\0") for name, data in streams.items()}
    table, body, entries = [_TABLE, _END], b"", [_entry("Root Entry", 5, (_END, 0), (_FREE, 1))]
    for number, (name, data) in enumerate(padded.items(), 1):
        sectors = -(-len(data) // _SECTOR)
        first = len(table)
        table += [*range(first + 1, first + sectors), _END]
        body += data.ljust(sectors * _SECTOR, b"\0")
        following = number + 1 if number < len(padded) else _FREE
        entries.append(_entry(name, 2, (first, len(data)), (following, _FREE)))
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<HHHHH6x", 0x3E, 3, 0xFFFE, 9, 6)
    header += struct.pack("<IIIIIIIIII", 0, 1, 1, 0, 4096, _END, 0, _END, 0, 0) + struct.pack("<108I", *[_FREE] * 108)
    assert len(table) <= _SECTOR // 4
    chains = struct.pack("<128I", *table, *[_FREE] * (128 - len(table)))
    path.write_bytes(header + chains + b"".join(entries).ljust(_SECTOR, b"\0") + body)
    return path


def _entry(name: str, kind: int, content: tuple[int, int], links: tuple[int, int]) -> bytes:
    """Return an entry of the directory: content is the first sector and the size, links are a sibling and a child."""
    encoded = name.encode("utf-16-le")
    head = encoded.ljust(64, b"\0") + struct.pack("<HBBIII", len(encoded) + 2, kind, 1, _FREE, *links)
    return head + bytes(36) + struct.pack("<IQ", *content)


def _formats() -> bytes:
    """Return two styles: general, and the date format 14."""
    return b"".join(record(0xE0, struct.pack("<HHHHHHII", 0, number, 0, 0, 0, 0, 0, 0)) for number in (0, 14))


def _listed(name: str, state: int, offset: int) -> bytes:
    encoded = name.encode("utf-16-le")
    return record(0x85, struct.pack("<IBBBB", offset, state, 0, len(name), 1) + encoded)


def _sheet(rows: Sequence[Sequence[Value]]) -> bytes:
    cells = b"".join(
        _cell(row, column, value)
        for row, values in enumerate(rows)
        for column, value in enumerate(values)
        if value is not None
    )
    return record(0x809, struct.pack("<HHHHII", 0x600, 0x10, 0, 0, 0, 0)) + cells + record(0xA, b"")


def _cell(row: int, column: int, value: Value) -> bytes:
    place = struct.pack("<HHH", row, column, 0)
    if isinstance(value, bool):
        return record(0x205, place + bytes([value, 0]))
    if isinstance(value, int | float):
        return record(0x203, place + struct.pack("<d", value))
    if value is not None and value.startswith("date "):
        return record(0x203, struct.pack("<HHHd", row, column, 1, float(value[5:])))
    if value is not None and value.startswith("=#"):
        result = struct.pack("<BBBBBBH", 2, 0, _ERROR_CODES[value[1:]], 0, 0, 0, 0xFFFF)
        return record(0x06, place + result + struct.pack("<HIH", 0, 0, 0))
    if value in _ERROR_CODES:
        return record(0x205, place + bytes([_ERROR_CODES[str(value)], 1]))
    text = str(value)
    return record(0x204, place + struct.pack("<HB", len(text), 1) + text.encode("utf-16-le"))
