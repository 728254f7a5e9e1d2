"""Cells of workbooks as values of a table, and workbooks that are refused as a whole."""

from collections.abc import Callable
from pathlib import Path

import pytest

from data_pipeline.artefact_errors import (
    ArtefactError,
    DamagedArtefact,
    EmptyArtefact,
    EncryptedArtefact,
    SheetNotChosen,
    SuspiciousCompression,
    WorkbookRefused,
)
from tests.acceptance.data_pipeline.file_loads import Bad, create, load, require, rows
from tests.unit.data_pipeline.storage.made_workbooks import MadeSheet, cell, inline, made_xlsx, row, sheet_xml, texts
from tests.unit.data_pipeline.storage.made_xls import made_ole, made_xls
from tests.unit.data_pipeline.storage.test_ods import made_ods, table
from tests.unit.data_pipeline.storage.test_ods import row as ods_row
from tests.unit.data_pipeline.storage.test_ods import text as ods_text
from tests.unit.data_pipeline.storage.test_ods import value as ods_value

pytestmark = pytest.mark.usefixtures("load_tables")
HEADER = texts(1, "id", "name", "day")
GOOD = HEADER + row(2, cell("1"), inline("a"), cell("45658", style=1))  # 2025-01-01
DATES = ["General", "yyyy-mm-dd"]
SHEET = "xl/worksheets/sheet1.xml"
SHEET = "xl/worksheets/sheet1.xml"
LAUGHS = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'


@pytest.fixture(autouse=True)
def orders(load_tables: None) -> None:
    create("id integer, name text, day date")


@pytest.mark.parametrize(
    ("cells", "name", "bad"),
    [
        ([cell("2"), cell("0", kind="s"), cell("45659", style=1)], "shared", {}),
        ([cell("2"), inline('a, "b"\nc'), ""], 'a, "b"\nc', {}),
        ([cell("2"), cell("b", kind="str", formula="<f>UPPER(A1)</f>"), ""], "b", {}),
        ([cell("2"), cell("#N/A", kind="e"), ""], "#N/A", {}),
        ([cell("2"), cell("1", kind="b"), ""], "true", {}),
        ([cell("2"), cell("1.50"), ""], "1.5", {}),
        ([cell("2"), "", ""], None, {}),
        ([cell("#N/A", kind="e"), inline("x"), ""], None, {"id": "22P02"}),
        ([cell("2.5"), inline("x"), ""], None, {"id": "22P02"}),
        ([cell("2"), inline("x"), inline("01/02/2025")], None, {"day": "22008"}),
        ([cell("2"), inline("x"), inline("today")], None, {"day": "22007"}),
        ([cell("2"), inline("x"), "", inline("surplus")], None, {None: "22P04"}),
    ],
    ids=[
        "shared string and date", "inline", "formula", "error as text", "boolean", "number as text", "empty",
        "error as number", "fraction", "ambiguous date", "today", "surplus",
    ],
)  # fmt: skip
def test_cell_is_loaded_or_rejected_with_its_row(
    tmp_path: Path, cells: list[str], name: str | None, bad: dict[str | None, str]
) -> None:
    path = made_xlsx(tmp_path / "made", GOOD + row(7, *cells), strings=["<t>shared</t>"], formats=DATES)
    loaded = load(tmp_path, path.read_bytes())
    if bad:
        assert [(one.line_no, one.record_no) for one in loaded.rejects] == [(7, 2)]
        assert {one.column: one.sqlstate for one in loaded.rejects[0].problems} == bad
    else:
        require(loaded, good=2)
    assert [found for _, found in rows("id", "name")] == (["a"] if bad else ["a", name])


@pytest.mark.parametrize(("is_1904", "day"), [(False, "2025-01-01"), (True, "2029-01-02")])
def test_dates_are_those_of_the_workbook(tmp_path: Path, is_1904: bool, day: str) -> None:  # noqa: FBT001
    path = made_xlsx(tmp_path / "made", GOOD, formats=DATES, is_1904=is_1904)
    require(load(tmp_path, path.read_bytes()), good=1)
    assert rows("day::text") == [(day,)]


@pytest.mark.parametrize(
    "sheets",
    [
        [GOOD, MadeSheet(GOOD, name="Old", state="hidden"), MadeSheet("", name="Empty")],
        [MadeSheet(GOOD, before='<dimension ref="A1:B1"/>')],
        [MadeSheet(GOOD, after='<mergeCells count="1"><mergeCell ref="B2:C2"/></mergeCells>')],
    ],
    ids=["hidden and empty sheets", "dimension that lies", "merged cells"],
)
def test_odd_workbook_is_loaded(tmp_path: Path, sheets: list[MadeSheet | str]) -> None:
    require(load(tmp_path, made_xlsx(tmp_path / "made", *sheets, formats=DATES).read_bytes()), good=1)
    assert rows("id", "name") == [(1, "a")]


def test_old_and_open_formats_are_loaded(tmp_path: Path) -> None:
    old = made_xls(tmp_path / "old", ("One", 0, [["id", "name"], [1, "a"], ["x", "b"]]))
    opened = made_ods(
        tmp_path / "open",
        table(
            ods_row(ods_text("id"), ods_text("name")),
            ods_row(ods_value("float", "value", "2"), ods_text("c")),
            ods_row(ods_text("y"), ods_text("d")),
        ),
    )
    for path, raw in ((old, b"x,b"), (opened, b"y,d")):
        require(load(tmp_path, path.read_bytes()), good=1, bad=[Bad(3, 2, raw, {"id": "22P02"})])
    assert rows("id", "name") == [(1, "a"), (2, "c")]


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (lambda path: made_xlsx(path, GOOD, MadeSheet(GOOD, name="Second")), SheetNotChosen),
        (lambda path: made_xlsx(path, ""), EmptyArtefact),
        (lambda path: made_ole(path, {"EncryptionInfo": b"x", "EncryptedPackage": b"y"}), EncryptedArtefact),
        (
            lambda path: made_xlsx(path, GOOD, parts={SHEET: LAUGHS + "<x>&b;</x>"}),
            WorkbookRefused,
        ),
        (lambda path: made_xlsx(path, MadeSheet(GOOD, after=" " * 40_000_000)), SuspiciousCompression),
        (lambda path: made_xlsx(path, GOOD, parts={SHEET: _cut(GOOD)}), DamagedArtefact),
    ],
    ids=["several sheets", "empty", "encrypted", "billion laughs", "bomb", "cut"],
)
def test_workbook_that_cannot_be_read_leaves_no_row(
    tmp_path: Path, make: Callable[[Path], Path], error: type[ArtefactError]
) -> None:
    with pytest.raises(error):
        load(tmp_path, make(tmp_path / "made").read_bytes())
    assert rows() == []


def _cut(data: str) -> str:
    return sheet_xml(MadeSheet(data))[:-40]
