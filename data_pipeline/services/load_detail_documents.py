"""JSON documents of single loads, with their rejects, refreshes and events."""

from collections.abc import Mapping, Sequence
from typing import Any

from data_pipeline.domain.rejects import RejectState
from data_pipeline.services.load_detail import LoadDetail
from data_pipeline.services.overview_documents import summary_document
from data_pipeline.services.page_facts import ShownEvent
from seeder.postgres.sqlstates import condition_name
from seeder.services.documents.document_fields import fields


def load_detail_document(detail: LoadDetail, actions: Sequence[str]) -> Mapping[str, Any]:
    """Return everything that is known of a load. The names are those of `load_status --json`."""
    load, refresh = detail.load, detail.refresh
    return {
        **summary_document(detail.summary),
        **fields(load, "succeeded_at", "dismissed_at", "task_id", "content_blake2b"),
        "ofLoad": load.payload_meta.get("of_load"),
        "replayedBy": list(detail.replayed_by),
        "metadata": dict(detail.metadata),
        "rejectCounts": {state.value: detail.reject_counts.get(state, 0) for state in RejectState},
        "problems": [
            {**fields(one, "column", "sqlstate", "records"), "condition": condition_name(one.sqlstate)}
            for one in detail.problems
        ],
        "refresh": refresh and fields(refresh, "request_id", "views", "requested_at", "dispatched_at", status="state"),
        "events": [_event_document(one) for one in detail.events],
        "actions": list(actions),
    }


def _event_document(event: ShownEvent) -> Mapping[str, Any]:
    return {**fields(event.row, "event", "actor", "at"), "facts": dict(event.facts)}
