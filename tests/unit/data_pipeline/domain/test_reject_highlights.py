"""The text of a rejected record with its bad cells marked."""

from hypothesis import given
from hypothesis import strategies as st

from data_pipeline.domain.csv_fields import CsvFormat
from data_pipeline.domain.reject_highlights import RejectText
from data_pipeline.domain.rejects import Problem


def text(*columns: str, shows_values: bool = True, delimiter: bytes = b",") -> RejectText:
    return RejectText(columns=columns, csv_format=CsvFormat(delimiter=delimiter), shows_values=shows_values)


def problem(column: str | None, value: str | None = None) -> Problem:
    return Problem(column=column, sqlstate="22P02", reason="r", value=value)


def marked(shown: RejectText, raw: bytes, *problems: Problem) -> str:
    """Return the record with brackets around the bad cells."""
    return "".join(f"[{one.text}]" if one.is_bad else one.text for one in shown.segments(raw, problems))


def test_cell_is_marked_by_the_name_of_its_column() -> None:
    assert marked(text("id", " Price "), b"1,x,1", problem("price", "x")) == "1,[x],1"


def test_cell_of_renamed_column_is_marked_by_its_value() -> None:
    assert marked(text("id", "Preis"), b'1,"x ""y"""', problem("price", 'x "y"')) == '1,["x ""y"""]'


def test_every_bad_column_is_marked() -> None:
    assert marked(text("a", "b", "c", delimiter=b";"), b"1;2;3", problem("a"), problem("c")) == "[1];2;[3]"


def test_surplus_cells_are_marked() -> None:
    assert marked(text("a", "b"), b"1,2,3,4", problem(None)) == "1,2,[3],[4]"


def test_record_with_misplaced_quote_is_marked_as_a_whole() -> None:
    assert marked(text("a"), b'1,"2', problem(None)) == '[1,"2]'


def test_cells_that_are_not_text_are_marked() -> None:
    assert marked(text("a", "b", "c"), b"\xff,x,\x00", problem(None)) == "[\\xff],x,[\\x00]"


def test_bytes_that_are_not_text_are_escaped() -> None:
    assert marked(text("a"), b"\xff\x00\x1b\xe2\x80\xaex") == "\\xff\\x00\\x1b\\u202ex"


def test_line_break_in_quoted_cell_is_kept() -> None:
    assert marked(text("a", "b"), b'"1\n2",x', problem("a")) == '["1\n2"],x'


def test_hidden_values_keep_only_their_shape() -> None:
    shown = text("a", "b", shows_values=False)
    assert marked(shown, "Zoë,12-3".encode(), problem("b", "12-3")) == "xxxx,[99-9]"
    assert shown.value(problem("b", "12-3")) == "99-9"


@given(st.binary(max_size=60))
def test_any_bytes_are_shown_as_printable_text(raw: bytes) -> None:
    for shown in (text("a", "b"), text("a", "b", shows_values=False)):
        segments = shown.segments(raw, [problem("a"), problem(None)])
        assert all(one.isprintable() or one in "\n\t" for part in segments for one in part.text)


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=60))
def test_printable_text_is_shown_completely(record: str) -> None:
    segments = text("a", "b").segments(record.encode(), [problem("a"), problem(None)])
    assert "".join(part.text for part in segments) == record
