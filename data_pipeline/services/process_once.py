"""Does a piece of work exactly once: the guard of every load.

PostgreSQL decides. The unique pair of source and key is the identity of a load. A session advisory lock proves that the
process of a pending load is alive. A free lock proves that it is not, without a clock. The rows and the status
`success` have one commit, so neither is ever seen without the other.
"""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import timedelta
from time import monotonic
from typing import Any

from django.db import DEFAULT_DB_ALIAS, Error, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from data_pipeline.domain.load_status import LoadStatus
from data_pipeline.domain.payload_meta import build_payload_meta
from data_pipeline.errors import BadIdempotencyKey, BadSource, LoadInProgress, LoadTakenOver
from data_pipeline.http.call_context import calls_of, current_request_id
from data_pipeline.postgres import load_log
from data_pipeline.postgres.load_log import Claim
from data_pipeline.services import load_metrics
from data_pipeline.services.dependent_refreshes import import_queue, refresh_after
from data_pipeline.services.process_handle import ProcessHandle, keep_nothing
from data_pipeline.services.transaction_guards import require_own_transaction
from data_pipeline.structured_log import INFO, WARNING, log_event
from seeder.domain.view_names import is_storable_text
from seeder.errors import SessionsPooled
from seeder.postgres import sessions
from seeder.postgres.session_sharing import shares_session
from seeder.postgres.sqlstates import is_connection_lost
from seeder.postgres.transactions import atomic
from seeder.services import signal_sending
from seeder.services.process_name import process_name
from seeder.texts import Text

_MAX_SOURCE_LENGTH = 128
_RETRY_SECONDS = 0.05  # between two attempts to get the lock of another process


@contextmanager
def process_once(  # noqa: PLR0913  # keyword-only facts of one load
    using: str | Callable[[], BaseDatabaseWrapper] = DEFAULT_DB_ALIAS,
    *,
    source: str,
    payload_meta: Mapping[str, Any],
    idempotency_key: str,
    on_duplicate: str = "skip",
    task_id: str | None = None,
    wait: timedelta = timedelta(),
    refresh_here: bool = False,
) -> Iterator[ProcessHandle | None]:
    """Run the block in a transaction that commits with the load's success.

    A load that has succeeded before is a duplicate: None is yielded, and its row then has the status `skipped`.
    `on_duplicate="update_meta"` also refreshes its metadata. If the block raises, its changes are rolled back, the row
    becomes `failed` with the message, and the error is raised. A load that failed, or whose process was killed, is
    attempted again. `using` is an alias of Django's databases, or a callable that returns one of its connections.

    After the commit, a refresh of the views that depend on the handle's `changed_relations` is queued. With
    `refresh_here`, a host without a queue refreshes them before this returns.

    Raises `LoadInProgress` if another process still loads it after `wait`, `LoadTakenOver`, `InsideTransaction`,
    `AutocommitOff`, `SessionsPooled`, `BadSource` or `BadIdempotencyKey`.
    """
    database = using if isinstance(using, str) else using().alias
    _validate(database, source, idempotency_key, on_duplicate)
    lock_key = load_log.lock_key(source, idempotency_key)
    with _released_after_errors(database, lock_key), calls_of(source=source, request_id=task_id):
        yield from _process_once(
            database,
            wait,
            refresh_here=refresh_here,
            source=source,
            idempotency_key=idempotency_key,
            payload_meta=build_payload_meta(extra=payload_meta),
            update_meta=on_duplicate == "update_meta",
            processed_by=process_name(),
            task_id=task_id,
        )


@contextmanager
def _released_after_errors(database: str, key: str) -> Iterator[None]:
    """Release the lock of a load that fails, even in its claim.

    A session keeps its locks after a rollback.
    """
    try:
        yield
    except BaseException:
        try:
            sessions.discard_if_broken(database)
            load_log.release(database, key)
        except Error:
            connections[database].close()  # the server releases the locks of a session that ends
        raise


def _process_once(
    database: str, wait: timedelta, *, refresh_here: bool, **columns: Any
) -> Iterator[ProcessHandle | None]:
    started_at, source, idempotency_key = monotonic(), columns["source"], columns["idempotency_key"]
    claimed = _claim(database, wait, **columns)
    uri = columns["payload_meta"].get("source_uri")
    facts: dict[str, Any] = {"load_id": claimed.load_id, "source": source}
    facts |= {"source_uri": uri if isinstance(uri, str) else None, "request_id": current_request_id()}
    if claimed.status is LoadStatus.SKIPPED:
        log_event(INFO, "load_skipped", **facts)
        load_metrics.end_load(source, LoadStatus.SKIPPED, database=database)
        yield None
        return
    handle = ProcessHandle(database, claimed, source=source, idempotency_key=idempotency_key)
    attempt = _Attempt(handle, claimed, columns["processed_by"], started_at)
    try:
        log_event(INFO, "load_claimed", **facts, attempt=claimed.attempts)
        _require_own_session(database, claimed)
        import_queue()
        with atomic(database, durable=True):
            yield handle
            attempt.complete()
    except BaseException as error:
        if not attempt.is_committed_after(error):
            attempt.fail(error)
            reason = load_log.error_code(error)
            log_event(WARNING, "load_failed", **facts, reason=reason, **attempt.log_fields)
            failed = {"load_id": claimed.load_id, "source": source, "attempt": claimed.attempts}
            signal_sending.send("load_failed", **failed, reason=reason)
            load_metrics.end_load(source, LoadStatus.FAILED, database=database)
            raise
    level = WARNING if handle.counts.rows_rejected else INFO
    log_event(level, "load_succeeded", **facts, **attempt.log_fields)
    load_metrics.end_load(source, LoadStatus.SUCCESS, database=database)
    if handle.requested_refresh is not None:
        handle.refresh = refresh_after(handle.load_id, database, refresh_here=refresh_here)


def _validate(database: str, source: str, idempotency_key: str, on_duplicate: str) -> None:
    if on_duplicate not in {"skip", "update_meta"}:
        raise ValueError(f"on_duplicate must be 'skip' or 'update_meta', not {on_duplicate!r}")
    if not (0 < len(source) <= _MAX_SOURCE_LENGTH and is_storable_text(source)):
        raise BadSource(source=source)
    if len(idempotency_key) != 64 or not set(idempotency_key) <= set("0123456789abcdef"):
        raise BadIdempotencyKey(key=idempotency_key)
    require_own_transaction(database, "process_once")


def _require_own_session(database: str, claimed: Claim) -> None:
    """Raise `SessionsPooled` if other clients use the session of the lock."""
    if claimed.is_behind_proxy and shares_session(database):
        raise SessionsPooled(alias=database)


def _claim(database: str, wait: timedelta, *, source: str, idempotency_key: str, **columns: Any) -> Claim:
    deadline = monotonic() + wait.total_seconds()
    while True:
        claimed = load_log.claim(database, source=source, idempotency_key=idempotency_key, **columns)
        if claimed is not None:
            return claimed
        if monotonic() >= deadline:
            status, worker = load_log.worker_of(database, source, idempotency_key)
            if status not in {LoadStatus.SUCCESS, LoadStatus.SKIPPED}:  # ended just now: a duplicate
                artefact = columns["payload_meta"].get("source_uri") or f"{source} {idempotency_key}"
                raise LoadInProgress(artefact=artefact, worker=worker or Text("another process"))
        threading.Event().wait(_RETRY_SECONDS)


class _Attempt:
    """The end of a claimed load.

    It is success with the rows, or failure after their rollback. If the connection is lost before the answer to COMMIT
    arrives, the client does not know whether the rows are committed. Their row in `load_log` shows it, because it
    commits with them. Reading it waits for its lock, and so for a commit in progress.
    """

    def __init__(self, handle: ProcessHandle, claimed: Claim, worker: str, started_at: float) -> None:
        self._handle, self._claimed, self._worker, self._started_at = handle, claimed, worker, started_at
        self._has_completed = False  # the status success was written, and only the commit can fail

    def complete(self) -> None:
        """Write the success. Raises `TransactionManagementError` if Django would roll back instead of commit."""
        handle = self._handle
        handle.connection.validate_no_broken_transaction()
        is_ours = load_log.complete(
            handle.database,
            self._claimed,
            counts=handle.counts,
            content_blake2b=handle.content_blake2b,
            relations=handle.requested_refresh,
            key=load_log.lock_key(handle.source, handle.idempotency_key),
            **self._columns(),
        )
        if not is_ours:
            raise LoadTakenOver(load_id=handle.load_id, source=handle.source)
        self._has_completed = True

    def is_committed_after(self, error: BaseException) -> bool:
        """Return whether the rows are committed although the commit raised an error."""
        if not (self._has_completed and isinstance(error, Error) and is_connection_lost(error)):
            return False
        database = self._handle.database
        sessions.discard_if_broken(database)
        try:
            with atomic(database, durable=True):
                is_committed = load_log.is_committed(database, self._claimed)
        except Error:
            return False  # the row remains as it is, and shows the outcome
        if is_committed is None:
            raise LoadTakenOver(load_id=self._handle.load_id, source=self._handle.source) from error
        return is_committed

    def fail(self, error: BaseException) -> None:
        """Write the failure, and what is kept after it. If that cannot be kept, the failure is written alone.

        Without a connection the row stays pending with a free lock, so it is attempted again.
        """
        self._handle.counts = self._handle.counts.rolled_back()
        for keep in (self._handle.after_failure, keep_nothing):
            with suppress(Error):
                self._write_failure(error, keep)
                return

    def _write_failure(self, error: BaseException, keep: Callable[[BaseException], None]) -> None:
        database, counts = self._handle.database, self._handle.counts
        sessions.discard_if_broken(database)
        with atomic(database, durable=True):
            if load_log.fail(database, self._claimed, error, counts=counts, **self._columns()):
                keep(error)

    @property
    def log_fields(self) -> Mapping[str, Any]:
        """The fields of the attempt's end in the log."""
        duration = monotonic() - self._started_at
        return {"target": self._handle.target, "duration_seconds": duration, **self._handle.counts.as_columns()}

    def _columns(self) -> dict[str, Any]:
        return {
            "payload_meta": self._handle.pending_meta(),
            "target": self._handle.target,
            "processed_by": self._worker,
            "duration_ms": int((monotonic() - self._started_at) * 1000),
        }
