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

_JsonObject = Mapping[str, object]


class RunJsonDocument:
    """Silent until the end, then everything at once."""

    def __init__(self, out: OutputWrapper) -> None:
        self._out = out
        self._warnings: list[str] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def show_plan(self, plan: RefreshPlan) -> None:
        views = [
            {
                **_view_json(view),
                "action": view.action,
                "dependsOn": sorted(str(key.name) for key in view.depends_on),
                "expectedDurationSeconds": _seconds(view.expected_duration),
                "consecutiveFailures": view.consecutive_failures,
                "definitionDrift": [
                    {**_manifest_json(drift.manifest), "cause": drift.cause} for drift in view.definition_drift
                ],
            }
            for view in plan.views
        ]
        self._write(
            {"dryRun": True, "views": views, "rejected": _rejected_json(plan.rejected), "warnings": plan.warnings}
        )

    def on_event(self, event: RunEvent) -> None:
        if isinstance(event, RunWarning):
            self._warnings.append(event.message)
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
                "stoppedBy": summary.stopped_by,
                "warnings": self._warnings,
                "interrupted": [_view_json(view) for view in summary.interrupted],
                "views": [{**_view_json(view), **_result_json(result)} for view, result in summary.results.items()],
                "rejected": _rejected_json(summary.rejected),
            }
        )

    def _write(self, document: _JsonObject) -> None:
        self._out.write(json.dumps(document, indent=2, ensure_ascii=False))


def _view_json(view: PlannedView) -> _JsonObject:
    return {
        "view": str(view.key.name),
        "database": view.key.database,
        "manifests": [_manifest_json(manifest) for manifest in view.spec.manifests],
    }


def _manifest_json(manifest: Manifest) -> _JsonObject:
    return {
        "id": manifest.manifest_id,
        "reportType": manifest.report_type,
        "tableName": manifest.table_name,
        "reportName": manifest.report_name,
        "agencyId": manifest.agency_id,
        "agencySlug": manifest.agency_slug,
    }


def _result_json(result: RefreshResult) -> _JsonObject:
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


def _rejected_json(rejected_manifests: Iterable[RejectedManifest]) -> list[_JsonObject]:
    return [
        {**_manifest_json(complaint.manifest), "reason": complaint.reason, "errors": complaint.message}
        for complaint in rejected_manifests
    ]


def _seconds(span: timedelta | None) -> float | None:
    return None if span is None else round(span.total_seconds(), 6)
