"""Infers a dialect from the columns of a file."""

from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from data_pipeline import conf
from data_pipeline.dialect_errors import DialectFileExists
from data_pipeline.domain.auto_tables import likely_delimiter
from data_pipeline.domain.dialect_inference import Inference, infer_columns
from data_pipeline.domain.dialects import Dialect
from data_pipeline.services.file_reading import FileReading
from data_pipeline.services.record_reading import read_header, read_records
from data_pipeline.storage.addresses import resolve

_MEGABYTE = 1024 * 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class InferredDialect:
    """The columns of a file, and the dialect that declares them."""

    inference: Inference
    toml: str


def infer_dialect(source_uri: str, *, rows: int | None = None) -> InferredDialect:
    """Infer columns from the first `rows` records, or from all. Uses bounded memory.

    Raises `ArtefactError` or `HeaderRefused`.
    """
    settings = conf.load()
    address = resolve(source_uri, settings)
    file = FileReading(address, Dialect(name=Path(address.name).stem), settings)
    delimiter = likely_delimiter(file.header().decode(errors="replace"))
    file = FileReading(address, file.as_read(replace(file.dialect, delimiter=delimiter)), settings)
    artefact, chunks = file.open(chunk_bytes=_MEGABYTE)
    with artefact:
        names = read_header(chunks.header(), file.dialect, artefact=address.name)
        records = islice(read_records(chunks, file.dialect, columns=len(names)), rows)
        inference = infer_columns(names, records, artefact=address.name)
    return InferredDialect(inference=inference, toml=inference.to_toml(file.dialect))


def write_dialect(inferred: InferredDialect, path: Path) -> None:
    """Write the dialect into a new file. Raises `DialectFileExists`."""
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(inferred.toml)
    except FileExistsError as error:
        raise DialectFileExists(path=path) from error
