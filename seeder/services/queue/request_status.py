"""The status of one queued request, limited to the visible agencies."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import DEFAULT_DB_ALIAS

from seeder.domain.queue.queued_requests import QueuedPartState
from seeder.errors import UnknownRequest
from seeder.models import QueuedRefresh
from seeder.postgres.sqlstates import translate_database_errors
from seeder.services.queue import part_rows


@dataclass(frozen=True, kw_only=True, slots=True)
class RequestPart:
    """One part of a request, limited to the visible agencies."""

    number: int  # from 1 on
    state: QueuedPartState
    agencies: Sequence[str]
    run_ids: Sequence[str]  # the latest last
    started_at: datetime | None
    finished_at: datetime | None
    succeeded: int | None  # manifests; None until it has ended, or if other agencies are in it
    failed: int | None
    error: str | None  # why it ended before all views were refreshed


@dataclass(frozen=True, kw_only=True, slots=True)
class RequestStatus:
    """A request with its parts that contain visible agencies."""

    request_id: str
    description: str
    requested_by: str
    requested_at: datetime
    parts: Sequence[RequestPart]

    @property
    def state(self) -> QueuedPartState:
        states = {part.state for part in self.parts}
        return states.pop() if len(states) == 1 else QueuedPartState.RUNNING


def find(request_id: str, agencies: list[str] | None) -> RequestStatus:
    """Read the status of a request.

    Raises `UnknownRequest`, also if no visible agency is in it, `QueueMissing` or `DatabaseError`.
    """
    with translate_database_errors(DEFAULT_DB_ALIAS):
        part_rows.require_table()
        rows = list(QueuedRefresh.objects.of_agencies(agencies).filter(request_id=request_id).order_by("part"))
    if not rows:
        raise UnknownRequest(request_id=request_id)
    first = rows[0]
    return RequestStatus(
        request_id=request_id,
        description=first.description,
        requested_by=first.requested_by,
        requested_at=first.requested_at,
        parts=[_part(row, agencies) for row in rows],
    )


def _part(row: QueuedRefresh, agencies: list[str] | None) -> RequestPart:
    seen = visible_agencies(row.agencies, agencies)
    is_whole = len(seen) == len(row.agencies)
    return RequestPart(
        number=row.part,
        state=QueuedPartState(row.state),
        agencies=seen,
        run_ids=row.run_ids,
        started_at=row.started_at,
        finished_at=row.finished_at,
        succeeded=row.succeeded if is_whole else None,
        failed=row.failed if is_whole else None,
        error=row.error,
    )


def visible_agencies(slugs: Sequence[str], agencies: list[str] | None) -> list[str]:
    """Return the slugs that are visible, where None makes all of them visible."""
    return [slug for slug in slugs if agencies is None or slug in agencies]
