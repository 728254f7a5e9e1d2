"""Writes the events of a run to the log."""

from datetime import timedelta

from seeder.domain import run_events
from seeder.domain.log_format import LogValue
from seeder.domain.outcomes import RefreshResult, RunSummary
from seeder.domain.plan import PlannedView, RefreshPlan
from seeder.domain.run_events import RunEvent, WarningKind
from seeder.services.run.listeners import RunListener
from seeder.services.structured_log import INFO, WARNING, is_logged, log_event

# Warnings whose messages are seeder's own. The messages of other kinds quote the server.
_SAFE_KINDS = {WarningKind.FEATURE_UNAVAILABLE, WarningKind.CONTRACT_AT_RISK}


class LogListener(RunListener):
    """Logs the events of one run. A view that was logged as started is also logged as ended."""

    def __init__(self, run_id: str) -> None:
        self._run_id = run_id
        self._running = set[PlannedView]()

    def on_event(self, event: RunEvent) -> None:
        match event:
            case run_events.RunStarted(plan=plan, workers=workers):
                self._log_run_started(plan, workers)
            case run_events.ViewStarted(view=view):
                self._running.add(view)
                self._log_view(INFO, "view_started", view)
            case run_events.ViewPostponed(view=view):
                self._running.discard(view)
                self._log_view(INFO, "view_postponed", view)
            case run_events.ViewEnded(view=view, result=result):
                self._running.discard(view)
                self._log_view(WARNING if result.failure or result.notes else INFO, "view_ended", view, result)
            case run_events.StartsHeld(database=database, hold=hold):
                self._log(WARNING, "starts_held", database=database, reason=hold.reason, message=hold.message)
            case run_events.StartsResumed(database=database, duration=duration):
                self._log(WARNING, "starts_resumed", database=database, duration_seconds=_seconds(duration))
            case run_events.RunWarning(kind=kind, message=message, database=database):
                safe_message = message if kind in _SAFE_KINDS else None
                self._log(WARNING, "run_warning", database=database, reason=kind, message=safe_message)
            case run_events.ViewsVacuumed(views=views, skipped=skipped, duration=duration):
                counts = {"views": len(views), "skipped": len(skipped) or None}
                self._log(INFO, "views_vacuumed", **counts, duration_seconds=_seconds(duration))
            case run_events.RunEnded(summary=summary):
                self._log_run_ended(summary)

    def _log(self, level: int, event: str, /, **fields: LogValue | None) -> None:
        log_event(level, event, run_id=self._run_id, **fields)

    def _log_run_started(self, plan: RefreshPlan, workers: int) -> None:
        databases = tuple(sorted(plan.by_database))
        views, rejected = len(plan.views), len(plan.rejected)
        self._log(INFO, "run_started", views=views, rejected=rejected, workers=workers, databases=databases)
        for one in plan.rejected:
            manifest = one.manifest
            self._log(
                WARNING,
                "manifest_rejected",
                view=manifest.table_name,
                agencies=(manifest.agency_slug,),
                report_types=(manifest.report_type,),
                manifest_id=manifest.manifest_id,
                reason=one.reason,
            )

    def _log_view(self, level: int, event: str, view: PlannedView, result: RefreshResult | None = None) -> None:
        if is_logged(level):
            self._log(level, event, **_view_fields(view), **(_result_fields(view, result) if result else {}))

    def _log_run_ended(self, summary: RunSummary) -> None:
        stopped_by, interrupted = summary.stopped_by, len(summary.interrupted)
        for view in summary.interrupted:
            if view in self._running:
                fields = _view_fields(view)
                self._log(WARNING, "view_ended", **fields, outcome="interrupted", stopped_by=stopped_by)
        self._log(
            WARNING if summary.failed or interrupted else INFO,
            "run_ended",
            succeeded=summary.succeeded,
            failed=summary.failed,
            interrupted=interrupted,
            stopped_by=stopped_by,
            duration_seconds=_seconds(summary.duration),
        )


def _view_fields(view: PlannedView) -> dict[str, LogValue]:
    manifests = view.spec.manifests
    return {
        "view": str(view.key.name),
        "database": view.key.database,
        "agencies": tuple(sorted({manifest.agency_slug for manifest in manifests})),
        "report_types": tuple(sorted({manifest.report_type for manifest in manifests})),
    }


def _result_fields(view: PlannedView, result: RefreshResult) -> dict[str, LogValue | None]:
    failure, cost = result.failure, result.cost
    return {
        "outcome": result.outcome,
        "reason": failure.reason if failure else None,
        "sqlstate": failure.sqlstate if failure else None,
        "mode": result.mode,
        "fell_back": result.fell_back or None,
        "attempts": result.attempts,
        "duration_seconds": _seconds(result.duration),
        "rows": None if failure else result.rows,
        "rows_inserted": cost.rows_inserted,
        "rows_deleted": cost.rows_deleted,
        "rows_unchanged": result.rows_unchanged,
        "size_bytes": None if failure else result.size_bytes,
        "worker_wait_seconds": _seconds(cost.worker_wait),
        "throttle_wait_seconds": _seconds(cost.throttle_wait),
        "lock_wait_seconds": _seconds(cost.lock_wait),
        "satisfied_by": result.satisfied_by,
        "definition_drift": len(view.definition_drift) or None,
        "notes": len(result.notes) or None,
    }


def _seconds(duration: timedelta) -> float:
    return round(duration.total_seconds(), 3)
