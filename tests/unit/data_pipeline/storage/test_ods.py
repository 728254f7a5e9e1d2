from collections.abc import Mapping
from pathlib import Path

import pytest

from data_pipeline.artefact_errors import (
    ArtefactError,
    DamagedArtefact,
    EncryptedArtefact,
    SheetNotChosen,
    UnpacksTooLarge,
    UnsupportedFormat,
    WorkbookRefused,
)
from data_pipeline.storage import xml_parsing
from tests.unit.data_pipeline.storage.made_workbooks import made_zip
from tests.unit.data_pipeline.storage.opened import MB, csv_of, memory_limit, opened, read_all

MEDIA_TYPE = "application/vnd.oasis.opendocument.spreadsheet"
HIDDEN = '<style:style style:name="ta2"><style:table-properties table:display="false"/></style:style>'


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "orders.ods"


def made_ods(
    path: Path,
    *tables: str,
    media_type: str = MEDIA_TYPE,
    before: str = "",
    parts: Mapping[str, str | bytes] | None = None,
) -> Path:
    """Write a spreadsheet of tables."""
    content = (
        '<?xml version="1.0" encoding="UTF-8"?><office:document-content><office:automatic-styles>'
        '<style:style style:name="ta1"><style:table-properties table:display="true"/></style:style>'
        f"{HIDDEN}</office:automatic-styles><office:body><office:spreadsheet>{before}{''.join(tables)}"
        "</office:spreadsheet></office:body></office:document-content>"
    )
    return made_zip(path, {"mimetype": media_type, "content.xml": content} | dict(parts or {}))


def table(*rows: str, name: str = "Sheet1", style: str = "ta1") -> str:
    return f'<table:table table:name="{name}" table:style-name="{style}">{"".join(rows)}</table:table>'


def row(*cells: str, repeats: int = 1) -> str:
    return f'<table:table-row table:number-rows-repeated="{repeats}">{"".join(cells)}</table:table-row>'


def text(*paragraphs: str, attributes: str = "") -> str:
    content = "".join(f"<text:p>{paragraph}</text:p>" for paragraph in paragraphs)
    return f'<table:table-cell office:value-type="string" {attributes}>{content}</table:table-cell>'


def value(kind: str, attribute: str, content: str) -> str:
    start = f'<table:table-cell office:value-type="{kind}" office:{attribute}="{content}">'
    return f"{start}<text:p>x</text:p></table:table-cell>"


def empty(repeats: int = 1) -> str:
    return f'<table:table-cell table:number-columns-repeated="{repeats}"/>'


def field_of(file: Path, cell: str) -> str:
    """Return the field of one cell."""
    content = csv_of(made_ods(file, table(row(text("h")), row(cell, value("float", "value", "1")))))
    return content.decode().removeprefix("h\n").removesuffix(",1\n")


def test_spreadsheet_is_read_as_csv(file: Path) -> None:
    made_ods(file, table(row(text("id"), text("name")), row(value("float", "value", "1"), text("a"))))
    with opened(file) as artefact:
        assert (artefact.format, artefact.compression) == ("ods", None)
        assert read_all(artefact) == b"id,name\n1,a\n"
        assert artefact.position == artefact.size
        assert len(artefact.content_blake2b) == 64


@pytest.mark.parametrize(
    ("cell", "field"),
    [
        (value("float", "value", "1.5"), "1.5"),
        (value("float", "value", "5.0"), "5"),
        (value("percentage", "value", "0.25"), "0.25"),
        (value("currency", "value", "9.9900000000000002"), "9.99"),
        (value("date", "date-value", "2025-01-02"), "2025-01-02"),
        (value("date", "date-value", "2025-01-02T03:04:05.5"), "2025-01-02 03:04:05.5"),
        (value("time", "time-value", "PT06H05M04S"), "06:05:04"),
        (value("time", "time-value", "PT25H30M00.864000000S"), "25:30:00.864000"),
        (value("time", "time-value", "P1D"), "P1D"),
        (value("boolean", "boolean-value", "true"), "true"),
        (value("string", "string-value", "a &lt; b"), "a < b"),
        (value("new", "value", "1"), "x"),
        ('<table:table-cell office:value-type="float"><text:p>7</text:p></table:table-cell>', "7"),
        (text("#N/A", attributes='office:string-value="" calcext:value-type="error"'), "#N/A"),
        (text("a", "", "b"), '"a\n\nb"'),
        (text(" a \n  b <text:span> c</text:span> "), "a b c"),
        (text('a<text:s text:c="3"/>b<text:s/><text:tab/>c<text:line-break/>d'), '"a   b \tc\nd"'),
        (text("<text:a>link</text:a><office:annotation><text:p>note</text:p></office:annotation>"), "link"),
        (text("a").replace("<text:p>", "<office:annotation><text:p>b</text:p></office:annotation><text:p>"), "a"),
        ("<table:covered-table-cell><text:p>hidden</text:p></table:covered-table-cell>", ""),
        (empty(), ""),
        (text(), ""),
    ],
)
def test_cell_is_a_field(file: Path, cell: str, field: str) -> None:
    assert field_of(file, cell) == field


def test_repeated_cells_and_rows_are_unfolded(file: Path) -> None:
    made_ods(
        file,
        table(
            row(empty(1024), repeats=2),
            "<table:table-header-rows>",
            row(text("a"), text("b"), text("c"), empty(16381)),
            "</table:table-header-rows>",
            row(text("x", attributes='table:number-columns-repeated="2"'), empty(16382), repeats=3),
            row(empty(16384), repeats=2),
            row(empty(2), text("z")),
            row(empty(16384), repeats=1_048_567),
        ),
    )
    with opened(file) as artefact:
        assert read_all(artefact) == b"a,b,c\n" + b"x,x,\n" * 3 + b",,z\n"
        assert [artefact.line_of(line) for line in range(1, 6)] == [3, 4, 5, 6, 9]


def test_sheet_is_chosen_by_name_and_visibility(file: Path) -> None:
    tables = [
        table(row(text(name)), name=name, style=style) for name, style in (("A", "ta2"), ("B", "ta1"), ("C", "ta1"))
    ]
    with pytest.raises(SheetNotChosen, match="'B', 'C'"):
        csv_of(made_ods(file, *tables))
    assert [csv_of(file, sheet=name) for name in "ABC"] == [b"A\n", b"B\n", b"C\n"]
    assert csv_of(made_ods(file, *tables[:2])) == b"B\n"


def test_tables_elsewhere_are_no_sheets(file: Path) -> None:
    before = f"<table:tracked-changes>{table(row(text('old')))}</table:tracked-changes>"
    assert csv_of(made_ods(file, table(row(text("new"))), before=before)) == b"new\n"


def test_repeated_cells_are_limited(file: Path) -> None:
    full = text("x" * 50, attributes='table:number-columns-repeated="16384"')
    made_ods(file, table(row(full, repeats=1_048_576)))
    with memory_limit(32 * MB), pytest.raises(UnpacksTooLarge):
        csv_of(file, max_unpacked_bytes=8 * MB)


def test_long_repeated_cell_is_refused(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xml_parsing, "MAX_ELEMENT_BYTES", MB)
    with pytest.raises(WorkbookRefused, match="element of more than"):
        csv_of(made_ods(file, table(row(text("x" * 1000, attributes='table:number-columns-repeated="16384"')))))


@pytest.mark.parametrize("count", ["99999999", "16385"])
def test_more_cells_than_a_sheet_has_are_refused(file: Path, count: str) -> None:
    with pytest.raises(WorkbookRefused, match="more than"):
        csv_of(made_ods(file, table(row(text("x", attributes=f'table:number-columns-repeated="{count}"')))))


@pytest.mark.parametrize("count", ["-1", "x", "", "9" * 5000])
def test_invalid_repetition_is_damage(file: Path, count: str) -> None:
    with pytest.raises(DamagedArtefact, match="number-columns-repeated"):
        csv_of(made_ods(file, table(row(text("x", attributes=f'table:number-columns-repeated="{count}"')))))


def test_encrypted_spreadsheet_is_named(file: Path) -> None:
    manifest = (
        "<manifest:manifest><manifest:file-entry><manifest:encryption-data/></manifest:file-entry></manifest:manifest>"
    )
    with pytest.raises(EncryptedArtefact, match="password"):
        opened(made_ods(file, parts={"META-INF/manifest.xml": manifest, "content.xml": b"\x01\x02"}))


def test_other_open_document_is_named(file: Path) -> None:
    with pytest.raises(UnsupportedFormat, match="without sheets"):
        opened(made_ods(file, media_type="application/vnd.oasis.opendocument.text"))


def test_billion_laughs_are_refused(file: Path) -> None:
    content = '<!DOCTYPE a [<!ENTITY b "c">]><office:document-content/>'
    with pytest.raises(WorkbookRefused, match="document type"):
        opened(made_ods(file, parts={"content.xml": content}))


def test_spreadsheet_that_ends_early_is_damaged(file: Path) -> None:
    with pytest.raises(ArtefactError):
        csv_of(made_ods(file, parts={"content.xml": "<office:document-content><office:body>"}))
