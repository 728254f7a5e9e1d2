"""JSON documents of rejects."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from data_pipeline.domain.rejects import RejectState
from data_pipeline.postgres.kept_rejects import KeptReject
from data_pipeline.services.load_documents import optional_refresh_document
from data_pipeline.services.reject_listing import Dismissed, RejectList
from data_pipeline.services.reject_replay import ReplayedRejects


def list_document(found: RejectList) -> Mapping[str, Any]:
    return {
        "loadId": found.load_id,
        "table": found.table,
        "counts": {state.value: found.counts.get(state, 0) for state in RejectState},
        "rejects": [reject_document(one) for one in found.rejects],
    }


def reject_document(reject: KeptReject) -> Mapping[str, Any]:
    record = reject.record
    return {
        "recordNo": record.record_no,
        "lineNo": record.line_no,
        "status": reject.state.value,
        "replayedBy": reject.replayed_by,
        "problems": [asdict(one) for one in record.problems],
        "raw": record.raw.decode("utf-8", "backslashreplace"),
        "shortened": record.is_shortened,
    }


def dismissal_document(load_id: int, dismissed: Dismissed) -> Mapping[str, Any]:
    return {"loadId": load_id, "dismissed": dismissed.rejects, "wasFailing": dismissed.is_failure}


def replay_document(result: ReplayedRejects) -> Mapping[str, Any]:
    return {
        "ofLoad": result.of_load,
        "loadId": result.load_id,
        "isDuplicate": result.is_duplicate,
        "replayed": list(result.replayed),
        "refused": [
            {"recordNo": number, "problems": [asdict(one) for one in problems]}
            for number, problems in result.refused.items()
        ],
        "unusable": [{"recordNo": number, "reason": reason} for number, reason in result.unusable.items()],
        "left": result.left,
        "refresh": optional_refresh_document(result.refresh),
    }
