"""Finds the requests that a user may see."""

from collections.abc import Collection, Iterable, Sequence

from django.db import DEFAULT_DB_ALIAS
from django.db.models import Q, QuerySet

from data_pipeline.domain.load_requests import RequestState, RequestStatus, RequestSummary
from data_pipeline.errors import UnknownLoadRequest
from data_pipeline.models import LoadRequest
from data_pipeline.postgres.error_translation import translate_errors
from data_pipeline.services.load_scope import LoadScope
from data_pipeline.services.request_overview import summary_of, working_request_ids

# `lost` is a running request, so it has no condition of its own.
CONDITIONS = {
    RequestStatus.QUEUED: Q(state=RequestState.QUEUED),
    RequestStatus.RUNNING: Q(state=RequestState.RUNNING),
    RequestStatus.FAILED: Q(state=RequestState.ENDED, error_message__isnull=False),
    RequestStatus.DONE: Q(state=RequestState.ENDED, error_message__isnull=True),
}


def find_request(request_id: int, scope: LoadScope) -> RequestSummary:
    """Return a request. Raises `UnknownLoadRequest` if there is none that the user may see."""
    requests = LoadRequest.objects.filter(pk=request_id)
    if scope.tables is not None:
        requests = requests.filter(Q(requested_by=scope.user) | Q(load__target__in=scope.tables))
    with translate_errors(DEFAULT_DB_ALIAS):
        found = summaries(requests)
    if not found:
        raise UnknownLoadRequest(request_id=request_id)
    return found[0]


def filtered_requests(statuses: Collection[RequestStatus], action: str | None = None) -> QuerySet[LoadRequest]:
    """Return the requests with one of these statuses, and an action. Nothing given means any."""
    condition = Q() if action is None else Q(action=action)
    return LoadRequest.objects.filter(condition, _with_status(statuses))


def _with_status(statuses: Collection[RequestStatus]) -> Q:
    condition = Q()
    for status in statuses:
        condition |= CONDITIONS[status]
    return condition


def visible_parts(requests: QuerySet[LoadRequest], scope: LoadScope) -> Sequence[QuerySet[LoadRequest]]:
    """Return the visible requests in parts, which can overlap. Each has an index for its condition."""
    if scope.tables is None:
        return [requests]
    return [requests.filter(requested_by=scope.user), requests.filter(load__target__in=scope.tables)]


def summaries(rows: Iterable[LoadRequest]) -> Sequence[RequestSummary]:
    """Return requests with their state. Reads the locks of workers once."""
    found = list(rows)
    alive = working_request_ids() if any(row.state == RequestState.RUNNING for row in found) else frozenset()
    return [summary_of(row, is_worker_alive=row.pk in alive) for row in found]
