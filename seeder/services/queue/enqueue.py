"""Queues refreshes. A request is one row, or several if it is for all reports; the queue carries only their ids.

A request for all reports is planned and split into parts that share no view, dependency or status row. Any other
request is one part, planned by the worker that claims it.
"""

from functools import partial

from django.db import DEFAULT_DB_ALIAS

from seeder import conf
from seeder.domain.manifests import Selection
from seeder.domain.queue.plan_partitioning import PartContents, partition_plan
from seeder.domain.queue.queued_requests import EnqueueResult, ManifestKey, find_covering_parts
from seeder.domain.refresh_requests import AllReports, RefreshRequest
from seeder.domain.view_names import is_storable_text
from seeder.errors import BadIdempotencyKey, IdempotencyKeyTaken
from seeder.postgres import advisory_locks, sessions
from seeder.postgres.sqlstates import translate_database_errors
from seeder.postgres.transactions import after_commit, durable_transaction
from seeder.services import manifest_selection
from seeder.services.event_logger import INFO, log_event
from seeder.services.queue import dispatch, part_dispatch, part_rows
from seeder.services.run import planning
from seeder.services.run.orchestrator import new_run_id

_MAX_KEY_LENGTH = 200


def enqueue_refresh(request: RefreshRequest, *, requested_by: str, idempotency_key: str | None = None) -> EnqueueResult:
    """Queue a request, or join an earlier request that covers it and has not started.

    The same idempotency key returns the same answer. Keys are global; callers with several users must include the user.
    Must not be called inside a transaction.

    Raises `RequestError`, `ConfigurationError`, `QueueError` or `DatabaseError`.
    """
    settings = conf.load()
    _require_valid_key(idempotency_key)
    with translate_database_errors(DEFAULT_DB_ALIAS):
        dispatch.require_queue()
        part_rows.require_table()
        requested_at = sessions.server_time(DEFAULT_DB_ALIAS)
        # Before the selection, which fails if the manifests of the first request are gone.
        if idempotency_key and (again := _repeated(request, idempotency_key)):
            return again
        selection = manifest_selection.select(request, databases=settings.databases)
        if isinstance(request, AllReports):
            if found := _found(request, selection, idempotency_key):
                return found
            # Planning rolls back a transaction of its own, so the queue may have changed when it ends.
            partitions = partition_plan(planning.build(selection), max_partitions=settings.queue_parts)
            parts = tuple(map(PartContents.of_partition, partitions))
        else:
            parts = PartContents.of_selection(selection)  # the worker plans it
        if not parts:
            return EnqueueResult(request_id=None, description=request.description)
        columns = {"description": request.description, "requested_by": requested_by, "requested_at": requested_at}
        with durable_transaction(DEFAULT_DB_ALIAS):
            if found := _found_locked(request, selection, idempotency_key):
                return found
            return _insert(parts, columns, idempotency_key)


def _found(request: RefreshRequest, selection: Selection, key: str | None) -> EnqueueResult | None:
    with durable_transaction(DEFAULT_DB_ALIAS):
        return _found_locked(request, selection, key)


def _found_locked(request: RefreshRequest, selection: Selection, key: str | None) -> EnqueueResult | None:
    """Lock the queue for inserts, and return an earlier answer to the key or a request that was joined."""
    advisory_locks.lock_enqueue(DEFAULT_DB_ALIAS)
    return _repeated(request, key) or _joined(request, selection, key)


def _repeated(request: RefreshRequest, key: str | None) -> EnqueueResult | None:
    """Return the earlier answer to this key. Raises `IdempotencyKeyTaken` if it was for another request."""
    rows = part_rows.parts_with_key(key) if key else []
    for row in rows:
        earlier = row.idempotency_keys[key]
        if earlier != request.description:
            raise IdempotencyKeyTaken(key=key, earlier_request=earlier, request=request.description)
    if not rows:
        return None
    parts = tuple(map(part_rows.as_value, rows))
    return EnqueueResult(request_id=rows[0].request_id, description=request.description, repeated=True, parts=parts)


def _joined(request: RefreshRequest, selection: Selection, key: str | None) -> EnqueueResult | None:
    parts = find_covering_parts(part_rows.not_started(), _manifest_keys(selection))
    if not parts:
        return None
    request_id = part_rows.join(parts, key=key, description=request.description)
    return EnqueueResult(request_id=request_id, description=request.description, joined=True, parts=parts)


def _manifest_keys(selection: Selection) -> frozenset[ManifestKey]:
    return frozenset((manifest.report_type, manifest.manifest_id) for manifest in selection.manifests)


def _insert(parts: tuple[PartContents, ...], columns: dict[str, object], key: str | None) -> EnqueueResult:
    request_id = new_run_id()
    queued = part_rows.add(request_id, parts, columns=columns, key=key)
    fields = {name: str(columns[name]) for name in ("description", "requested_by")}
    log = partial(log_event, INFO, "request_queued", request=request_id, parts=len(parts), **fields)
    after_commit(DEFAULT_DB_ALIAS, log)
    for part in queued:
        after_commit(DEFAULT_DB_ALIAS, partial(part_dispatch.dispatch_part, part.id))
    return EnqueueResult(request_id=request_id, description=str(columns["description"]), parts=queued)


def _require_valid_key(key: str | None) -> None:
    if key is not None and not (0 < len(key) <= _MAX_KEY_LENGTH and is_storable_text(key)):
        raise BadIdempotencyKey(key=key, max_length=_MAX_KEY_LENGTH)
