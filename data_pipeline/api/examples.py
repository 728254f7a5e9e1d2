"""Examples for the OpenAPI schema: the orders of a shop, with a damaged file that is corrected.

A test compares each with its schema.
"""

from collections.abc import Mapping
from typing import Any

from rest_framework import status

from data_pipeline.correction_errors import BadCorrections
from data_pipeline.upload_errors import LengthMissing, UploadTooLarge
from seeder.api.examples import page_of
from seeder.api.problem_details import problem_of_error
from seeder.api.schema_document import OperationExample

Body = dict[str, Any]

_API = "https://reports.example.org/api/pipeline/v1/"
_CSV, _BINARY, _FORM = "text/csv", "application/octet-stream", "multipart/form-data"
_FILE = "file:///srv/incoming/orders-2026-11-30.csv"
_AT = "2026-11-30T11:00:57.044808+00:00"
_DONE_AT = "2026-11-30T11:00:57.147396+00:00"
_CORRECTED_AT = "2026-11-30T11:02:09.642157+00:00"
_TABLE, _VIEW = "landing.orders", "reporting.order_total"
_CONTENT = "id,name,price\n1,Alpha,10.50\n"
_OPTIONS: Body = {"table": _TABLE, "max_rejects": 10}

PARAMETERS: Mapping[str, Any] = {
    "Idempotency-Key": "orders-2026-11-30",
    "id": 4711,
    "name": "orders",
    "requestedBy": "anna",
    "sqlstate": "22P02",
    "table": _TABLE,
}

_LOAD: Body = {
    "loadId": 4711,
    "source": "ingest.import_file",
    "status": "success",
    "table": _TABLE,
    "sourceUri": _FILE,
    "attempts": 1,
    "createdAt": _AT,
    "updatedAt": _DONE_AT,
    "durationSeconds": 0.101,
    "rowsIn": 4,
    "rowsInserted": 1,
    "rowsUpdated": 0,
    "rowsUnchanged": 0,
    "rowsDeleted": 0,
    "rowsRejected": 3,
    "errorCode": None,
    "errorMessage": None,
    "undoneAt": None,
    "processedBy": "worker-1:31350",
    "stuck": False,
    "failing": False,
}
_DETAIL: Body = {
    **_LOAD,
    "succeededAt": _DONE_AT,
    "dismissedAt": None,
    "taskId": "load request 81",
    "contentBlake2b": "b25175569d6ec34c1717b7a07ec6f2802a87b20075404deee770119895bc575e",
    "ofLoad": None,
    "replayedBy": [4714],
    "metadata": {"source_uri": _FILE, "size_bytes": 58, "mode": "append", "options": _OPTIONS},
    "rejectCounts": {"open": 2, "replayed": 1, "dismissed": 0},
    "problems": [
        {"column": "price", "sqlstate": "22P02", "condition": "invalid_text_representation", "records": 2},
        {"column": None, "sqlstate": "22021", "condition": "character_not_in_repertoire", "records": 1},
    ],
    "refresh": {
        "status": "ended",
        "requestId": "20261130-110056-b7c6e174",
        "views": [_VIEW],
        "requestedAt": _DONE_AT,
        "dispatchedAt": "2026-11-30T11:00:57.254897+00:00",
    },
    "events": [
        {"event": "claimed", "actor": "worker-1:31350", "at": _AT, "facts": {"attempt": 1}},
        {"event": "rejects_replayed", "actor": "anna", "at": _CORRECTED_AT, "facts": {"load": 4714, "records": 1}},
    ],
    "actions": ["replay", "undo", "verify", "dismiss"],
}
_REJECT: Body = {
    "recordNo": 1,
    "lineNo": 2,
    "status": "open",
    "replayedBy": None,
    "problems": [
        {
            "column": "price",
            "sqlstate": "22P02",
            "reason": 'invalid input syntax for type numeric: "12.x"',
            "value": "12.x",
        }
    ],
    "raw": "4,Delta,12.x",
    "shortened": False,
    "values": {"id": "4", "name": "Delta", "price": "12.x"},
    "masked": False,
}
_REJECT_FILE = (
    "reject_record,reject_line,reject_reasons,id,name,price\r\n"
    '1,2,"price: invalid input syntax for type numeric: ""12.x""",4,Delta,12.x\r\n'
)
_REQUEST: Body = {
    "requestId": 82,
    "action": "replay_rejects",
    "status": "done",
    "loadId": 4714,
    "sourceUri": _FILE,
    "label": None,
    "requestedBy": "anna",
    "worker": "worker-1:31350",
    "attempts": 1,
    "errorCode": None,
    "errorMessage": None,
    "nextStep": "See load 4714.",
    "result": None,
    "requestedAt": "2026-11-30T11:02:09.447142+00:00",
    "finishedAt": "2026-11-30T11:02:09.774656+00:00",
}
_AS_OF: Body = {
    "refreshedAt": "2026-11-30T11:02:10.922371+00:00",
    "stale": False,
    "tables": [
        {"table": _TABLE, "loadId": 4714, "loadedAt": _CORRECTED_AT, "newerLoads": 0, "byTimes": False},
    ],
}
_ROWS: Body = {
    "view": _VIEW,
    "asOf": _AS_OF,
    "columns": [{"name": "day", "type": "date"}, {"name": "orders", "type": "bigint"}],
    "results": [{"day": "2026-11-30", "orders": 5}],
}
_PERIOD: Body = {
    "column": "day",
    "requestedFrom": None,
    "requestedTo": None,
    "from": "2025-12-01",
    "to": "2026-11-30",
    "clamped": False,
}


def _queued(request_id: int, load_id: int | None) -> Body:
    url = f"{_API}requests/{request_id}/"
    return {"requestId": request_id, "status": "queued", "loadId": load_id, "repeated": False, "url": url}


def _ingest(request_id: int) -> OperationExample:
    return OperationExample(
        request={"source_uri": _FILE, **_OPTIONS},
        response=_queued(request_id, None),
        others={_BINARY: _CONTENT, _FORM: {"file": _CONTENT, **_OPTIONS}},
    )


PROBLEMS = (
    problem_of_error(LengthMissing(), status.HTTP_411_LENGTH_REQUIRED, is_staff=False),
    problem_of_error(UploadTooLarge(limit="1 GB"), status.HTTP_413_REQUEST_ENTITY_TOO_LARGE, is_staff=False),
    problem_of_error(
        BadCorrections(load_id=4711, problem="record 3: it is no open reject"),
        status.HTTP_422_UNPROCESSABLE_ENTITY,
        is_staff=False,
    ),
)
OPERATIONS: Mapping[str, OperationExample] = {
    "getRoot": OperationExample(response={"links": {"loads": f"{_API}loads/", "requests": f"{_API}requests/"}}),
    "getSchema": OperationExample(response={"openapi": "3.0.3", "info": {"title": "data-pipeline"}, "paths": {}}),
    "listLoads": OperationExample(response=page_of(_LOAD)),
    "getLoad": OperationExample(response=_DETAIL),
    "listRejects": OperationExample(response=page_of(_REJECT), others={_CSV: _REJECT_FILE}),
    "replayLoad": OperationExample(
        request={"corrections": [{"recordNo": 1, "values": {"price": "12.5"}}]}, response=_queued(82, 4711)
    ),
    "undoLoad": OperationExample(response=_queued(83, 4711)),
    "verifyLoad": OperationExample(response=_queued(84, 4711)),
    "dismissLoad": OperationExample(response={"loadId": 4711, "dismissed": 2, "wasFailing": False}),
    "listLoadRequests": OperationExample(response=page_of(_REQUEST)),
    "getLoadRequest": OperationExample(response=_REQUEST),
    "ingestFile": _ingest(81),
    "uploadFile": _ingest(81),
    "dryRunFile": _ingest(85),
    "ingestRecords": OperationExample(
        request=[{"id": 1, "name": "Alpha", "price": "10.50"}],
        response=_queued(86, None),
    ),
    "getTableLineage": OperationExample(
        response={
            "table": _TABLE,
            "loads": [_LOAD],
            "views": [{"view": _VIEW, "layer": 1, "reads": [_TABLE]}],
            "undetermined": [],
            "hiddenViews": 0,
        }
    ),
    "getViewAsOf": OperationExample(response={"view": _VIEW, **_AS_OF}),
    "getStatistic": OperationExample(
        response={"name": "orders", **_ROWS, "period": _PERIOD, "next": None, "previous": None}
    ),
    "score": OperationExample(request={"ids": ["4"]}, response={**_ROWS, "idColumn": "id", "notFound": []}),
}
