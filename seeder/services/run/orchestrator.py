"""The composition root: what a door calls to have views refreshed."""

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from time import monotonic

from django.db import DEFAULT_DB_ALIAS, Error

from seeder import conf
from seeder.domain.admission_decisions import Hold
from seeder.domain.outcomes import RefreshResult, RunSummary, StartContext
from seeder.domain.plan import PlannedView, RefreshPlan
from seeder.domain.refresh_costs import RefreshCost
from seeder.domain.refresh_requests import RefreshRequest
from seeder.domain.run_events import RunEnded, RunEvent, RunStarted, RunWarning, WarningKind
from seeder.postgres import sessions
from seeder.postgres.sqlstates import translate_database_errors
from seeder.services import manifest_selection
from seeder.services.event_logger import ERROR, log_event
from seeder.services.retry import retry_transient
from seeder.services.run import event_log, orphan_recovery, planning, preconditions
from seeder.services.run.admission_control import AdmissionControl
from seeder.services.run.circuit_breakers import CircuitBreakers
from seeder.services.run.cost_meter import CostMeter
from seeder.services.run.database_scheduler import RunCallbacks, StartPolicy
from seeder.services.run.run_lock import RunLock
from seeder.services.run.run_rows import RunRowWriter
from seeder.services.run.running_status import RunningStatusWriter
from seeder.services.run.scheduler import run_plan
from seeder.services.run.view_refresh import ViewRefresher
from seeder.services.run_history import RunHistoryWriter
from seeder.services.stop_signal import StopSignal


def preview(request: RefreshRequest) -> RefreshPlan:
    """The plan for a request as it would be run now. Changes nothing.

    Raises `RequestError`, `ConfigurationError` or `DatabaseError`.
    """
    return planning.build(manifest_selection.select(request, databases=conf.load().databases))


def execute_run(
    request: RefreshRequest,
    *,
    on_event: Callable[[RunEvent], object] = lambda _: None,
    stop: StopSignal | None = None,
    requested_by: str = "",
) -> RunSummary:
    """Plan a request and run it. Failed views are in the summary, not raised; `emit` hears what happens, when its row
    is written, in the thread of the caller. When `stop` is requested, the run cancels what is in flight and ends.

    Raises `RequestError`, `ConfigurationError` or `DatabaseError`.
    """
    with translate_database_errors(DEFAULT_DB_ALIAS):
        preconditions.require_all(conf.load())
        asked = sessions.server_time(DEFAULT_DB_ALIAS)
        with RunLock(new_run_id()) as life:
            return execute_locked(
                request,
                life,
                RunOrigin(requested_at=asked, requested_by=requested_by),
                on_event=on_event,
                stop=stop or StopSignal(),
            )


@dataclass(frozen=True, kw_only=True, slots=True)
class RunOrigin:
    """Who wants a run, and since when."""

    requested_at: datetime  # by the database's clock; a refresh of another run that began after it will do as well
    requested_by: str


def execute_locked(
    request: RefreshRequest,
    run_lock: RunLock,
    origin: RunOrigin,
    *,
    on_event: Callable[[RunEvent], object],
    stop: StopSignal,
) -> RunSummary:
    """As `execute`, for whoever already holds the lock that shows that the run is alive."""
    settings, began = conf.load(), sessions.server_time(DEFAULT_DB_ALIAS)
    plan = planning.build(manifest_selection.select(request, databases=settings.databases), save_confirmed=True)
    history, run_row = RunHistoryWriter(run_lock.run_id), RunRowWriter(run_lock.run_id)
    on_event = event_log.log_events(history.run_id, on_event)
    with translate_database_errors(DEFAULT_DB_ALIAS):
        orphan_recovery.recover_orphaned_runs()
        run_lock.ensure_held()
        history.insert_pending(plan)
        with _closing_on_error(history, run_row):
            run_row.open(
                plan, description=request.description, requested_by=origin.requested_by, workers=settings.max_workers
            )
            on_event(RunStarted(run_id=history.run_id, plan=plan, workers=settings.max_workers))
            for message in plan.warnings:
                on_event(RunWarning(kind=WarningKind.DEPENDENCIES_UNKNOWN, message=message))
            for message in preconditions.missing_features(settings, plan.by_database):
                on_event(RunWarning(kind=WarningKind.FEATURE_UNAVAILABLE, message=message))
            meter = CostMeter(plan.by_database)
            refresher = ViewRefresher(
                history=history, settings=settings, stop=stop, requested_at=origin.requested_at, meter=meter
            )
            work = _wire_callbacks(refresher, run_lock, run_row, on_event)
            results = run_plan(plan, policy=_start_policy(settings), callbacks=work, stop=stop)
            meter.close()
            ended = retry_transient(
                lambda _: _close_rows(history, run_row, stop), retries=settings.max_retries, stop=StopSignal()
            )
    summary = RunSummary(
        run_id=history.run_id,
        results=results,
        interrupted=tuple(view for view in plan.views if view not in results),
        stopped_by=stop.reason,
        rejected=plan.rejected,
        duration=ended - began,  # without the time in which a queued part waited for a worker
    )
    on_event(RunEnded(summary=summary))
    return summary


def _wire_callbacks(
    refresher: ViewRefresher, run_lock: RunLock, run_row: RunRowWriter, on_event: Callable[[RunEvent], object]
) -> RunCallbacks:
    admission = AdmissionControl(
        settings=refresher.settings, circuit_breakers=CircuitBreakers.from_settings(refresher.settings)
    )
    history, meter, running_status = (
        refresher.history,
        refresher.meter,
        RunningStatusWriter(refresher.history, monotonic),
    )

    def record_result(view: PlannedView, result: RefreshResult, turn: StartContext) -> None:
        admission.record_result(view, result, turn)
        meter.on_view_ended(view, history.history_ids(view.spec), result)

    def give_up(view: PlannedView, hold: Hold, cost: RefreshCost) -> RefreshResult:
        result = refresher.give_up(view, hold, cost)
        meter.on_view_ended(view, history.history_ids(view.spec), result)
        return result

    def dispatch_event(event: RunEvent) -> None:
        running_status.on_event(event)
        run_row.on_event(event)
        on_event(event)

    def on_tick() -> None:
        run_lock.keepalive()
        running_status.on_tick()
        meter.on_tick()

    return RunCallbacks(
        refresh=refresher.refresh,
        give_up=give_up,
        admit=admission.admit,
        record_result=record_result,
        cancel=refresher.in_flight.cancel_all,
        on_tick=on_tick,
        close_worker=sessions.close_thread_connections,
        on_event=dispatch_event,
    )


def _start_policy(settings: conf.Settings) -> StartPolicy:
    return StartPolicy(
        workers=settings.max_workers,
        max_batch_size=settings.batch_size,
        batch_delay=timedelta(milliseconds=settings.start_delay_ms),
        max_hold=timedelta(seconds=settings.max_wait_seconds),
    )


def _close_rows(history: RunHistoryWriter, run_row: RunRowWriter, stop: StopSignal) -> datetime:
    if stop.requested:
        history.mark_interrupted(str(stop.reason))
    run_row.close(stop.reason)
    return sessions.server_time(DEFAULT_DB_ALIAS)


@contextmanager
def _closing_on_error(history: RunHistoryWriter, run_row: RunRowWriter) -> Iterator[None]:
    """Whatever goes wrong inside, no row is left open, as far as the database still answers."""
    try:
        with translate_database_errors(DEFAULT_DB_ALIAS):  # so that log and rows name it as the command does
            yield
    except BaseException as error:
        log_event(ERROR, "run_broken", run_id=history.run_id, reason=type(error).__name__)
        with suppress(Error):  # the surprise may be that it does not; it says more than the next error would
            sessions.discard_if_broken(DEFAULT_DB_ALIAS)
            reason = f"{type(error).__name__} {error}".strip()
            history.mark_interrupted(reason)
            run_row.close(reason)
        raise


def new_run_id() -> str:
    """Sorts by the time of its start for a person, and is unique by chance; nothing is decided by it."""
    return f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(4)}"
