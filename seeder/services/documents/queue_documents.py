"""Documents of queued requests, their parts and the queue."""

from typing import Any

from seeder.domain.queue.queued_requests import EnqueueResult, QueuedPart
from seeder.services.documents.document_fields import Document, fields
from seeder.services.documents.run_documents import view_document
from seeder.services.queue.queue_overview import PartOverview, QueueOverview
from seeder.services.queue.request_status import RequestPart, RequestStatus, visible_agencies

_REQUEST = ("request_id", "description", "requested_by", "requested_at")
_PROGRESS = ("succeeded", "failed", "error")
_PERIOD = {"startTime": "started_at", "finishTime": "finished_at"}
_REDACTED_ERROR = "The part ended before it was completely run."


def enqueue_document(result: EnqueueResult) -> Document:
    parts = [
        {**_part_fields(part), "id": part.id, "manifests": len(part.manifests), "views": _view_documents(part)}
        for part in result.parts
    ]
    return {**fields(result, "request_id", "description", "joined", "repeated"), "parts": parts}


def scoped_enqueue_document(result: EnqueueResult, agencies: list[str] | None) -> Document:
    """Return the fields for a user with access to these agencies."""
    parts = [{**_part_fields(part), "agencies": visible_agencies(part.agencies, agencies)} for part in result.parts]
    return {**enqueue_document(result), "parts": parts}


def request_document(request: RequestStatus, *, can_see_errors: bool) -> Document:
    parts = [{**_part_fields(part), **fields(part, *_PROGRESS, **_PERIOD)} for part in request.parts]
    for part in parts:
        if part["error"] and not can_see_errors:
            part["error"] = _REDACTED_ERROR
    return {**fields(request, *_REQUEST, "state"), "parts": parts}


def queue_document(overview: QueueOverview) -> Document:
    parts = (*overview.running, *overview.queued, *overview.ended)
    return {
        **fields(overview, "at", "problems", waitingTasks="waiting"),
        "parts": [*map(_part_overview_document, parts)],
        "schedules": [fields(schedule, "name", "cron", nextDue="due") for schedule in overview.schedules],
    }


def _part_overview_document(part: PartOverview) -> Document:
    return {
        **fields(part, "id", *_REQUEST, "part_count", "worker", "is_worker_alive", "manifests", "done"),
        **_part_fields(part),
        **fields(part, *_PROGRESS, **_PERIOD),
        "views": _view_documents(part),
    }


def _part_fields(part: QueuedPart | RequestPart | PartOverview) -> dict[str, Any]:
    return fields(part, "number", "state", "agencies", "run_ids")


def _view_documents(part: QueuedPart | PartOverview) -> list[Document]:
    return [*map(view_document, part.views)]
