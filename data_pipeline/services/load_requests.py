"""Loads that workers of the queue run. A row of `load_request` is the truth, and a message only a hint.

A worker claims a request with a session lock, which proves that it is alive. A duplicate message finds the request
claimed or ended. A lost message is sent again, and so is the request of a worker that was killed. The load itself
happens once however many messages arrive, because `process_once` guards it.
"""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from threading import Timer, current_thread, main_thread

from django.db import DEFAULT_DB_ALIAS, Error, connections
from django.db.models.functions import Now

from data_pipeline import conf
from data_pipeline.domain.storable_text import escape_unstorable
from data_pipeline.errors import LoadInProgress, LoadTakenOver, TableBusy
from data_pipeline.models import LoadRequest
from data_pipeline.postgres import load_requests
from data_pipeline.postgres.error_translation import translate_errors
from data_pipeline.postgres.load_requests import ClaimedRequest
from data_pipeline.services.file_reading import dialect_named
from data_pipeline.services.load_file import load_with_options
from data_pipeline.services.load_options import Loaded, LoadOptions
from data_pipeline.services.structured_log import INFO, WARNING, log_event
from data_pipeline.services.transaction_guards import require_own_transaction
from data_pipeline.storage.file_addresses import resolve
from data_pipeline.storage.hashed_file import HashedFile
from seeder.errors import QueueMissing, ReadOnly, SeederError, ServerFault, ServerOutOfMemory, ServerUnreachable
from seeder.postgres import sessions
from seeder.postgres.transactions import atomic
from seeder.services import unix_signals
from seeder.services.process_name import process_name
from seeder.services.queue import dispatch

_TASK = "data_pipeline.tasks.import_file"
_MAX_ATTEMPTS = 5  # ended by a killed worker or a failing server
_MAX_ERROR_LENGTH = 1024  # characters
# Times until a message is sent again. With a backlog, it may still be in the queue, which cannot say what it has.
_MISSING_AFTER, _OLD_AFTER, _OLD_AFTER_WITH_BACKLOG = timedelta(minutes=1), timedelta(minutes=1), timedelta(minutes=10)
_SERVER_ERRORS = (ServerUnreachable, ServerFault, ServerOutOfMemory, ReadOnly)
_OTHER_LOADS = (LoadInProgress, LoadTakenOver, TableBusy)  # another session is in the way


@dataclass(frozen=True, kw_only=True, slots=True)
class QueuedLoad:
    """A queued request."""

    request_id: int
    source_uri: str


@dataclass(frozen=True, kw_only=True, slots=True)
class RequestResult:
    """The result of a task that ran a request."""

    id: int
    result: str  # short text for the result of the queue's task
    load_id: int | None = None
    rows_in: int | None = None
    rows_rejected: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Rescued:
    """The requests whose message was sent again."""

    dispatched: tuple[int, ...]

    def __str__(self) -> str:
        """Return one line with the requests, or an empty text."""
        return f"dispatched again: load request {', '.join(map(str, self.dispatched))}" if self.dispatched else ""


def enqueue_load(source_uri: str, options: LoadOptions, *, requested_by: str) -> QueuedLoad:
    """Queue the load of a file for a worker, which must be able to read the file at the same path.

    Raises `QueueMissing`, `ArtefactError`, `DialectError`, `InsideTransaction` or `AutocommitOff`.
    """
    settings = conf.load()
    address = resolve(source_uri, roots=settings.ingest_roots)
    HashedFile(address).close()  # refuses a missing file now, not in the worker
    if options.dialect is not None:
        dialect_named(options.dialect, settings)
        if options.dialect.endswith(".toml"):
            options = replace(options, dialect=str(Path(options.dialect).resolve()))
    with translate_errors(DEFAULT_DB_ALIAS):
        dispatch.require_queue()
        require_own_transaction(DEFAULT_DB_ALIAS, "enqueue_load")  # a worker could not see the request yet
        request = LoadRequest.objects.create(
            source_uri=address.uri,
            options={**options.as_given(), **({"force": True} if options.force else {})},
            requested_by=requested_by,
        )
        _dispatch(request.pk)
    return QueuedLoad(request_id=request.pk, source_uri=address.uri)


def run_request(request_id: int) -> RequestResult:
    """Claim a request and load its file.

    Errors of the file end the request. If the server fails, or a signal interrupts the load, the request is queued
    again and the error is raised.
    """
    with translate_errors(DEFAULT_DB_ALIAS):
        try:
            claimed = load_requests.claim(DEFAULT_DB_ALIAS, request_id, worker=process_name())
            if isinstance(claimed, str):
                return RequestResult(id=request_id, result=f"nothing: {claimed}")
            return _work(claimed)
        finally:
            try:
                sessions.discard_if_broken(DEFAULT_DB_ALIAS)
                load_requests.unlock(DEFAULT_DB_ALIAS, request_id)
            except Error:
                connections[DEFAULT_DB_ALIAS].close()  # the lock ends with the session


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
            _dispatch(request_id)
    return Rescued(dispatched=tuple(stalled))


def _dispatch(request_id: int) -> None:
    """Tell the queue that a request can be claimed. Its row must be committed."""
    try:
        dispatch.dispatch(_TASK, request_id)
    except QueueMissing as error:
        # The broker's message may contain its address and password.
        log_event(WARNING, "request_undispatched", request=request_id, reason=type(error.__cause__).__name__)
    else:
        LoadRequest.objects.filter(pk=request_id).update(dispatched_at=Now())


def _work(claimed: ClaimedRequest) -> RequestResult:
    if claimed.attempts > _MAX_ATTEMPTS:
        return _end(claimed, f"given up: {_MAX_ATTEMPTS} attempts were killed, or ended by an error of the server")
    limit = dispatch.time_limit()
    try:
        with _time_limit(limit):
            loaded = _load(claimed)
    except (*_SERVER_ERRORS, *_OTHER_LOADS) as error:
        is_of_server = isinstance(error, _SERVER_ERRORS)
        with suppress(Error):  # if the release fails too, the free lock shows that the worker is dead
            sessions.discard_if_broken(DEFAULT_DB_ALIAS)
            load_requests.release(DEFAULT_DB_ALIAS, claimed, error=_text(error), counts=is_of_server)
        if is_of_server:
            raise
        return RequestResult(id=claimed.id, result=f"queued again: {_text(error)}")
    except (SeederError, Error) as error:
        return _end(claimed, _text(error), load_id=getattr(error, "facts", {}).get("load_id"))
    except _TimeLimit:
        return _end(claimed, f"it took longer than {limit}, which the queue allows. Load it with `manage.py load_file`")
    except KeyboardInterrupt:
        load_requests.release(DEFAULT_DB_ALIAS, claimed, error=None, counts=False)
        _dispatch(claimed.id)
        raise
    load_requests.end(DEFAULT_DB_ALIAS, claimed, load_id=loaded.load_id, error=None)
    log_event(INFO, "request_ended", request=claimed.id, load_id=loaded.load_id, outcome=loaded.status)
    counts = loaded.counts
    return RequestResult(
        id=claimed.id,
        result=loaded.status.value,
        load_id=loaded.load_id,
        rows_in=counts.rows_in,
        rows_rejected=counts.rows_rejected,
    )


def _load(claimed: ClaimedRequest) -> Loaded:
    options = LoadOptions.from_given(claimed.options)
    return load_with_options(
        claimed.source_uri,
        options,
        task_id=f"load request {claimed.id}",
        forced_at=claimed.created_at,  # another attempt of a forced load is then the same load
        refresh_here=False,
    )


def _end(claimed: ClaimedRequest, error: str, *, load_id: int | None = None) -> RequestResult:
    sessions.discard_if_broken(DEFAULT_DB_ALIAS)
    load_requests.end(DEFAULT_DB_ALIAS, claimed, load_id=load_id, error=error)
    log_event(WARNING, "request_ended", request=claimed.id, load_id=load_id, outcome="failed")
    return RequestResult(id=claimed.id, result=f"failed: {error}", load_id=load_id)


def _text(error: BaseException) -> str:
    """Return the beginning of a message, as PostgreSQL can store it."""
    return escape_unstorable(str(error))[:_MAX_ERROR_LENGTH]


class _TimeLimit(KeyboardInterrupt):  # psycopg cancels the running statement for interrupts only
    """The queue would soon kill the task."""


@contextmanager
def _time_limit(limit: timedelta | None) -> Iterator[None]:
    """Interrupt the block shortly before the queue would kill it."""

    def interrupt(*_: object) -> None:
        raise _TimeLimit("the time limit of the queue")

    if limit is None or current_thread() is not main_thread():
        yield
        return
    timer = Timer(limit.total_seconds(), os.kill, [os.getpid(), signal.SIGUSR1])
    timer.daemon = True
    with unix_signals.handle_signals(interrupt, [signal.SIGUSR1]):
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
