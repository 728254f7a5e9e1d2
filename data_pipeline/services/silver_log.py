"""Records transforms to silver in `load_log`.

The object is written first, then its load is committed. If the process is killed in between, the next run finds the
object in silver and records it.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import DEFAULT_DB_ALIAS

from data_pipeline import conf
from data_pipeline.artefact_errors import ArtefactMissing
from data_pipeline.domain.dialects import Lookup
from data_pipeline.domain.enrichments import Pair
from data_pipeline.domain.idempotency_keys import forced_key
from data_pipeline.domain.load_counts import LoadCounts
from data_pipeline.domain.payload_meta import build_payload_meta
from data_pipeline.domain.reject_collector import RejectCollector
from data_pipeline.domain.silver_objects import SOURCE, SilverFacts, load_key, rejects_key, silver_key, version_key
from data_pipeline.errors import LoadInProgress
from data_pipeline.models import LoadLog
from data_pipeline.postgres import kept_rejects, load_transactions, reference_tables, silver_loads
from data_pipeline.postgres.error_translation import translate_errors
from data_pipeline.postgres.silver_loads import UnsettledObject
from data_pipeline.services.process_handle import ProcessHandle
from data_pipeline.services.process_once import process_once
from data_pipeline.services.silver.object_transform import WrittenObject
from data_pipeline.services.silver.planning import SilverRequest
from data_pipeline.silver_errors import TooManyRefused
from data_pipeline.storage.object_store import ObjectStore
from data_pipeline.storage.object_versions import ObjectVersion, object_uri, parse_object_uri


class SilverLog:
    """The records of one run, or of one request of the queue."""

    def __init__(  # noqa: PLR0913  # facts of one run
        self,
        store: ObjectStore,
        request: SilverRequest,
        settings: conf.Settings,
        *,
        using: str = DEFAULT_DB_ALIAS,
        task_id: str | None = None,
        forced_at: datetime | None = None,
    ) -> None:
        """Take the time of a forced run: another attempt with the same time is the same load."""
        self._store, self._request, self._settings = store, request, settings
        self._using, self._task_id, self._forced_at = using, task_id, forced_at or datetime.now(UTC)

    def record(
        self, source: ObjectVersion, write: Callable[[RejectCollector], WrittenObject]
    ) -> tuple[WrittenObject | None, int | None]:
        """Write an object and record it. Return it with the id of its load, or None if it was written before.

        Raises what writing it raises, `LoadInProgress`, `LoadTakenOver`, or errors of the database.
        """
        key = load_key(source.uri, source.etag)
        with translate_errors(self._using):
            if self._request.force:
                return self._record(source, write, forced_key(key, {}, self._forced_at))
            written, load_id = self._record(source, write, key)
            if written is None and self.read_written(source) is None:  # it was deleted from silver
                return self._record(source, write, forced_key(key, {}, self._forced_at))
            return written, load_id

    def read_written(self, source: ObjectVersion) -> WrittenObject | None:
        """Return a version's object of silver, or None."""
        key = silver_key(source.key, source.etag, compression=self._settings.silver_compression)
        try:
            found = self._store.head(self._request.destination_bucket, key)
        except ArtefactMissing:
            return None
        if (facts := SilverFacts.from_metadata(found.metadata)) is None:
            return None
        refused = rejects_key(source.key, source.etag) if facts.rejects else None
        return WrittenObject(key=key, facts=facts, rejects_key=refused)

    def read_table(self, lookup: Lookup) -> Sequence[Pair]:
        """Return the values of a reference that is a table.

        Raises `BadReference`, or errors of the database.
        """
        with translate_errors(self._using):
            return reference_tables.read_table(self._using, lookup)

    def adopt(self, unsettled: UnsettledObject) -> None:
        """Record an object that a killed process left in silver."""
        source = _version(unsettled)
        if (written := self.read_written(source)) is not None:
            with translate_errors(self._using), suppress(LoadInProgress):
                self._record(source, lambda _: written, unsettled.idempotency_key)

    def unsettled(self) -> Mapping[str, UnsettledObject]:
        """Return the transforms that have not succeeded, by `version_key`."""
        with translate_errors(self._using):
            found = silver_loads.unsettled_objects(self._using)
        return {version_key(parse_object_uri(one.uri)[1], one.etag): one for one in found}

    def waiting_keys(self) -> Collection[str]:
        """Return the keys of dead letters that are not tried now."""
        with translate_errors(self._using):
            return frozenset(load_key(*version) for version in silver_loads.waiting_objects(self._using))

    def _record(
        self, source: ObjectVersion, write: Callable[[RejectCollector], WrittenObject], key: str
    ) -> tuple[WrittenObject | None, int | None]:
        extra = {"source_uri": source.uri, "options": self._options(), "force": self._request.force}
        if key != load_key(source.uri, source.etag):
            extra["forced_at"] = self._forced_at.isoformat()
        meta = build_payload_meta(remote_meta=source.stable_metadata(), extra=extra)
        wait = timedelta(seconds=self._settings.lock_wait_s)
        rejects, written = RejectCollector(max_kept=self._settings.keep_rejects), None
        with process_once(
            self._using, source=SOURCE, payload_meta=meta, idempotency_key=key, task_id=self._task_id, wait=wait
        ) as handle:
            if handle is not None:
                handle.after_failure = lambda error: self._keep_rejects(error, handle, rejects)
                load_transactions.allow_idling(self._using)
                written = write(rejects)
                self._settle(handle, written, rejects)
        if handle is not None:
            return written, handle.load_id
        return None, LoadLog.objects.using(self._using).get(source=SOURCE, idempotency_key=key).pk

    def _settle(self, handle: ProcessHandle, written: WrittenObject, rejects: RejectCollector) -> None:
        facts, bucket = written.facts, self._request.destination_bucket
        kept_rejects.save_rejects(self._using, handle.load_id, rejects.kept)
        handle.add_counts(LoadCounts(rows_in=facts.rows + facts.rejects, rows_rejected=facts.rejects))
        handle.update_meta(
            silver_uri=object_uri(bucket, written.key),
            rejects_uri=object_uri(bucket, written.rejects_key) if written.rejects_key else None,
            dialect=facts.dialect,
            rules=facts.rules,
            rows=facts.rows,
            content_sha256=facts.content_sha256,
        )

    def _keep_rejects(self, error: BaseException, handle: ProcessHandle, rejects: RejectCollector) -> None:
        """Keep the rejects that exceed the limit."""
        kept_rejects.save_rejects(
            self._using, handle.load_id, rejects.kept if isinstance(error, TooManyRefused) else []
        )

    def _options(self) -> dict[str, Any]:
        """Return the options with which an object is transformed again."""
        return {"destination_bucket": self._request.destination_bucket, "dialect": self._request.dialect}


def _version(unsettled: UnsettledObject) -> ObjectVersion:
    bucket, key = parse_object_uri(unsettled.uri)
    return ObjectVersion(
        bucket=bucket, key=key, size=unsettled.size, etag=unsettled.etag, modified_at=unsettled.modified_at
    )
