"""Asks for a refresh that whichever worker gets to it will do.

A request is planned once and, if it is for everything, split into parts that have nothing to do with one another. Each
is a row; the queue only carries their ids.
"""

from collections.abc import Mapping
from functools import partial

from django.db import DEFAULT_DB_ALIAS

from seeder import conf
from seeder.domain.log_format import LogValue
from seeder.domain.manifests import Selection
from seeder.domain.queue.plan_partitioning import PlanPartition, as_one_partition, partition_plan
from seeder.domain.queue.queued_requests import EnqueueResult, ManifestKey, QueuedPart, find_covering_parts
from seeder.domain.refresh_requests import AllReports, RefreshRequest
from seeder.domain.view_names import is_storable_text
from seeder.errors import BadIdempotencyKey, IdempotencyKeyTaken
from seeder.postgres import advisory_locks, sessions
from seeder.postgres.sqlstates import translate_database_errors
from seeder.postgres.transactions import after_commit, durable_transaction
from seeder.services import manifest_selection
from seeder.services.event_logger import INFO, log_event
from seeder.services.queue import dispatch, part_rows
from seeder.services.run import planning
from seeder.services.run.orchestrator import new_run_id

_MAX_KEY_LENGTH = 200


def enqueue_refresh(request: RefreshRequest, *, requested_by: str, idempotency_key: str | None = None) -> EnqueueResult:
    """Queue a request, or join an earlier one that has not been begun and will do as well. Not to be called inside a
    transaction.

    Whoever asks again with the same idempotency key gets the same answer; a key is one for all who ask, so that a door
    with several users puts the user's name into it.

    Raises `RequestError`, `ConfigurationError`, `QueueError` or `DatabaseError`.
    """
    settings = conf.load()
    _require_valid_key(idempotency_key)
    with translate_database_errors(DEFAULT_DB_ALIAS):
        dispatch.require_queue()
        part_rows.require_table()
        requested_at = sessions.server_time(DEFAULT_DB_ALIAS)
        with durable_transaction(DEFAULT_DB_ALIAS):
            if again := _repeated(request, idempotency_key):
                return again
        selection = manifest_selection.select(request, databases=settings.databases)
        if found := _found(request, selection, idempotency_key):
            return found
    # Outside of any transaction: to find out what missing views read takes one that is undone. So everything that was
    # looked for before may be there afterwards.
    plan = planning.build(selection)
    parts = (
        partition_plan(plan, max_partitions=settings.queue_parts)
        if isinstance(request, AllReports)
        else as_one_partition(plan)
    )
    if not parts:
        return EnqueueResult(request_id=None, description=request.description)
    with translate_database_errors(DEFAULT_DB_ALIAS), durable_transaction(DEFAULT_DB_ALIAS):
        advisory_locks.lock_enqueue(DEFAULT_DB_ALIAS)
        if found := _repeated(request, idempotency_key) or _joined(request, selection, idempotency_key):
            return found
        facts = {"description": request.description, "requested_by": requested_by, "requested_at": requested_at}
        return _new(parts, facts, idempotency_key)


def _found(request: RefreshRequest, selection: Selection, key: str | None) -> EnqueueResult | None:
    with durable_transaction(DEFAULT_DB_ALIAS):
        advisory_locks.lock_enqueue(DEFAULT_DB_ALIAS)
        return _repeated(request, key) or _joined(request, selection, key)


def _repeated(request: RefreshRequest, key: str | None) -> EnqueueResult | None:
    """What was answered to this request before. Raises `KeyTaken` where the key belongs to another."""
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
    parts = find_covering_parts(part_rows.not_started(), _wanted(selection))
    if not parts:
        return None
    request_id = part_rows.join(parts, key=key, description=request.description)
    return EnqueueResult(request_id=request_id, description=request.description, joined=True, parts=parts)


def _wanted(selection: Selection) -> frozenset[ManifestKey]:
    planned = [manifest for spec in selection.views for manifest in spec.manifests]
    refused = [complaint.manifest for complaint in selection.rejected]
    return frozenset((manifest.report_type, manifest.manifest_id) for manifest in (*planned, *refused))


def _new(parts: tuple[PlanPartition, ...], facts: dict[str, object], key: str | None) -> EnqueueResult:
    request_id = new_run_id()
    queued: tuple[QueuedPart, ...] = part_rows.add(request_id, parts, columns=facts, key=key)
    after_commit(
        DEFAULT_DB_ALIAS,
        partial(log_event, INFO, "request_queued", request=request_id, parts=len(parts), **_asked(facts)),
    )
    for part in queued:
        after_commit(DEFAULT_DB_ALIAS, partial(dispatch.dispatch_part, part.id))
    return EnqueueResult(request_id=request_id, description=str(facts["description"]), parts=queued)


def _asked(facts: Mapping[str, object]) -> dict[str, LogValue]:
    return {name: str(facts[name]) for name in ("description", "requested_by")}


def _require_valid_key(key: str | None) -> None:
    if key is not None and not (0 < len(key) <= _MAX_KEY_LENGTH and is_storable_text(key)):
        raise BadIdempotencyKey(key=key, max_length=_MAX_KEY_LENGTH)
