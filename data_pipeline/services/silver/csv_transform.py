"""Transforms records into those of silver, in bounded memory.

A chunk of records that are canonical as they are is copied. Only other chunks are split into records.
"""

from collections.abc import Callable, Iterator, Sequence

from data_pipeline.domain.csv_chunks import Chunk, RecordChunks
from data_pipeline.domain.csv_fields import CsvFormat
from data_pipeline.domain.csv_records import SplitRecords
from data_pipeline.domain.record_normalizer import RecordNormalizer
from data_pipeline.domain.rejects import MAX_RAW_BYTES, Reject
from data_pipeline.services.record_reading import split_chunk

_WRITTEN_AT_ONCE = 1000  # records
_COPIED_AT_ONCE = 16  # records; larger groups seldom have only canonical ones
OnRejects = Callable[[Sequence[Reject]], object]


class CsvTransform:
    """The transform of one open file, whose header was read."""

    def __init__(
        self,
        chunks: RecordChunks,
        normalizer: RecordNormalizer,
        csv_format: CsvFormat,
        *,
        columns: int,
        on_rejects: OnRejects,
    ) -> None:
        self._chunks, self._normalizer, self._format = chunks, normalizer, csv_format
        self._columns, self._on_rejects = columns, on_rejects
        self.records = self.rejected = 0  # of the chunks so far

    def __iter__(self) -> Iterator[bytes]:
        """Yield the records of each chunk. Malformed and refused ones are given to `on_rejects`."""
        for chunk in self._chunks:
            copied = self._copied(chunk)
            if copied is None:
                yield from self._normalized(chunk)
            else:
                yield copied
            del chunk, copied  # their memory is free before the next one is read

    def _copied(self, chunk: Chunk) -> bytes | None:
        """Return the records of a chunk if all are canonical.

        Otherwise None.
        """
        data, has_quotes = chunk.data, self._format.quote in chunk.data
        if chunk.is_too_long or (self._format.line_end == b"\r" and (has_quotes or b"\n" in data)):
            return None
        if b"\r" in data and not has_quotes:
            data = data.replace(b"\r\n" if self._format.line_end == b"\n" else b"\r", b"\n")
        if not data.endswith(b"\n"):  # the last record of the file
            data += b"\n"
        copied = self._normalizer.copy(data)
        if copied is None:
            return None
        if not has_quotes:
            self._chunks.skip_lines(copied.number)
        self.records += copied.number
        return copied.data

    def _normalized(self, chunk: Chunk) -> Iterator[bytes]:
        split = split_chunk(self._chunks, chunk, self._format, columns=self._columns, first_number=self.records + 1)
        rejects = list(split.rejects)
        for start in range(0, len(split.records), _WRITTEN_AT_ONCE):
            yield b"".join(self._batch(split, start, min(start + _WRITTEN_AT_ONCE, len(split.records)), rejects))
        self.records += split.count
        self.rejected += len(rejects)
        if rejects:
            self._on_rejects(sorted(rejects, key=lambda one: one.record_no))

    def _batch(self, split: SplitRecords, start: int, end: int, rejects: list[Reject]) -> Iterator[bytes]:
        """Yield a batch of records. Groups are copied as long as that helps."""
        size = _COPIED_AT_ONCE
        while start < end:
            stop, known = min(start + size, end), len(rejects)
            found = list(self._records(split, start, stop, rejects))
            yield from found
            if len(found) + len(rejects) - known == stop - start:  # no two records were copied together
                size = 1
            start = stop

    def _records(self, split: SplitRecords, start: int, end: int, rejects: list[Reject]) -> Iterator[bytes]:
        """Yield a group of records. Unless all are canonical, each half is a group."""
        if end - start == 1:
            record = split.records[start]
            found = self._normalizer.normalize(record)
            if isinstance(found, bytes):
                yield found
                return
            facts = {"line_no": split.lines[start], "record_no": split.numbers[start]}
            rejects.append(Reject(**facts, raw=record[:MAX_RAW_BYTES], problems=found))
            return
        copied = self._normalizer.copy(b"\n".join(split.records[start:end]) + b"\n")
        if copied is not None:
            yield copied.data
            return
        middle = (start + end) // 2
        yield from self._records(split, start, middle, rejects)
        yield from self._records(split, middle, end, rejects)
