"""Documents of queued requests, their parts and the queue."""

from collections.abc import Sequence
from typing import Any

from seeder.domain.queue.queued_requests import request_state
from seeder.models import QueuedRefresh
from seeder.services.documents.document_fields import Document, fields
from seeder.services.documents.run_documents import view_document
from seeder.services.queue.enqueue import EnqueueResult
from seeder.services.queue.queue_overview import QueueOverview

_REQUEST = ("request_id", "description", "requested_by", "requested_at")
_PROGRESS = ("succeeded", "failed", "error", "cancel_requested_at", "cancel_requested_by")
_PERIOD = {"startTime": "started_at", "finishTime": "finished_at"}
_REDACTED_ERROR = "The part ended before it was completely run."


def enqueue_document(result: EnqueueResult) -> Document:
    parts = [{**_part_fields(part), "id": part.pk, **_part_contents(part)} for part in result.parts]
    return {**_enqueue_fields(result), "parts": parts}


def scoped_enqueue_document(result: EnqueueResult, agencies: list[str] | None) -> Document:
    """Return the fields for a user with access to these agencies."""
    parts = [{**_part_fields(part), "agencies": _visible_agencies(part, agencies)} for part in result.parts]
    return {**_enqueue_fields(result), "parts": parts}


def _enqueue_fields(result: EnqueueResult) -> dict[str, Any]:
    return fields(result, "request_id", "description", "joined", "repeated")


def request_document(parts: Sequence[QueuedRefresh], agencies: list[str] | None, *, can_see_errors: bool) -> Document:
    """Return the fields of a request, from its parts that a user with access to these agencies can see."""
    return {
        **fields(parts[0], *_REQUEST),
        "status": request_state(part.state for part in parts),
        "parts": [_part_status_document(part, agencies, can_see_errors=can_see_errors) for part in parts],
    }


def _part_status_document(part: QueuedRefresh, agencies: list[str] | None, *, can_see_errors: bool) -> Document:
    document = {
        **_part_fields(part),
        **fields(part, *_PROGRESS, **_PERIOD),
        "agencies": _visible_agencies(part, agencies),
    }
    if document["agencies"] != part.agencies:
        document |= {"succeeded": None, "failed": None}
    if part.error and not can_see_errors:
        document["error"] = _REDACTED_ERROR
    return document


def _visible_agencies(part: QueuedRefresh, agencies: list[str] | None) -> list[str]:
    return [slug for slug in part.agencies if agencies is None or slug in agencies]


def queue_document(overview: QueueOverview) -> Document:
    parts = (*overview.running, *overview.queued, *overview.ended)
    return {
        **fields(overview, "at", "problems", waitingTasks="waiting"),
        "parts": [*map(_part_overview_document, parts)],
        "schedules": [fields(schedule, "name", "cron", nextDue="due") for schedule in overview.schedules],
    }


def _part_overview_document(part: QueuedRefresh) -> Document:
    return {
        **fields(part, "id", *_REQUEST, "worker", "is_worker_alive", "done", partCount="parts"),
        **_part_fields(part),
        **fields(part, *_PROGRESS, **_PERIOD),
        **_part_contents(part),
    }


def _part_fields(part: QueuedRefresh) -> dict[str, Any]:
    return fields(part, "agencies", "run_ids", status="state", number="part")


def _part_contents(part: QueuedRefresh) -> dict[str, Any]:
    return {"manifests": len(part.manifests), "views": [*map(view_document, part.view_keys)]}
