"""Minimal XLSX workbooks, written by hand: each test shows the XML that it is about."""

import zipfile
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import NamedTuple

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"


class MadeSheet(NamedTuple):
    """A sheet to write."""

    rows: str  # the XML inside `sheetData`
    name: str = "Sheet1"
    state: str = "visible"
    before: str = ""  # the XML before `sheetData`
    after: str = ""


def made_xlsx(
    path: Path,
    *sheets: MadeSheet | str,
    strings: Sequence[str] = (),
    formats: Sequence[str | int] = (),
    is_1904: bool = False,
    parts: Mapping[str, str | bytes] | None = None,
) -> Path:
    """Write a workbook.

    `strings` are the contents of shared strings. `formats` are the number formats of the styles 0, 1, …, by code or
    number. `parts` replace or add members of the zip file.
    """
    made = [sheet if isinstance(sheet, MadeSheet) else MadeSheet(sheet) for sheet in sheets]
    members: dict[str, str | bytes] = {
        "[Content_Types].xml": _content_types(len(made)),
        "_rels/.rels": _relationships([("officeDocument", "xl/workbook.xml")]),
        "xl/workbook.xml": _workbook(made, is_1904=is_1904),
        "xl/_rels/workbook.xml.rels": _relationships(
            [("worksheet", f"worksheets/sheet{number}.xml") for number in range(1, len(made) + 1)]
        ),
        "xl/styles.xml": _styles(formats),
    }
    if strings:
        items = "".join(f"<si>{string}</si>" for string in strings)
        members["xl/sharedStrings.xml"] = f'<sst xmlns="{MAIN}">{items}</sst>'
    for number, sheet in enumerate(made, 1):
        members[f"xl/worksheets/sheet{number}.xml"] = sheet_xml(sheet)
    return made_zip(path, members | dict(parts or {}))


def made_zip(path: Path, members: Mapping[str, str | bytes]) -> Path:
    """Write a zip file."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            file.writestr(name, content)
    return path


def sheet_xml(sheet: MadeSheet) -> str:
    """Return a sheet's part."""
    data = f"<sheetData>{sheet.rows}</sheetData>"
    return f'<?xml version="1.0"?><worksheet xmlns="{MAIN}">{sheet.before}{data}{sheet.after}</worksheet>'


def row(number: int, *cells: str) -> str:
    """Return a row of cells that have no address yet."""
    addressed = "".join(
        cell.replace("<c", f'<c r="{column_letters(column)}{number}"', 1) for column, cell in enumerate(cells) if cell
    )
    return f'<row r="{number}">{addressed}</row>'


def cell(value: str, *, kind: str = "", style: int | None = None, formula: str = "") -> str:
    """Return a cell with a value."""
    style_attribute = "" if style is None else f' s="{style}"'
    kind_attribute = f' t="{kind}"' if kind else ""
    return f"<c{style_attribute}{kind_attribute}>{formula}<v>{escape(value, quote=False)}</v></c>"


def inline(text: str) -> str:
    """Return a cell with a text of its own."""
    return f'<c t="inlineStr"><is><t xml:space="preserve">{escape(text, quote=False)}</t></is></c>'


def texts(number: int, *values: str) -> str:
    """Return a row of texts."""
    return row(number, *[inline(value) if value else "" for value in values])


def column_letters(column: int) -> str:
    """Return a column's letters, up to ZZ."""
    return (chr(64 + column // 26) if column >= 26 else "") + chr(65 + column % 26)


def _workbook(sheets: Sequence[MadeSheet], *, is_1904: bool) -> str:
    listed = "".join(
        f'<sheet name="{escape(sheet.name)}" sheetId="{number}" state="{sheet.state}" r:id="rId{number}"/>'
        for number, sheet in enumerate(sheets, 1)
    )
    properties = '<workbookPr date1904="1"/>' if is_1904 else "<workbookPr/>"
    return f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}">{properties}<sheets>{listed}</sheets></workbook>'


def _relationships(targets: Sequence[tuple[str, str]]) -> str:
    listed = "".join(
        f'<Relationship Id="rId{number}" Type="{OFFICE}/{kind}" Target="{target}"/>'
        for number, (kind, target) in enumerate(targets, 1)
    )
    return f'<Relationships xmlns="{PACKAGE}">{listed}</Relationships>'


def _styles(formats: Sequence[str | int]) -> str:
    own = "".join(
        f'<numFmt numFmtId="{164 + place}" formatCode="{escape(code)}"/>'
        for place, code in enumerate(formats)
        if isinstance(code, str)
    )
    styles = "".join(
        f'<xf numFmtId="{164 + place if isinstance(code, str) else code}"/>' for place, code in enumerate(formats)
    )
    return (
        f'<styleSheet xmlns="{MAIN}"><numFmts>{own}</numFmts><cellStyleXfs><xf numFmtId="14"/></cellStyleXfs>'
        f"<cellXfs>{styles}</cellXfs><cellStyles/></styleSheet>"
    )


def _content_types(sheets: int) -> str:
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    parts = "".join(
        f'<Override PartName="/xl/worksheets/sheet{number}.xml" ContentType="{kind}.worksheet+xml"/>'
        for number in range(1, sheets + 1)
    )
    return (
        '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Default Extension="xml" ContentType="application/xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{kind}.sheet.main+xml"/>{parts}</Types>'
    )
