"""Files of corrected rejects, and the guard against formulas in them."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_pipeline.correction_errors import BadCorrectionFile
from data_pipeline.domain.correction_files import (
    RejectedRecord,
    correction_lines,
    csv_record,
    kept_nulls,
    read_corrections,
)
from data_pipeline.domain.csv_fields import CsvFormat, find_fault, parse_fields
from data_pipeline.domain.formula_guard import guarded, unguarded
from data_pipeline.domain.rejects import Problem

FORMATS = [CsvFormat(), CsvFormat(delimiter=b";", quote=b"'"), CsvFormat(delimiter=b"\t")]
TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12)
FORMULAS = TEXTS | st.text("'=+-@\t\r1", max_size=6)


def rejected(number: int, raw: bytes, *, is_shortened: bool = False) -> RejectedRecord:
    problem = Problem(column="amount", sqlstate="22P02", reason="no number")
    return RejectedRecord(record_no=number, line_no=number + 1, raw=raw, problems=[problem], is_shortened=is_shortened)


@given(FORMULAS)
def test_guarded_text_is_no_formula_and_can_be_restored(text: str) -> None:
    assert not guarded(text).startswith(("=", "+", "-", "@", "\t", "\r"))
    assert unguarded(guarded(text)) == text


@pytest.mark.parametrize("text", ["plain", "", "'quoted'", "5", "a=b", "\n=1"])
def test_harmless_text_is_not_guarded(text: str) -> None:
    assert guarded(text) == text


@given(
    st.lists(st.lists(FORMULAS | st.none(), min_size=2, max_size=2), max_size=4),
    st.sampled_from(FORMATS),
    st.sampled_from([",", ";", "\t"]),
)
def test_written_records_are_read_back(rows: list[list[str | None]], csv_format: CsvFormat, saved_with: str) -> None:
    """Also if a spreadsheet saves them with another delimiter."""
    records = [rejected(number, csv_record(row, csv_format)) for number, row in enumerate(rows, start=1)]
    written = csv.reader(io.StringIO("".join(correction_lines(records, ["id", "=amount"], csv_format)), newline=""))
    saved = io.StringIO()
    csv.writer(saved, delimiter=saved_with).writerows(written)
    corrections = read_corrections(saved.getvalue(), ["id", "=amount"], path="x")
    originals = {one.record_no: one.values(csv_format, columns=2) for one in records}
    assert {number: kept_nulls(values, originals[number]) for number, values in corrections.items()} == originals


@given(st.lists(TEXTS | st.none(), min_size=2, max_size=4), st.sampled_from(FORMATS))
def test_record_is_well_formed_and_read_back(values: list[str | None], csv_format: CsvFormat) -> None:
    record = csv_record(values, csv_format)
    assert find_fault(record, csv_format, columns=len(values)) is None
    assert parse_fields(record, csv_format) == values


def test_reasons_and_lines_are_written() -> None:
    text = "".join(correction_lines([rejected(7, b"1,x", is_shortened=True)], ["id", "amount"], CsvFormat()))
    assert text.startswith("\ufeffreject_record,reject_line,reject_reasons,id,amount\r\n")
    assert "7,8,amount: no number; only the beginning of the record is kept,1,x" in text


@pytest.mark.parametrize(
    ("raw", "values"),
    [
        (b"1", ["1", None]),
        (b"1,2,3", ["1", "2,3"]),
        (b'1,"2', ["1", '"2']),
        (b"1,\xff", ["1", "\\xff"]),
        (b"1,\0", ["1", "\\x00"]),
        (b"", [None, None]),
    ],
)
def test_malformed_record_is_split_as_far_as_possible(raw: bytes, values: list[str | None]) -> None:
    assert rejected(1, raw).values(CsvFormat(), columns=2) == values


def test_columns_may_be_reordered_and_rows_deleted() -> None:
    text = "amount,reject_record,id\n5,3,1\n,,\n6,9,2\n"
    assert read_corrections(text, ["id", "amount"], path="x") == {3: ["1", "5"], 9: ["2", "6"]}


def test_own_columns_win_over_columns_of_the_same_name() -> None:
    text = "reject_record,reject_line,reject_reasons,reject_line\n3,1,why,x\n"
    assert read_corrections(text, ["reject_line"], path="x") == {3: ["x"]}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "it is empty"),
        ("id,amount\n1,2\n", "no column reject_record"),
        ("reject_record,id\n1,2\n", "no column 'amount'"),
        ("reject_record,id,amount,other\n1,2,3,4\n", "no column 'other'"),
        ("reject_record,id,amount\nx,2,3\n", "line 2: 'x' is not a record number"),
        ("reject_record,id,amount\n1,2,3\n1,2,3\n", "line 3: record 1 was given before"),
        ("reject_record,id,amount\n1,2,3,4\n", "line 2: it has 4 cells"),
        ('reject_record,id,amount\n1,2,"3\n', "line 2: unexpected end of data"),
        ("reject_record,id,amount\n²,2,3\n", "is not a record number"),
    ],
)
def test_other_file_is_refused(text: str, problem: str) -> None:
    with pytest.raises(BadCorrectionFile, match=problem):
        read_corrections(text, ["id", "amount"], path="x")
