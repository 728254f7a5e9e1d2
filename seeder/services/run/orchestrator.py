"""Executes a run: preconditions, lock, plan, record, schedule, close, summarise."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from time import monotonic

from django.db import DEFAULT_DB_ALIAS, Error, connections

from seeder import conf
from seeder.conf import Settings
from seeder.domain.outcomes import RefreshResult, RunSummary
from seeder.domain.parallel_query import ParallelQuery
from seeder.domain.plan import PlannedView, RefreshPlan
from seeder.domain.refresh_requests import RefreshRequest
from seeder.domain.run_events import RunEnded, RunEvent, RunStarted, RunWarning, ViewsVacuumed, WarningKind
from seeder.postgres import sessions, view_state_queries
from seeder.postgres.contract import OptionalTables
from seeder.postgres.sqlstates import translate_database_errors
from seeder.services import change_samples, manifest_selection
from seeder.services.data_checks.check_ordering import add_check_orders
from seeder.services.data_checks.run_data_checks import RunDataChecks
from seeder.services.groups.group_planning import add_groups
from seeder.services.groups.group_refresh import GroupRefresher
from seeder.services.groups.group_selection import complete_groups
from seeder.services.history_rows import RunHistoryWriter
from seeder.services.notifications.run_lineage import RunLineage
from seeder.services.notifications.run_notifications import RunNotifications
from seeder.services.retry import retry_transient
from seeder.services.run import (
    connection_pools,
    mode_choice,
    orphan_recovery,
    parallel_query,
    planning,
    preconditions,
    skip_planning,
)
from seeder.services.run.admission_control import AdmissionControl
from seeder.services.run.cancel_listener import CancelListener
from seeder.services.run.change_sampling import ChangeSampling
from seeder.services.run.cost_meter import CostMeter
from seeder.services.run.data_as_of import DataAsOf
from seeder.services.run.database_scheduler import RunCallbacks, StartPolicy
from seeder.services.run.held_inputs import add_held_inputs
from seeder.services.run.listeners import EventCallback, Listeners
from seeder.services.run.log_listener import LogListener
from seeder.services.run.run_liveness_lock import RunLock, new_run_id
from seeder.services.run.run_rows import RunRowWriter
from seeder.services.run.running_view_marker import RunningStatusWriter
from seeder.services.run.scheduler import run_plan
from seeder.services.run.shared_refresh import SharedRefresher, shareable_views, sharing_limits
from seeder.services.run.skipping import RunSkipping
from seeder.services.run.vacuuming import Vacuuming, vacuum_views
from seeder.services.run.view_refresh import ViewRefresher
from seeder.services.run.worker_pool import Ending, Start
from seeder.services.stop_signal import StopSignal
from seeder.services.structured_log import ERROR, log_event


def preview(request: RefreshRequest, *, max_workers: int | None = None, force: bool = False) -> RefreshPlan:
    """Return the plan for a request without running it. Changes nothing. With `force`, no view is skipped.

    Raises `RequestError`, `ConfigurationError` or `DatabaseError`.
    """
    return _plan(request, _settings(max_workers), force=force)


def _settings(max_workers: int | None) -> Settings:
    """Return the settings, with another number of workers if given."""
    settings = conf.load()
    return settings if max_workers is None else replace(settings, max_workers=max_workers)


def _plan(
    request: RefreshRequest, settings: Settings, tables: OptionalTables | None = None, *, force: bool = False
) -> RefreshPlan:
    """Plan a request: for a run if `tables` is given. Only a run saves definitions and notes held inputs."""
    selection, groups = complete_groups(manifest_selection.select(request, databases=settings.databases), settings)
    plan = planning.build(selection, tables, save_confirmed=tables is not None, workers=settings.max_workers)
    plan = mode_choice.add_modes(plan, settings, tables)
    plan = skip_planning.add_skips(plan, settings, tables, force=force)
    plan = add_check_orders(plan, settings)
    if tables is not None:
        plan = add_held_inputs(plan, settings, tables)
        plan = change_samples.add_requests(plan, tables)
    return add_groups(plan, groups)


@translate_database_errors(DEFAULT_DB_ALIAS)
def execute_run(  # noqa: PLR0913  # the options of the commands
    request: RefreshRequest,
    *,
    on_event: Callable[[RunEvent], object] = lambda _: None,
    stop: StopSignal | None = None,
    requested_by: str = "",
    force: bool = False,
    max_workers: int | None = None,
) -> RunSummary:
    """Plan a request and run it.

    Failed views are in the summary, not raised. `on_event` gets each event after its row is written, in the calling
    thread. When `stop` is set, the run cancels its refreshes and ends. With `force`, no view is skipped. `max_workers`
    is that of each database (None: as in the settings).

    Raises `RequestError`, `ConfigurationError`, `SampleTableUnusable` or `DatabaseError`.
    """
    requested_at = preconditions.require_all(conf.load())
    change_samples.request_samples(request, requested_by=requested_by)
    origin = RunOrigin(requested_at=requested_at, requested_by=requested_by, is_forced=force, max_workers=max_workers)
    with RunLock(new_run_id()) as run_lock:
        return execute_locked(request, run_lock, origin, stop=stop or StopSignal(), on_event=on_event)


@dataclass(frozen=True, kw_only=True, slots=True)
class RunOrigin:
    """When and by whose request a run was started."""

    requested_at: datetime  # the database's clock; another run's refresh that started later satisfies this request
    requested_by: str
    is_forced: bool = False  # no view is skipped
    max_workers: int | None = None  # in each database; None: as in the settings


@translate_database_errors(DEFAULT_DB_ALIAS)
def execute_locked(  # noqa: PLR0913  # what the two callers differ in
    request: RefreshRequest,
    run_lock: RunLock,
    origin: RunOrigin,
    *,
    stop: StopSignal,
    on_event: Callable[[RunEvent], object] = lambda _: None,
    cancel_requested_by: Callable[[], str | None] | None = None,
) -> RunSummary:
    """Execute a run for a caller that holds the run lock.

    `cancel_requested_by` reads the row by which the run is cancelled (None: its own).
    """
    settings, tables = _settings(origin.max_workers), OptionalTables.read(DEFAULT_DB_ALIAS)
    plan = _plan(request, settings, tables, force=origin.is_forced)
    workers = connection_pools.workers_by_database(settings, plan.by_database)
    most_workers = max(workers.values(), default=settings.max_workers)
    parallel = parallel_query.choose(plan, settings, tables, workers, most_workers=most_workers)
    views = (view.key for view in plan.views)
    namesakes = manifest_selection.find_namesakes(views, databases=settings.databases)
    history = RunHistoryWriter(run_lock.run_id, namesakes=namesakes)
    run_row = RunRowWriter(run_lock.run_id, tables)
    meter = CostMeter(plan.by_database, history, tables)
    recorders = (
        run_lock,
        CancelListener(cancel_requested_by or run_row.cancel_requested_by, stop),
        RunningStatusWriter(history),
        run_row,
        meter,
    )
    notifications = RunNotifications(run_lock.run_id, settings, tables)
    lineage = RunLineage(run_lock.run_id, settings, tables)
    listeners = Listeners(*recorders, LogListener(run_lock.run_id), notifications, lineage, EventCallback(on_event))
    orphan_recovery.recover_orphaned_runs(tables)
    run_lock.ensure_held()  # planning may have lost the connection that held it
    history.insert_pending(plan)
    with _rows_closed_on_error(history, run_row):
        run_row.open(
            plan,
            request.description,
            origin.requested_by,
            workers=most_workers,
            parallel_query=parallel.by_database,
        )
        listeners.on_event(RunStarted(run_id=run_lock.run_id, plan=plan, workers=most_workers))
        for message in connection_pools.pool_warnings(settings, workers):
            listeners.on_event(RunWarning(kind=WarningKind.FEATURE_UNAVAILABLE, message=message))
        for message in plan.warnings.values():
            listeners.on_event(RunWarning(kind=WarningKind.DEPENDENCIES_UNKNOWN, message=message))
        for missed in plan.missed_contracts:
            listeners.on_event(RunWarning(kind=WarningKind.CONTRACT_AT_RISK, message=str(missed)))
        for message in preconditions.missing_features(settings, plan.by_database, tables):
            listeners.on_event(RunWarning(kind=WarningKind.FEATURE_UNAVAILABLE, message=message))
        as_of = DataAsOf(tables)
        refresher = ViewRefresher(
            history=history,
            settings=settings,
            stop=stop,
            requested_at=origin.requested_at,
            meter=meter,
            data_checks=RunDataChecks(run_id=run_lock.run_id, settings=settings, tables=tables, stop=stop),
            as_of=as_of,
            sampling=ChangeSampling(settings=settings, stop=stop),
            skipping=RunSkipping.of(plan, settings, as_of),
        )
        results = _schedule(plan, refresher, tables, listeners, workers=workers, parallel=parallel)
        vacuuming = _vacuum(results, refresher, listeners, workers, has_groups=bool(plan.groups))
        results = vacuuming.with_costs(results)
        meter.close(vacuuming.durations)
        finished_at = retry_transient(
            lambda _: _close_rows(history, run_row, stop.reason),
            retries=settings.max_retries,
            stop=StopSignal(),  # not the run's own, because a stopped run closes its rows too
        )
    summary = RunSummary(
        run_id=run_lock.run_id,
        results=results,
        interrupted=tuple(view for view in plan.views if view not in results),
        stopped_by=stop.reason,
        rejected=plan.rejected,
        duration=finished_at - run_lock.locked_at,  # without the time that a queued part waited for a worker
    )
    listeners.on_event(RunEnded(summary=summary))
    return summary


def _schedule(  # noqa: PLR0913  # the parts of a run
    plan: RefreshPlan,
    refresher: ViewRefresher,
    tables: OptionalTables,
    listeners: Listeners,
    *,
    workers: Mapping[str, int],
    parallel: ParallelQuery,
) -> dict[PlannedView, RefreshResult]:
    settings = refresher.settings
    admission = AdmissionControl(settings, tables)
    groups = GroupRefresher(refresher, plan.groups)
    shared = SharedRefresher(refresher, records_states=tables.is_usable(view_state_queries.TABLE))

    def refresh(start: Start) -> Ending:
        (view, context), *_ = start.items()
        return shared.refresh(start) if context.shares_transaction else groups.refresh(view, context)

    callbacks = RunCallbacks(
        refresh=refresh,
        give_up=refresher.give_up,
        admit=admission.admit,
        record_result=admission.record_result,
        cancel=refresher.in_flight.cancel_all,
        close_worker=connections.close_all,
        on_event=listeners.on_event,
        on_tick=listeners.on_tick,
    )
    policy = StartPolicy(
        workers=settings.max_workers,
        max_batch_size=settings.batch_size,
        batch_delay=timedelta(milliseconds=settings.start_delay_ms),
        max_hold=timedelta(seconds=settings.max_wait_seconds),
        workers_by_database=workers,
        sharing=sharing_limits(settings),
        shareable=shareable_views(plan, settings, refresher.history),
        parallel_query=parallel,
    )
    return run_plan(plan, policy=policy, callbacks=callbacks, stop=refresher.stop)


def _vacuum(
    results: Mapping[PlannedView, RefreshResult],
    refresher: ViewRefresher,
    listeners: Listeners,
    workers: Mapping[str, int],
    *,
    has_groups: bool,
) -> Vacuuming:
    begun, settings = monotonic(), refresher.settings
    percent = settings.vacuum_churn_percent if settings.refresh_concurrently or has_groups else 0
    vacuuming = vacuum_views(
        results, churn_percent=percent, workers=workers, stop=refresher.stop, on_tick=listeners.on_tick
    )
    if vacuuming.durations or vacuuming.skipped:
        duration = timedelta(seconds=monotonic() - begun)
        vacuumed = tuple(vacuuming.durations)
        listeners.on_event(ViewsVacuumed(views=vacuumed, skipped=vacuuming.skipped, duration=duration))
    return vacuuming


def _close_rows(history: RunHistoryWriter, run_row: RunRowWriter, stopped_by: str | None) -> datetime:
    if stopped_by is not None:
        history.mark_interrupted(stopped_by)
    return run_row.close(stopped_by)


@contextmanager
def _rows_closed_on_error(history: RunHistoryWriter, run_row: RunRowWriter) -> Iterator[None]:
    """Close the rows after an unexpected error, if the database still answers."""
    try:
        with translate_database_errors(DEFAULT_DB_ALIAS):  # log and rows then name the error as the command does
            yield
    except BaseException as error:
        log_event(ERROR, "run_broken", run_id=history.run_id, reason=type(error).__name__)
        with suppress(Error):  # the first error is the cause; one from closing the rows would hide it
            sessions.discard_if_broken(DEFAULT_DB_ALIAS)
            _close_rows(history, run_row, f"{type(error).__name__} {error}".strip())
        raise
