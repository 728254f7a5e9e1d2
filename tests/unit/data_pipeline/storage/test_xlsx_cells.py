from pathlib import Path

import pytest

from data_pipeline.artefact_errors import DamagedArtefact, WorkbookRefused
from tests.unit.data_pipeline.storage.made_workbooks import MadeSheet, cell, inline, made_xlsx, row, texts
from tests.unit.data_pipeline.storage.opened import csv_of

DATE, MOMENT, TIME, DURATION, MONEY = range(1, 6)
FORMATS: list[str | int] = ["General", 14, "yyyy\\-mm\\-dd\\ hh:mm", 20, "[h]:mm", '#,##0.00\\ "day"']


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "cells.xlsx"


def value_of(file: Path, *cells: str, strings: tuple[str, ...] = (), is_1904: bool = False) -> str:
    """Return the fields of a row, read by the pattern and by the parser, which must agree."""
    sheet = texts(1, *["h"] * max(len(cells), 1)) + row(2, *cells)
    read = set()
    for before in ("", "<!-- the parser reads what follows -->"):
        made_xlsx(file, MadeSheet(before + sheet), strings=strings, formats=FORMATS, is_1904=is_1904)
        _, _, content = csv_of(file).decode().partition("\n")
        read.add(content.removesuffix("\n"))
    [only] = read
    return only


@pytest.mark.parametrize(
    ("number", "field"),
    [
        ("5", "5"),
        ("0", "0"),
        ("-7", "-7"),
        ("5.0", "5"),
        ("5E3", "5000"),
        ("-0", "0"),
        ("007", "7"),
        ("1.1000000000000001", "1.1"),
        ("0.1", "0.1"),
        ("1E-7", "1e-07"),
        ("12345678901234567890", "12345678901234567890"),  # other programs than Excel write integers exactly
        ("9007199254740992.0", "9007199254740992"),
        ("1.5E+300", "1.5e+300"),
        ("NaN", "nan"),
        ("1_000", "1_000"),
        (" 5", " 5"),
        ("0x10", "0x10"),
        ("a,b", '"a,b"'),
        ("a&b", "a&b"),
    ],
)
def test_number_has_the_fewest_digits(file: Path, number: str, field: str) -> None:
    assert value_of(file, cell(number)) == field
    assert value_of(file, cell(number, kind="n")) == field
    assert value_of(file, cell(number, style=MONEY)) == field


@pytest.mark.parametrize(
    ("days", "field"),
    [
        ("45000", "2023-03-15"),
        ("45000.5", "2023-03-15 12:00:00"),
        ("45000.123456789", "2023-03-15 02:57:46.667000"),
        ("0.25", "06:00:00"),
        ("0", "00:00:00"),
        ("1", "1900-01-01"),
        ("59", "1900-02-28"),
        ("60", "1900-02-28"),  # the day that only spreadsheets have
        ("61", "1900-03-01"),
        ("2958465", "9999-12-31"),
        ("2958466", "2958466"),
        ("2958465.99999999", "9999-12-31 23:59:59.999000"),
        ("-1", "-1"),
        ("NaN", "nan"),
        ("soon", "soon"),
    ],
)
def test_date_of_1900_is_iso(file: Path, days: str, field: str) -> None:
    for style in (DATE, MOMENT, TIME):
        assert value_of(file, cell(days, style=style)) == field


@pytest.mark.parametrize(
    ("days", "field"),
    [
        ("0", "00:00:00"),
        ("1", "1904-01-02"),
        ("60", "1904-03-01"),
        ("43538.5", "2023-03-15 12:00:00"),
        ("2958465", "2958465"),
    ],
)
def test_date_of_1904_is_iso(file: Path, days: str, field: str) -> None:
    assert value_of(file, cell(days, style=DATE), is_1904=True) == field


@pytest.mark.parametrize(
    ("days", "field"),
    [
        ("1.0625", "25:30:00"),
        ("0.00001", "00:00:00.864000"),
        ("-0.5", "-12:00:00"),
        ("100", "2400:00:00"),
        ("1e300", "1e+300"),
    ],
)
def test_duration_is_an_interval(file: Path, days: str, field: str) -> None:
    assert value_of(file, cell(days, style=DURATION)) == field


@pytest.mark.parametrize(
    ("kind", "value", "field"),
    [
        ("b", "1", "true"),
        ("b", "0", "false"),
        ("b", "true", "true"),
        ("b", "7", "7"),
        ("e", "#N/A", "#N/A"),
        ("e", "#DIV/0!", "#DIV/0!"),
        ("e", "#SPILL!", "#SPILL!"),
        ("str", " a & <b> ", " a & <b> "),
        ("str", "_x0041__x000D_", '"A\r"'),
        ("str", "45000", "45000"),
        ("d", "2025-01-02T03:04:05", "2025-01-02 03:04:05"),
        ("d", "2025-01-02", "2025-01-02"),
        ("inlineStr", "not the text", ""),
    ],
)
def test_other_types_of_cells_are_read(file: Path, kind: str, value: str, field: str) -> None:
    assert value_of(file, cell(value, kind=kind, style=DATE)) == field


def test_unknown_type_of_cell_is_refused(file: Path) -> None:
    with pytest.raises(WorkbookRefused, match="the type 'new'"):
        value_of(file, cell("1", kind="new"))


@pytest.mark.parametrize(
    "formula", ["<f>A1+1</f>", '<f t="shared" si="0"/>', '<f t="shared" ref="A1:A9" si="0">A1&amp;"x"</f>']
)
def test_formula_gives_its_cached_value(file: Path, formula: str) -> None:
    assert value_of(file, cell("3", formula=formula), cell("x", kind="str", formula=formula)) == "3,x"


def test_formula_without_a_cached_value_is_empty(file: Path) -> None:
    assert value_of(file, "<c><f>1+1</f></c>", cell("1")) == ",1"


@pytest.mark.parametrize("empty", ["", "<c/>", '<c s="1"/>', '<c t="s"/>', "<c><v/></c>", "<c><v></v></c>", inline("")])
def test_empty_cells_are_empty_fields_without_quotes(file: Path, empty: str) -> None:
    assert value_of(file, cell("1"), empty, cell("2"), empty) == "1,,2,"


@pytest.mark.parametrize(
    ("string", "text"),
    [
        ("<t>plain</t>", "plain"),
        ("<t> \n\ttrimmed \n</t>", "trimmed"),
        ("<t>\u00a0kept</t>", "\u00a0kept"),
        ('<t xml:space="preserve"> a \n</t>', '" a \n"'),
        ("<t/>", ""),
        (
            '<r><t>x</t></r><r><rPr><b/></rPr><t xml:space="preserve"> y</t></r><rPh sb="0" eb="1"><t>ph</t></rPh>',
            "x y",
        ),
        ("<t>課長</t><rPh><t>カチョウ</t></rPh>", "課長"),
        ("<t>&lt;a&gt; &amp;lt; &quot; &apos;</t>", '"<a> &lt; "" \'"'),
        ("<t>&#233;&#x1F600;</t>", "é\U0001f600"),
        ("<t>a<![CDATA[<&]]><!-- x -->b</t>", "a<&b"),
        ("<t>_x005F_x0041_ _x0041_ _xD83D_ _x41_</t>", "_x0041_ A _xD83D_ _x41_"),
        ("<t>l1\r\nl2</t>", '"l1\nl2"'),
    ],
)
def test_text_is_joined_and_unescaped(file: Path, string: str, text: str) -> None:
    shared = value_of(
        file, cell("1", kind="s"), cell("0", kind="s"), cell("2", kind="s"), strings=("<t>a</t>", string, "<t>c</t>")
    )
    assert shared == f"{text},a,c"
    assert value_of(file, f'<c t="inlineStr"><is>{string}</is></c>', cell("1")) == f"{text},1"


def test_empty_shared_strings_keep_their_index(file: Path) -> None:
    made_xlsx(
        file,
        texts(1, "h") + row(2, cell("3", kind="s")) + row(3, cell("0", kind="s"), cell("1")),
        parts={"xl/sharedStrings.xml": "<sst><si/><si><t>b</t></si><si/><si><t>d</t></si><si/><si/></sst>"},
    )
    assert csv_of(file) == b"h\nd\n,1\n"
    made_xlsx(
        file,
        texts(1, "h") + row(2, cell("5", kind="s"), cell("1")),
        parts={"xl/sharedStrings.xml": "<sst><si/><si><t>b</t></si><si/><si><t>d</t></si><si/><si/></sst>"},
    )
    assert csv_of(file) == b"h\n,1\n"


@pytest.mark.parametrize("index", ["2", "-1", "x", "1.0", "9" * 30, "9" * 5000])
def test_missing_shared_string_is_damage(file: Path, index: str) -> None:
    with pytest.raises(DamagedArtefact, match="shared string"):
        value_of(file, cell(index, kind="s"), strings=("<t>a</t>", "<t>b</t>"))


def test_merged_cells_have_their_value_in_the_first_cell(file: Path) -> None:
    rows = texts(1, "a", "b", "c") + row(2, cell("1"), "<c/>", cell("2"))
    made_xlsx(file, MadeSheet(rows, after='<mergeCells count="1"><mergeCell ref="A2:B2"/></mergeCells>'))
    assert csv_of(file) == b"a,b,c\n1,,2\n"


def test_dimension_is_not_believed(file: Path) -> None:
    made_xlsx(file, MadeSheet(texts(1, "a", "b") + texts(2, "1", "2"), before='<dimension ref="A1:XFD1048576"/>'))
    assert csv_of(file) == b"a,b\n1,2\n"
    made_xlsx(file, MadeSheet(texts(1, "a", "b") + texts(2, "1", "2"), before='<dimension ref="A1"/>'))
    assert csv_of(file) == b"a,b\n1,2\n"


@pytest.mark.parametrize("comment", ["", "<!-- -->"])
@pytest.mark.parametrize(
    ("rows", "content"),
    [
        ('<row><c t="str"><v>a</v></c><c t="str"><v>b</v></c></row><row><c><v>1</v></c></row>', "a,b\n1,\n"),
        ('<row r="1"/><row r="2"><c r="A2"><v>1</v></c></row><row r="3"/><row r="4" ht="3"/>', "1\n"),
        ('<row r="1"><c r="B1"><v>2</v></c><c r="A1"><v>1</v></c></row>', "1,2\n"),
        ('<row r="1"><c r="A1"><v>1</v></c><c r="A1"><v>2</v></c></row>', "2\n"),
        ('\n <row r="1">\n  <c r="A1">\n   <v>1</v>\n  </c>\n </row>\n', "1\n"),
        ('<row r="1" spans="1:2"><c t="n" s="0" r="A1"><v>1</v></c><c cm="1" r="b1"><v>2</v></c></row>', "1,2\n"),
        ('<row r="1"><c r="A1"><v>1</v></c><extLst><ext/></extLst></row>', "1\n"),
    ],
)
def test_other_programs_write_rows_differently(file: Path, rows: str, content: str, comment: str) -> None:
    assert csv_of(made_xlsx(file, comment + rows)).decode() == content


@pytest.mark.parametrize("encoding", ["utf-16", "iso-8859-1", "utf-8-sig"])
def test_parts_in_other_encodings_are_read(file: Path, encoding: str) -> None:
    declared = {"utf-8-sig": "UTF-8"}.get(encoding, encoding)
    sheet = f'<?xml version="1.0" encoding="{declared}"?><worksheet><sheetData>{texts(1, "é")}</sheetData></worksheet>'
    made_xlsx(file, "", parts={"xl/worksheets/sheet1.xml": sheet.encode(encoding)})
    assert csv_of(file) == "é\n".encode()


def test_names_may_have_prefixes(file: Path) -> None:
    made_xlsx(
        file,
        "",
        strings=["<t>x</t>"],
        parts={
            "xl/sharedStrings.xml": '<x:sst xmlns:x="m"><x:si><x:t>a</x:t></x:si></x:sst>',
            "xl/worksheets/sheet1.xml": '<x:worksheet xmlns:x="m"><x:sheetData>'
            '<x:row r="1"><x:c r="A1" t="s"><x:v>0</x:v></x:c></x:row>'
            '<x:row r="2"><x:c r="A2"><x:v>1</x:v></x:c></x:row></x:sheetData></x:worksheet>',
        },
    )
    assert csv_of(file) == b"a\n1\n"


@pytest.mark.parametrize("irregular", [999, 1001, 1002])
def test_many_irregular_rows_are_read_by_one_parser(file: Path, irregular: int) -> None:
    last = irregular + 3
    rows = "".join(
        f'<row r="{number}"><c t="n" r="A{number}"><v>{number}</v></c></row>' for number in range(1, irregular + 1)
    )
    rows += "".join(row(number, cell(str(number))) for number in range(irregular + 1, last + 1))
    assert csv_of(made_xlsx(file, rows)) == b"".join(b"%d\n" % number for number in range(1, last + 1))
    strings = [
        f"<r><t>{number}</t></r>" if number <= irregular else f"<t>{number}</t>" for number in range(1, last + 1)
    ]
    shared = "".join(row(number, cell(str(number - 1), kind="s")) for number in range(1, last + 1))
    assert csv_of(made_xlsx(file, shared, strings=strings)) == csv_of(made_xlsx(file, rows))
