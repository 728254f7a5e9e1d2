"""The requests to workers of the queue: those that have not ended, and those that failed recently."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.db import DEFAULT_DB_ALIAS
from django.db.models import QuerySet
from django.db.models.functions import Now

from data_pipeline.domain.load_requests import RequestState, RequestStatus, RequestSummary
from data_pipeline.models import LoadRequest
from data_pipeline.postgres import load_requests

RECENT = timedelta(days=1)
_LATE_AFTER = timedelta(minutes=5)  # an idle worker claims a request at once, and a rescuer sends a lost message again
_MAX_COUNTED = 10_000


@dataclass(frozen=True, kw_only=True, slots=True)
class RequestOverview:
    """The requests that need a worker or attention."""

    requests: Sequence[RequestSummary]  # unfinished ones, oldest first; then failed ones, latest first
    unfinished: int  # all of them
    failed: int  # recently


@dataclass(frozen=True, kw_only=True, slots=True)
class LateRequests:
    """Requests that no worker claims although workers are free."""

    count: int
    first_id: int


def read_request_overview(*, limit: int, using: str = DEFAULT_DB_ALIAS) -> RequestOverview:
    """Read at most `limit` requests, but the numbers of all. Raises Django's database errors."""
    requests = LoadRequest.objects.using(using)
    unfinished = _unfinished(using).order_by("id")
    failed = requests.filter(state=RequestState.ENDED, error_message__isnull=False, finished_at__gt=Now() - RECENT)
    rows = list(unfinished[:limit])
    rows += failed.order_by("-id")[: limit - len(rows)]
    alive = working_request_ids(using)
    return RequestOverview(
        requests=[summary_of(row, is_worker_alive=row.pk in alive) for row in rows],
        unfinished=unfinished[:_MAX_COUNTED].count(),
        failed=failed[:_MAX_COUNTED].count(),
    )


def late_requests(using: str) -> LateRequests | None:
    """Return the requests that have waited for minutes.

    None while a worker is busy with another request.
    """
    late = _unfinished(using).filter(state=RequestState.QUEUED, created_at__lt=Now() - _LATE_AFTER)
    ids = list(late.order_by("id").values_list("pk", flat=True)[:_MAX_COUNTED])
    return LateRequests(count=len(ids), first_id=ids[0]) if ids and not working_request_ids(using) else None


def working_request_ids(using: str = DEFAULT_DB_ALIAS) -> frozenset[int]:
    """Return the running requests whose worker is alive."""
    running = _unfinished(using).filter(state=RequestState.RUNNING).values_list("pk", flat=True)
    return load_requests.with_live_workers(using, running)


def status_of(row: LoadRequest, *, is_worker_alive: bool) -> RequestStatus:
    return RequestStatus.of(row.state, has_error=row.error_message is not None, is_worker_alive=is_worker_alive)


def _unfinished(using: str) -> QuerySet[LoadRequest]:
    return LoadRequest.objects.using(using).exclude(state=RequestState.ENDED)


def summary_of(row: LoadRequest, *, is_worker_alive: bool) -> RequestSummary:
    return RequestSummary(
        request_id=row.pk,
        action=row.action,
        source_uri=row.source_uri,
        label=row.options.get("label"),
        load_id=row.load_id,
        status=status_of(row, is_worker_alive=is_worker_alive),
        requested_by=row.requested_by,
        worker=row.worker,
        attempts=row.attempts,
        error_message=row.error_message,
        error_code=row.error_code,
        result=row.result,
        requested_at=row.created_at,
        finished_at=row.finished_at,
    )
