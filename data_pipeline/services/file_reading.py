"""Reads a file of a dialect as chunks of records."""

from contextlib import closing
from dataclasses import replace
from pathlib import Path

from data_pipeline import conf
from data_pipeline.domain.chunks import RecordChunks
from data_pipeline.domain.dialect_search import find_dialect
from data_pipeline.domain.dialects import Dialect
from data_pipeline.domain.fields import CsvFormat
from data_pipeline.storage.addresses import LocalAddress
from data_pipeline.storage.opening import Artefact, open_artefact
from data_pipeline.storage.source_file import SourceFile

_MEGABYTE = 1024 * 1024


class FileReading:
    """A file that can be opened several times."""

    def __init__(
        self, address: LocalAddress, dialect: Dialect, settings: conf.Settings, *, sheet: str | None = None
    ) -> None:
        self.address, self.dialect, self._settings = address, dialect, settings
        self._sheet = sheet or dialect.sheet

    def open(self) -> tuple[Artefact, RecordChunks]:
        """Open the file. The chunks begin with the header."""
        artefact = open_artefact(
            self.address,
            max_unpacked_bytes=self._settings.max_unpacked_mb * _MEGABYTE,
            xlsx_in_memory_bytes=self._settings.xlsx_in_memory_mb * _MEGABYTE,
            sheet=self._sheet,
            encoding=self.dialect.encoding,
        )
        if artefact.format != "csv":  # sheets become CSV with these separators
            self.dialect = replace(self.dialect, delimiter=",", quote='"')
        chunk_bytes = self._settings.ingest_streaming_chunk_size_mb * _MEGABYTE
        chunks = RecordChunks(
            artefact.read,
            chunk_bytes=chunk_bytes,
            chunk_records=self._settings.ingest_streaming_chunk_size,
            quote=self.dialect.quote.encode(),
        )
        return artefact, chunks

    def reopen(self) -> tuple[Artefact, RecordChunks]:
        """Open the file behind its header."""
        artefact, chunks = self.open()
        chunks.header()
        return artefact, chunks

    def content_key(self) -> str:
        """Return a hash of the bytes of the file, which are read for it. Raises `ArtefactError`."""
        with closing(SourceFile(self.address)) as source:
            source.hash_rest()
            return source.content_blake2b

    def csv_format(self, chunks: RecordChunks) -> CsvFormat:
        """Return the format of the chunks, once their header was read."""
        return CsvFormat(
            delimiter=self.dialect.delimiter.encode(), quote=self.dialect.quote.encode(), line_end=chunks.line_end
        )


def dialect_named(name: str | None, settings: conf.Settings) -> Dialect:
    """Return a dialect by its name or path, or the one of plain CSV files."""
    return Dialect(name="csv") if name is None else find_dialect(name, map(Path, settings.dialect_folders))
