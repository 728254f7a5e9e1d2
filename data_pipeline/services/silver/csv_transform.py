"""Transforms records into those of silver, in bounded memory.

A chunk of records that are canonical as they are is copied. Only other chunks are split into records.
"""

from collections.abc import Callable, Iterator, Sequence

from data_pipeline.domain.csv_chunks import Chunk, RecordChunks
from data_pipeline.domain.csv_fields import CsvFormat
from data_pipeline.domain.record_normalizer import RecordNormalizer
from data_pipeline.domain.rejects import MAX_RAW_BYTES, Reject
from data_pipeline.services.record_reading import split_chunk

_NORMALIZED_AT_ONCE = 1000  # records
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
        for start in range(0, len(split.records), _NORMALIZED_AT_ONCE):
            batch = slice(start, start + _NORMALIZED_AT_ONCE)
            records = list[bytes]()
            for number, line, record in zip(
                split.numbers[batch], split.lines[batch], split.records[batch], strict=True
            ):
                found = self._normalizer.normalize(record)
                if isinstance(found, bytes):
                    records.append(found)
                else:
                    raw = record[:MAX_RAW_BYTES]
                    rejects.append(Reject(line_no=line, record_no=number, raw=raw, problems=found))
            yield b"".join(records)
        self.records += split.count
        self.rejected += len(rejects)
        if rejects:
            self._on_rejects(sorted(rejects, key=lambda one: one.record_no))
