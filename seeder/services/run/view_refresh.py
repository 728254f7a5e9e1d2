"""Refreshes one view, from taking it up to the recorded outcome."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from time import monotonic
from typing import TypeVar, cast

from django.db import DEFAULT_DB_ALIAS, Error

from seeder.conf import Settings
from seeder.domain import result_notes
from seeder.domain.admission_decisions import Hold
from seeder.domain.outcomes import Failure, Outcome, RefreshResult, StartContext
from seeder.domain.plan import PlannedView
from seeder.domain.refresh_costs import RefreshCost
from seeder.postgres import advisory_locks, catalog, sessions, transaction_limits, transactions
from seeder.postgres.sqlstates import LOCK_NOT_AVAILABLE, QUERY_CANCELED, first_line, is_connection_lost, sqlstate
from seeder.services import manifest_selection
from seeder.services.retry import retry_transient
from seeder.services.run import create_or_refresh, failure_report, worker_pool
from seeder.services.run.cost_meter import CostMeter, Measurement
from seeder.services.run.worker_pool import WorkerLost
from seeder.services.run_history import RunHistoryWriter, refresh_by_another_run
from seeder.services.stop_signal import StopSignal

Done = TypeVar("Done")

_MAX_LOCK_WAIT_MS = 2**31 - 1  # milliseconds: the most that PostgreSQL takes


class RefreshStopped(Exception):
    """The run is to end, and this view's refresh was not begun or was cancelled."""


@dataclass(frozen=True, kw_only=True)
class ViewRefresher:
    """How the views of one run are refreshed. Each seat calls `refresh` in a thread of its own."""

    history: RunHistoryWriter
    settings: Settings
    stop: StopSignal
    requested_at: datetime  # when somebody asked for this run
    meter: CostMeter
    in_flight: sessions.CancellableStatements = field(default_factory=sessions.CancellableStatements)

    def limits(self, context: StartContext) -> transaction_limits.TransactionLimits:
        return transaction_limits.TransactionLimits(
            lock_timeout_ms=self.settings.lock_timeout_ms,
            statement_timeout_ms=self.settings.statement_timeout_ms,
            allow_parallel=self.settings.parallel_when_busy or not context.pool_is_full,
            application_name=f"seeder {self.history.run_id}",
        )

    def refresh(self, view: PlannedView, context: StartContext) -> RefreshResult:
        """Create or refresh the view, and record how it ended.

        The refresh and its outcome commit together where the view lives in the database that holds the history; a view
        elsewhere is recorded right after it. What PostgreSQL has against the view is its result. An error in recording
        it is raised, because then nothing written here is true any more; so is `Stopped`, whose row the run closes.
        """
        return _ViewRefresh(self, view, context).result()

    def give_up(self, view: PlannedView, hold: Hold, cost: RefreshCost) -> RefreshResult:
        """Record a view that was never started."""

        def refused() -> RefreshResult:
            now = sessions.server_time(DEFAULT_DB_ALIAS)
            message = f"Not started, as {hold.message}."
            failed = Failure(reason=hold.reason, message=message)
            return RefreshResult(
                outcome=Outcome.FAILED, started_at=now, finished_at=now, attempts=0, failure=failed, cost=cost
            )

        result = self.retry_transient(lambda _: refused())
        self.record_result(view, result)
        return result

    def record_result(self, view: PlannedView, result: RefreshResult) -> None:
        """Record a result by itself."""

        def record(number: int) -> None:
            if number > 1 and self.history.has_recorded(view.spec, result):
                return  # the answer to the commit was lost
            with transactions.durable_transaction(DEFAULT_DB_ALIAS):
                self.history.record_result(view.spec, result)

        self.retry_transient(record)

    def retry_transient(self, operation: Callable[[int], Done], database: str = DEFAULT_DB_ALIAS) -> Done:
        return retry_transient(operation, retries=self.settings.max_retries, stop=self.stop, database=database)


class _ViewRefresh:
    """One view's turn."""

    def __init__(self, refresher: ViewRefresher, view: PlannedView, context: StartContext) -> None:
        self._refresher, self._view, self._context = refresher, view, context
        self._database, self._name = view.key.database, view.key.name
        self._attempts = 0
        self._lock_wait = timedelta()
        self._started_at: datetime | None = None  # when it had the view to itself; None as long as it has not
        self._uncommitted_result: RefreshResult | None = None  # as it is true if the transaction has committed

    def result(self) -> RefreshResult:
        try:
            result = self._refresher.retry_transient(self._attempt, self._database)
        except Error as error:
            if self._refresher.stop.requested and sqlstate(error) == QUERY_CANCELED:
                raise RefreshStopped from error
            if self._uncommitted_result is not None and self._is_recorded(self._uncommitted_result):
                return self._uncommitted_result
            if self._database == DEFAULT_DB_ALIAS and self._started_at is None and is_connection_lost(error):
                raise WorkerLost(first_line(error)) from error
            result = self._failed_result(error)
        if result.failure is not None or self._database != DEFAULT_DB_ALIAS:
            self._refresher.record_result(self._view, result)
        return result

    def _attempt(self, number: int) -> RefreshResult:
        self._attempts = number
        if self._uncommitted_result is not None and self._is_recorded(self._uncommitted_result):
            return self._uncommitted_result  # the connection was lost after the server had committed
        began, waited = monotonic(), self._lock_wait
        try:
            return self._in_one_transaction()
        except Error as error:
            if sqlstate(error) == LOCK_NOT_AVAILABLE:  # in vain, together with what it waited for the view's own lock
                self._lock_wait = waited + timedelta(seconds=monotonic() - began)
            raise

    def _in_one_transaction(self) -> RefreshResult:
        """Limit, lock and look, take over or fill, measure and record."""
        with self._refresher.meter.measure(self._view) as reading:
            with transactions.BatchedTransaction(self._database) as transaction:
                with self._refresher.in_flight.track(self._database):
                    if self._refresher.stop.requested:
                        raise RefreshStopped
                    exists, others = self._lock_limit_and_look(transaction)
                    done = refresh_by_another_run(
                        others, is_ours=self._is_own_manifest
                    ) or create_or_refresh.create_or_refresh(self._view, self._refresher.settings, exists=exists)
                self._uncommitted_result = self._record(done, reading)
            return replace(
                self._uncommitted_result, cost=replace(self._uncommitted_result.cost, backend=reading.backend_cost())
            )

    def _lock_limit_and_look(self, transaction: transactions.BatchedTransaction) -> tuple[bool, sessions.Rows]:
        """Have the view to ourselves; whether it exists, and what other runs have done to it. A refresh that began
        after we were asked for ours, and after what the view reads in this plan had ended, shows all ours would."""
        after = max(
            self._refresher.requested_at, self._context.dependencies_finished_at or self._refresher.requested_at
        )
        statement, parameters = self._refresher.history.query_other_refreshes(self._view.spec, after=after)
        is_default = self._database == DEFAULT_DB_ALIAS
        first = (
            advisory_locks.SET_LOCK_WAIT,
            advisory_locks.LOCK_VIEW,
            transaction_limits.APPLY_LIMITS,
            catalog.RELATION_EXISTS,
            *([statement] if is_default else []),
        )
        name = {"schema": self._name.schema, "name": self._name.name, "lock_wait": self._lock_wait_ms}
        waits, locked, _, found, *others = transaction.begin(
            first, {**self._refresher.limits(self._context).parameters, **name, **parameters}
        )
        wait_started_at, now = waits[0][-1], locked[0][-1]
        self._lock_wait += now - wait_started_at
        # Instants are compared with others in the history, so they are by the clock of its server.
        self._started_at = now if is_default else sessions.server_time(DEFAULT_DB_ALIAS)
        return bool(found), others[0] if is_default else sessions.query(DEFAULT_DB_ALIAS, statement, parameters)

    @property
    def _lock_wait_ms(self) -> int:
        """For how many milliseconds more to wait for another run that is at the view: until it has been as long as any
        wait may be. Who gave up sooner would report a view as failed that is being refreshed; or leave it as it was,
        where that refresh turns out to be of a run that was taken for dead, and is undone."""
        settings = self._refresher.settings
        left = settings.max_wait_seconds * 1000 - int(self._lock_wait.total_seconds() * 1000)
        return min(max(left, settings.lock_timeout_ms), _MAX_LOCK_WAIT_MS)

    def _is_own_manifest(self, report_type: str, manifest_id: int) -> bool:
        databases = self._refresher.settings.databases
        return manifest_selection.is_manifest_in_database(report_type, manifest_id, self._database, databases=databases)

    def _record(self, done: RefreshResult | create_or_refresh.RefreshDone, measurement: Measurement) -> RefreshResult:
        """The result, written where that belongs into this transaction."""
        is_default, spec, started = (
            self._database == DEFAULT_DB_ALIAS,
            self._view.spec,
            cast("datetime", self._started_at),
        )
        if isinstance(done, RefreshResult):
            reused = self._with_waits_and_notes(done)
            if is_default:
                self._refresher.history.record_result(spec, reused)
            return reused
        cpu, memory = measurement.process_cost()
        result = self._with_waits_and_notes(
            RefreshResult(
                outcome=done.outcome,
                started_at=started,
                finished_at=started,
                mode=done.mode,
                fell_back=done.fell_back,
                cost=RefreshCost(cpu_time=cpu, peak_memory_bytes=memory),
            )
        )
        if is_default:
            return self._refresher.history.measure_and_record_success(spec, result)
        rows, size = catalog.measure_view(self._database, self._name)
        return replace(result, rows=rows, size_bytes=size, finished_at=sessions.server_time(DEFAULT_DB_ALIAS))

    def _with_waits_and_notes(self, result: RefreshResult) -> RefreshResult:
        """With what it waited for and what else is to be known of it."""
        turn = self._context
        cost = replace(
            result.cost,
            worker_number=worker_pool.worker_number.get(),
            worker_wait=turn.worker_wait,
            throttle_wait=turn.throttle_wait,
            lock_wait=self._lock_wait,
        )
        result_notes_ = tuple(result_notes.notes_for(result, self._context, self._view.definition_drift))
        return replace(result, cost=cost, attempts=self._attempts, notes=result_notes_)

    def _failed_result(self, error: Error) -> RefreshResult:
        finished = self._refresher.retry_transient(lambda _: sessions.server_time(DEFAULT_DB_ALIAS))
        failure = failure_report.describe_failure(
            error, self._view.key, refreshes_plainly=not self._refresher.settings.refresh_concurrently
        )
        return self._with_waits_and_notes(
            RefreshResult(
                outcome=Outcome.FAILED, started_at=self._started_at or finished, finished_at=finished, failure=failure
            )
        )

    def _is_recorded(self, result: RefreshResult) -> bool:
        return self._refresher.retry_transient(lambda _: self._refresher.history.has_recorded(self._view.spec, result))
