"""Records as lines of JSON."""

import io
from decimal import Decimal

import pytest

from data_pipeline.domain import json_lines
from data_pipeline.domain.json_lines import parse_record, read_lines, require_columns
from data_pipeline.domain.refused_records import RecordRefused


def test_lines_come_without_blank_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    content = b"1\n\n22\r\n  \n333\n4"
    for piece in range(1, 20):
        monkeypatch.setattr(json_lines, "_PIECE_BYTES", piece)
        assert list(read_lines(io.BytesIO(content).read)) == [b"1", b"22\r", b"333", b"4"]


def test_too_long_line_is_cut_and_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_lines, "MAX_RECORD_BYTES", 4)
    for piece in (1, 3, 100):
        monkeypatch.setattr(json_lines, "_PIECE_BYTES", piece)
        assert list(read_lines(io.BytesIO(b"12\n1234567\n34").read)) == [b"12", b"12345", b"34"]
    with pytest.raises(RecordRefused, match="longer than"):
        parse_record(b"12345")


def test_numbers_keep_their_digits() -> None:
    assert parse_record(b'{"a": 1.10, "b": 12345678901234567890, "c": 1e2}') == {
        "a": Decimal("1.10"),
        "b": 12345678901234567890,
        "c": Decimal("1e2"),
    }


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"{", "it is not JSON: Expecting property name enclosed in double quotes at character 2"),
        (b"[1]", "it is not an object with the names of columns"),
        (b'{"a": NaN}', "NaN is not a value of JSON"),
        (b'{"a": 1, "a": 2}', "it has 'a' twice"),
        (b'{"a": "\xff"}', "byte 8 is not UTF-8"),
        (b'{"a": "x\ry"}', "it is not JSON: Invalid control character at at character 9"),
        (b"[" * 100_000, "it is nested too deeply"),
        (b'{"a": ' + b"9" * 5000 + b"}", "it has a number that is too long"),
    ],
)
def test_line_that_is_no_record_is_refused(line: bytes, reason: str) -> None:
    with pytest.raises(RecordRefused) as refused:
        parse_record(line)
    [problem] = refused.value.problems
    assert (problem.column, problem.sqlstate, problem.reason) == (None, "22032", reason)


def test_names_that_are_no_columns_are_refused_one_by_one() -> None:
    require_columns({"a": 1}, ["a", "b"])
    with pytest.raises(RecordRefused) as refused:
        require_columns({"x": 1, "a": 1, "y": 2}, ["a", "b"])
    assert [(one.column, one.sqlstate) for one in refused.value.problems] == [("x", "42703"), ("y", "42703")]
