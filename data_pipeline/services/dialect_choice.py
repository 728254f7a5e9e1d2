"""Chooses the dialect of a file by its header."""

from pathlib import Path

from data_pipeline import conf
from data_pipeline.domain.auto_tables import likely_delimiter
from data_pipeline.domain.dialect_search import all_dialects
from data_pipeline.domain.dialects import Dialect
from data_pipeline.domain.headers import auto_dialect
from data_pipeline.services.file_reading import FileReading
from data_pipeline.services.load_options import AUTO
from data_pipeline.services.record_reading import header_names


def fitting_dialect(header: bytes, file: FileReading, settings: conf.Settings) -> Dialect:
    """Return the known dialect that fits a header best.

    Otherwise one with the likely delimiter.

    Raises `AmbiguousHeader` or `DialectError`.
    """
    known = map(file.as_read, all_dialects(map(Path, settings.dialect_folders)))
    found = auto_dialect(lambda one: header_names(header, one), known)
    if found is None:
        found = Dialect(name=AUTO, delimiter=likely_delimiter(header.decode(errors="replace")))
    return file.as_read(found)
