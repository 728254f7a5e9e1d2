"""Transforms the objects of a plan, one after another."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from functools import cache, partial
from time import monotonic

from data_pipeline import conf
from data_pipeline.domain.dialects import Dialect
from data_pipeline.domain.load_progress import LoadProgress
from data_pipeline.domain.reject_collector import RejectCollector
from data_pipeline.domain.silver_outcomes import ObjectOutcome, ObjectState
from data_pipeline.errors import LoadInProgress, PipelineError
from data_pipeline.services.file_reading import dialect_named
from data_pipeline.services.references import ReadTable, read_reference
from data_pipeline.services.silver.object_transform import ObjectTransform, WrittenObject
from data_pipeline.services.silver.planning import SilverPlan, SilverRequest
from data_pipeline.storage.object_store import ObjectStore
from data_pipeline.storage.object_versions import ObjectVersion, object_uri
from data_pipeline.storage_errors import StorageUnusable
from seeder.errors import ExtraMissing

Write = Callable[[RejectCollector], WrittenObject]
Record = Callable[[ObjectVersion, Write], tuple[WrittenObject | None, int | None]]
"""Writes an object and records it. Returns it with the id of its load, or None if it was written before."""


def without_record(_: ObjectVersion, write: Write) -> tuple[WrittenObject | None, int | None]:
    """Write an object, and record it nowhere: its metadata and its key are the record."""
    return write(RejectCollector(max_kept=1)), None


class SilverRun:
    """One run of a request."""

    def __init__(  # noqa: PLR0913  # facts of one run
        self,
        store: ObjectStore,
        request: SilverRequest,
        settings: conf.Settings,
        *,
        record: Record = without_record,
        read_table: ReadTable | None = None,
        on_progress: Callable[[LoadProgress], object] = lambda _: None,
    ) -> None:
        """Prepare a run. `read_table` reads the references that are tables. Raises `DialectError`."""
        self._store, self._request, self._settings = store, request, settings
        self._record, self._on_progress = record, on_progress
        self._reference_of = cache(partial(read_reference, settings=settings, read_table=read_table))
        self._dialect: Dialect | None = dialect_named(request.dialect, settings) if request.dialect else None

    def transform_all(self, plan: SilverPlan) -> Iterator[ObjectOutcome]:
        """Transform what is due. Yield each object with its outcome. One that fails does not end the others.

        Raises `StorageUnusable`, and `KeyboardInterrupt`.
        """
        return map(self.transform, plan.due)

    def transform(self, source: ObjectVersion) -> ObjectOutcome:
        """Transform one version of an object. Raises as `transform_all`."""
        started_at = monotonic()
        try:
            return self.attempt(source)
        except StorageUnusable:
            raise
        except (PipelineError, ExtraMissing) as error:
            return ObjectOutcome(
                source_uri=source.uri,
                state=ObjectState.BUSY if isinstance(error, LoadInProgress) else ObjectState.FAILED,
                size_bytes=source.size,
                duration=timedelta(seconds=monotonic() - started_at),
                error=str(error),
            )

    def attempt(self, source: ObjectVersion) -> ObjectOutcome:
        """Transform one version of an object. Raises what prevents it, as `ObjectTransform.write_to`."""
        started_at = monotonic()
        written, load_id = self._record(source, lambda rejects: self._write(source, rejects))
        outcome = ObjectOutcome(
            source_uri=source.uri,
            state=ObjectState.SKIPPED,
            size_bytes=source.size,
            duration=timedelta(seconds=monotonic() - started_at),
            load_id=load_id,
        )
        if written is None:
            return outcome
        bucket = self._request.destination_bucket
        return replace(
            outcome,
            state=ObjectState.WRITTEN,
            silver_uri=object_uri(bucket, written.key),
            rejects_uri=object_uri(bucket, written.rejects_key) if written.rejects_key else None,
            dialect=written.facts.dialect,
            rows=written.facts.rows,
            rejects=written.facts.rejects,
        )

    def _write(self, source: ObjectVersion, rejects: RejectCollector) -> WrittenObject:
        transform = ObjectTransform(
            self._store,
            source,
            self._settings,
            dialect=self._dialect,
            reference_of=self._reference_of,
            rejects=rejects,
            on_progress=self._on_progress,
        )
        return transform.write_to(self._request.destination_bucket)
