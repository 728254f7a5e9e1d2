"""Workbooks: their cells and sheets, and those that are refused."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from tests.acceptance.data_pipeline.catalogue.files import File, refused
from tests.acceptance.data_pipeline.file_loads import Bad, States
from tests.unit.data_pipeline.storage.made_workbooks import MadeSheet, cell, inline, made_xlsx, row, sheet_xml, texts
from tests.unit.data_pipeline.storage.made_xls import Value, made_ole, made_xls
from tests.unit.data_pipeline.storage.test_ods import made_ods, table
from tests.unit.data_pipeline.storage.test_ods import row as ods_row
from tests.unit.data_pipeline.storage.test_ods import text as ods_text
from tests.unit.data_pipeline.storage.test_ods import value as ods_value

_COLUMNS, _SELECT = "id integer, name text, day date", "id, name, day::text"
_FIRST = texts(1, "id", "name", "day") + row(2, cell("1"), inline("a"), cell("45658", style=1))
_FIRST_ROW = (1, "a", "2025-01-01")
_SHEET = "xl/worksheets/sheet1.xml"
_LAUGHS = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
_XLS_ROWS: list[list[Value]] = [["id", "name"], [1.0, "a"], ["x", "b"]]
_ODS_TABLE = table(
    ods_row(ods_text("id"), ods_text("name")),
    ods_row(ods_value("float", "value", "1"), ods_text("a")),
    ods_row(ods_text("x"), ods_text("b")),
)


def _xlsx(*sheets: MadeSheet | str, **options: Any) -> Callable[[Path], object]:
    return partial(_made, sheets, {"strings": ["<t>shared</t>"], "formats": ["General", "yyyy-mm-dd"], **options})


def _made(sheets: tuple[MadeSheet | str, ...], options: dict[str, Any], path: Path) -> object:
    return made_xlsx(path, *sheets, **options)


def _workbook(name: str, *sheets: MadeSheet | str, row: tuple[object, ...] = _FIRST_ROW, **options: Any) -> File:
    return File(name=name, content=_xlsx(*sheets, **options), columns=_COLUMNS, select=_SELECT, rows=[row])


def _cells(
    name: str, *cells: str, row_: tuple[object, ...] | None = None, raw: bytes = b"", bad: States | None = None
) -> File:
    """Return a workbook with a second record in row 7, which is stored as `row_`, or rejected with SQLSTATEs."""
    return File(
        name=name,
        content=_xlsx(_FIRST + row(7, *cells)),
        columns=_COLUMNS,
        select=_SELECT,
        rows=[_FIRST_ROW, row_] if row_ else [_FIRST_ROW],
        bad=[Bad(7, 2, raw, bad)] if bad else [],
    )


def _bomb(path: Path) -> object:
    return made_xlsx(path, MadeSheet(_FIRST, after=" " * 40_000_000))


def _old_and_open(name: str, content: Callable[[Path], object]) -> File:
    return File(name=name, content=content, rows=[(1, "a")], bad=[Bad(3, 2, b"x,b", {"id": "22P02"})])


WORKBOOKS = [
    _cells("shared string", cell("2"), cell("0", kind="s"), "", row_=(2, "shared", None)),
    _cells("inline string", cell("2"), inline('a, "b"\nc'), "", row_=(2, 'a, "b"\nc', None)),
    _cells(
        "formula with its cached value",
        cell("2"),
        cell("b", kind="str", formula="<f>UPPER(A1)</f>"),
        "",
        row_=(2, "b", None),
    ),
    _cells("boolean", cell("2"), cell("1", kind="b"), "", row_=(2, "true", None)),
    _cells("number as text", cell("2"), cell("1.50"), "", row_=(2, "1.5", None)),
    _cells("empty cells", cell("2"), "", "", row_=(2, None, None)),
    _cells("error #N/A as text", cell("2"), cell("#N/A", kind="e"), "", row_=(2, "#N/A", None)),
    _cells("error #N/A as number", cell("#N/A", kind="e"), inline("x"), "", raw=b"#N/A,x,", bad={"id": "22P02"}),
    _cells("fraction as integer", cell("2.5"), inline("x"), "", raw=b"2.5,x,", bad={"id": "22P02"}),
    _cells("ambiguous date", cell("2"), inline("x"), inline("01/02/2025"), raw=b"2,x,01/02/2025", bad={"day": "22008"}),
    _cells("word as date", cell("2"), inline("x"), inline("today"), raw=b"2,x,today", bad={"day": "22007"}),
    _cells("cell too many", cell("2"), inline("x"), "", inline("y"), raw=b"2,x,,y", bad={None: "22P04"}),
    _workbook("dates of 1900", _FIRST),
    _workbook("dates of 1904", _FIRST, is_1904=True, row=(1, "a", "2029-01-02")),
    _workbook("merged cells", MadeSheet(_FIRST, after='<mergeCells count="1"><mergeCell ref="B2:C2"/></mergeCells>')),
    _workbook(
        "hidden and empty sheets", _FIRST, MadeSheet(_FIRST, name="Old", state="hidden"), MadeSheet("", name="Empty")
    ),
    _workbook("dimension that lies", MadeSheet(_FIRST, before='<dimension ref="A1:B1"/>')),
    refused("several sheets", _xlsx(_FIRST, MadeSheet(_FIRST, name="Second")), "Sheet1.*Second"),
    refused("only hidden sheets", _xlsx(MadeSheet(_FIRST, state="hidden")), "Sheet1"),
    refused("empty workbook", _xlsx(""), "is empty"),
    refused(
        "encrypted workbook",
        lambda path: made_ole(path, {"EncryptionInfo": b"x", "EncryptedPackage": b"y"}),
        "encrypted",
    ),
    refused("billion laughs", _xlsx(_FIRST, parts={_SHEET: _LAUGHS + "<x>&b;</x>"}), "document type"),
    refused("bomb in a workbook", _bomb, "bomb"),
    refused("sheet that ends early", _xlsx(_FIRST, parts={_SHEET: sheet_xml(MadeSheet(_FIRST))[:-40]}), "damaged"),
    _old_and_open("XLS", lambda path: made_xls(path, ("One", 0, _XLS_ROWS))),
    _old_and_open("ODS", lambda path: made_ods(path, _ODS_TABLE)),
]
