"""Example of the explanation of a view."""

from collections.abc import Mapping

from seeder.api.examples import JOB, Body
from seeder.api.schema_document import OperationExample

_VIEW, _STARTED, _RUN_ID = JOB["tableName"], JOB["startTime"], JOB["lastRunId"]
_FINISHED = "2026-11-21T18:28:25.108422+00:00"
_CONTRACT = "at most 24 h 00 min old"
_SUCCESS = (
    "Refreshed at 2026-11-21 18:28:23 UTC (5 min ago) in 1.72 s by run 20261121-182823-233d95c4 (every report,"
    " requested by schedule): 168 rows, 40 kB."
)
_REFRESH: Body = {
    "runId": _RUN_ID,
    "description": "every report",
    "requestedBy": "schedule",
    "skipReason": None,
    "status": "success",
    "startTime": _STARTED,
    "finishTime": _FINISHED,
    "durationSeconds": 1.716686,
    "recordsProcessed": 168,
    "bytesProcessed": 40960,
    "reason": None,
    "sqlstate": None,
    "errors": None,
    "notes": [],
    "group": None,
    "metrics": {
        "mode": "plain",
        "modeReason": None,
        "fellBack": False,
        "attempts": 1,
        "rowsInserted": 168,
        "rowsDeleted": 0,
        "workerWaitSeconds": 0.002,
        "throttleWaitSeconds": 0.0,
        "lockWaitSeconds": 0.001,
    },
}
_CHECK: Body = {
    "name": "rows",
    "kind": "row_count",
    "severity": "error",
    "outcome": "passed",
    "figures": {"rows": 168, "minimum": 100, "maximum": None, "lastAccepted": 166},
    "sqlstate": None,
    "text": "168 rows, expected at least 100 (last accepted: 166)",
}
_WAIVER: Body = {
    "check": "rows",
    "figures": {"rows": 90, "minimum": 100, "maximum": None, "lastAccepted": 166},
    "sqlstate": None,
    "reason": "a month is archived",
    "grantedBy": "ada",
    "grantedAt": _STARTED,
    "expiresAt": "2026-11-22T18:28:23.391736+00:00",
}
_RELATED: Body = {
    "view": "reporting.demo_hate_crime_summary",
    "database": "default",
    "listed": True,
    "status": "success",
    "failing": False,
    "held": False,
    "lastSuccess": _STARTED,
    "dataAsOf": _STARTED,
    "dataAsOfUnknown": None,
}
_PLANNED = "A refresh now would run plainly, which blocks readers, for about 1.72 s."
_NOW: Body = {
    "decisions": [{"topic": "plan", "level": "notice", "text": _PLANNED}],
    "problem": None,
    "action": "refresh",
    "expectedDurationSeconds": 1.716686,
    "mode": {"mode": "plain", "reason": None},
    "skip": {"action": "verify", "reason": "Skipped if its inputs are proved to be unchanged."},
    "concurrentRefused": False,
    "plan": [
        {
            "view": _VIEW,
            "database": "default",
            "action": "refresh",
            "after": [],
            "expectedDurationSeconds": 1.716686,
        }
    ],
    "hiddenSteps": 0,
    "checks": 1,
    "activeQueries": None,
    "nextTrialAt": None,
    "blockingSessions": 0,
    "contracts": [{"contract": _CONTRACT, "alone": "fresh", "together": "fresh"}],
}
EXPLANATION: Body = {
    "view": _VIEW,
    "database": "default",
    "exists": True,
    "at": "2026-11-21T18:33:30.004512+00:00",
    "decisions": [{"topic": "refresh", "level": "ok", "text": _SUCCESS}],
    "manifests": [
        {name: JOB[name] for name in ("id", "reportType", "reportName", "tableName", "agencyId", "agencySlug")}
    ],
    "failing": False,
    "lastSuccess": _STARTED,
    "usualDurationSeconds": 1.716686,
    "dataAsOf": _STARTED,
    "dataAsOfUnknown": None,
    "lastRefresh": _REFRESH,
    "lastEnded": _REFRESH,
    "checks": [_CHECK],
    "waivers": [_WAIVER],
    "contracts": [
        {
            "contractId": 3,
            "contract": _CONTRACT,
            "severity": "error",
            "state": "fresh",
            "cause": None,
            "deadline": "2026-11-22T18:28:23.391736+00:00",
        }
    ],
    "dependsOn": [],
    "dependents": [_RELATED],
    "now": _NOW,
    "tables": ["incidents.hate_crime"],
    "hiddenViews": 0,
    "hiddenDependents": 0,
    "furtherDependents": 0,
}

OPERATIONS: Mapping[str, OperationExample] = {"explainView": OperationExample(response=EXPLANATION)}
