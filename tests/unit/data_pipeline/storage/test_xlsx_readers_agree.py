"""The pattern, the parser and calamine must read the same from any workbook."""

from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from pathlib import Path

import pytest
import python_calamine
from hypothesis import given
from hypothesis import strategies as st

from data_pipeline.storage.cell_fields import csv_field, float_field
from data_pipeline.storage.number_formats import CellKind, built_in_kind, kind_of_format
from tests.unit.data_pipeline.storage.made_workbooks import MadeSheet, cell, inline, made_xlsx, row, texts
from tests.unit.data_pipeline.storage.opened import csv_of

FORMATS: list[str | int] = ["General", 14, "yyyy-mm-dd hh:mm:ss", 46, "0.00", 20]
CHARACTERS = st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]) | st.sampled_from(" \",\n\\&<>'_x0041_\t;é")
TEXT = st.text(CHARACTERS, max_size=12).filter(lambda text: not any(one in text for one in "\ufffe\uffff"))
NUMBER = st.one_of(
    st.integers(-(2**53), 2**53).map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.floats(0, 2_958_000).map(lambda number: f"{number:.17g}"),
    st.integers(0, 2_958_000).map(str),
)
DAYS = st.integers(0, 2_958_000).map(str) | st.floats(0, 2_958_000).map(lambda number: f"{number:.10f}")
CELL = st.one_of(
    st.just(""),
    st.just("<c/>"),
    TEXT.map(inline),
    TEXT.map(lambda text: cell(text, kind="str")),
    st.sampled_from("01").map(lambda value: cell(value, kind="b")),
    st.integers(0, 3).map(lambda index: cell(str(index), kind="s")),
    st.builds(lambda value, style: cell(value, style=style), NUMBER, st.sampled_from([None, 0, 4])),
    st.builds(lambda value, style: cell(value, style=style), DAYS, st.sampled_from([1, 2, 3, 5])),
    NUMBER.map(lambda value: cell(value, formula="<f>A1*2</f>")),
)
ROWS = st.lists(st.tuples(st.integers(1, 3), st.lists(CELL, max_size=6)), max_size=8)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("agreeing") / "book.xlsx"


def moment_field(value: datetime) -> bytes:
    return value.isoformat(sep=" ").encode()


def duration_text(value: timedelta) -> bytes:
    seconds, fraction = divmod(value, timedelta(seconds=1))
    text = f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    return (text + (f".{fraction.microseconds:06d}" if fraction else "")).encode()


FIELD_OF: Mapping[type, Callable[..., bytes]] = {
    str: lambda value: csv_field(value.encode()),
    float: float_field,
    bool: lambda value: b"true" if value else b"false",
    date: lambda value: value.isoformat().encode(),
    time: lambda value: value.isoformat().encode(),
    datetime: moment_field,
    timedelta: duration_text,
}


def by_calamine(file: Path) -> bytes:
    """Return the CSV of the first sheet as calamine reads it."""
    [sheet] = python_calamine.CalamineWorkbook.from_path(file).sheet_names
    values = python_calamine.CalamineWorkbook.from_path(file).get_sheet_by_name(sheet).to_python()
    lines = [[FIELD_OF[type(value)](value) for value in line] for line in values]
    width = max((place + 1 for line in lines[:1] for place, field in enumerate(line) if field), default=0)
    for line in lines:
        while len(line) > width and not line[-1]:
            line.pop()
    return b"".join(b",".join(line) + b"\n" for line in lines if any(line))


@given(rows=ROWS, is_1904=st.booleans())
def test_pattern_parser_and_calamine_agree(file: Path, *, rows: list[tuple[int, list[str]]], is_1904: bool) -> None:
    number, sheet = 1, texts(1, "a", "b", "c")
    for distance, cells in rows:
        number += distance
        sheet += row(number, *cells)
    strings = ["<t>plain</t>", "<t/>", "<r><t>a</t></r><r><t>b</t></r>", '<t xml:space="preserve"> &amp;_x0041_\n</t>']
    read = []
    for before in ("", "<!-- the parser reads what follows -->"):
        made_xlsx(file, MadeSheet(before + sheet), strings=strings, formats=FORMATS, is_1904=is_1904)
        read.append(csv_of(file))
    assert read == [by_calamine(file)] * 2


TOKENS = 'yyyy|mm|dd|h|s|[h]|[mm]|[s]|[Red]|[$-409]|[$€-407]|0|0.00|#|?|@|AM/PM|A/P|,|.|:|-|/|;|"d"|\\m|_d|*h|E+|(|)|年'
FORMAT = st.lists(st.sampled_from(TOKENS.split("|"))).map("".join)


@given(st.lists(FORMAT, min_size=1, max_size=30))
def test_kinds_of_formats_agree_with_calamine(file: Path, codes: list[str]) -> None:
    assert [kind_of_format(code) for code in codes] == kinds_by_calamine(file, codes)


def test_kinds_of_built_in_formats_agree_with_calamine(file: Path) -> None:
    assert [built_in_kind(str(number)) for number in range(164)] == kinds_by_calamine(file, range(164))


def kinds_by_calamine(file: Path, formats: "list[str] | range") -> list[CellKind]:
    """Return how calamine reads a number in each format."""
    sheet = "".join(row(number, cell("45000.5", style=number - 1)) for number in range(1, len(formats) + 1))
    made_xlsx(file, sheet, formats=[*formats])
    kinds = {float: CellKind.NUMBER, datetime: CellKind.DATE, timedelta: CellKind.DURATION}
    values = python_calamine.CalamineWorkbook.from_path(file).get_sheet_by_index(0).to_python()
    return [kinds[type(value)] for [value] in values]
