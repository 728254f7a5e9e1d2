"""Tasks of the queue, which are all idempotent.

Each takes plain values, calls one service, and returns a small dictionary.
"""

import os
import signal
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from types import FrameType
from typing import Any

from django.utils import timezone

from data_pipeline.services import dependent_refreshes, load_requests, request_execution
from data_pipeline.services.load_documents import refresh_document
from seeder.errors import BadTaskArgument
from seeder.services.unix_signals import handle_signals


def import_file(load_request_id: int) -> Mapping[str, Any]:
    """Do the work of a request, unless it is done or claimed.

    The work is to load its file, or to undo or verify its load.

    Returns `{"id": 7, "result": "success", "load_id": 12, "rows_in": 1000, "rows_rejected": 0}`. If that is impossible,
    the result begins with `failed:`. Raises `BadTaskArgument` or `DatabaseError`.
    """
    if type(load_request_id) is not int:  # a schedule can pass anything
        raise BadTaskArgument(argument="load_request_id", value=load_request_id, expected="int")
    try:
        with handle_signals(_interrupt, [signal.SIGTERM]):
            return asdict(request_execution.run_request(load_request_id))
    except KeyboardInterrupt:
        os.kill(os.getpid(), signal.SIGTERM)  # the worker ends as the cluster wants
        return {"id": load_request_id, "result": "queued again: stopped by SIGTERM"}


def resume_loads() -> Mapping[str, Any]:
    """Queue what killed processes have left: load requests, and refreshes that committed loads have requested.

    Returns `{"requests": [7], "refreshes": [{"outcome": "queued", "requestId": "…", "views": ["reporting.a"], …}]}`.
    """
    rescued = load_requests.rescue_requests()
    found = map(dependent_refreshes.dispatch_refreshes, dependent_refreshes.outbox_databases())
    refreshes = [refresh_document(one) for dispatches in found for one in dispatches]
    return {"requests": list(rescued.dispatched), "refreshes": refreshes}


def fees_h10_refresh(asins: Sequence[str] | None = None, edition: str = "") -> Mapping[str, Any]:
    """Load the fees of articles. Without ids, those of all known articles, once a day.

    Returns the document of the run, such as `{"source": "fees_h10", "status": "success", "loadId": 12, …}`. Raises
    `PipelinesMissing`, and what `refresh_fees` raises.
    """
    from data_pipeline.pipelines import fees_h10  # the app is optional

    if asins is None:
        return fees_h10.refresh_fees(fees_h10.known_asins(), edition=edition or _today()).as_document()
    return fees_h10.refresh_fees(asins, edition=edition).as_document()


def logistics_etl_full() -> Mapping[str, Any]:
    """Load the current snapshot of freight rates, unless it was loaded before.

    Returns the document of the run, as `fees_h10_refresh`. Raises what `run_logistics_etl` raises.
    """
    from data_pipeline.pipelines.logistics_etl import run_logistics_etl  # the app is optional

    return run_logistics_etl().as_document()


refresh_roi_mvs = resume_loads
"""The name of this task in schedules and callers that predate loads: each load requests exactly its views itself."""


def _today() -> str:
    return timezone.localdate().isoformat()


def _interrupt(number: int, _: FrameType | None) -> None:
    raise KeyboardInterrupt(signal.Signals(number).name)
