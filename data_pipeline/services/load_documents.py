"""JSON documents of loads."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from data_pipeline.domain.refresh_dispatches import RefreshDispatch
from data_pipeline.domain.rejects import Reject
from data_pipeline.services.load_values import Loaded

Document = Mapping[str, Any]


def load_document(loaded: Loaded) -> Document:
    counts = loaded.counts
    return {
        "loadId": loaded.load_id,
        "status": loaded.status.value,
        "sourceUri": loaded.source_uri,
        "targetTable": loaded.target,
        "rowsIn": counts.rows_in,
        "rowsInserted": counts.rows_inserted,
        "rowsUpdated": counts.rows_updated,
        "rowsUnchanged": counts.rows_unchanged,
        "rowsDeleted": counts.rows_deleted,
        "rowsRejected": counts.rows_rejected,
        "sizeBytes": loaded.size_bytes,
        "durationSeconds": round(loaded.duration.total_seconds(), 6),
        "rejects": [reject_document(one) for one in loaded.rejects],
        "refresh": None if loaded.refresh is None else refresh_document(loaded.refresh),
    }


def refresh_document(dispatch: RefreshDispatch) -> Document:
    return {
        "outcome": dispatch.outcome.value,
        "requestId": dispatch.request_id,
        "views": list(dispatch.views),
        "undetermined": list(dispatch.undetermined),
        "failures": dict(dispatch.failures),
        "problem": dispatch.problem,
    }


def reject_document(reject: Reject) -> Document:
    """Return a reject. Bytes that are not UTF-8 are escaped."""
    return {
        "lineNo": reject.line_no,
        "recordNo": reject.record_no,
        "problems": [asdict(one) for one in reject.problems],
        "raw": reject.raw.decode("utf-8", "backslashreplace"),
    }
