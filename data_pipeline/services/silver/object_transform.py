"""Transforms one object of bronze into one of silver.

The result is spooled before it is written, because the metadata of an object must be given at its beginning.
"""

import hashlib
import json
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, replace
from functools import partial
from itertools import chain
from typing import IO

from data_pipeline import conf
from data_pipeline.artefact_errors import EmptyArtefact
from data_pipeline.domain import silver_objects
from data_pipeline.domain.csv_chunks import RecordChunks
from data_pipeline.domain.dialects import Column, Dialect, Lookup, Pii
from data_pipeline.domain.load_progress import LoadProgress
from data_pipeline.domain.masking import RejectMasking
from data_pipeline.domain.record_normalizer import RecordNormalizer, written_header
from data_pipeline.domain.reject_collector import RejectCollector
from data_pipeline.domain.rejects import Reject, RejectLimits
from data_pipeline.domain.silver_objects import SilverFacts
from data_pipeline.errors import PiiKeyMissing
from data_pipeline.services.dialect_choice import fitting_dialect
from data_pipeline.services.file_reading import FileReading
from data_pipeline.services.load_options import AUTO
from data_pipeline.services.record_reading import read_header
from data_pipeline.services.references import Reference, read_reference
from data_pipeline.services.silver.columns import enrich, silver_columns
from data_pipeline.services.silver.csv_transform import CsvTransform
from data_pipeline.silver_errors import KeyTooLong, SpoolFailed, TooManyRefused
from data_pipeline.storage.object_addresses import ObjectAddress
from data_pipeline.storage.object_store import ObjectStore
from data_pipeline.storage.object_versions import ObjectVersion
from data_pipeline.storage.opening import Artefact
from data_pipeline.storage.packing import packed
from seeder.texts import Text

_IN_MEMORY = 4 << 20  # bytes of a spool; a larger one is a temporary file
_COPIED_AT_ONCE = 1 << 20
_MEGABYTE = 1024 * 1024
ProgressListener = Callable[[LoadProgress], object]


@dataclass(frozen=True, kw_only=True, slots=True)
class WrittenObject:
    """An object of silver."""

    key: str
    facts: SilverFacts
    rejects_key: str | None  # of the records that were refused


class ObjectTransform:
    """The transform of one version of an object."""

    def __init__(  # noqa: PLR0913  # facts of one transform
        self,
        store: ObjectStore,
        source: ObjectVersion,
        settings: conf.Settings,
        *,
        dialect: Dialect | None = None,
        reference_of: Callable[[Lookup], Reference] | None = None,
        rejects: RejectCollector | None = None,
        on_progress: ProgressListener = lambda _: None,
    ) -> None:
        """Take a version as it is listed. Without a dialect, the known one that fits the header is used.

        `reference_of` can remember the references of earlier objects.
        """
        spooled = settings.max_spooled_mb * _MEGABYTE
        self._address = ObjectAddress(version=source, max_spooled_bytes=spooled, store=store)
        self._store, self._source, self._settings = store, source, settings
        self._dialect, self._on_progress = dialect, on_progress
        self._rejects = rejects or RejectCollector(max_kept=1)
        self._reference_of = reference_of or partial(read_reference, settings=settings)

    def write_to(self, bucket: str) -> WrittenObject:
        """Write the object of silver, and before it the refused records. Each is visible as a whole or not at all.

        Raises `ArtefactError`, `HeaderRefused`, `DialectError` or `SilverError`. Then nothing is visible.
        """
        key = silver_objects.silver_key(
            self._source.key, self._source.etag, compression=self._settings.silver_compression
        )
        rejects_key = silver_objects.rejects_key(self._source.key, self._source.etag)
        if (length := len(rejects_key.encode())) > silver_objects.MAX_KEY_BYTES:
            raise KeyTooLong(path=self._address.path, length=length)
        with self._spooled() as spooled, self._spooled() as refused:
            facts = self._transform(spooled, refused)
            if facts.rejects:
                self._upload(refused, bucket, rejects_key, facts, content_type="application/x-ndjson")
            self._upload(spooled, bucket, key, facts, content_type="text/csv")
        return WrittenObject(key=key, facts=facts, rejects_key=rejects_key if facts.rejects else None)

    def _transform(self, spooled: IO[bytes], refused: IO[bytes]) -> SilverFacts:
        artefact, chunks, header, file = self._open()
        with artefact:
            names = read_header(header, file.dialect, artefact=self._address.path)
            columns = silver_columns(names, file.dialect, artefact=self._address.path)
            csv_format, hash_key = file.csv_format(chunks), self._hash_key(columns)
            lookups = file.dialect.lookups
            found = [self._reference_of(lookup) for lookup in lookups]
            enrichments = enrich(columns, lookups, found, artefact=self._address.path)
            masking = RejectMasking(
                columns=[column.name for column in columns],
                pii={column.name: column.pii for column in columns if column.pii},
                delimiter=csv_format.delimiter,
                quote=csv_format.quote,
                hash_key=hash_key,
            )

            def keep(rejects: Sequence[Reject]) -> None:
                kept = [masking.masked(replace(one, line_no=artefact.line_of(one.line_no))) for one in rejects]
                self._rejects.add(kept)
                refused.writelines(map(_reject_line, kept))

            transform = CsvTransform(
                chunks,
                RecordNormalizer(
                    columns, file.dialect.null_words, csv_format, hash_key=hash_key, enrichments=enrichments
                ),
                csv_format,
                columns=len(columns),
                on_rejects=keep,
            )
            digest = hashlib.sha256()
            pieces = self._reporting(artefact, transform)
            added = [one.name for one in lookups]
            written = chain([written_header([*(one.name for one in columns), *added])], pieces)
            for piece in packed(written, self._settings.silver_compression):
                digest.update(piece)
                spooled.write(piece)
        self._require_limit(transform)
        return SilverFacts(
            load_key=silver_objects.load_key(self._source.uri, self._source.etag),
            source_etag=self._source.etag.strip('"'),
            dialect=file.dialect.name,
            rules=silver_objects.rules_version(file.dialect, [one.content_hash for one in found]),
            rows=transform.records - transform.rejected,
            rejects=transform.rejected,
            content_sha256=digest.hexdigest(),
        )

    def _open(self) -> tuple[Artefact, RecordChunks, bytes, FileReading]:
        """Open the object behind its header. It is opened twice only if its dialect separates headers otherwise."""
        file = FileReading(self._address, self._dialect or Dialect(name=AUTO), self._settings, is_hashed=False)
        artefact, chunks = file.open()
        with ExitStack() as stack:
            stack.push(artefact)
            header = chunks.header()
            if not header:
                raise EmptyArtefact(path=self._address.path)
            if self._dialect is None:
                opened_as, file.dialect = file.dialect, fitting_dialect(header, file, self._settings)
                self._dialect = file.dialect
                if _reads_otherwise(file.dialect, opened_as):
                    stack.close()
                    return self._open()
            stack.pop_all()
        return artefact, chunks, header, file

    def _hash_key(self, columns: Iterable[Column]) -> bytes:
        hash_key = self._settings.pii_hash_key.encode()
        if not hash_key and any(column.pii is Pii.HASH for column in columns):
            raise PiiKeyMissing
        return hash_key

    def _reporting(self, artefact: Artefact, transform: CsvTransform) -> Iterator[bytes]:
        for piece in transform:
            yield piece
            progress = LoadProgress(
                bytes_read=artefact.position,
                bytes_total=artefact.size,
                records=transform.records,
                rejected=transform.rejected,
            )
            self._on_progress(progress)

    def _require_limit(self, transform: CsvTransform) -> None:
        """Raise `TooManyRefused` if too few records are left.

        At least one must be, and the refused ones must be within the settings' limits.
        """
        limits = RejectLimits(max_rejects=None, max_ratio=self._settings.max_reject_ratio)
        rejected, records, first = transform.rejected, transform.records, self._rejects.first
        is_exceeded = limits.exceeded(rejected=rejected, records=records)
        if first is not None and (is_exceeded or rejected == records):
            raise TooManyRefused(
                path=self._address.path,
                rejected=rejected,
                records=records,
                limit=Text("MAX_REJECT_RATIO allows {limit}", limit=limits.text)
                if is_exceeded
                else Text("one must be left"),
                line=first.line_no,
                problem=first.problems[0],
            )

    def _upload(self, spooled: IO[bytes], bucket: str, key: str, facts: SilverFacts, *, content_type: str) -> None:
        spooled.seek(0)
        with self._store.put(bucket, key, metadata=facts.as_metadata(), content_type=content_type) as target:
            while piece := spooled.read(_COPIED_AT_ONCE):
                target.write(piece)

    @contextmanager
    def _spooled(self) -> Iterator[IO[bytes]]:
        """Yield a temporary file, which is in memory while it is small."""
        try:
            with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as file:
                yield file
        except OSError as error:
            folder = tempfile.gettempdir()
            raise SpoolFailed(path=self._address.path, folder=folder, cause=error.strerror or error) from error


def _reads_otherwise(dialect: Dialect, other: Dialect) -> bool:
    """Return whether a dialect needs a file to be reopened."""
    return (dialect.quote, dialect.encoding, dialect.sheet) != (other.quote, other.encoding, other.sheet)


def _reject_line(reject: Reject) -> bytes:
    document = {
        "lineNo": reject.line_no,
        "recordNo": reject.record_no,
        "problems": [asdict(one) for one in reject.problems],
        "raw": reject.raw.decode("utf-8", "backslashreplace"),
    }
    return json.dumps(document, ensure_ascii=False).encode() + b"\n"
