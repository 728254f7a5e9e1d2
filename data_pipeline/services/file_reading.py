"""Reads a file of a dialect as chunks of records."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from itertools import islice
from pathlib import Path

from data_pipeline import conf
from data_pipeline.artefact_errors import EmptyArtefact
from data_pipeline.domain.csv_chunks import RecordChunks
from data_pipeline.domain.csv_fields import CsvFormat
from data_pipeline.domain.dialect_search import find_dialect
from data_pipeline.domain.dialects import Dialect
from data_pipeline.services.record_reading import csv_format, header_names, read_records
from data_pipeline.storage.addresses import Address, open_source
from data_pipeline.storage.opening import Artefact, open_artefact

CSV = "csv"  # name of the dialect of plain files
_MEGABYTE = 1024 * 1024


class FileReading:
    """A file that can be opened several times."""

    def __init__(
        self,
        address: Address,
        dialect: Dialect,
        settings: conf.Settings,
        *,
        sheet: str | None = None,
        is_hashed: bool = True,
    ) -> None:
        self.address, self.dialect, self._settings = address, dialect, settings
        self._sheet, self._is_hashed = sheet or dialect.sheet, is_hashed
        self.is_sheet = False  # known after the file was opened

    def open(self, *, chunk_bytes: int | None = None) -> tuple[Artefact, RecordChunks]:
        """Open the file. The chunks begin with the header. Their size is that of the settings by default."""
        artefact = open_artefact(
            self.address,
            max_unpacked_bytes=self._settings.max_unpacked_mb * _MEGABYTE,
            xlsx_in_memory_bytes=self._settings.xlsx_in_memory_mb * _MEGABYTE,
            sheet=self._sheet,
            encoding=self.dialect.encoding,
            is_hashed=self._is_hashed,
        )
        self.is_sheet = artefact.format != "csv"
        self.dialect = self.as_read(self.dialect)
        chunks = RecordChunks(
            artefact.read,
            chunk_bytes=chunk_bytes or self._settings.ingest_streaming_chunk_size_mb * _MEGABYTE,
            chunk_records=0 if chunk_bytes else self._settings.ingest_streaming_chunk_size,
            quote=self.dialect.quote.encode(),
        )
        return artefact, chunks

    def as_read(self, dialect: Dialect) -> Dialect:
        """Return a dialect with the separators of this file. Sheets become CSV with commas."""
        return replace(dialect, delimiter=",", quote='"') if self.is_sheet else dialect

    def reopen(self) -> tuple[Artefact, RecordChunks]:
        """Open the file behind its header."""
        artefact, chunks = self.open()
        chunks.header()
        return artefact, chunks

    def content_key(self) -> str:
        """Return a hash of the file's bytes, which reads them.

        Raises `ArtefactError`.
        """
        with closing(open_source(self.address)) as source:
            source.hash_rest()
            return source.content_blake2b

    def header(self) -> bytes:
        """Return the header. Raises `EmptyArtefact` if the file is empty."""
        artefact, chunks = self.open(chunk_bytes=_MEGABYTE)
        with artefact:
            header = chunks.header()
        if not header:
            raise EmptyArtefact(path=self.address.path)
        return header

    def sample(self, count: int) -> tuple[Sequence[str], Sequence[Sequence[str]]]:
        """Return the header's names and the first records' values."""
        artefact, chunks = self.open(chunk_bytes=_MEGABYTE)
        with artefact:
            names = header_names(chunks.header(), self.dialect)
            return names, list(islice(read_records(chunks, self.dialect, columns=len(names)), count))

    def csv_format(self, chunks: RecordChunks) -> CsvFormat:
        """Return the format of the chunks, once their header was read."""
        return csv_format(self.dialect, chunks)


def dialect_named(name: str | None, settings: conf.Settings) -> Dialect:
    """Return a dialect by name or path, or that of plain files."""
    return Dialect(name=CSV) if name is None else find_dialect(name, map(Path, settings.dialect_folders))
