"""Cancels requests and runs. Final states stay as they are, so a repeated call changes nothing."""

from collections.abc import Sequence

from django.db import DEFAULT_DB_ALIAS
from django.db.models import Value
from django.db.models.functions import Coalesce

from seeder.cancel_errors import RequestEnded, RequestShared, UnknownRequestOrRun
from seeder.domain.queue.queued_requests import FINAL_STATES, QueuedPartState
from seeder.errors import QueueMissing, UnknownRequest, UnknownRun
from seeder.models import QueuedRefresh, Run
from seeder.postgres.sqlstates import translate_database_errors
from seeder.postgres.transactions import atomic
from seeder.services.queue import part_rows, queue_overview
from seeder.services.run import orphan_recovery
from seeder.services.storable_text import is_storable
from seeder.services.structured_log import INFO, log_event


def cancel(given_id: str, *, requested_by: str, agencies: list[str] | None = None) -> Sequence[QueuedRefresh] | Run:
    """Cancel a request as `cancel_request` does, or a run outside the queue as `cancel_run` does.

    Raises what they raise, but `UnknownRequestOrRun` if it is neither.
    """
    try:
        return cancel_request(given_id, requested_by=requested_by, agencies=agencies)
    except (UnknownRequest, QueueMissing):
        try:
            return cancel_run(given_id, requested_by=requested_by, agencies=agencies)
        except UnknownRun:
            raise UnknownRequestOrRun(given_id=given_id) from None


def cancel_request(request_id: str, *, requested_by: str, agencies: list[str] | None = None) -> Sequence[QueuedRefresh]:
    """Cancel the parts of a request that have not ended, or the part that a run refreshes. Return all its parts.

    Queued parts are cancelled at once. A worker that runs a part stops it within about two seconds; finished views stay
    refreshed. The caller must be allowed to see all `agencies` of the request (None: any). Other requests that joined
    this one are cancelled with it.

    Raises `UnknownRequest`, `RequestShared`, `RequestEnded`, `QueueMissing` or `DatabaseError`.
    """
    with translate_database_errors(DEFAULT_DB_ALIAS):
        part_rows.require_table()
        with atomic(durable=True):
            parts = part_rows.of_request_or_run(request_id) if is_storable(request_id) else []
            _require_visible(parts, request_id, agencies)
            states = {part.state for part in parts}
            if states == {QueuedPartState.ENDED}:
                raise RequestEnded(request_id=request_id)
            part_rows.request_cancel(
                (part for part in parts if part.state not in FINAL_STATES), requested_by=requested_by
            )
        log_event(INFO, "cancel_requested", request=request_id, requested_by=requested_by)
    return queue_overview.find_request(parts[0].request_id, agencies)


def cancel_run(run_id: str, *, requested_by: str, agencies: list[str] | None = None) -> Run:
    """Cancel a run outside the queue, of any process, and return its row.

    It stops within about two seconds; finished views stay refreshed. The caller must be allowed to see all `agencies`
    of the run (None: any). The run of a part has to be cancelled as a request, because it does not read its own row.

    Raises `UnknownRun`, `RequestShared`, `RequestEnded` or `DatabaseError`.
    """
    with translate_database_errors(DEFAULT_DB_ALIAS):
        orphan_recovery.recover_orphaned_runs()  # a dead run has ended, too
        with atomic(durable=True):
            runs = Run.objects.of_agencies(agencies).filter(run_id=run_id)
            run = runs.select_for_update().first() if is_storable(run_id) else None
            if run is None:
                raise UnknownRun(run_id=run_id)
            if agencies is not None and not run.agencies.keys() <= {*agencies}:
                raise RequestShared(request_id=run_id)
            if run.finished_at is not None:
                if run.cancel_requested_by is None or run.stopped_by is None:
                    raise RequestEnded(request_id=run_id)
                return run
            runs.update(cancel_requested_by=Coalesce("cancel_requested_by", Value(requested_by)))
        log_event(INFO, "cancel_requested", request=run_id, requested_by=requested_by)
    return run


def _require_visible(parts: Sequence[QueuedRefresh], request_id: str, agencies: list[str] | None) -> None:
    """Raise `UnknownRequest` if no agency of the request is visible, and `RequestShared` if not all are."""
    slugs = {slug for part in parts for slug in part.agencies}
    hidden = set() if agencies is None else slugs.difference(agencies)
    if not parts or (hidden and hidden == slugs):
        raise UnknownRequest(request_id=request_id)
    if hidden:
        raise RequestShared(request_id=request_id)
