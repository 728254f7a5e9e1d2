"""Loads a file: finds its table, claims the load, and runs it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any

from django.db import Error

from data_pipeline import conf
from data_pipeline.domain.idempotency_keys import compute_idempotency_key, forced_key
from data_pipeline.domain.load_counts import LoadCounts
from data_pipeline.domain.load_status import LoadStatus
from data_pipeline.domain.payload_meta import build_payload_meta
from data_pipeline.domain.reject_collector import RejectCollector
from data_pipeline.domain.rejects import Reject
from data_pipeline.errors import TooManyRejects
from data_pipeline.models import LoadLog
from data_pipeline.postgres import dry_runs, kept_rejects, load_transactions
from data_pipeline.postgres.load_log import Claim
from data_pipeline.postgres.row_errors import is_deadlock
from data_pipeline.services.auto_tables import choose_table, create_missing
from data_pipeline.services.chunk_loader import ChunkLoader, ProgressListener
from data_pipeline.services.file_reading import CSV, FileReading, dialect_named
from data_pipeline.services.load_options import AUTO, Loaded, LoadOptions
from data_pipeline.services.load_planning import find_table, plan_load
from data_pipeline.services.process_handle import ProcessHandle
from data_pipeline.services.process_once import process_once
from data_pipeline.storage.addresses import resolve
from data_pipeline.storage.file_addresses import reading_error

SOURCE = "ingest.import_file"
_MEGABYTE = 1024 * 1024


class FileLoader:
    """One call of `load_file` or `dry_run`."""

    def __init__(
        self,
        source_uri: str,
        options: LoadOptions,
        using: str,
        on_progress: ProgressListener,
        *,
        forced_at: datetime | None = None,
    ) -> None:
        self._settings, self._options, self._using = conf.load(), options, using
        self._on_progress, self._forced_at = on_progress, forced_at or datetime.now(UTC)
        self._address = resolve(source_uri, self._settings)
        self._dialect = dialect_named(options.dialect, self._settings)
        self._started_at = monotonic()
        self._prepare()

    def _prepare(self) -> None:
        """Forget what an attempt has found."""
        self._file = FileReading(self._address, self._dialect, self._settings, sheet=self._options.sheet)
        self._rejects = RejectCollector(max_kept=self._settings.keep_rejects)

    def run(self, task_id: str | None, *, refresh_here: bool) -> Loaded:
        """Load the file. After a deadlock, load it again while no other session writes to the table.

        Loads that append the same unique values in different orders wait for each other. Locking the table each time
        would make all writers wait.
        """
        key, meta = self._identity()
        identity = {"source": SOURCE, "payload_meta": meta, "idempotency_key": key, "task_id": task_id}
        try:
            return self._attempt(identity, refresh_here=refresh_here)
        except Error as error:
            if not is_deadlock(error):
                raise
        self._prepare()
        return self._attempt(identity, refresh_here=refresh_here, without_writers=True)

    def _attempt(self, identity: Mapping[str, Any], *, refresh_here: bool, without_writers: bool = False) -> Loaded:
        wait, key = timedelta(seconds=self._settings.lock_wait_s), identity["idempotency_key"]
        with process_once(self._using, **identity, wait=wait, refresh_here=refresh_here) as handle:
            if handle is not None:
                handle.after_failure = partial(self._keep_rejects, handle.load_id)
                self.load(handle, without_writers=without_writers)
        if handle is None:
            return self._skipped(key)
        return self._result(handle)

    def find(self) -> LoadLog | None:
        key, _ = self._identity()
        return LoadLog.objects.using(self._using).filter(source=SOURCE, idempotency_key=key).first()

    def _identity(self) -> tuple[str, dict[str, Any]]:
        """Return the idempotency key and the metadata. The file is not read, unless its content is the key."""
        try:
            return self._key_and_meta()
        except OSError as error:
            raise reading_error(Path(self._address.path), error) from error

    def _key_and_meta(self) -> tuple[str, dict[str, Any]]:
        options = self._options
        meta = build_payload_meta(
            **self._address.identity(),
            extra={
                "source_uri": self._address.uri,
                "target_table": options.table,
                "dialect": self._dialect.name,
                "force": options.force,
                "streaming": self._is_streaming,
                "options": options.as_given(),
                **({"of_load": options.of_load} if options.of_load else {}),
            },
        )
        key = options.key or self._computed_key()
        if not options.force:
            return key, meta
        overrides = {"mode": options.mode, "max_rejects": options.max_rejects}
        forced = {"of_key": key, "forced_at": self._forced_at.isoformat()}
        return forced_key(key, overrides, self._forced_at), meta | forced

    def _computed_key(self) -> str:
        if self._settings.key_by == "content":
            return key_of_content(self._file.content_key(), self._options)
        return compute_idempotency_key(**self._address.identity(), extra=_identifying(self._options))

    @property
    def _is_streaming(self) -> bool:
        threshold = self._settings.ingest_streaming_threshold_mb * _MEGABYTE
        return self._settings.ingest_streaming_enabled and self._address.size > threshold

    def trial_handle(self) -> ProcessHandle:
        """Return a handle of a load that is never recorded."""
        claim = Claim(load_id=0, status=LoadStatus.PENDING, attempts=1, is_behind_proxy=False)
        return ProcessHandle(self._using, claim, source=SOURCE, idempotency_key="")

    def load(self, handle: ProcessHandle, *, is_trial: bool = False, without_writers: bool = False) -> None:
        """Load the file in the current transaction.

        A trial, whose transaction is rolled back, writes only the table. `without_writers` waits for other writers of
        the table, and makes later ones wait. Raises as `load_file`.
        """
        load_transactions.begin_loading(self._using)
        if self._options.table == AUTO:
            self._find_table(handle)
        if not is_trial:  # a load that fails now belongs to its table, too
            table = self._file.dialect.target if self._options.table == AUTO else self._options.table
            handle.target = str(find_table(self._using, table or "", self._settings))
        artefact, chunks = self._file.open()
        with artefact:
            header = chunks.header()
            plan = plan_load(
                self._using,
                header,
                address=self._address,
                dialect=self._file.dialect,
                options=self._options,
                settings=self._settings,
                load_id=handle.load_id,
            )
            handle.target = str(plan.target.name)
            if is_trial:
                plan = replace(plan, keeps_old_rows=False)
                dry_runs.hold_sequences(self._using, plan.target)
            if without_writers:
                load_transactions.lock_against_writers(self._using, plan.target.identifier)
            csv_format = self._file.csv_format(chunks)
            handle.update_meta(
                columns=list(plan.names), delimiter=csv_format.delimiter.decode(), quote=csv_format.quote.decode()
            )
            loading = ChunkLoader(
                self._using,
                artefact,
                chunks,
                plan,
                csv_format=csv_format,
                load_id=handle.load_id,
                rejects=self._rejects,
                reopen=self._file.reopen,
                on_progress=self._on_progress,
            )
            counts = loading.run()
            handle.add_counts(counts)
            handle.update_meta(loading.normalizing_meta())
            loading.require_limits()
            if not is_trial:
                kept_rejects.save_rejects(self._using, handle.load_id, self._rejects.kept)
            handle.content_blake2b = artefact.content_blake2b
            handle.changed_relations = [(plan.target.name.schema, plan.target.name.name)]
            handle.update_meta(
                target_table=str(plan.target.name),
                dialect=self._file.dialect.name,
                rows=counts.rows_in,
                file_sha256=artefact.file_sha256,
                mode=plan.mode,
            )

    def _find_table(self, handle: ProcessHandle) -> None:
        """Find the dialect by the header.

        Create its table if it is missing.
        """
        table = choose_table(self._file, self._dialect if self._options.dialect else None, self._settings)
        self._file = FileReading(self._address, table.dialect, self._settings, sheet=self._options.sheet)
        create_missing(self._using, self._file, table, load_id=handle.load_id, settings=self._settings)

    def _keep_rejects(self, load_id: int, error: BaseException) -> None:
        """Keep the rejects that exceed the limit. Those of an earlier attempt are not those of this failure."""
        kept_rejects.save_rejects(self._using, load_id, self._rejects.kept if isinstance(error, TooManyRejects) else [])

    def _skipped(self, key: str) -> Loaded:
        row = LoadLog.objects.using(self._using).get(source=SOURCE, idempotency_key=key)
        return Loaded(
            load_id=row.pk,
            status=LoadStatus.SKIPPED,
            source_uri=self.source_uri,
            target=row.target,
            counts=LoadCounts(),
            duration=self.elapsed,
            size_bytes=self.size_bytes,
        )

    def _result(self, handle: ProcessHandle) -> Loaded:
        return Loaded(
            load_id=handle.load_id,
            status=LoadStatus.SUCCESS,
            source_uri=self.source_uri,
            target=handle.target,
            counts=handle.counts,
            duration=self.elapsed,
            size_bytes=self.size_bytes,
            rejects=self.first_rejects,
            refresh=handle.refresh,
        )

    @property
    def elapsed(self) -> timedelta:
        return timedelta(seconds=monotonic() - self._started_at)

    @property
    def source_uri(self) -> str:
        return self._address.uri

    @property
    def size_bytes(self) -> int:
        return self._address.size

    @property
    def first_rejects(self) -> Sequence[Reject]:
        return self._rejects.kept[:20]


def key_of_content(content_blake2b: str, options: LoadOptions) -> str:
    """Return the idempotency key of a file that its bytes identify."""
    return compute_idempotency_key(payload=content_blake2b, extra=_identifying(options))


def _identifying(options: LoadOptions) -> Mapping[str, object]:
    dialect = CSV if options.dialect is None else Path(options.dialect).stem
    return {"table": options.table, "dialect": dialect, "sheet": options.sheet}
