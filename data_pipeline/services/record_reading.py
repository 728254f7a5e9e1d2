"""Reads the header and the records of a file."""

from collections.abc import Iterator, Sequence

from data_pipeline.domain.csv_chunks import Chunk, RecordChunks
from data_pipeline.domain.csv_fields import UNTRANSLATABLE_BYTES, CsvFormat, find_fault, parse_fields
from data_pipeline.domain.csv_records import SplitRecords, split_records, too_long_record
from data_pipeline.domain.dialects import Dialect
from data_pipeline.errors import HeaderRefused
from seeder.texts import Text

_TABLE = Text.in_context("header", "a table")


def csv_format(dialect: Dialect, chunks: RecordChunks) -> CsvFormat:
    """Return what separates and quotes the fields of a file.

    Its header must have been read.
    """
    return CsvFormat(delimiter=dialect.delimiter.encode(), quote=dialect.quote.encode(), line_end=chunks.line_end)


def read_header(header: bytes, dialect: Dialect, *, artefact: str, table: str = _TABLE) -> Sequence[str]:
    """Return the names in a header. Raises `HeaderRefused` if it is malformed."""
    separators = CsvFormat(delimiter=dialect.delimiter.encode(), quote=dialect.quote.encode())
    fault = find_fault(header, separators, columns=None)
    if fault is not None:
        problem = fault.reason
        if fault.sqlstate == UNTRANSLATABLE_BYTES and not dialect.encoding:
            problem = Text.joined([problem, Text("a dialect can declare another encoding")], "; ")
        raise HeaderRefused(artefact=artefact, table=table, problem=problem)
    return header_names(header, dialect)


def header_names(header: bytes, dialect: Dialect) -> Sequence[str]:
    """Return the names in a header.

    It is in UTF-8, or still in the dialect's encoding.
    """
    try:
        header.decode()
    except UnicodeDecodeError:
        header = header.decode(dialect.encoding or "utf-8", "replace").encode()
    separators = CsvFormat(delimiter=dialect.delimiter.encode(), quote=dialect.quote.encode())
    return [name or "" for name in parse_fields(header, separators)]


def read_records(chunks: RecordChunks, dialect: Dialect, *, columns: int) -> Iterator[Sequence[str]]:
    """Yield the values of each record, with an empty text for NULL. A malformed record has no value."""
    number, separators = 1, csv_format(dialect, chunks)
    for chunk in chunks:
        split = split_chunk(chunks, chunk, separators, columns=columns, first_number=number)
        number += split.count
        for record in split.records:
            yield [value or "" for value in parse_fields(record, separators)]
        yield from ([] for _ in split.rejects)


def split_chunk(
    chunks: RecordChunks, chunk: Chunk, separators: CsvFormat, *, columns: int, first_number: int
) -> SplitRecords:
    """Split a chunk into records.

    A record that may end behind the chunk is given back to the next one.
    """
    if chunk.is_too_long:
        return too_long_record(chunk.data, line=chunk.first_line, number=first_number)
    split = split_records(
        chunk.data,
        separators,
        columns=columns,
        first_line=chunk.first_line,
        first_number=first_number,
        is_end=chunk.is_end,
    )
    chunks.skip_lines(split.line_count)
    chunks.give_back(split.rest)
    return split
