"""Queues loads, undos and verifications, and rescues them. A row of `load_request` is the truth, a message only a hint.

A lost message is sent again, and so is the request of a worker that was killed.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.db import DEFAULT_DB_ALIAS
from django.db.models.functions import Now

from data_pipeline import conf
from data_pipeline.domain.load_requests import RequestAction, RequestStatus
from data_pipeline.domain.uris import file_name
from data_pipeline.models import LoadRequest
from data_pipeline.postgres import load_requests
from data_pipeline.postgres.error_translation import translate_errors
from data_pipeline.services.file_reading import dialect_named
from data_pipeline.services.load_lookup import find_load_by_id
from data_pipeline.services.load_options import LoadOptions
from data_pipeline.services.transaction_guards import require_own_transaction
from data_pipeline.storage.addresses import open_source, resolve
from data_pipeline.structured_log import WARNING, log_event
from seeder.errors import IdempotencyKeyTaken, QueueMissing
from seeder.postgres.transactions import atomic
from seeder.services.queue import dispatch
from seeder.texts import Text

_TASK = "data_pipeline.tasks.import_file"
# Times until a message is sent again. With a backlog, it may still be in the queue, which cannot say what it has.
_MISSING_AFTER, _OLD_AFTER, _OLD_AFTER_WITH_BACKLOG = timedelta(minutes=1), timedelta(minutes=1), timedelta(minutes=10)


@dataclass(frozen=True, kw_only=True, slots=True)
class QueuedRequest:
    """A queued request."""

    request_id: int
    source_uri: str
    load_id: int | None = None  # once a worker has begun it, or if the action concerns one
    status: RequestStatus = RequestStatus.QUEUED
    repeated: bool = False  # the same request was made before with this idempotency key


@dataclass(frozen=True, kw_only=True, slots=True)
class Rescued:
    """The requests whose message was sent again."""

    dispatched: tuple[int, ...]

    def __str__(self) -> str:
        """Return one line with the requests, or an empty text."""
        return f"dispatched again: load request {', '.join(map(str, self.dispatched))}" if self.dispatched else ""


def enqueue_load(
    source_uri: str,
    options: LoadOptions,
    *,
    requested_by: str,
    forced_at: datetime | None = None,
    idempotency_key: str | None = None,
) -> QueuedRequest:
    """Queue the load of a file.

    A worker must be able to read it at the same path.

    A forced load with the same time `forced_at` is the same load (default: the time of the request).
    Raises `QueueMissing`, `ArtefactError`, `DialectError`, `InsideTransaction` or `AutocommitOff`.
    """
    settings = conf.load()
    address = resolve(source_uri, settings)
    open_source(address).close()  # refuses a missing file now, not in the worker
    if options.dialect is not None:
        dialect_named(options.dialect, settings)
        if options.dialect.endswith(".toml"):
            options = replace(options, dialect=str(Path(options.dialect).resolve()))
    given = given_options(options, forced_at=forced_at)
    return enqueue(source_uri=address.uri, options=given, requested_by=requested_by, idempotency_key=idempotency_key)


def given_options(options: LoadOptions, *, forced_at: datetime | None = None) -> dict[str, Any]:
    """Return the options of a request as its row has them."""
    given = options.as_given()
    if options.force:
        given["force"] = True
    if options.of_load is not None:
        given["of_load"] = options.of_load
    if forced_at is not None:
        given["forced_at"] = forced_at.isoformat()
    return given


def enqueue_action(
    load_id: int, action: RequestAction, *, requested_by: str, idempotency_key: str | None = None
) -> QueuedRequest:
    """Queue an undo or a verification. The worker decides whether it is possible.

    Raises `UnknownLoad`, `QueueMissing`, `InsideTransaction` or `AutocommitOff`.
    """
    load = find_load_by_id(load_id, using=DEFAULT_DB_ALIAS)
    uri = str(load.payload_meta.get("source_uri") or load.source)
    return enqueue(
        action=action, load_id=load_id, source_uri=uri, requested_by=requested_by, idempotency_key=idempotency_key
    )


def enqueue(
    *, idempotency_key: str | None = None, on_created: Callable[[], None] = lambda: None, **columns: Any
) -> QueuedRequest:
    """Create a request with these columns, and tell the queue. Raises `QueueMissing` and others.

    The same idempotency key returns the same request. Keys are global; callers with several users must include the
    user. `on_created` is called in the transaction of a new request. Raises `IdempotencyKeyTaken` if the key belongs to
    another request.
    """
    with translate_errors(DEFAULT_DB_ALIAS):
        dispatch.require_queue()
        require_own_transaction(DEFAULT_DB_ALIAS, "enqueue")  # a worker could not see the request yet
        with atomic(durable=True):
            request, is_new = _create(columns, idempotency_key)
            if is_new:
                on_created()
        if is_new:
            dispatch_request(request.pk)
    return _queued(request, is_new=is_new)


def find_queued(idempotency_key: str, *, digest: str | None) -> QueuedRequest | None:
    """Return the request that was made with this key, if any.

    Raises `IdempotencyKeyTaken` if the digest of its call was another.
    """
    with translate_errors(DEFAULT_DB_ALIAS):
        request = LoadRequest.objects.filter(idempotency_key=idempotency_key).first()
    if request is None:
        return None
    if request.options.get("digest") != digest:
        earlier = _description(request)
        raise IdempotencyKeyTaken(key=idempotency_key, earlier_request=earlier, request=Text("other values"))
    return _queued(request, is_new=False)


def _queued(request: LoadRequest, *, is_new: bool) -> QueuedRequest:
    return QueuedRequest(
        request_id=request.pk,
        source_uri=request.source_uri,
        load_id=request.load_id,
        status=RequestStatus.of(request.state, has_error=request.error_message is not None, is_worker_alive=True),
        repeated=not is_new,
    )


def _create(columns: Mapping[str, Any], key: str | None) -> tuple[LoadRequest, bool]:
    """Return a new or earlier request, and whether it is new."""
    if key is None:
        return LoadRequest.objects.create(**columns), True
    request, is_new = LoadRequest.objects.get_or_create(idempotency_key=key, defaults=columns)
    if not is_new and not _is_same(request, LoadRequest(**columns)):
        earlier, new = _description(request), _description(LoadRequest(**columns))
        raise IdempotencyKeyTaken(key=key, earlier_request=earlier, request=new)
    return request, is_new


def _is_same(one: LoadRequest, other: LoadRequest) -> bool:
    return all(getattr(one, name) == getattr(other, name) for name in ("action", "source_uri", "options"))


def _description(request: LoadRequest) -> str:
    action = RequestAction(request.action).value.replace("_", " ")
    return f"{action} of {request.options.get('label') or file_name(request.source_uri)}"


def rescue_requests() -> Rescued:
    """Dispatch requests of killed workers again, and those whose message was lost.

    Does nothing without a queue. Safe to call at any time, and concurrently.
    """
    with translate_errors(DEFAULT_DB_ALIAS):
        if not dispatch.is_available():
            return Rescued(dispatched=())
        old_after = _OLD_AFTER_WITH_BACKLOG if dispatch.backlog_size() else _OLD_AFTER
        with atomic(durable=True):
            stalled = load_requests.queue_stalled(DEFAULT_DB_ALIAS, missing_after=_MISSING_AFTER, old_after=old_after)
        for request_id in stalled:
            log_event(WARNING, "request_rescued", request=request_id)
            dispatch_request(request_id)
    return Rescued(dispatched=tuple(stalled))


def dispatch_request(request_id: int) -> None:
    """Tell the queue that a request can be claimed. Its row must be committed."""
    try:
        dispatch.dispatch(_TASK, request_id)
    except QueueMissing as error:
        # The broker's message may contain its address and password.
        log_event(WARNING, "request_undispatched", request=request_id, reason=type(error.__cause__).__name__)
    else:
        LoadRequest.objects.filter(pk=request_id).update(dispatched_at=Now())
