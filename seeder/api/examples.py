"""Examples for the OpenAPI schema: an agency whose trend of hate crimes is refreshed every night.

A test compares each with its schema.
"""

from collections.abc import Mapping
from typing import Any

from seeder.api.schema_document import OperationExample

Body = dict[str, Any]

_API = "https://reports.example.org/api/seeder/v1/"
_RUN_ID, _REQUEST_ID = "20261121-182823-233d95c4", "20261121-183007-0ac16496"
_STARTED, _FINISHED = "2026-11-21T18:28:23.391736+00:00", "2026-11-21T18:28:25.108422+00:00"
_REQUESTED = "2026-11-21T18:30:07.120854+00:00"
_VIEW = "reporting.demo_hate_crime_trend"

PARAMETERS: Mapping[str, Any] = {
    "Idempotency-Key": "trend-1",
    "agency": "demo",
    "base": 41,
    "check": "rows",
    "compare": 57,
    "database": "default",
    "id": 90002,
    "name": _VIEW,
    "releaseTag": "2026.11",
    "reportType": "custom",
    "requestId": _REQUEST_ID,
    "runId": _RUN_ID,
    "search": "trend",
    "slug": "demo",
    "tableName": _VIEW,
}


def page_of(row: Body, **more: Any) -> Body:
    """Return the only page of a list with one row."""
    return {**more, "next": None, "previous": None, "results": [row]}


_MANIFEST: Body = {
    "id": 90002,
    "reportType": "custom",
    "reportName": "Hate crimes: monthly trend",
    "tableName": _VIEW,
    "agencyId": 1,
    "agencySlug": "demo",
}
_NO_FAILURE: Body = {"errors": None, "reason": None, "sqlstate": None, "notes": None}
_AS_OF: Body = {
    "table": "incidents.hate_crime",
    "loadId": 17,
    "loadedAt": "2026-11-21T18:27:58.120411+00:00",
    "newerLoads": 0,
    "byTimes": False,
}
JOB: Body = {
    **_MANIFEST,
    **_NO_FAILURE,
    "agencyName": "Demo agency",
    "agencySlugs": ["demo"],
    "status": "success",
    "startTime": _STARTED,
    "durationSeconds": 1,
    "consecutiveFailures": 0,
    "lastSuccess": _STARTED,
    "lastRunId": _RUN_ID,
    "failing": False,
    "stale": False,
    "longRunning": False,
    "dataAsOf": _STARTED,
    "dataAsOfUnknown": None,
    "asOf": [_AS_OF],
}
_HISTORY: Body = {
    **_MANIFEST,
    "errors": "canceling statement due to lock timeout",
    "reason": "lock_timeout",
    "sqlstate": "55P03",
    "notes": None,
    "runId": _RUN_ID,
    "status": "error",
    "startTime": _STARTED,
    "finishTime": _FINISHED,
    "durationSeconds": 1,
    "recordsProcessed": None,
    "bytesProcessed": None,
    "memoryUsageMb": 3,
    "cpuPercentage": 12,
    "mode": None,
    "modeReason": None,
    "consistentGroup": None,
    "rowsInserted": None,
    "rowsDeleted": None,
    "rowsUnchanged": None,
}
_GROUP: Body = {
    "name": "month end",
    "members": [
        {"view": "reporting.orders", "status": "success", "reason": None},
        {"view": "reporting.order_totals", "status": "success", "reason": None},
    ],
    "hiddenMembers": 0,
    "attempts": 1,
    "lockWaitSeconds": 0.001,
    "publishedAt": _FINISHED,
    "text": "reporting.order_totals, reporting.orders became visible together.",
}
_RUN: Body = {
    "runId": _RUN_ID,
    "status": "error",
    "description": "all enabled reports",
    "requestedBy": "schedule",
    "startTime": _STARTED,
    "finishTime": _FINISHED,
    "durationSeconds": 1.717,
    "stoppedBy": None,
    "workers": 4,
    "manifests": 12,
    "succeeded": 11,
    "failed": 1,
    "held": 0,
    "interrupted": 0,
}
_STOPPING: Body = {
    **_RUN,
    "status": "running",
    "finishTime": None,
    "durationSeconds": None,
    "failed": 0,
    "url": f"{_API}runs/{_RUN_ID}/",
}
_STOPPED: Body = {**_STOPPING, **_RUN, "stoppedBy": "cancelled by ada"}
_HOLD: Body = {"database": "default", "reason": "server_busy", "startTime": _STARTED, "finishTime": _FINISHED}

_QUEUED_PART: Body = {"number": 1, "status": "queued", "agencies": ["demo"], "runIds": []}
_ENQUEUED: Body = {
    "requestId": _REQUEST_ID,
    "url": f"{_API}queue/{_REQUEST_ID}/",
    "description": f"the view {_VIEW}",
    "joined": False,
    "repeated": False,
    "parts": [_QUEUED_PART],
}
_RUNNING_PART: Body = {
    "number": 1,
    "status": "running",
    "agencies": ["demo"],
    "runIds": [_RUN_ID],
    "startTime": "2026-11-21T18:30:08.002113+00:00",
    "finishTime": None,
    "succeeded": None,
    "failed": None,
    "error": None,
    "cancelRequestedAt": None,
    "cancelRequestedBy": None,
}
_REQUEST: Body = {
    "requestId": _REQUEST_ID,
    "status": "running",
    "description": f"the view {_VIEW}",
    "requestedBy": "ada",
    "requestedAt": _REQUESTED,
    "parts": [_RUNNING_PART],
}
_CANCEL: Body = {"cancelRequestedAt": "2026-11-21T18:30:41.660018+00:00", "cancelRequestedBy": "ada"}
_CANCELLING: Body = {**_REQUEST, "parts": [{**_RUNNING_PART, **_CANCEL}], "url": f"{_API}queue/{_REQUEST_ID}/"}
_CANCELLED_PART: Body = {**_RUNNING_PART, **_CANCEL, "status": "cancelled", "runIds": [], "startTime": None}
_CANCELLED: Body = {**_CANCELLING, "status": "cancelled", "parts": [_CANCELLED_PART]}

_EARLIER: Body = {
    "id": 41,
    "tableName": _VIEW,
    "releaseTag": "2026.10",
    "releaseVersion": "2026.10.2",
    "capturedAt": "2026-10-31T20:00:11.918273+00:00",
}
_LATER: Body = {
    **_EARLIER,
    "id": 57,
    "releaseTag": "2026.11",
    "releaseVersion": None,
    "capturedAt": "2026-11-30T20:00:09.551620+00:00",
}
_TOTALS: Body = {
    "schemaHash": "6d2f7f7c4b5f4f6e8a1b0c9d8e7f6a5b4c3d2e1f0a9b8c7d6e5f4a3b2c1d0e9f",
    "rowCount": 168,
    "exact": True,
}
_COLUMN: Body = {
    "name": "month",
    "type": "date",
    "nullable": True,
    "nulls": 0,
    "distinct": 84,
    "minimum": "2019-12-01",
    "maximum": "2026-11-01",
    "exact": True,
    "lacks": None,
    "top": [{"value": "2026-11-01", "count": 2}],
}
_FINDING: Body = {
    "kind": "rows",
    "column": None,
    "base": 166,
    "compare": 168,
    "absolute": 2.0,
    "relative": 0.012,
    "severity": "none",
    "rule": None,
    "exact": True,
}
_CAPTURE: Body = {"tableName": _VIEW, "releaseTag": "2026.11"}

_COUNTS: Body = {
    "manifests": 12,
    "views": 11,
    "failing": 1,
    "stale": 0,
    "longRunning": 0,
    "lastSuccess": _STARTED,
    "statuses": {"pending": 0, "running": 0, "success": 11, "error": 1, "neverRun": 0},
}
_AGENCY: Body = {"slug": "demo", "id": 1, "name": "Demo agency", **_COUNTS}
_QUEUE: Body = {
    "status": "ok",
    "workers": "working",
    "queuedParts": 1,
    "runningParts": 1,
    "oldestRequest": _REQUESTED,
    "waitingTasks": None,
}
_DASHBOARD: Body = {
    "jobs": _COUNTS,
    "runs": {"running": 0, "last": _RUN},
    "queue": _QUEUE,
    "paused": [{"database": "default", "reason": "server_busy", "since": _STARTED}],
}

OPERATIONS: Mapping[str, OperationExample] = {
    "getRoot": OperationExample(response={"links": {"jobs": f"{_API}jobs/", "runs": f"{_API}runs/"}}),
    "getSchema": OperationExample(response={"openapi": "3.0.3", "info": {"title": "reporting-seeder"}, "paths": {}}),
    "listJobs": OperationExample(response=page_of(JOB, count=1)),
    "getJob": OperationExample(response=JOB),
    "listHistoryOfJob": OperationExample(response=page_of(_HISTORY)),
    "refreshJob": OperationExample(request={"changedRows": 5, "force": False}, response=_ENQUEUED),
    "refreshAgency": OperationExample(
        request={"force": False}, response={**_ENQUEUED, "description": "the agency demo"}
    ),
    "listAgencies": OperationExample(response=page_of(_AGENCY, count=1)),
    "getAgency": OperationExample(response=_AGENCY),
    "getTotals": OperationExample(response=_DASHBOARD),
    "listRequests": OperationExample(response=page_of(_REQUEST)),
    "getRequest": OperationExample(response=_REQUEST),
    "cancelRequest": OperationExample(response=_CANCELLED, accepted=_CANCELLING),
    "listRuns": OperationExample(response=page_of(_RUN)),
    "getRun": OperationExample(response={**_RUN, "holds": [_HOLD], "groups": [_GROUP]}),
    "cancelRun": OperationExample(response=_STOPPED, accepted=_STOPPING),
    "listHistoryOfRun": OperationExample(response=page_of(_HISTORY)),
    "retryRun": OperationExample(response={**_ENQUEUED, "description": f"what failed in the run {_RUN_ID}"}),
    "listSnapshots": OperationExample(response=page_of({**_LATER, **_TOTALS, "columnCount": 2})),
    "getSnapshot": OperationExample(response={**_LATER, **_TOTALS, "columns": [_COLUMN]}),
    "captureSnapshot": OperationExample(
        request={**_CAPTURE, "releaseVersion": "2026.11.0", "topValuesColumns": ["month"], "approximate": False},
        response={**_CAPTURE, "url": f"{_API}snapshots/?tableName={_VIEW}&releaseTag=2026.11"},
    ),
    "compareSnapshots": OperationExample(
        response={"base": _EARLIER, "compare": _LATER, "severity": "none", "findings": [_FINDING]}
    ),
}
