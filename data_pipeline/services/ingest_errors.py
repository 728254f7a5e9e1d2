"""Counts and logs the errors of requests that bring files or records."""

from data_pipeline.domain.metrics_values import Counted
from data_pipeline.http.measurements import CALLS
from data_pipeline.structured_log import WARNING, log_event

_SOURCE = "api"


def record(*, status: int, code: str, user: str | None, route: str, request_id: str) -> None:
    """Count an error response, and log it without anything of the payload.

    The counters of a process are saved for the metrics at most once a minute.
    """
    is_of_server = status >= 500
    CALLS.count(_SOURCE, Counted.INGEST_5XX if is_of_server else Counted.INGEST_4XX, "" if is_of_server else code)
    log_event(WARNING, "api_ingest_failed", user=user, route=route, code=code, status=status, request=request_id)
    if CALLS.is_due():
        CALLS.save()
