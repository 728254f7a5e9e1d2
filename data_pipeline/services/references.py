"""Reads the references of lookups."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from data_pipeline import conf
from data_pipeline.dialect_errors import BadReference, ReferenceNeedsDatabase
from data_pipeline.domain.auto_tables import likely_delimiter
from data_pipeline.domain.case_folding import trim
from data_pipeline.domain.dialects import Dialect, Lookup
from data_pipeline.domain.enrichments import Pair, hash_of_values, reference_values, require_columns
from data_pipeline.services.file_reading import FileReading
from data_pipeline.services.record_reading import read_header, read_records
from data_pipeline.storage.addresses import resolve
from seeder.texts import Text

_CHUNK_BYTES = 1 << 20
ReadTable = Callable[[Lookup], Iterable[Pair]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Reference:
    """The values of a reference, in memory."""

    values: Mapping[str, str | None]  # added ones by those that are looked up
    content_hash: str


def read_reference(lookup: Lookup, *, settings: conf.Settings, read_table: ReadTable | None = None) -> Reference:
    """Read the reference of a lookup into memory.

    Without `read_table`, there is no database. Raises `BadReference`, `ReferenceNeedsDatabase`, or an error of the
    file or the database.
    """
    if lookup.table is None:
        pairs: Iterable[Pair] = read_pairs(lookup, settings)
    elif read_table is None:
        raise ReferenceNeedsDatabase(lookup=lookup.name, table=lookup.table)
    else:
        pairs = read_table(lookup)
    values = reference_values(pairs, source=lookup.source)
    return Reference(values=values, content_hash=hash_of_values(values))


def read_pairs(lookup: Lookup, settings: conf.Settings) -> Iterator[Pair]:
    """Yield both columns of a lookup for each record of its file.

    Raises `BadReference`, or an error of the file.
    """
    address = resolve(lookup.source, settings)
    header = FileReading(address, Dialect(name="reference"), settings).header()
    dialect = Dialect(name="reference", delimiter=likely_delimiter(header.decode(errors="replace")))
    file = FileReading(address, dialect, settings, is_hashed=False)
    artefact, chunks = file.open(chunk_bytes=_CHUNK_BYTES)
    with artefact:
        names = [trim(name) for name in read_header(chunks.header(), file.dialect, artefact=lookup.source)]
        require_columns(lookup, names)
        match, take = names.index(lookup.match), names.index(lookup.take)
        for number, record in enumerate(read_records(chunks, file.dialect, columns=len(names)), start=1):
            if not record:
                raise BadReference(
                    reference=lookup.source, problem=Text("record {number:,} is malformed", number=number)
                )
            yield record[match], record[take]
