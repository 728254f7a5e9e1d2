"""Documents of plans and runs."""

from collections.abc import Iterable, Sequence

from seeder.domain.group_endings import GroupEnding, summary_groups
from seeder.domain.manifests import RejectedManifest, ViewKey
from seeder.domain.monitoring.timeline import HoldInterval, RunTotals
from seeder.domain.outcomes import RefreshResult, RunSummary
from seeder.domain.plan import PlannedView, RefreshPlan
from seeder.domain.refresh_mode import ModeChoice
from seeder.models import Run
from seeder.services.documents.changed_rows_documents import changes_document
from seeder.services.documents.data_check_documents import results_documents
from seeder.services.documents.document_fields import Document, fields
from seeder.services.documents.job_documents import manifest_document

_PERIOD = {"startTime": "started_at", "finishTime": "finished_at", "durationSeconds": "duration"}


def plan_document(plan: RefreshPlan) -> Document:
    return {
        "dryRun": True,
        "views": [
            {
                **planned_view_document(view),
                **fields(view, "action", "consecutive_failures", expectedDurationSeconds="expected_duration"),
                "mode": _mode_document(view.mode_choice),
                "skip": view.skip_plan and fields(view.skip_plan, "action", "reason"),
                "checkOrder": view.check_order and fields(view.check_order, "runs_before", "inside", "reasons"),
                "dependsOn": sorted(str(key.name) for key in view.depends_on),
                "definitionDrift": [
                    {**manifest_document(drift.manifest), "cause": drift.cause} for drift in view.definition_drift
                ],
            }
            for view in plan.views
        ],
        "groups": [
            {
                **fields(group, "name", "refusals", estimatedDurationSeconds="estimated_duration"),
                **fields(group.options, "allow_blocking", "publish_without_held", maxSeconds="max_duration"),
                "views": [view_document(view.key) for view in group.views],
            }
            for group in plan.groups
        ],
        "rejected": [*map(rejection_document, plan.rejected)],
        "missedContracts": [
            {
                **view_document(missed.view),
                "contract": str(missed.contract),
                **fields(missed.contract, "severity"),
                **fields(missed, "deadline", "expected_end", "is_late"),
            }
            for missed in plan.missed_contracts
        ],
        "warnings": [*plan.warnings.values(), *plan.notes],
    }


def cancelled_run_document(run: Run) -> Document:
    return fields(run, "run_id", "description", "requested_by", startTime="started_at")


def run_document(summary: RunSummary, warnings: Sequence[str], *, with_changed_rows: bool = False) -> Document:
    """Return the results of a run that just ended, and sampled rows, which are data, only if required."""
    return {
        "dryRun": False,
        **fields(summary, "run_id", "succeeded", "failed", "held", "skipped", "stopped_by", durationSeconds="duration"),
        "warnings": warnings,
        "interrupted": [*map(planned_view_document, summary.interrupted)],
        "groups": [*map(group_document, summary_groups(summary))],
        "views": [
            {**planned_view_document(view), **result_document(result, with_changed_rows=with_changed_rows)}
            for view, result in summary.results.items()
        ],
        "rejected": [*map(rejection_document, summary.rejected)],
    }


def run_totals_document(run: RunTotals) -> Document:
    counts = ("workers", "manifests", "succeeded", "failed", "held", "interrupted")
    return fields(run, "run_id", "status", "description", "requested_by", "stopped_by", *counts, **_PERIOD)


def run_detail_document(run: RunTotals, holds: Iterable[HoldInterval], groups: Iterable[GroupEnding]) -> Document:
    hold_times = {"startTime": "started_at", "finishTime": "finished_at"}
    return {
        **run_totals_document(run),
        "holds": [fields(hold, "database", "reason", **hold_times) for hold in holds],
        "groups": [*map(group_document, groups)],
    }


def group_document(group: GroupEnding) -> Document:
    """Return how a consistent group ended."""
    return {
        **fields(group, "name", "hidden_members", "attempts", "published_at", lockWaitSeconds="lock_wait"),
        "members": [fields(one, "view", "status", "reason") for one in group.members],
        "text": str(group),
    }


def view_document(key: ViewKey) -> Document:
    return {"view": str(key.name), "database": key.database}


def planned_view_document(view: PlannedView) -> Document:
    return {**view_document(view.key), "manifests": [*map(manifest_document, view.spec.manifests)]}


def _mode_document(choice: ModeChoice | None) -> Document | None:
    """Return the mode with its figures, or None if the setting decides alone."""
    if choice is None:
        return None
    figures = {"plainSeconds": "plain", "concurrentSeconds": "concurrent"}
    return {**fields(choice, "mode", "reason"), **fields(choice.prediction, "churn", "bloat", **figures)}


def result_document(result: RefreshResult, *, with_changed_rows: bool) -> Document:
    sizes = {"recordsProcessed": "rows", "bytesProcessed": "size_bytes"}
    waits = {f"{wait}WaitSeconds": f"{wait}_wait" for wait in ("worker", "throttle", "lock")}
    failure = result.failure
    return {
        **fields(
            result, "outcome", "mode", "mode_reason", "fell_back", "attempts", "satisfied_by", "notes", "skip_reason"
        ),
        **fields(result, "consistent_group"),
        **fields(result, "rows_unchanged", **_PERIOD, **sizes),
        **fields(result.cost, "rows_inserted", "rows_deleted", vacuumSeconds="vacuum_time", **waits),
        "reason": failure and failure.reason,
        "sqlstate": failure and failure.sqlstate,
        "errors": failure and failure.message,
        "checks": results_documents(result.checks),
        "changes": result.changes and changes_document(result.changes, with_rows=with_changed_rows),
    }


def rejection_document(rejected: RejectedManifest) -> Document:
    return {**manifest_document(rejected.manifest), **fields(rejected, "reason", errors="message")}
