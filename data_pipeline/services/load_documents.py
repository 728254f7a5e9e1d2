"""JSON documents of loads."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from data_pipeline.domain.load_counts import LoadCounts
from data_pipeline.domain.refresh_dispatches import RefreshDispatch
from data_pipeline.domain.rejects import Reject
from data_pipeline.services.dry_run import DryRun
from data_pipeline.services.load_options import Loaded

Document = Mapping[str, Any]


def load_document(loaded: Loaded) -> Document:
    return {
        "loadId": loaded.load_id,
        "status": loaded.status.value,
        "sourceUri": loaded.source_uri,
        "targetTable": loaded.target,
        **_counts(loaded.counts),
        "sizeBytes": loaded.size_bytes,
        "durationSeconds": round(loaded.duration.total_seconds(), 6),
        "rejects": [reject_document(one) for one in loaded.rejects],
        "refresh": optional_refresh_document(loaded.refresh),
    }


def dry_run_document(run: DryRun) -> Document:
    """Return what a load would do, with the names of `load_document`."""
    return {
        "status": "skipped" if run.loaded_before_as is not None else "failed" if run.refusal else "success",
        "refusal": run.refusal,
        "loadedBeforeAs": run.loaded_before_as,
        "sourceUri": run.source_uri,
        "targetTable": run.target,
        "createsTable": run.creates_table,
        "addedColumns": dict(run.added_columns),
        **_counts(run.counts),
        "sizeBytes": run.size_bytes,
        "durationSeconds": round(run.duration.total_seconds(), 6),
        "rejects": [reject_document(one) for one in run.rejects],
        "views": [
            {
                "view": one.view,
                "rowsBefore": one.rows_before,
                "rowsAfter": one.rows_after,
                "rowsAdded": one.rows_added,
                "rowsRemoved": one.rows_removed,
                "problem": one.problem,
            }
            for one in run.views
        ],
        "undetermined": list(run.undetermined),
    }


def _counts(counts: LoadCounts) -> Document:
    return {
        "rowsIn": counts.rows_in,
        "rowsInserted": counts.rows_inserted,
        "rowsUpdated": counts.rows_updated,
        "rowsUnchanged": counts.rows_unchanged,
        "rowsDeleted": counts.rows_deleted,
        "rowsRejected": counts.rows_rejected,
    }


def optional_refresh_document(dispatch: RefreshDispatch | None) -> Document | None:
    """Return what became of the dependent views.

    None if no row has changed.
    """
    return None if dispatch is None else refresh_document(dispatch)


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
