"""Examples of the endpoints for manifests."""

from collections.abc import Mapping

from seeder.api.examples import JOB, Body, page_of
from seeder.api.schema_document import OperationExample

_QUERY = "SELECT date_trunc('month', reported_on) AS month, count(*) AS crimes\nFROM incidents.hate_crime\nGROUP BY 1"
_COLUMNS: list[Body] = [{"name": "month", "type": "timestamp with time zone"}, {"name": "crimes", "type": "bigint"}]
_PLAN = (
    "HashAggregate  (cost=31.75..36.75 rows=200 width=16)\n  ->  Seq Scan on hate_crime  (cost=0.00..25.10 rows=1330)"
)
_IDENTITY = ("id", "reportType", "reportName", "tableName", "agencyId", "agencySlug", "agencyName", "status")

MANIFEST: Body = {
    **{name: JOB[name] for name in _IDENTITY},
    "query": _QUERY,
    "databaseId": 1,
    "enabled": True,
    "cannedReportId": None,
    "version": "5d41402abc4b2a76b9719d911017c592",
    "drift": {"state": "none", "cause": None},
}
_NEW: Body = {
    **{name: MANIFEST[name] for name in ("reportType", "reportName", "tableName", "agencySlug", "databaseId")},
    "query": _QUERY,
}
_TRIAL: Body = {
    "problem": None,
    "plan": _PLAN,
    "columns": _COLUMNS,
    "columnChanges": [{"name": "crimes", "kind": "changed", "before": "integer", "after": "bigint"}],
    "relations": [{"name": "incidents.hate_crime", "canSelect": True}],
    "firstRows": {"columnNames": ["month", "crimes"], "rows": [["2026-10-01 00:00:00+00", "12"]], "hasMore": False},
    "warnings": [
        {
            "code": "unique_index_lost",
            "message": "The unique index by_crimes may refuse the new rows, because the type of crimes changes.",
        }
    ],
}
_CHANGES: Body = {"version": MANIFEST["version"], "enabled": False}

OPERATIONS: Mapping[str, OperationExample] = {
    "listManifests": OperationExample(response=page_of(MANIFEST)),
    "getManifest": OperationExample(response=MANIFEST),
    "createManifest": OperationExample(request=_NEW, response=MANIFEST),
    "changeManifest": OperationExample(request=_CHANGES, response={**MANIFEST, "enabled": False}),
    "validateQuery": OperationExample(
        request={name: _NEW[name] for name in ("tableName", "query", "databaseId")}, response=_TRIAL
    ),
}
