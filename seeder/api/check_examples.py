"""Examples of the endpoints for data checks."""

from collections.abc import Mapping

from seeder.api.examples import JOB, Body, page_of
from seeder.api.schema_document import OperationExample

_VIEW: Body = {"view": JOB["tableName"], "database": "default"}
_IDENTITY: Body = {"name": "rows", "kind": "row_count"}
_FIGURES: Body = {"rows": 712, "minimum": 800, "maximum": None, "lastAccepted": 1000}
_RESULT: Body = {
    **_IDENTITY,
    "arguments": {"maxDrop": 0.2},
    "severity": "error",
    "outcome": "failed",
    "figures": _FIGURES,
    "text": "712 rows, expected at least 800 (last accepted: 1,000)",
    "samples": [],
    "message": None,
    "sqlstate": None,
}
_REFRESH: Body = {"runId": JOB["lastRunId"], "startTime": JOB["startTime"]}
_NEW: Body = {**_IDENTITY, "arguments": {"maxDrop": 0.2}, "severity": "error", "toleratedRows": 0, "toleratedShare": 0}
CHECK: Body = {
    **_VIEW,
    **_NEW,
    "enabled": True,
    "source": None,
    "updatedBy": "ada",
    "updatedAt": "2026-11-21T18:20:11.110200+00:00",
    "version": "5d41402abc4b2a76b9719d911017c592",
    "problem": None,
    "lastResult": {**_RESULT, **_REFRESH},
}
_DECISION: Body = {
    **_VIEW,
    "name": "rows",
    "decision": "publish_once",
    "figures": _FIGURES,
    "sqlstate": None,
    "reason": "two agencies left",
    "grantedBy": "ada",
    "grantedAt": "2026-11-21T18:41:00.501100+00:00",
    "expiresAt": "2026-11-22T18:41:00.501100+00:00",
}
_ACCEPTANCE: Body = {"runId": JOB["lastRunId"], "reason": "two agencies left"}

OPERATIONS: Mapping[str, OperationExample] = {
    "listChecks": OperationExample(response=page_of(CHECK)),
    "getCheck": OperationExample(response=CHECK),
    "createCheck": OperationExample(request=_NEW, response={**CHECK, "lastResult": None}),
    "changeCheck": OperationExample(
        request={"version": CHECK["version"], "severity": "warn"}, response={**CHECK, "severity": "warn"}
    ),
    "waiveCheck": OperationExample(request={**_ACCEPTANCE, "hours": 24}, response=_DECISION),
    "acceptCheck": OperationExample(
        request=_ACCEPTANCE, response={**_DECISION, "decision": "accept", "expiresAt": None}
    ),
    "listCheckResults": OperationExample(
        response=page_of(
            {**_REFRESH, "status": "error", "held": True, "finishTime": JOB["lastSuccess"], "results": [_RESULT]}
        )
    ),
}
