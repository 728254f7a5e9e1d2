"""Queues actions on a load that its state allows. The worker decides again, because the state can change."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import DEFAULT_DB_ALIAS

from data_pipeline.correction_errors import BadCorrections, NotVerifiable, RejectsNotReplayable, UndoRefused
from data_pipeline.domain.csv_fields import find_fault
from data_pipeline.domain.load_requests import RequestAction
from data_pipeline.domain.rejects import RejectState
from data_pipeline.models import LoadLog
from data_pipeline.postgres import kept_rejects
from data_pipeline.postgres.error_translation import translate_errors
from data_pipeline.postgres.kept_rejects import KeptReject
from data_pipeline.services.load_lookup import csv_format_of, file_columns, find_file_load
from data_pipeline.services.load_requests import QueuedRequest, enqueue, enqueue_action
from data_pipeline.services.possible_actions import ActionName, is_possible
from data_pipeline.services.reject_replay import NOT_REPLAYABLE, Corrections
from seeder.texts import Text


def enqueue_undo(load: LoadLog, *, requested_by: str, idempotency_key: str | None = None) -> QueuedRequest:
    """Queue an undo. Raises `UndoRefused` or `QueueMissing`."""
    if not is_possible(ActionName.UNDO, load):
        raise UndoRefused(load_id=load.pk, reason=Text("none of its rows is in a table"))
    return enqueue_action(load.pk, RequestAction.UNDO, requested_by=requested_by, idempotency_key=idempotency_key)


def enqueue_verification(load: LoadLog, *, requested_by: str, idempotency_key: str | None = None) -> QueuedRequest:
    """Queue a verification. Raises `NotVerifiable` or `QueueMissing`."""
    if not is_possible(ActionName.VERIFY, load):
        raise NotVerifiable(load_id=load.pk)
    return enqueue_action(load.pk, RequestAction.VERIFY, requested_by=requested_by, idempotency_key=idempotency_key)


def enqueue_reject_replay(
    load_id: int,
    corrections: Corrections | None,
    *,
    requested_by: str,
    idempotency_key: str | None = None,
    digest: str | None = None,
) -> QueuedRequest:
    """Queue a load of the open rejects of a load: with corrected values, or as they are without corrections.

    `digest` is that of the call, which later calls with its idempotency key must have.
    Raises `NotFileLoad`, `ColumnsUnknown`, `RejectsNotReplayable`, `BadCorrections` or `QueueMissing`.
    """
    load = find_file_load(load_id, using=DEFAULT_DB_ALIAS)
    if not is_possible(ActionName.UNDO, load):
        raise RejectsNotReplayable(load_id=load_id, reason=NOT_REPLAYABLE)
    _require_usable(load, corrections or {})
    options: dict[str, Any] = {} if digest is None else {"digest": digest}
    if corrections is not None:
        options["corrections"] = {str(number): values for number, values in corrections.items()}
    return enqueue(
        action=RequestAction.REPLAY_REJECTS,
        load_id=load_id,
        source_uri=load.payload_meta["source_uri"],
        options=options,
        requested_by=requested_by,
        idempotency_key=idempotency_key,
    )


def corrections_of(options: Mapping[str, Any]) -> Corrections | None:
    """Return the corrected values in the options of such a request."""
    given = options.get("corrections")
    return None if given is None else {int(number): one for number, one in given.items()}


def _require_usable(load: LoadLog, corrections: Corrections) -> None:
    """Raise `BadCorrections` unless records are open and columns are known."""
    columns = file_columns(load)
    with translate_errors(DEFAULT_DB_ALIAS):
        rejects = kept_rejects.read_rejects(DEFAULT_DB_ALIAS, load.pk, numbers=list(corrections))
    open_rejects = {one.record.record_no: one for one in rejects if one.state is RejectState.OPEN}
    for number, given in corrections.items():
        problem = (
            _problem(load, open_rejects[number], set(given), columns)
            if number in open_rejects
            else Text("it is no open reject")
        )
        if problem is not None:
            raise BadCorrections(
                load_id=load.pk, problem=Text("record {number}: {problem}", number=number, problem=problem)
            )


def _problem(load: LoadLog, reject: KeptReject, given: set[str], columns: Sequence[str]) -> str | None:
    record = reject.record
    if unknown := sorted(given - set(columns)):
        return Text("the file has no column {column!r}", column=unknown[0])
    is_whole = not record.is_shortened and find_fault(record.raw, csv_format_of(load), columns=len(columns)) is None
    missing = sorted(set(columns) - given)
    return (
        None
        if is_whole or not missing
        else Text("its values are incomplete or malformed, so give {column!r}, too", column=missing[0])
    )
