import hashlib
from pathlib import Path

import pytest

from data_pipeline.artefact_errors import (
    CellOutsideTable,
    SheetNotChosen,
    SourceChanged,
    UnknownSheet,
    UnsupportedFormat,
    WorkbookRefused,
)
from tests.unit.data_pipeline.storage.made_workbooks import (
    MadeSheet,
    cell,
    inline,
    made_xlsx,
    made_zip,
    row,
    sheet_xml,
    texts,
)
from tests.unit.data_pipeline.storage.opened import csv_of, opened, read_all

DATA = texts(1, "id", "name") + row(2, cell("1"), inline("a"))
CSV = b"id,name\n1,a\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "orders.csv"  # the name decides nothing


@pytest.mark.parametrize("size", [1, 7, 1 << 20])
def test_workbook_is_read_as_csv(file: Path, size: int) -> None:
    with opened(made_xlsx(file, DATA)) as artefact:
        assert (artefact.format, artefact.compression) == ("xlsx", None)
        assert read_all(artefact, size) == CSV
        assert artefact.position == artefact.size == file.stat().st_size
        assert artefact.file_sha256 == hashlib.sha256(file.read_bytes()).hexdigest()


def test_position_of_a_workbook_grows_with_its_rows(file: Path) -> None:
    made_xlsx(file, "".join(row(number, cell(str(number))) for number in range(1, 100_000)))
    with opened(file) as artefact:
        positions = [artefact.position]
        while artefact.read(100_000):
            positions.append(artefact.position)
        assert positions == sorted(positions)
        assert positions[0] == 0
        assert 0 < positions[2] < positions[4] < artefact.size
        assert artefact.position == artefact.size


def test_workbook_that_changes_while_it_is_read_is_refused(file: Path) -> None:
    with opened(made_xlsx(file, DATA)) as artefact:
        with file.open("ab") as writer:
            writer.write(b"x")
        with pytest.raises(SourceChanged):
            read_all(artefact)


def test_empty_workbook_has_no_lines(file: Path) -> None:
    assert csv_of(made_xlsx(file, "")) == b""
    assert csv_of(made_xlsx(file, "", "<row/>")) == b""


def test_empty_rows_are_skipped_and_lines_know_their_rows(file: Path) -> None:
    rows = [
        row(1),
        texts(2, "", ""),
        texts(4, "a", "b"),
        texts(5, "x\ny", "1"),
        texts(6, "", ""),
        row(7, "<c><v></v></c>", inline("")),
        texts(9, "z", "2\n\n3"),
        texts(10, "last"),
    ]
    with opened(made_xlsx(file, "".join(rows))) as artefact:
        assert read_all(artefact) == b'a,b\n"x\ny",1\nz,"2\n\n3"\nlast,\n'
        assert [artefact.line_of(line) for line in range(1, 9)] == [4, 5, 5, 9, 9, 9, 10, 10]


def test_short_rows_are_padded_to_the_header(file: Path) -> None:
    rows = texts(1, "a", "b", "c", "") + texts(2, "1") + texts(3, "", "2")
    assert csv_of(made_xlsx(file, rows)) == b"a,b,c\n1,,\n,2,\n"


def test_value_right_of_the_header_is_kept_for_the_database(file: Path) -> None:
    assert csv_of(made_xlsx(file, texts(1, "a", "b") + texts(2, "1", "2", "", "4"))) == b"a,b\n1,2,,4\n"


def test_table_may_begin_in_another_column(file: Path) -> None:
    assert csv_of(made_xlsx(file, texts(3, "", "", "a", "b") + texts(4, "", "", "1"))) == b"a,b\n1,\n"


def test_value_left_of_the_header_is_refused_with_its_place(file: Path) -> None:
    rows = texts(3, "", "", "a", "b") + texts(4, "", "0", "1")
    with pytest.raises(
        CellOutsideTable, match="row 4, has a value in column B, but the header in row 3 begins in column C"
    ):
        csv_of(made_xlsx(file, rows))


def test_fields_are_quoted_where_csv_needs_it(file: Path) -> None:
    rows = texts(1, "a,b", 'c"d', "e\nf", " g ", "\\.", "\\N")
    assert csv_of(made_xlsx(file, rows)) == b'"a,b","c""d","e\nf", g ,"\\.",\\N\n'


def test_only_sheet_with_data_is_read(file: Path) -> None:
    assert csv_of(made_xlsx(file, "", MadeSheet(DATA, name="Data"), texts(1, "", ""))) == CSV


def test_several_sheets_with_data_need_a_choice(file: Path) -> None:
    made_xlsx(file, MadeSheet(DATA, name="May"), MadeSheet("", name="Empty"), MadeSheet(texts(1, "x"), name="June"))
    with pytest.raises(SheetNotChosen, match="'May', 'June'") as raised:
        csv_of(file)
    assert "Empty" not in str(raised.value)
    assert csv_of(file, sheet="June") == b"x\n"
    assert csv_of(file, sheet="june") == b"x\n"
    with pytest.raises(UnknownSheet, match="'July'. Name one of its sheets: 'May', 'Empty', 'June'"):
        csv_of(file, sheet="July")


@pytest.mark.parametrize("state", ["hidden", "veryHidden"])
def test_hidden_sheet_is_read_only_if_it_is_named(file: Path, state: str) -> None:
    made_xlsx(file, MadeSheet(texts(1, "x"), name="Lists", state=state), MadeSheet(DATA, name="Data"))
    assert csv_of(file) == CSV
    assert csv_of(file, sheet="Lists") == b"x\n"


def test_workbook_of_hidden_sheets_needs_a_choice(file: Path) -> None:
    with pytest.raises(WorkbookRefused, match="Name one of them: 'Lists'"):
        csv_of(made_xlsx(file, MadeSheet(DATA, name="Lists", state="hidden")))


def test_chart_sheet_is_not_a_sheet_of_cells(file: Path) -> None:
    made_xlsx(
        file,
        MadeSheet(DATA, name="Data"),
        MadeSheet("", name="Chart"),
        parts={
            "xl/_rels/workbook.xml.rels": '<Relationships><Relationship Id="rId1" Type="x/worksheet" '
            'Target="/xl/worksheets/sheet1.xml"/><Relationship Id="rId2" Type="x/chartsheet" '
            'Target="chartsheets/sheet1.xml"/></Relationships>'
        },
    )
    assert csv_of(file) == CSV
    with pytest.raises(UnknownSheet):
        csv_of(file, sheet="Chart")


def test_parts_with_other_names_are_found_by_their_relationships(file: Path) -> None:
    made = made_xlsx(file, DATA)
    assert csv_of(made) == CSV
    rel = '<Relationships><Relationship Id="{}" Type="{}" Target="{}"/></Relationships>'
    made_zip(
        file,
        {
            "_rels/.rels": rel.format("a", "x/officeDocument", "xl/workbook22.xml"),
            "xl/workbook22.xml": '<w xmlns:q="q"><sheets><sheet name="A" q:id="b"/></sheets></w>',
            "xl/_rels/workbook22.xml.rels": rel.format("b", "x/worksheet", "../data/part.xml"),
            "data/part.xml": sheet_xml(MadeSheet(DATA)),
        },
    )
    assert csv_of(file) == CSV


@pytest.mark.parametrize(
    ("part", "named"),
    [("word/document.xml", "Office document"), ("ppt/presentation.xml", "Office"), ("xl/workbook.bin", "XLSB")],
)
def test_other_office_document_is_named(file: Path, part: str, named: str) -> None:
    relationship = f'<Relationships><Relationship Id="a" Type="x/officeDocument" Target="{part}"/></Relationships>'
    with pytest.raises(UnsupportedFormat, match=named):
        opened(made_zip(file, {"_rels/.rels": relationship, part: ""}))


@pytest.mark.parametrize("members", [{}, {"orders.csv": "a\n"}, {"inner.zip": b"PK\x03\x04"}, {"_rels/.rels": "<R/>"}])
def test_zip_archive_is_refused_with_advice(file: Path, members: dict[str, str | bytes]) -> None:
    with pytest.raises(UnsupportedFormat, match="a zip archive, which cannot be loaded. Unpack it"):
        opened(made_zip(file, members))


def test_descriptor_is_closed_with_the_artefact(file: Path) -> None:
    before = len(list(Path("/dev/fd").iterdir()))
    with opened(made_xlsx(file, DATA)) as artefact:
        artefact.read(3)
    assert len(list(Path("/dev/fd").iterdir())) == before
