"""Tasks of the queue: plain values in, one service call, a small dictionary out. Every task is idempotent."""

from collections.abc import Mapping
from typing import Any

from data_pipeline.services import dependent_refreshes
from data_pipeline.services.load_documents import refresh_document


def resume_loads() -> Mapping[str, Any]:
    """Queue the refreshes that loads have requested, if their process was killed after the commit.

    Returns `{"refreshes": [{"outcome": "queued", "requestId": "…", "views": ["reporting.a"], …}]}`.
    """
    return {"refreshes": [refresh_document(one) for one in dependent_refreshes.dispatch_refreshes()]}


refresh_roi_mvs = resume_loads
"""The name of this task in schedules and callers that predate loads: each load requests exactly its views itself."""
