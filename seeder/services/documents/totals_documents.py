"""Documents of totals: agencies, and what runs, waits and is paused now."""

from collections.abc import Mapping, Sequence
from typing import Any

from seeder.domain.monitoring.agency_totals import AgencyTotals
from seeder.services.documents.document_fields import Document, fields
from seeder.services.documents.run_documents import run_totals_document
from seeder.services.read_models.current_activity import Activity, QueueActivity


def agency_document(agency: AgencyTotals, names: Mapping[str, str]) -> Document:
    """Return the fields of an agency. `names` are by slug."""
    slug = str(agency.slug)
    return {"slug": slug, "id": agency.agency_id, "name": names.get(slug, slug), **_counts(agency)}


def totals_document(activity: Activity) -> Document:
    runs, queue = activity.runs, activity.queue
    return {
        "jobs": _counts(activity.jobs),
        "runs": runs and {"running": runs.running, "last": runs.last and run_totals_document(runs.last)},
        "queue": queue and _queue(queue),
        "paused": [fields(one, "database", "reason", "since") for one in activity.pauses],
    }


def _counts(totals: AgencyTotals) -> dict[str, Any]:
    statuses: Sequence[str] = ("pending", "running", "success", "error", "never_run")
    return {
        **fields(totals, "manifests", "views", "failing", "stale", "long_running", lastSuccess="last_success_at"),
        "statuses": fields(totals, *statuses),
    }


def _queue(queue: QueueActivity) -> Document:
    return fields(
        queue,
        "status",
        "workers",
        "queued_parts",
        "running_parts",
        "waiting_tasks",
        oldestRequest="oldest_requested_at",
    )
