"""Reads everything that is known of one load."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import DEFAULT_DB_ALIAS

from data_pipeline.domain.load_overview import LoadSummary
from data_pipeline.domain.refresh_dispatches import RefreshOutcome
from data_pipeline.domain.rejects import RejectState
from data_pipeline.domain.secret_redaction import without_secrets
from data_pipeline.models import LoadLog, LoadRefresh, LoadReject
from data_pipeline.postgres import kept_rejects
from data_pipeline.postgres.error_translation import translate_errors
from data_pipeline.postgres.kept_rejects import ProblemCount
from data_pipeline.services.load_listing import summaries
from data_pipeline.services.load_scope import LoadScope, find_visible_load
from data_pipeline.services.page_facts import ShownEvent, read_events
from seeder.domain.queue.queued_requests import QueuedPartState
from seeder.errors import UnknownRequest
from seeder.services.queue.queue_overview import find_request

_MAX_PROBLEMS = 50


@dataclass(frozen=True, kw_only=True, slots=True)
class RequestedRefresh:
    """The refresh that a load requested, and what became of it."""

    requested_at: datetime
    dispatched_at: datetime | None
    request_id: str | None  # of seeder's queue
    state: str  # a `RefreshOutcome`, or the state of the request in the queue
    views: Sequence[str]  # that the user may see


@dataclass(frozen=True, kw_only=True, slots=True)
class LoadDetail:
    """A load, its rejects, refresh and events, as a user sees them."""

    load: LoadLog
    summary: LoadSummary
    metadata: Mapping[str, Any]  # without secrets
    reject_counts: Mapping[RejectState, int]  # of kept rejects
    problems: Sequence[ProblemCount]  # the most frequent ones first
    replayed_by: Sequence[int]  # loads of corrected rejects
    refresh: RequestedRefresh | None  # None if no row changed
    events: Sequence[ShownEvent]


def read_load_detail(load_id: int, scope: LoadScope, *, shows_values: bool) -> LoadDetail:
    """Read a load. Raises `UnknownLoad` if there is none that the user may see."""
    load = find_visible_load(load_id, scope)
    with translate_errors(DEFAULT_DB_ALIAS):
        replays = LoadReject.objects.filter(load=load, replayed_by__isnull=False).values_list("replayed_by", flat=True)
        return LoadDetail(
            load=load,
            summary=summaries([load], shows_values=shows_values)[0],
            metadata={name: without_secrets(name, value) for name, value in load.payload_meta.items()},
            reject_counts=kept_rejects.count_by_state(DEFAULT_DB_ALIAS, load_id),
            problems=kept_rejects.count_by_problem(DEFAULT_DB_ALIAS, load_id, limit=_MAX_PROBLEMS),
            replayed_by=sorted(replays.distinct()),
            refresh=_refresh(load, scope),
            events=read_events(load_id, shows_values=shows_values),
        )


def _refresh(load: LoadLog, scope: LoadScope) -> RequestedRefresh | None:
    row = LoadRefresh.objects.filter(load=load).first()
    if row is None:
        return None
    views = row.views or []
    return RequestedRefresh(
        requested_at=row.created_at,
        dispatched_at=row.dispatched_at,
        request_id=row.request_id,
        state=_state(row),
        views=[view for view in views if scope.views is None or view in scope.views],
    )


def _state(row: LoadRefresh) -> str:
    if row.dispatched_at is None:
        return RefreshOutcome.UNDISPATCHED
    if not row.views:
        return RefreshOutcome.UNNEEDED
    if row.request_id is None:
        return RefreshOutcome.REFRESHED
    return _queued_state(row.request_id)


def _queued_state(request_id: str) -> str:
    """Return the state of a request in seeder's queue. It is pruned after it has ended."""
    try:
        states = {part.state for part in find_request(request_id, None)}
    except UnknownRequest:
        return QueuedPartState.ENDED
    return states.pop() if len(states) == 1 else QueuedPartState.RUNNING
