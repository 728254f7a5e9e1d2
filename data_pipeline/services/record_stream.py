"""Python records as a CSV stream that can be read again.

It uses bounded memory.
"""

import pickle
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from tempfile import SpooledTemporaryFile
from typing import Any, Self

from data_pipeline.domain.python_records import Values
from data_pipeline.domain.record_encoding import encode_record, malformed_record
from data_pipeline.domain.refused_records import RecordRefused, RefusedRecord
from data_pipeline.errors import BadRecord, BadRow

_MAX_MEMORY_BYTES = 8 * 1024 * 1024  # more is on disk
Kept = Sequence[Any] | RefusedRecord


class RecordStream:
    """The records of an iterable. They are kept until the stream is closed, because a merge can reject some later.

    A record that `values` refuses by `BadRow` or `RecordRefused` becomes a malformed one, so that it is rejected like
    those of a file.
    """

    size = 0  # unknown

    def __init__(self, records: Iterable[Any], values: Values, *, types: Sequence[str | None], table: str) -> None:
        self._records, self._values, self._types, self._table = iter(records), values, types, table
        self._kept = SpooledTemporaryFile[bytes](max_size=_MAX_MEMORY_BYTES)
        self._count = self.position = 0

    def read(self, size: int) -> bytes:
        """Return the CSV of the next records, of at least `size` bytes.

        Fewer come at the end only.
        """
        block, length = list[bytes](), 0
        while length < size and (line := self._next()) is not None:
            block.append(line)
            length += len(line)
        self.position += length
        return b"".join(block)

    def _next(self) -> bytes | None:
        for record in self._records:
            self._count += 1
            try:
                values = self._values(record)
                line = encode_record(values, self._types)
            except (BadRow, RecordRefused) as refusal:
                self._kept.write(pickle.dumps(RefusedRecord.of(record, refusal)))
                return malformed_record(columns=len(self._types))
            except (TypeError, ValueError) as error:
                raise BadRecord(record=self._count, table=self._table, problem=error) from error
            self._keep(values)
            return line
        return None

    def _keep(self, values: Sequence[Any]) -> None:
        try:
            kept = pickle.dumps(list(values), protocol=pickle.HIGHEST_PROTOCOL)
        except (pickle.PicklingError, AttributeError, TypeError):  # such as a member of a local enumeration
            kept = pickle.dumps([None if value is None else str(value) for value in values])
        self._kept.write(kept)

    def kept(self) -> Iterator[Kept]:
        """Yield all records that were read, from the first."""
        self._kept.seek(0)
        for _ in range(self._count):
            yield pickle.load(self._kept)  # noqa: S301  # written above

    def again(self) -> "ReadAgain":
        """Return the same stream from its beginning."""
        return ReadAgain(self.kept(), self._types)

    def line_of(self, csv_line: int) -> int:
        return csv_line

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._kept.close()


class ReadAgain(AbstractContextManager["ReadAgain", None]):
    """The kept records as CSV."""

    size = position = 0

    def __init__(self, records: Iterator[Kept], types: Sequence[str | None]) -> None:
        self._records, self._types = records, types

    def read(self, size: int) -> bytes:
        block, length = list[bytes](), 0
        while length < size and (record := next(self._records, None)) is not None:
            block.append(self._line(record))
            length += len(block[-1])
        return b"".join(block)

    def _line(self, record: Kept) -> bytes:
        if isinstance(record, RefusedRecord):
            return malformed_record(columns=len(self._types))
        return encode_record(record, self._types)

    def line_of(self, csv_line: int) -> int:
        return csv_line

    def __exit__(self, *_: object) -> None:
        pass
