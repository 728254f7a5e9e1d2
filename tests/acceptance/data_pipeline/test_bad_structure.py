"""Files whose lines, quotes, fields or header are not those of a table."""

from pathlib import Path

import pytest

from data_pipeline.artefact_errors import EmptyArtefact
from data_pipeline.errors import HeaderRefused
from tests.acceptance.data_pipeline.file_loads import MALFORMED, Bad, create, load, require, rows

pytestmark = pytest.mark.usefixtures("load_tables")


@pytest.fixture(autouse=True)
def orders(load_tables: None) -> None:
    create("id integer, name text")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"", []),
        (b"1,a", [(1, "a")]),
        (b"1,a\n2,b", [(1, "a"), (2, "b")]),
        (b"1,a\n\n\n2,b\n\n", [(1, "a"), (2, "b")]),
        (b"\n1,a\n", [(1, "a")]),
        (b'1,"a\n\nb"\n2,"c\n"\n', [(1, "a\n\nb"), (2, "c\n")]),
        (b'1,"a\rb"\n2,"c\r\nd"\n', [(1, "a\rb"), (2, "c\r\nd")]),
        (b'1,"said ""hi"""\n2,""""\n', [(1, 'said "hi"'), (2, '"')]),
        (b'1,""\n2,\n', [(1, ""), (2, None)]),
        (b'"1","a,b"\n', [(1, "a,b")]),
        (b"1,\\.\n2,\\N\n", [(1, "\\."), (2, "\\N")]),
        (b'1,"\\."\n2,"x\n\\.\ny"\n', [(1, "\\."), (2, "x\n\\.\ny")]),
        (b"1, padded \n", [(1, " padded ")]),
        (b"1,#N/A\n2,NULL\n", [(1, "#N/A"), (2, "NULL")]),
    ],
    ids=[
        "header only", "one line", "no newline at the end", "blank lines", "blank first line", "quoted newlines",
        "quoted returns", "doubled quotes", "empty and null", "quoted number", "end of copy", "quoted end of copy",
        "spaces", "null words",
    ],
)  # fmt: skip
def test_well_formed_file_is_loaded_as_it_is(tmp_path: Path, body: bytes, expected: list[object]) -> None:
    require(load(tmp_path, b"id,name\n" + body), good=len(expected))
    assert rows() == expected


@pytest.mark.parametrize("end", [b"\r", b"\r\n"], ids=["CR", "CRLF"])
@pytest.mark.parametrize("is_last_ended", [True, False])
def test_other_line_ends_are_loaded(tmp_path: Path, end: bytes, is_last_ended: bool) -> None:  # noqa: FBT001
    content = end.join([b"id,name", b"1,a", b'2,"b,c"', b"x,d", b"", b"4,e"]) + (end if is_last_ended else b"")
    require(load(tmp_path, content), good=3, bad=[Bad(4, 3, b"x,d", {"id": "22P02"})])
    assert rows() == [(1, "a"), (2, "b,c"), (4, "e")]


@pytest.mark.parametrize(
    ("body", "good", "bad"),
    [
        (b"1,a\r\n2,b\n3,c\r\n", [1, 2, 3], []),
        (b"1,a\n2,b\r\n3,c\n", [1, 2, 3], []),
        (b"1,a\n2,b\rx\n3,c\n", [1, 3], [Bad(3, 2, b"2,b\rx", MALFORMED)]),
        (b"1,a\r2,b\n3,c\n", [3], [Bad(2, 1, b"1,a\r2,b", MALFORMED)]),
        (b"1,a\n2,b\r3,c", [1], [Bad(3, 2, b"2,b\r3,c", MALFORMED)]),
        (b"1,a\r2,b", [], [Bad(2, 1, b"1,a\r2,b", MALFORMED)]),
        (b"1,a\r", [1], []),
        (b'1,"a\r\nb"\n2,c\r\n', [1, 2], []),
    ],
    ids=["CRLF first", "LF first", "CR inside", "CR as an end", "CR in the last", "CR only there", "CR last", "quoted"],
)
def test_mixed_line_ends_have_one_meaning(tmp_path: Path, body: bytes, good: list[int], bad: list[Bad]) -> None:
    require(load(tmp_path, b"id,name\n" + body), good=len(good), bad=bad)
    assert rows("id") == [(one,) for one in good]


@pytest.mark.parametrize(
    ("body", "good", "bad"),
    [
        (b"1\n2,b\n", [2], [Bad(2, 1, b"1", MALFORMED)]),
        (b"1,a,x\n2,b\n", [2], [Bad(2, 1, b"1,a,x", MALFORMED)]),
        (b"1,a,\n2,b\n", [2], [Bad(2, 1, b"1,a,", MALFORMED)]),
        (b"1,a\n\\.\n2,b\n", [1, 2], [Bad(3, 2, b"\\.", MALFORMED)]),
        (b"1,a\n  \n2,b\n", [1, 2], [Bad(3, 2, b"  ", MALFORMED)]),
        (b'1,a\n2,"b\n', [1], [Bad(3, 2, b'2,"b', MALFORMED)]),
        (b'1,a\n2,"b', [1], [Bad(3, 2, b'2,"b', MALFORMED)]),
        (b'1,a\n2,"b\n3,c\n4,d\n', [1, 3, 4], [Bad(3, 2, b'2,"b', MALFORMED)]),
        (b'1,a\n2,"b\n3,c\n4,"d"\n5,"e\nf"\n', [1, 3, 4, 5], [Bad(3, 2, b'2,"b', MALFORMED)]),
        (b'1,5" pipe\n2,b\n3,"c"\n', [2, 3], [Bad(2, 1, b'1,5" pipe', MALFORMED)]),
        (b'1,5" by 7"\n2,b\n', [2], [Bad(2, 1, b'1,5" by 7"', MALFORMED)]),
        (b'1,"a" b\n2,b\n', [2], [Bad(2, 1, b'1,"a" b', MALFORMED)]),
        (b'1, "a"\n2,b\n', [2], [Bad(2, 1, b'1, "a"', MALFORMED)]),
        (b'1,"a""\n2,b\n', [2], [Bad(2, 1, b'1,"a""', MALFORMED)]),
        (b'1,"a\nb",x\n2,b\n', [2], [Bad(2, 1, b'1,"a', MALFORMED), Bad(3, 2, b'b",x', MALFORMED)]),
    ],
    ids=[
        "too few", "too many", "empty surplus", "end of copy", "spaces only", "unclosed last", "unclosed, no newline",
        "unclosed", "unclosed before quotes", "inch", "two inches", "after the quote", "before the quote",
        "doubled at the end", "lines of a malformed record",
    ],
)  # fmt: skip
def test_malformed_record_is_rejected_alone(tmp_path: Path, body: bytes, good: list[int], bad: list[Bad]) -> None:
    require(load(tmp_path, b"id,name\n" + body), good=len(good), bad=bad)
    assert rows("id") == [(one,) for one in good]


def test_unclosed_quote_is_explained_at_its_line(tmp_path: Path) -> None:
    loaded = load(tmp_path, b'id,name\n1,"a\n2,b\n')
    assert loaded.rejects[0].problems[0].reason.startswith("a quote that opens in this line is not closed")


@pytest.mark.parametrize(
    ("delimiter", "body"),
    [(";", b'1;"a;b"\nx;c\n'), ("|", b"1|a;b\nx|c\n"), ("\\t", b"1\ta;b\nx\tc\n")],
)
def test_other_delimiters_are_loaded(tmp_path: Path, delimiter: str, body: bytes) -> None:
    separator = delimiter.encode().replace(b"\\t", b"\t")
    loaded = load(tmp_path, b"id" + separator + b"name\n" + body, dialect=f'delimiter = "{delimiter}"')
    require(loaded, good=1, bad=[Bad(3, 2, b"x" + separator + b"c", {"id": "22P02"})])
    assert rows() == [(1, "a;b")]


def test_other_quote_is_loaded(tmp_path: Path) -> None:
    require(load(tmp_path, b"id,name\n1,'it''s, \"so\"'\n", dialect='quote = "\'"'), good=1)
    assert rows() == [(1, 'it\'s, "so"')]


def test_undeclared_delimiter_is_refused_by_the_header(tmp_path: Path) -> None:
    with pytest.raises(HeaderRefused, match="id;name"):
        load(tmp_path, b"id;name\n1;a\n")


@pytest.mark.parametrize("header", [b"name,id", b"ID,Name", b" id , name ", b'"id","name"', b"id"])
def test_header_is_matched_by_name(tmp_path: Path, header: bytes) -> None:
    values = b"1" if b"," not in header else b"a,1" if header == b"name,id" else b"1,a"
    require(load(tmp_path, header + b"\n" + values + b"\n"), good=1)
    assert rows() == [(1, "a" if b"," in header else None)]


@pytest.mark.parametrize(
    ("header", "problem"),
    [
        (b"id,id", "'id' and 'id' are the same column"),
        (b"id,ID", "'id' and 'ID' are the same column"),
        (b"id,nmae", "unknown column 'nmae' .*the nearest is"),
        (b"id,", "column 2 has no name"),
        (b"1,a", "unknown column '1'"),
        (b'id,"name', "a quote"),
        (b"id,n\xffme", "not UTF-8"),
        (b"id,n\0me", "NUL"),
    ],
)
def test_header_that_does_not_match_is_refused(tmp_path: Path, header: bytes, problem: str) -> None:
    with pytest.raises(HeaderRefused, match=problem):
        load(tmp_path, header + b"\n1,a\n")
    assert rows() == []


@pytest.mark.parametrize("content", [b"\n", b"\n\n", b"\r\n"])
def test_file_of_blank_lines_is_empty(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(EmptyArtefact):
        load(tmp_path, content)
