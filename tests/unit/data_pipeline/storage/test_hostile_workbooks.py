import hashlib
import struct
import zipfile
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_pipeline.artefact_errors import (
    ArtefactError,
    DamagedArtefact,
    EncryptedArtefact,
    SuspiciousCompression,
    UnpacksTooLarge,
    WorkbookRefused,
)
from data_pipeline.storage import shared_strings, xlsx_rows, xml_parsing
from tests.unit.data_pipeline.storage.made_workbooks import MadeSheet, cell, made_xlsx, made_zip, row, sheet_xml, texts
from tests.unit.data_pipeline.storage.opened import MB, csv_of, memory_limit, opened

DATA = texts(1, "id", "name") + "".join(texts(number, str(number), "x") for number in range(2, 40))
NOISE = "".join(hashlib.sha256(b"%d" % number).hexdigest() for number in range(40_000))  # 2.5 MB
LAUGHS = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "book.xlsx"


@pytest.mark.parametrize(
    "part", ["xl/worksheets/sheet1.xml", "xl/sharedStrings.xml", "xl/styles.xml", "xl/workbook.xml"]
)
@pytest.mark.parametrize("declaration", [LAUGHS, '<!DOCTYPE x SYSTEM "file:///etc/passwd">', "<!DOCTYPE x>"])
def test_document_type_is_refused(file: Path, part: str, declaration: str) -> None:
    made_xlsx(file, DATA, strings=["<t>a</t>"])
    with zipfile.ZipFile(file) as made:
        members = {name: made.read(name).decode() for name in made.namelist()}
    content = members[part].removeprefix('<?xml version="1.0"?>')
    made_zip(file, members | {part: declaration + content})
    with pytest.raises(WorkbookRefused, match="document type"):
        csv_of(file)


@pytest.mark.parametrize("encoding", ["UTW-8", "shift_jis", "utf-7"])
def test_xml_in_another_encoding_is_refused(file: Path, encoding: str) -> None:
    sheet = sheet_xml(MadeSheet(DATA)).replace('version="1.0"', f'version="1.0" encoding="{encoding}"')
    with pytest.raises(WorkbookRefused, match=f"the encoding '{encoding}'"):
        csv_of(made_xlsx(file, "", parts={"xl/worksheets/sheet1.xml": sheet}))


@pytest.mark.parametrize("where", ["value", "row"])
def test_undefined_entity_is_damage(file: Path, where: str) -> None:
    rows = '<row r="1"><c r="A1" t="str"><v>&b;</v></c></row>' if where == "value" else "&b;"
    with pytest.raises(DamagedArtefact, match="undefined entity"):
        csv_of(made_xlsx(file, rows))


def test_unpacked_size_in_the_directory_is_limited(file: Path) -> None:
    made_xlsx(file, DATA, parts={"xl/media/image.bin": NOISE})
    assert csv_of(file)
    with pytest.raises(UnpacksTooLarge):
        csv_of(file, max_unpacked_bytes=MB)


def test_bomb_is_refused_by_the_directory(file: Path) -> None:
    made_xlsx(file, MadeSheet(DATA, after=" " * 40 * MB))
    with pytest.raises(SuspiciousCompression):
        opened(file)


def test_member_is_not_read_beyond_the_size_in_the_directory(file: Path) -> None:
    made_xlsx(file, MadeSheet(DATA, after=" " * 40 * MB))
    content = bytearray(file.read_bytes())
    size = struct.pack("<L", len(sheet_xml(MadeSheet(DATA, after=" " * 40 * MB))))
    for _ in range(2):  # the member's own header, and the directory
        place = content.index(size)
        content[place : place + 4] = struct.pack("<L", 1000)
    file.write_bytes(content)
    with memory_limit(4 * MB), pytest.raises(DamagedArtefact):
        csv_of(file)


def test_directory_with_many_members_is_refused(file: Path) -> None:
    made_zip(file, {f"{number}": "" for number in range(1001)})
    with pytest.raises(WorkbookRefused, match="1,001 members"):
        opened(file)


def test_directory_that_claims_many_members_is_refused(file: Path) -> None:
    made_xlsx(file, DATA)
    content = bytearray(file.read_bytes())
    end = content.rindex(b"PK\x05\x06")
    large = b"PK\x06\x06" + struct.pack("<QHHLLQQQQ", 44, 45, 45, 0, 0, 1 << 40, 1 << 40, 0, 0)
    locator = b"PK\x06\x07" + struct.pack("<LQL", 0, end, 1)
    file.write_bytes(content[:end] + large + locator + content[end:])
    with pytest.raises(WorkbookRefused, match="1,099,511,627,776 members"):
        opened(file)


def test_encrypted_member_is_named(file: Path) -> None:
    made_xlsx(file, DATA)
    content = bytearray(file.read_bytes())
    for signature, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        start = -1
        while (start := content.find(signature, start + 1)) >= 0:
            content[start + place] |= 1
    file.write_bytes(content)
    with pytest.raises(EncryptedArtefact):
        csv_of(file)


def test_other_compression_method_is_refused(file: Path) -> None:
    made = made_xlsx(file, DATA)
    with zipfile.ZipFile(made) as read:
        members = {name: read.read(name) for name in read.namelist()}
    with zipfile.ZipFile(file, "w", zipfile.ZIP_LZMA) as written:
        for name, content in members.items():
            written.writestr(name, content)
    with pytest.raises(WorkbookRefused, match="method 14"):
        csv_of(file)


@pytest.mark.parametrize("inner", [b"PK\x03\x04" + b"\0" * 60, b"\x1f\x8b" + b"\0" * 60, b"", b"\0"])
def test_archive_in_place_of_a_part_is_damage(file: Path, inner: bytes) -> None:
    with pytest.raises(DamagedArtefact, match="XML is invalid"):
        csv_of(made_xlsx(file, DATA, parts={"xl/worksheets/sheet1.xml": inner}))


@pytest.mark.parametrize("part", ["xl/workbook.xml", "xl/_rels/workbook.xml.rels", "xl/worksheets/sheet1.xml"])
def test_missing_part_is_damage(file: Path, part: str) -> None:
    with zipfile.ZipFile(made_xlsx(file, DATA)) as made:
        members = {name: made.read(name) for name in made.namelist() if name != part}
    with pytest.raises(DamagedArtefact, match=f"lacks the part {part}"):
        csv_of(made_zip(file, members))


def test_workbook_without_optional_parts_is_read(file: Path) -> None:
    with zipfile.ZipFile(made_xlsx(file, DATA)) as made:
        members = {name: made.read(name) for name in made.namelist() if name != "xl/styles.xml"}
    assert csv_of(made_zip(file, members)).startswith(b"id,name\n")


@pytest.mark.parametrize("end", ["", "<row/>", '<row r="41"><c r="A41"><v>1', "<!--", "</sheetDat", "</worksheet>"])
def test_sheet_that_ends_early_is_damage(file: Path, end: str) -> None:
    sheet = sheet_xml(MadeSheet(DATA)).partition("</sheetData>")[0] + end
    with pytest.raises(DamagedArtefact):
        csv_of(made_xlsx(file, "", parts={"xl/worksheets/sheet1.xml": sheet}))


@pytest.mark.parametrize("first", ["1", "2", "0", "-1", "x", "9999999999", "9" * 5000])
def test_rows_out_of_order_are_damage(file: Path, first: str) -> None:
    for comment in ("", "<!-- -->"):
        rows = f'{comment}{row(2, cell("1"))}<row r="{first}"><c r="A1"><v>1</v></c></row>'
        with pytest.raises(DamagedArtefact, match="follows row 2"):
            csv_of(made_xlsx(file, rows))


@pytest.mark.parametrize("letters", ["XFE", "AAAA", "Z" * 100_000, "É", "$A"])
def test_column_beyond_the_last_is_damage(file: Path, letters: str) -> None:
    for comment in ("", "<!-- -->"):
        with pytest.raises(DamagedArtefact, match="has the column"):
            csv_of(made_xlsx(file, f'{comment}<row r="1"><c r="{letters}1"><v>1</v></c></row>'))


@pytest.mark.parametrize("comment", ["", "<!-- -->"])
def test_endless_row_is_refused(file: Path, monkeypatch: pytest.MonkeyPatch, comment: str) -> None:
    monkeypatch.setattr(xml_parsing, "MAX_ELEMENT_BYTES", MB)
    with pytest.raises(WorkbookRefused, match="element of more than"):
        csv_of(made_xlsx(file, f'{comment}<row r="1"><c r="A1" t="str"><v>{NOISE}</v></c></row>'))
    with pytest.raises(WorkbookRefused, match="element of more than"):
        csv_of(made_xlsx(file, f'{comment}<row r="1" x="{NOISE}"><c r="A1"/></row>'))
    with pytest.raises(WorkbookRefused, match="element of more than"):
        csv_of(made_xlsx(file, DATA, strings=[f"{comment}<t>{NOISE}</t>"]))


def test_content_after_the_rows_may_be_long(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xml_parsing, "MAX_ELEMENT_BYTES", MB)
    links = "".join(f'<hyperlink ref="{NOISE[place : place + 64]}"/>' for place in range(0, len(NOISE), 64))
    for comment in ("", "<!-- -->"):
        assert csv_of(made_xlsx(file, MadeSheet(comment + DATA, after=links))).startswith(b"id,name\n2,x\n")


def test_shared_strings_are_limited(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_strings, "MAX_BYTES", 1000)
    with pytest.raises(ArtefactError, match="shared strings"):
        csv_of(made_xlsx(file, DATA, strings=["<t>0123456789</t>"] * 100))


@pytest.mark.parametrize("comment", ["", "<!-- -->"])
def test_long_string_in_many_cells_is_refused(file: Path, monkeypatch: pytest.MonkeyPatch, comment: str) -> None:
    monkeypatch.setattr(xlsx_rows, "MAX_ELEMENT_BYTES", MB)
    monkeypatch.setattr(xml_parsing, "MAX_ELEMENT_BYTES", MB)
    made_xlsx(file, comment + row(1, *[cell("0", kind="s")] * 500), strings=[f"<t>{NOISE[: MB // 8]}</t>"])
    with memory_limit(16 * MB), pytest.raises(WorkbookRefused, match="element of more than"):
        csv_of(file)


def test_long_string_in_many_rows_is_limited(file: Path) -> None:
    rows = "".join(row(number, cell("0", kind="s")) for number in range(1, 100))
    made_xlsx(file, rows, strings=[f"<t>{NOISE[: MB // 2]}</t>"])
    with memory_limit(16 * MB), pytest.raises(UnpacksTooLarge):
        csv_of(file, max_unpacked_bytes=4 * MB)


def test_sparse_sheet_takes_little_memory(file: Path) -> None:
    rows = '<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>2</v></c></row>'
    made_xlsx(file, rows)
    with memory_limit(4 * MB), opened(file) as artefact:
        content = artefact.read(MB)
        assert content == b"1\n" + b"," * 16383 + b"2\n"
        assert artefact.line_of(2) == 1048576


@given(st.data())
def test_damaged_workbook_never_gives_wrong_rows(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    file = tmp_path_factory.mktemp("damaged") / "book.xlsx"
    made_xlsx(file, DATA)
    expected, content = csv_of(file), bytearray(file.read_bytes())
    if data.draw(st.booleans()):
        content = content[: data.draw(st.integers(4, len(content) - 1))]
    else:
        content[data.draw(st.integers(4, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    file.write_bytes(content)
    with suppress(ArtefactError):
        assert csv_of(file) == expected
