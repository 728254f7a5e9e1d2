"""Cuts a stream of CSV bytes into chunks that end where a record ends, without parsing records.

PostgreSQL accepts most chunks as they are, so nothing here looks at fields.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

MAX_RECORD_BYTES = 32 * 1024 * 1024  # a longer one is cut, which PostgreSQL refuses


@dataclass(frozen=True, kw_only=True, slots=True)
class Chunk:
    """Bytes of whole records, unless a record is longer than `MAX_RECORD_BYTES`."""

    data: bytes  # ends with a line end, except perhaps at the end of the file
    first_line: int  # physical line at which it begins, from 1


class RecordChunks:
    """The chunks of a stream. The header is the first record."""

    def __init__(self, read: Callable[[int], bytes], *, chunk_bytes: int, quote: bytes = b'"') -> None:
        self._read, self._chunk_bytes, self._quote = read, chunk_bytes, quote
        self._rest, self._line, self._is_exhausted = b"", 1, False
        self.line_end = b"\n"  # known after the first read: a file can have carriage returns only

    def header(self) -> bytes:
        """Return the first record without its line end, or an empty text if the stream is empty."""
        end = 0
        while not end and not self._is_exhausted and len(self._rest) <= MAX_RECORD_BYTES:
            self._fill()
            if b"\r" in self._rest[:-1] and b"\n" not in self._rest:
                self.line_end = b"\r"
            end = self._end_of_first_record()
        record = self._rest[: end or len(self._rest)]
        self._rest = self._rest[len(record) :]
        self._line += record.count(self.line_end)
        return record.rstrip(b"\r\n")

    def __iter__(self) -> Iterator[Chunk]:
        while True:
            self._fill()
            if not self._rest:
                return
            end = len(self._rest) if self._is_exhausted else self._end_of_records()
            if not end:
                continue
            data, self._rest = self._rest[:end], self._rest[end:]
            yield Chunk(data=data, first_line=self._line)
            self._line += data.count(self.line_end)

    def _fill(self) -> None:
        """Read until there is a chunk, or to the end of the stream."""
        if not self._is_exhausted:
            block = self._read(self._chunk_bytes)
            self._is_exhausted = not block
            self._rest = self._rest + block if self._rest else block

    def _end_of_first_record(self) -> int:
        end = self._rest.find(self.line_end) + 1
        while end and self._rest.count(self._quote, 0, end) & 1:
            end = self._rest.find(self.line_end, end) + 1
        return end

    def _end_of_records(self) -> int:
        """Return the end of the last whole record, or 0 if more bytes are needed.

        A line end is that of a record if the number of quotes before it is even. An unclosed quote makes it odd for
        the rest of the stream, so a part that is too long is cut at its last line end.
        """
        end = last_line_end = self._rest.rfind(self.line_end) + 1
        is_inside_quotes = self._rest.count(self._quote, 0, end) & 1
        while end and is_inside_quotes:
            previous = self._rest.rfind(self.line_end, 0, end - 1) + 1
            is_inside_quotes ^= self._rest.count(self._quote, previous, end) & 1
            end = previous
        if not end and len(self._rest) > MAX_RECORD_BYTES:
            return last_line_end or len(self._rest)
        return end
