"""Runs one request of the queue.

A worker claims a request with a session lock, which proves that it is alive. A duplicate message finds the request
claimed or ended. A load happens once however many messages arrive, because `process_once` guards it, and an undo
because it marks its load.
"""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from threading import Timer, current_thread, main_thread

from django.db import DEFAULT_DB_ALIAS, Error, connections

from data_pipeline.correction_errors import NothingReplayed, RejectsChanged
from data_pipeline.domain.load_requests import RequestAction
from data_pipeline.domain.storable_text import escape_unstorable, storable_document
from data_pipeline.errors import LoadInProgress, LoadTakenOver, TableBusy
from data_pipeline.models import LoadRequest
from data_pipeline.postgres import load_log, load_requests
from data_pipeline.postgres.error_translation import translate_errors
from data_pipeline.postgres.load_requests import ClaimedRequest
from data_pipeline.services.action_requests import corrections_of
from data_pipeline.services.dry_run import dry_run
from data_pipeline.services.load_documents import dry_run_document
from data_pipeline.services.load_file import load_with_options
from data_pipeline.services.load_lookup import find_load_by_id
from data_pipeline.services.load_options import LoadOptions
from data_pipeline.services.load_requests import dispatch_request
from data_pipeline.services.record_files import load_record_file
from data_pipeline.services.reject_replay import replay_rejects
from data_pipeline.services.undoing import undo_load
from data_pipeline.services.verifying import verify_load
from data_pipeline.structured_log import INFO, WARNING, log_event
from seeder.errors import ReadOnly, SeederError, ServerFault, ServerOutOfMemory, ServerUnreachable
from seeder.postgres import sessions
from seeder.services import unix_signals
from seeder.services.process_name import process_name
from seeder.services.queue import dispatch

_MAX_ATTEMPTS = 5  # ended by a killed worker or a failing server
_MAX_ERROR_LENGTH = 1024  # characters
_SERVER_ERRORS = (ServerUnreachable, ServerFault, ServerOutOfMemory, ReadOnly)
_OTHER_LOADS = (LoadInProgress, LoadTakenOver, TableBusy)  # another session is in the way
_ON_LOADS = {RequestAction.UNDO, RequestAction.VERIFY, RequestAction.REPLAY_REJECTS}
_BY_COMMAND = {
    RequestAction.LOAD: "Load it with `manage.py load_file`",
    RequestAction.UNDO: "Undo it with `manage.py undo_load`",
    RequestAction.VERIFY: "Verify it with `manage.py verify_load`",
    RequestAction.REPLAY_REJECTS: "Load its rejects with `manage.py rejects`",
    RequestAction.TRANSFORM: "Transform it with `data-pipeline run get_s3_files`",
    RequestAction.DRY_RUN: "Run `manage.py load_file --dry-run`",
    RequestAction.RECORDS: "Send fewer records at once",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class RequestResult:
    """The result of a task that ran a request."""

    id: int
    result: str  # short text for the result of the queue's task
    load_id: int | None = None
    rows_in: int | None = None
    rows_rejected: int | None = None


def run_request(request_id: int) -> RequestResult:
    """Claim a request, and do its work.

    It loads its file, or undoes or verifies its load.

    Errors of the file or of the load end the request. If the server fails, or a signal interrupts the work, the
    request is queued again and the error is raised.
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


def _work(claimed: ClaimedRequest) -> RequestResult:
    if claimed.attempts > _MAX_ATTEMPTS:
        text = f"given up: {_MAX_ATTEMPTS} attempts were killed, or ended by an error of the server"
        return _end(claimed, text, code="interrupted")
    if claimed.action in _ON_LOADS and claimed.load_id is None:
        return _end(claimed, "its load was deleted meanwhile", code="UnknownLoad")
    limit = dispatch.time_limit()
    try:
        with _time_limit(limit):
            result = _perform(claimed)
    except (*_SERVER_ERRORS, *_OTHER_LOADS) as error:
        is_of_server = isinstance(error, _SERVER_ERRORS)
        with suppress(Error):  # if the release fails too, the free lock shows that the worker is dead
            sessions.discard_if_broken(DEFAULT_DB_ALIAS)
            load_requests.release(DEFAULT_DB_ALIAS, claimed, error=_text(error), counts=is_of_server)
        if is_of_server:
            raise
        return RequestResult(id=claimed.id, result=f"queued again: {_text(error)}")
    except (SeederError, Error) as error:
        load_id = getattr(error, "facts", {}).get("load_id")
        return _end(claimed, _text(error), code=load_log.error_code(error), load_id=load_id)
    except _TimeLimit:
        text = f"it took longer than {limit}, which the queue allows. {_BY_COMMAND[claimed.action]}"
        return _end(claimed, text, code="time_limit")
    except KeyboardInterrupt:
        load_requests.release(DEFAULT_DB_ALIAS, claimed, error=None, counts=False)
        dispatch_request(claimed.id)
        raise
    load_requests.end(DEFAULT_DB_ALIAS, claimed, load_id=result.load_id, error=None)
    log_event(INFO, "request_ended", request=claimed.id, load_id=result.load_id, outcome=result.result)
    return result


def _perform(claimed: ClaimedRequest) -> RequestResult:
    if claimed.action is RequestAction.TRANSFORM:
        return _transform(claimed)
    if claimed.action is RequestAction.DRY_RUN:
        return _dry_run(claimed)
    if claimed.action not in _ON_LOADS or claimed.load_id is None:
        return _load(claimed)
    if claimed.action is RequestAction.REPLAY_REJECTS:
        return _replay_rejects(claimed, claimed.load_id)
    if claimed.action is RequestAction.VERIFY:
        found = verify_load(claimed.load_id, actor=claimed.requested_by)
        text = f"verified: artefact {found.artefact}, rows {found.rows}"
        return RequestResult(id=claimed.id, result=text, load_id=claimed.load_id)
    undone_at = find_load_by_id(claimed.load_id, using=DEFAULT_DB_ALIAS).undone_at
    if undone_at is None or undone_at < claimed.created_at:  # otherwise an earlier attempt was killed after its commit
        undo_load(claimed.load_id, actor=claimed.requested_by, refresh_here=False)
    return RequestResult(id=claimed.id, result="undone", load_id=claimed.load_id)


def _transform(claimed: ClaimedRequest) -> RequestResult:
    from data_pipeline.services.silver_requests import transform_requested  # imports the client of object storage

    outcome = transform_requested(claimed)
    return RequestResult(
        id=claimed.id,
        result=outcome.state.value,
        load_id=outcome.load_id,
        rows_in=outcome.rows,
        rows_rejected=outcome.rejects,
    )


def _dry_run(claimed: ClaimedRequest) -> RequestResult:
    options = _options(claimed)
    found = dry_run(claimed.source_uri, **{**options.as_given(), "force": options.force})
    document = storable_document(dry_run_document(found))
    LoadRequest.objects.filter(pk=claimed.id).update(result=document)
    counts = found.counts
    return RequestResult(id=claimed.id, result="dry run", rows_in=counts.rows_in, rows_rejected=counts.rows_rejected)


def _replay_rejects(claimed: ClaimedRequest, load_id: int) -> RequestResult:
    try:
        result = replay_rejects(load_id, corrections=corrections_of(claimed.options), actor=claimed.requested_by)
    except RejectsChanged:
        if claimed.attempts == 1:
            raise
        return RequestResult(id=claimed.id, result="replayed", load_id=load_id)  # the killed attempt had committed
    for record, reason in result.unusable.items() if not result.replayed else ():
        raise NothingReplayed(records=1, load_id=load_id, record=record, problem=reason)
    return RequestResult(
        id=claimed.id,
        result=f"{len(result.replayed)} replayed, {len(result.refused)} refused",
        load_id=result.load_id or load_id,
        rows_in=len(result.replayed) + len(result.refused),
        rows_rejected=len(result.refused),
    )


def _load(claimed: ClaimedRequest) -> RequestResult:
    load = load_record_file if claimed.action is RequestAction.RECORDS else load_with_options
    loaded = load(
        claimed.source_uri,
        _options(claimed),
        task_id=f"load request {claimed.id}",
        forced_at=claimed.forced_at,
        refresh_here=False,
    )
    return RequestResult(
        id=claimed.id,
        result=loaded.status.value,
        load_id=loaded.load_id,
        rows_in=loaded.counts.rows_in,
        rows_rejected=loaded.counts.rows_rejected,
    )


def _options(claimed: ClaimedRequest) -> LoadOptions:
    return LoadOptions.from_given({name: one for name, one in claimed.options.items() if name != "forced_at"})


def _end(claimed: ClaimedRequest, error: str, *, code: str, load_id: int | None = None) -> RequestResult:
    sessions.discard_if_broken(DEFAULT_DB_ALIAS)
    load_requests.end(DEFAULT_DB_ALIAS, claimed, load_id=load_id, error=error, error_code=code)
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
