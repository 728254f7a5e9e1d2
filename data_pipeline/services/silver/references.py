"""Reads the references of a dialect into memory."""

from collections.abc import Mapping
from dataclasses import dataclass

from data_pipeline import conf
from data_pipeline.domain.auto_tables import likely_delimiter
from data_pipeline.domain.case_folding import trim
from data_pipeline.domain.dialects import Dialect, Lookup
from data_pipeline.services.file_reading import FileReading
from data_pipeline.services.record_reading import read_header, read_records
from data_pipeline.silver_errors import BadReference
from data_pipeline.storage.addresses import resolve

_MAX_BYTES = 32 << 20  # of the values of a reference; in memory they need about four times as much
_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Reference:
    """The values of a reference."""

    values: Mapping[str, str | None]  # added ones by those that are looked up
    content_hash: str


def read_reference(lookup: Lookup, settings: conf.Settings) -> Reference:
    """Read the two columns of a lookup. Raises `BadReference`, or an error of the file."""
    address = resolve(lookup.reference, settings)
    header = FileReading(address, Dialect(name="reference"), settings).header()
    dialect = Dialect(name="reference", delimiter=likely_delimiter(header.decode(errors="replace")))
    file = FileReading(address, dialect, settings)
    artefact, chunks = file.open(chunk_bytes=_CHUNK_BYTES)
    values, size = dict[str, str | None](), 0
    with artefact:
        names = [trim(name) for name in read_header(chunks.header(), file.dialect, artefact=lookup.reference)]
        for name in (lookup.match, lookup.take):
            if names.count(name) != 1:
                problem = f"it must have one column {name!r}, but has {', '.join(map(repr, names))}"
                raise BadReference(reference=lookup.reference, problem=problem)
        match, take = names.index(lookup.match), names.index(lookup.take)
        for number, record in enumerate(read_records(chunks, file.dialect, columns=len(names)), start=1):
            if not record:
                raise BadReference(reference=lookup.reference, problem=f"record {number:,} is malformed")
            key, value = trim(record[match]), trim(record[take]) or None
            if values.setdefault(key, value) != value:
                problem = f"record {number:,} has another value for {key!r} than an earlier one"
                raise BadReference(reference=lookup.reference, problem=problem)
            size += len(key) + len(value or "")
            if size > _MAX_BYTES:
                raise BadReference(reference=lookup.reference, problem="its values have more than 32 MB")
    return Reference(values=values, content_hash=artefact.content_blake2b)
