"""One JSON document a command, for scripts. The names are those of the API where it has them."""

import json
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Self

from django.core.management.base import OutputWrapper

from seeder.domain.manifests import Manifest, RejectedManifest
from seeder.domain.outcomes import RefreshResult
from seeder.domain.plan import PlannedView, RefreshPlan
from seeder.domain.run_events import RunEnded, RunEvent, RunWarning

_Json = Mapping[str, object]


class Document:
    """Silent until the end, then everything at once."""

    def __init__(self, out: OutputWrapper) -> None:
        self._out = out
        self._notices: list[str] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def plan(self, plan: RefreshPlan) -> None:
        views = [
            {
                **_view(view),
                "action": view.action,
                "reads": sorted(str(key.name) for key in view.depends_on),
                "expectedSeconds": _seconds(view.expected_duration),
                "consecutiveFailures": view.consecutive_failures,
                "drift": [{**_manifest(drift.manifest), "cause": drift.cause} for drift in view.definition_drift],
            }
            for view in plan.views
        ]
        self._write({"dryRun": True, "views": views, "refused": _refused(plan.rejected), "notices": plan.warnings})

    def hear(self, event: RunEvent) -> None:
        if isinstance(event, RunWarning):
            self._notices.append(event.message)
        if not isinstance(event, RunEnded):
            return
        summary = event.summary
        self._write(
            {
                "dryRun": False,
                "runId": summary.run_id,
                "durationSeconds": _seconds(summary.duration),
                "succeeded": summary.succeeded,
                "failed": summary.failed,
                "stopped": summary.stopped_by,
                "notices": self._notices,
                "unfinished": [_view(view) for view in summary.interrupted],
                "views": [{**_view(view), **_result(result)} for view, result in summary.results.items()],
                "refused": _refused(summary.rejected),
            }
        )

    def _write(self, document: _Json) -> None:
        self._out.write(json.dumps(document, indent=2, ensure_ascii=False))


def _view(view: PlannedView) -> _Json:
    return {
        "view": str(view.key.name),
        "database": view.key.database,
        "manifests": [_manifest(manifest) for manifest in view.spec.manifests],
    }


def _manifest(manifest: Manifest) -> _Json:
    return {
        "id": manifest.manifest_id,
        "reportType": manifest.report_type,
        "tableName": manifest.table_name,
        "reportName": manifest.report_name,
        "agencyId": manifest.agency_id,
        "agencySlug": manifest.agency_slug,
    }


def _result(result: RefreshResult) -> _Json:
    failure = result.failure
    return {
        "outcome": result.outcome,
        "mode": result.mode,
        "fellBack": result.fell_back,
        "attempts": result.attempts,
        "satisfiedBy": result.satisfied_by,
        "workerWaitSeconds": _seconds(result.cost.worker_wait),
        "throttleWaitSeconds": _seconds(result.cost.throttle_wait),
        "lockWaitSeconds": _seconds(result.cost.lock_wait),
        "startTime": result.started_at.isoformat(),
        "finishTime": result.finished_at.isoformat(),
        "durationSeconds": _seconds(result.duration),
        "recordsProcessed": result.rows,
        "bytesProcessed": result.size_bytes,
        "reason": failure and failure.reason,
        "sqlstate": failure and failure.sqlstate,
        "errors": failure and failure.message,
        "notes": list(result.notes),
    }


def _refused(complaints: Iterable[RejectedManifest]) -> list[_Json]:
    return [
        {**_manifest(complaint.manifest), "reason": complaint.reason, "errors": complaint.message}
        for complaint in complaints
    ]


def _seconds(span: timedelta | None) -> float | None:
    return None if span is None else round(span.total_seconds(), 6)
