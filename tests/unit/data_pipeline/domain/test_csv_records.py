"""Records, chunks and silent changes, compared with Python's csv reader."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_pipeline.domain.csv_chunks import RecordChunks
from data_pipeline.domain.csv_fields import CsvFormat, parse_fields
from data_pipeline.domain.csv_records import split_records
from data_pipeline.domain.rejects import Reject
from data_pipeline.domain.silent_changes import has_changing_word, may_lose_bytes

FORMAT = CsvFormat()
TEXTS = st.text(alphabet='ab",;\n\r é', max_size=6)
ROWS = st.lists(st.lists(TEXTS, min_size=2, max_size=2), max_size=6)


def written(rows: list[list[str]], line_end: str = "\n") -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator=line_end, quoting=csv.QUOTE_ALL).writerows(rows)
    return out.getvalue().encode()


def chunks_of(data: bytes, size: int) -> tuple[bytes, list[tuple[int, bytes]]]:
    chunks = RecordChunks(io.BytesIO(data).read, chunk_bytes=size)
    header = chunks.header()
    return header, [(chunk.first_line, chunk.data) for chunk in chunks]


@given(ROWS, st.integers(1, 40), st.sampled_from(["\n", "\r\n"]))
def test_chunks_end_where_a_record_ends(rows: list[list[str]], size: int, line_end: str) -> None:
    data = b"x,y\n" + written(rows, line_end)
    header, chunks = chunks_of(data, size)
    assert header == b"x,y"
    assert b"".join(chunk for _, chunk in chunks) == data[4:]
    line = 2
    for first_line, chunk in chunks:
        assert (first_line, chunk.count(b'"') % 2) == (line, 0)
        line += chunk.count(b"\n")


@given(ROWS, st.sampled_from(["\n", "\r\n"]))
def test_well_formed_records_have_the_values_of_the_csv_reader(rows: list[list[str]], line_end: str) -> None:
    data = written(rows, line_end)
    split = split_records(data, FORMAT, columns=2, first_line=2, first_number=1)
    assert split.rejects == []
    assert [parse_fields(record, FORMAT) for record in split.records] == rows
    assert split.numbers == list(range(1, len(rows) + 1))
    assert not may_lose_bytes(data, FORMAT)


@given(st.text(alphabet='a",\n', max_size=20))
def test_every_line_is_in_a_record_or_a_reject(text: str) -> None:
    data = text.encode()
    split = split_records(data, FORMAT, columns=2, first_line=1, first_number=1)
    kept = b"\n".join([*split.records, *(one.raw for one in split.rejects)])
    assert sorted(kept.replace(b"\n", b"")) == sorted(data.replace(b"\n", b""))


@given(st.text(alphabet='a",\n\r', max_size=40), st.integers(1, 20))
def test_records_do_not_depend_on_the_size_of_chunks(text: str, size: int) -> None:
    data = b"x,y\n" + text.encode()
    assert records_of(data, size) == records_of(data, 1_000)


def records_of(data: bytes, size: int) -> tuple[list[tuple[int, int, bytes]], list[Reject]]:
    """Return the number, line and bytes of each record, and the rejects, as a load gets them from chunks."""
    chunks = RecordChunks(io.BytesIO(data).read, chunk_bytes=size)
    chunks.header()
    good, rejects = list[tuple[int, int, bytes]](), list[Reject]()
    for chunk in chunks:
        split = split_records(
            chunk.data,
            FORMAT,
            columns=2,
            first_line=chunk.first_line,
            first_number=len(good) + len(rejects) + 1,
            is_end=chunk.is_end,
        )
        chunks.skip_lines(split.line_count)
        chunks.give_back(split.rest)
        good += zip(split.numbers, split.lines, split.records, strict=True)
        rejects += split.rejects
    return good, rejects


def test_lines_that_are_known_are_not_counted() -> None:
    chunks = iter(reader := RecordChunks(io.BytesIO(b"x,y\n1,a\n2,b\n3,c\n").read, chunk_bytes=8))
    reader.header()
    assert next(chunks).first_line == 2
    reader.skip_lines(7)
    assert next(chunks).first_line == 9


def test_chunks_have_half_the_size_after_shrinking() -> None:
    reader = RecordChunks(io.BytesIO(b"x,y\n" + b"1,a\n" * 8).read, chunk_bytes=16)
    reader.header()
    sizes = list[int]()
    for chunk in reader:
        sizes.append(len(chunk.data))
        reader.shrink()
    assert sizes == [16, 8, 8]


def test_line_that_is_too_long_is_cut_from_the_stream() -> None:
    chunks = RecordChunks(io.BytesIO(b"x,y\n1,a\n2," + b"b" * 50 + b"\n3,c").read, chunk_bytes=4, max_record_bytes=16)
    chunks.header()
    found = [(chunk.first_line, chunk.data, chunk.is_too_long) for chunk in chunks]
    assert found == [(2, b"1,a\n", False), (3, b"2," + b"b" * 50, True), (4, b"3,c", False)]


def test_unclosed_quote_costs_one_line_even_if_no_chunk_can_hold_the_rest() -> None:
    body = b'1,"a\n' + b"".join(b"%d,b\n" % number for number in range(2, 20))
    chunks = RecordChunks(io.BytesIO(b"x,y\n" + body).read, chunk_bytes=4, max_record_bytes=16)
    chunks.header()
    found = b""
    for chunk in chunks:
        split = split_records(
            chunk.data, FORMAT, columns=2, first_line=chunk.first_line, first_number=1, is_end=chunk.is_end
        )
        chunks.give_back(split.rest)
        found += b"".join(split.records)
    assert found == b"".join(b"%d,b" % number for number in range(2, 20))


@pytest.mark.parametrize(
    ("data", "line_end", "header", "rest"),
    [
        (b"x,y\r1,a\r", b"\r", b"x,y", b"1,a\r"),
        (b"x,y\r\n1,a\r\n", b"\n", b"x,y", b"1,a\r\n"),
        (b'\n\n"x\n\r",y\n1,a', b"\n", b'"x\n\r",y', b"1,a"),
        (b"x,y\r", b"\r", b"x,y", b""),
        (b"x,y", b"\n", b"x,y", b""),
        (b'x,"y\n1,a\n', b"\n", b'x,"y\n1,a', b""),
    ],
)
def test_header_decides_the_line_end(data: bytes, line_end: bytes, header: bytes, rest: bytes) -> None:
    chunks = RecordChunks(io.BytesIO(data).read, chunk_bytes=1)
    assert (chunks.header(), chunks.line_end) == (header, line_end)
    assert b"".join(chunk.data for chunk in chunks) == rest


def test_size_of_chunks_can_be_a_number_of_records() -> None:
    data = b"x,y\n" + b"1,a\n" * 10
    chunks = RecordChunks(io.BytesIO(data).read, chunk_bytes=1_000, chunk_records=2)
    chunks.header()
    assert [chunk.data for chunk in chunks] == [b"1,a\n1,a\n"] * 5


@pytest.mark.parametrize(
    ("data", "lines", "rejected", "reason"),
    [
        (b'1,a\n2,"b\n3,c\n4,"d"\n', [1, 3, 4], [2], "is not closed"),
        (b'1,a\n2,"b\n', [1], [2], "is not closed"),
        (b'1,5" pipe\n2,b\n', [2], [1], "is not closed, or stands inside a field"),
        (b'1,"a"b"c"\n2,b\n', [2], [1], "after the closing quote"),
        (b"1\n2,b\n", [2], [1], "missing data: the record has 1 field, but the header has 2"),
        (b"1,a,x\n2,b\n", [2], [1], "extra data: the record has 3 fields, but the header has 2"),
        (b"1,a\xff\n2,b\n", [2], [1], "byte 4 of the record is not UTF-8: 0xff"),
        (b"1,a\0\n2,b\n", [2], [1], "byte 4 of the record is NUL"),
        (b"1,a\rx\n2,b\n", [2], [1], "carriage return"),
    ],
)
def test_malformed_record_is_rejected_alone(data: bytes, lines: list[int], rejected: list[int], reason: str) -> None:
    split = split_records(data, FORMAT, columns=2, first_line=1, first_number=1)
    assert (split.lines, [one.line_no for one in split.rejects]) == (lines, rejected)
    assert reason in split.rejects[0].problems[0].reason


def test_blank_lines_are_no_records_unless_there_is_one_column() -> None:
    assert split_records(b"1,a\n\n2,b\n", FORMAT, columns=2, first_line=1, first_number=1).lines == [1, 3]
    assert split_records(b"1\n\n2\n", FORMAT, columns=1, first_line=1, first_number=1).lines == [1, 2, 3]


@pytest.mark.parametrize("data", [b'1,5" pipe\n', b'1,"a"b\n', b'1,a""b\n', b"1,a\n\\.\n2,b\n", b'1,"a\n'])
def test_bytes_that_copy_would_drop_are_found(data: bytes) -> None:
    assert may_lose_bytes(data, FORMAT)


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"1,today\n", True),
        (b'1," NOW"\n', True),
        (b"1,tomorrow\r\n", True),
        (b"1,[2020-01-01;yesterday)\n", True),
        (b"1,snow today here\n", True),
        (b"1,today2\n2,10:00-now\n", True),
        (b'1,"x\ntoday\n"\n', True),
        (b"today,known\n2,todays\n", False),
        (b'"a, today",2020-01-01\n', False),
    ],
)
def test_changing_words_are_found_as_fields(data: bytes, found: bool) -> None:  # noqa: FBT001
    assert has_changing_word(data, FORMAT, positions={1}, columns=2) is found
