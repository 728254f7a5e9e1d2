"""What a run tells, in the log."""

from collections.abc import Iterable
from datetime import timedelta

from seeder.domain.log_format import LogValue, sorted_unique
from seeder.domain.outcomes import RefreshResult, RunSummary
from seeder.domain.plan import PlannedView, RefreshPlan
from seeder.domain.run_events import (
    RunEnded,
    RunEvent,
    RunStarted,
    RunWarning,
    StartsHeld,
    StartsResumed,
    ViewEnded,
    ViewStarted,
    WarningKind,
)
from seeder.services.event_logger import INFO, WARNING, log_event
from seeder.services.run.listeners import RunListener


class EventLog(RunListener):
    """Logs the events of one run. A view that was logged as started is also logged as ended."""

    def __init__(self, run_id: str) -> None:
        self._run_id = run_id
        self._running = set[PlannedView]()

    def on_event(self, event: RunEvent) -> None:
        match event:
            case ViewStarted(view=view):
                self._running.add(view)
            case ViewEnded(view=view):
                self._running.discard(view)
            case RunEnded(summary=summary):
                cancelled = [view for view in summary.interrupted if view in self._running]
                _log_interrupted(self._run_id, cancelled, summary.stopped_by)
        _log_event(self._run_id, event)


def _log_event(run_id: str, event: RunEvent) -> None:
    match event:
        case RunStarted(plan=plan, workers=seats):
            _log_run_started(run_id, plan, seats)
        case ViewStarted(view=view):
            log_event(INFO, "view_started", run_id=run_id, **_view_fields(view))
        case ViewEnded(view=view, result=result):
            level = WARNING if result.failure or result.notes else INFO
            log_event(level, "view_ended", run_id=run_id, **_view_fields(view), **_result_fields(view, result))
        case StartsHeld(database=database, hold=hold):
            facts = {"database": database, "reason": hold.reason, "message": hold.message}
            log_event(WARNING, "starts_held", run_id=run_id, **facts)
        case StartsResumed(database=database, duration=after):
            log_event(WARNING, "starts_resumed", run_id=run_id, database=database, duration_seconds=_seconds(after))
        case RunWarning(kind=about, message=message, database=database):
            safe_message = message if about is WarningKind.FEATURE_UNAVAILABLE else None  # the others quote the server
            log_event(WARNING, "run_warning", run_id=run_id, database=database, reason=about, message=safe_message)
        case RunEnded(summary=summary):
            _log_run_ended(run_id, summary)


def _log_run_started(run_id: str, plan: RefreshPlan, workers: int) -> None:
    views, databases = len(plan.views), sorted_unique(plan.by_database)
    log_event(
        INFO,
        "run_started",
        run_id=run_id,
        views=views,
        rejected=len(plan.rejected),
        workers=workers,
        databases=databases,
    )
    for complaint in plan.rejected:
        manifest = complaint.manifest
        log_event(
            WARNING,
            "manifest_rejected",
            run_id=run_id,
            view=manifest.table_name,
            agencies=(manifest.agency_slug,),
            report_types=(manifest.report_type,),
            manifest_id=manifest.manifest_id,
            reason=complaint.reason,
        )


def _log_interrupted(run_id: str, views: Iterable[PlannedView], stopped_by: str | None) -> None:
    """So that whatever is told to have started is told to have ended."""
    for view in views:
        log_event(
            WARNING, "view_ended", run_id=run_id, **_view_fields(view), outcome="interrupted", stopped_by=stopped_by
        )


def _log_run_ended(run_id: str, summary: RunSummary) -> None:
    interrupted = len(summary.interrupted)
    log_event(
        WARNING if summary.failed or interrupted else INFO,
        "run_ended",
        run_id=run_id,
        succeeded=summary.succeeded,
        failed=summary.failed,
        interrupted=interrupted,
        stopped_by=summary.stopped_by,
        duration_seconds=_seconds(summary.duration),
    )


def _view_fields(view: PlannedView) -> dict[str, LogValue]:
    manifests = view.spec.manifests
    return {
        "view": str(view.key.name),
        "database": view.key.database,
        "agencies": sorted_unique(manifest.agency_slug for manifest in manifests),
        "report_types": sorted_unique(manifest.report_type for manifest in manifests),
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
        "size_bytes": None if failure else result.size_bytes,
        "worker_wait_seconds": _seconds(cost.worker_wait),
        "throttle_wait_seconds": _seconds(cost.throttle_wait),
        "lock_wait_seconds": _seconds(cost.lock_wait),
        "satisfied_by": result.satisfied_by,
        "definition_drift": len(view.definition_drift) or None,
        "notes": len(result.notes) or None,
    }


def _seconds(span: timedelta | None) -> float | None:
    return None if span is None else round(span.total_seconds(), 3)
