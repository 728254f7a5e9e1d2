"""The records of a file as mappings.

Connectors can add to them. `load_file` is faster, and needs no code.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from data_pipeline import conf
from data_pipeline.artefact_errors import EmptyArtefact
from data_pipeline.domain.csv_fields import parse_fields
from data_pipeline.domain.dialects import Column, Dialect
from data_pipeline.domain.headers import match_header
from data_pipeline.domain.normalize_problems import refused_value
from data_pipeline.domain.normalizing import NormalizeError, NormalizeReason, normalize_text
from data_pipeline.domain.rejects import Problem
from data_pipeline.services.file_reading import FileReading, dialect_named
from data_pipeline.services.record_reading import read_header, split_chunk
from data_pipeline.storage.addresses import resolve


class FileRecord(dict[str, str | None]):
    """The canonical texts of a record by column, without personal ones.

    A value with a problem is as in the file. A malformed record is one text.
    """

    problems: Sequence[Problem] = ()


class FileRecords:
    """The records of one file, read once. After the last one, the hashes of the file are known."""

    file_sha256: str | None = None
    content_blake2b: str | None = None

    def __init__(
        self, source_uri: str, *, dialect: str, sheet: str | None = None, optional: Sequence[str] = ()
    ) -> None:
        """Find the file. Columns in `optional` may be missing although the dialect requires them.

        Raises `ArtefactError`, `CallError` or `DialectError`.
        """
        settings = conf.load()
        self.address, self.dialect = resolve(source_uri, settings), dialect_named(dialect, settings)
        self._file, self._optional = FileReading(self.address, self.dialect, settings, sheet=sheet), optional
        self.count, self.normalize_errors = 0, Counter[NormalizeReason]()

    def identity(self) -> Mapping[str, Any]:
        """Return what identifies the file, as arguments of `compute_idempotency_key` and `build_payload_meta`."""
        return self.address.identity()

    def __iter__(self) -> Iterator[FileRecord]:
        """Yield each record, also a malformed one. Raises `ArtefactError` or `HeaderRefused`."""
        artefact, chunks = self._file.open()
        with artefact:
            header = chunks.header()
            if not header:
                raise EmptyArtefact(path=self.address.path)
            names = read_header(header, self._file.dialect, artefact=self.address.name, table=self.dialect.target or "")
            columns, separators = self._columns(names), self._file.csv_format(chunks)
            for chunk in chunks:
                split = split_chunk(chunks, chunk, separators, columns=len(names), first_number=self.count + 1)
                self.count += split.count
                found = {one.record_no: _malformed(one.raw, one.problems) for one in split.rejects}
                for number, record in zip(split.numbers, split.records, strict=True):
                    found[number] = self._record(parse_fields(record, separators), columns)
                yield from (found[number] for number in sorted(found))
            self.file_sha256, self.content_blake2b = artefact.file_sha256, artefact.content_blake2b

    def _columns(self, names: Sequence[str]) -> Sequence[Column | None]:
        """Return the column of each field.

        None for a field that the dialect does not have.
        """
        match = match_header(
            names,
            dialect=_without_required(self.dialect, self._optional),
            table_columns=[one.name for one in self.dialect.columns],
            required=(),
            artefact=self.address.name,
        )
        return [self.dialect.find_column(name) if name else None for name in match.targets]

    def _record(self, values: Sequence[str | None], columns: Sequence[Column | None]) -> FileRecord:
        record, problems = FileRecord(), list[Problem]()
        for column, value in zip(columns, values, strict=True):
            if column is None or column.pii is not None:
                continue
            record[column.name] = value
            try:
                if value is not None:
                    record[column.name] = normalize_text(value, column, null_words=self.dialect.null_words)
            except NormalizeError as error:
                self.normalize_errors[error.reason] += 1
                problems.append(refused_value(column, error.reason, value=value))
        record.problems = problems
        return record


def _malformed(raw: bytes, problems: Sequence[Problem]) -> FileRecord:
    record = FileRecord(record=raw.decode("utf-8", "backslashreplace"))
    record.problems = problems
    return record


def _without_required(dialect: Dialect, names: Sequence[str]) -> Dialect:
    columns = [replace(one, required=one.required and one.name not in names) for one in dialect.columns]
    return replace(dialect, columns=columns)
