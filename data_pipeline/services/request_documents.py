"""JSON documents of requests to workers."""

from collections.abc import Mapping
from typing import Any

from data_pipeline.domain.load_requests import RequestStatus, RequestSummary
from data_pipeline.domain.uris import without_query
from data_pipeline.services.load_requests import QueuedRequest
from seeder.services.documents.document_fields import fields

_REDACTED_ERROR = "The request failed. Its message can quote the file, so it requires data_pipeline.see_raw."


def request_document(request: RequestSummary, *, shows_values: bool) -> Mapping[str, Any]:
    """Return a request with the names of `load_status --json`. Its error can quote values of the file."""
    progress = ("status", "requested_by", "worker", "attempts", "created_at", "finished_at")
    is_redacted = request.error_message is not None and not shows_values
    return {
        **fields(request, "request_id", "action", "load_id", *progress),
        "sourceUri": without_query(request.source_uri),
        "errorMessage": _REDACTED_ERROR if is_redacted else request.error_message,
    }


def queued_document(queued: QueuedRequest) -> Mapping[str, Any]:
    return {"requestId": queued.request_id, "status": RequestStatus.QUEUED.value}
