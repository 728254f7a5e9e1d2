"""JSON documents of requests to workers."""

from collections.abc import Mapping
from typing import Any

from data_pipeline.domain.load_requests import RequestStatus, RequestSummary
from data_pipeline.domain.uris import without_query
from data_pipeline.services.load_requests import QueuedRequest
from seeder.services.documents.document_fields import fields

_REDACTED_ERROR = "The request failed. Its message can quote the file, so it requires data_pipeline.see_raw."
_REDACTED_PROBLEM = "The refresh would fail. Its message can quote the file, so it requires data_pipeline.see_raw."


def request_document(request: RequestSummary, *, shows_values: bool) -> Mapping[str, Any]:
    """Return a request with the names of `load_status --json`. Its error can quote values of the file."""
    progress = ("status", "requested_by", "worker", "attempts", "requested_at", "finished_at")
    is_redacted = request.error_message is not None and not shows_values
    return {
        **fields(request, "request_id", "action", "load_id", *progress),
        "sourceUri": without_query(request.source_uri),
        "label": request.label,
        "nextStep": _next_step(request),
        "errorCode": request.error_code,
        "errorMessage": _REDACTED_ERROR if is_redacted else request.error_message,
        "result": request.result if shows_values else _without_values(request.result),
    }


def _next_step(request: RequestSummary) -> str:
    """Return what the caller does next."""
    match request.status:
        case RequestStatus.QUEUED | RequestStatus.LOST:
            return "Wait until a worker of the queue begins it."
        case RequestStatus.RUNNING:
            return "Wait until its worker has ended it."
        case RequestStatus.FAILED if request.load_id is not None:
            return f"See the rejects and the error of load {request.load_id}. Correct the cause, and request it again."
        case RequestStatus.FAILED:
            return "Correct the cause, and request it again."
        case RequestStatus.DONE if request.result is not None:
            return "See the result."
        case RequestStatus.DONE:
            return "Nothing." if request.load_id is None else f"See load {request.load_id}."


def _without_values(result: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """Return the result of a dry run without values of records."""
    if result is None:
        return None
    rejects = [
        {
            "lineNo": reject["lineNo"],
            "recordNo": reject["recordNo"],
            "problems": [{name: one[name] for name in ("column", "sqlstate")} for one in reject["problems"]],
        }
        for reject in result["rejects"]
    ]
    return {**result, "rejects": rejects, "views": _views_without_problems(result)}


def _views_without_problems(result: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the views of a dry run. The message of a refresh that would fail can quote a value."""
    return [{**view, "problem": view["problem"] and _REDACTED_PROBLEM} for view in result["views"]]


def queued_document(queued: QueuedRequest) -> Mapping[str, Any]:
    return {
        "requestId": queued.request_id,
        "status": queued.status.value,
        "loadId": queued.load_id,
        "repeated": queued.repeated,
    }
