"""Records of many columns, long records, and a full sheet."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.acceptance.data_pipeline.catalogue.files import File
from tests.acceptance.data_pipeline.file_loads import MALFORMED, Bad
from tests.unit.data_pipeline.storage.made_workbooks import made_xlsx

_MEGABYTE = 1024 * 1024
_KEPT = 64 * 1024  # bytes of a reject
_LINES = 3 * _MEGABYTE  # of seven bytes
_SHEET_ROWS = 1_048_576
_MANY = 4 * _MEGABYTE


def _large(name: str, content: Callable[[], bytes], **options: Any) -> File:
    """Return a file whose content is made only when it is loaded."""
    return File(name=name, content=lambda path: path.write_bytes(content()), is_slow=True, **options)


def _columns(count: int) -> File:
    names = [f"column_{number}" for number in range(count)]
    good, bad = ["123456"] * count, ["123456"] * count
    bad[0], bad[count // 2], bad[-1] = "x", "", "99999999999"
    lines = [",".join(one).encode() for one in (names, good, bad, good)]
    return _large(
        f"{count:,} columns",
        lambda: b"\n".join(lines),
        columns=", ".join(f"{name} integer NOT NULL" for name in names),
        select=f"{names[0]}, {names[-1]}",
        rows=[(123456, 123456)] * 2,
        bad=[Bad(3, 2, lines[2], {names[0]: "22P02", names[count // 2]: "23502", names[-1]: "22003"})],
    )


def _write_full_sheet(path: Path) -> None:
    header = '<row r="1"><c r="A1" t="str"><v>id</v></c></row>'
    rows = "".join(f'<row r="{number}"><c r="A{number}"><v>{number}</v></c></row>' for number in range(2, _SHEET_ROWS))
    last = f'<row r="{_SHEET_ROWS}"><c r="A{_SHEET_ROWS}" t="str"><v>x</v></c></row>'
    made_xlsx(path, header + rows + last)


LARGE_FILES = [
    _columns(400),
    _columns(1600),
    _large(
        "record of 20 MB",
        lambda: b'id,name\n1,a\n2,"' + b"long, \n" * _LINES + b'"\nx,b\n4,c\n',
        select="id, length(name)",
        rows=[(1, 1), (2, 7 * _LINES), (4, 1)],
        bad=[Bad(4 + _LINES, 3, b"x,b", {"id": "22P02"})],
    ),
    _large(
        "bad record of 20 MB",
        lambda: b"id,name\n1,a\nx," + b"y" * (20 * _MEGABYTE) + b"\n3,c\n",
        rows=[(1, "a"), (3, "c")],
        bad=[Bad(3, 2, b"x," + b"y" * (_KEPT - 2), {"id": "22P02"})],
    ),
    _large(
        "line of 40 MB",
        lambda: b"id,name\n1,a\n" + b"y" * (40 * _MEGABYTE) + b"\n3,c\n",
        rows=[(1, "a"), (3, "c")],
        bad=[Bad(3, 2, b"y" * _KEPT, {None: "54000"})],
    ),
    _large(
        "unclosed quote before 40 MB",
        lambda: b'id,name\n1,"a\n' + b"2,bbbbbbb\n" * _MANY + b"x,c",
        select="count(*), 1",
        rows=[(_MANY, 1)],
        bad=[Bad(2, 1, b'1,"a', MALFORMED), Bad(_MANY + 3, _MANY + 2, b"x,c", {"id": "22P02"})],
    ),
    File(
        name="sheet of 1,048,576 rows",
        content=_write_full_sheet,
        columns="id integer",
        select="count(*), sum(id)",
        rows=[(_SHEET_ROWS - 2, sum(range(2, _SHEET_ROWS)))],
        bad=[Bad(_SHEET_ROWS, _SHEET_ROWS - 1, b"x", {"id": "22P02"})],
        is_slow=True,
    ),
]
