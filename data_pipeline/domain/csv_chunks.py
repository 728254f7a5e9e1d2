"""Cuts a stream of CSV bytes into chunks of whole records.

Nothing is parsed, because PostgreSQL accepts most chunks as they are.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from data_pipeline.domain.rejects import MAX_RAW_BYTES

MAX_RECORD_BYTES = 32 * 1024 * 1024
_SAMPLE_BYTES = 64 * 1024  # from which the length of a record is estimated


@dataclass(frozen=True, kw_only=True, slots=True)
class Chunk:
    """Bytes of whole records.

    They are not whole if a quote is misplaced or a record is longer than `MAX_RECORD_BYTES`.
    """

    data: bytes  # ends with a line end, except perhaps at the end of the file
    first_line: int  # physical line at which it begins, from 1
    is_end: bool  # nothing follows
    is_too_long: bool = False  # the beginning of one line that is longer than `MAX_RECORD_BYTES`


class RecordChunks:
    """The chunks of a stream. The header is the first record."""

    def __init__(
        self,
        read: Callable[[int], bytes],
        *,
        chunk_bytes: int,
        chunk_records: int = 0,
        quote: bytes = b'"',
        max_record_bytes: int = MAX_RECORD_BYTES,
    ) -> None:
        """Cut chunks of about `chunk_bytes`, or of `chunk_records` if not 0."""
        self._read, self._chunk_bytes, self._chunk_records = read, chunk_bytes, chunk_records
        self._quote, self._max_record_bytes = quote, max_record_bytes
        self._rest, self._line, self._is_exhausted = b"", 1, False
        self._last = b""  # the last chunk, whose lines are not counted yet
        self._parts = 1  # into which the size of a chunk is divided
        self.line_end = b"\n"  # known after the header: a file can have carriage returns only

    def header(self) -> bytes:
        """Return the first record without its line end.

        Blank lines before it are left out. The result is empty if there is no record.
        """
        q = re.escape(self._quote)
        pattern = re.compile(rb"[\r\n]*+((?>(?:[^%b\r\n]++|%b[^%b]*+%b)+))(\r\n?|\n)" % (q, q, q, q))
        size, is_certain = _SAMPLE_BYTES, False
        while not is_certain:
            self._fill(size)
            size *= 2
            found = pattern.match(self._rest)
            is_certain = found is not None and (found[2] != b"\r" or found.end() < len(self._rest))
            is_certain |= self._is_exhausted or len(self._rest) > self._max_record_bytes
        if found is None:
            return self._take(len(self._rest)).strip(b"\r\n")
        self.line_end = b"\r" if found[2] == b"\r" else b"\n"
        self._take(found.end())
        return found[1]

    def shrink(self) -> None:
        """Halve the size of the chunks that follow. Splitting a chunk takes more memory than copying it."""
        self._parts = 2

    def skip_lines(self, count: int) -> None:
        """Say how many lines the last chunk has. Otherwise they are counted when the next one is read."""
        self._line += count
        self._last = b""

    def give_back(self, data: bytes) -> None:
        """Put bytes back, in front of the next chunk."""
        self._rest = data + self._rest
        self._line -= data.count(self.line_end)

    def __iter__(self) -> Iterator[Chunk]:
        size = chunk_bytes = self._estimated_bytes()
        while True:
            self._fill(size)
            if not self._rest:
                return
            is_last = self._is_exhausted and len(self._rest) <= size
            end = len(self._rest) if is_last else self._end_of_records(size)
            if not end and size <= self._max_record_bytes:
                size = min(size * 2, self._max_record_bytes + 1)
                continue
            yield self._chunk(end) if end else self._chunk_without_end(size)
            self.skip_lines(self._last.count(self.line_end))
            size = chunk_bytes // self._parts or 1

    def _fill(self, size: int) -> None:
        """Read until `size` bytes are buffered, or to the end."""
        while len(self._rest) < size and not self._is_exhausted:
            block = self._read(size - len(self._rest))
            self._is_exhausted = not block
            self._rest = self._rest + block if self._rest else block

    def _take(self, size: int) -> bytes:
        data, self._rest = self._rest[:size], self._rest[size:]
        self._line += data.count(self.line_end)
        return data

    def _estimated_bytes(self) -> int:
        """Return the size of a chunk. If it is given in records, their length is estimated by the first ones."""
        if not self._chunk_records:
            return self._chunk_bytes
        self._fill(_SAMPLE_BYTES)
        lines = self._rest.count(self.line_end, 0, _SAMPLE_BYTES) or 1
        return self._chunk_records * min(len(self._rest), _SAMPLE_BYTES) // lines or 1

    def _end_of_records(self, size: int) -> int:
        """Return the end of the last whole record, or 0.

        Only the first `size` bytes are searched. A line end is that of a record if the number of quotes before it is
        even.
        """
        end = self._rest.rfind(self.line_end, 0, size) + 1
        if self._rest.find(self._quote, 0, end) < 0:  # ten times as fast as counting
            return end
        is_inside_quotes = self._rest.count(self._quote, 0, end) & 1
        while end and is_inside_quotes:
            previous = self._rest.rfind(self.line_end, 0, end - 1) + 1
            is_inside_quotes ^= self._rest.count(self._quote, previous, end) & 1
            end = previous
        return end

    def _chunk(self, end: int) -> Chunk:
        self._last, self._rest = self._rest[:end], self._rest[end:]
        return Chunk(data=self._last, first_line=self._line, is_end=self._is_exhausted and not self._rest)

    def _chunk_without_end(self, size: int) -> Chunk:
        """Return a part of a record that is longer than the limit.

        The part is whole lines, or the beginning of a line that is too long itself.
        """
        end = self._rest.rfind(self.line_end, 0, size) + 1
        if end:
            return self._chunk(end)
        first_line, data = self._line, self._rest[:MAX_RAW_BYTES].partition(self.line_end)[0]
        while not (end := self._rest.find(self.line_end) + 1) and self._rest:
            self._take(len(self._rest))
            self._fill(size)
        self._take(end)
        return Chunk(data=data, first_line=first_line, is_end=False, is_too_long=True)
