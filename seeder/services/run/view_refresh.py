"""Refreshes one view, from its lock to its recorded outcome.

`_ViewRefresh._refresh_in_one_transaction` has the steps. In the default database, the view and its history row commit
together. For a view in another database, the row is written right after the commit.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from time import monotonic
from typing import TypeVar

from django.db import DEFAULT_DB_ALIAS, Error

from seeder.conf import Settings
from seeder.domain import result_notes
from seeder.domain.admission_types import Hold
from seeder.domain.mode_predictor import RefreshMode
from seeder.domain.outcomes import Outcome, RefreshResult, StartContext
from seeder.domain.plan import PlannedView
from seeder.domain.refresh_costs import RefreshCost
from seeder.postgres import sessions, transactions
from seeder.postgres.input_locks import LockedInputs, lock_inputs
from seeder.postgres.named_statements import STATEMENTS
from seeder.postgres.row_counts import ViewBeforeRefresh
from seeder.postgres.sqlstates import LOCK_NOT_AVAILABLE, QUERY_CANCELED, first_line, is_connection_lost, sqlstate
from seeder.postgres.transactions import atomic
from seeder.services import change_samples, manifest_selection
from seeder.services.data_checks.run_data_checks import RunDataChecks, ViewHeld
from seeder.services.history_rows import OTHER_REFRESHES, RunHistoryWriter, refresh_by_another_run
from seeder.services.retry import retry_transient
from seeder.services.run import cost_meter, refresh_limits, skip_decisions, unpublished_results, worker_pool
from seeder.services.run.change_sampling import ChangeSampling
from seeder.services.run.checked_query import CheckedQuery, SnapshotLost
from seeder.services.run.cost_meter import CostMeter, Measurement
from seeder.services.run.create_or_refresh import create_or_refresh
from seeder.services.run.data_as_of import DataAsOf
from seeder.services.run.skipping import RunSkipping, ViewSkipping
from seeder.services.run.worker_pool import WorkerLost
from seeder.services.stop_signal import StopSignal

Result = TypeVar("Result")


class RefreshStopped(Exception):
    """A stop of the run cancelled this refresh or prevented its start."""


@dataclass(frozen=True, kw_only=True)
class ViewRefresher:
    """Refreshes the views of one run. Each worker calls `refresh` in its own thread."""

    history: RunHistoryWriter
    settings: Settings
    stop: StopSignal
    requested_at: datetime  # when this run was requested
    meter: CostMeter
    data_checks: RunDataChecks
    as_of: DataAsOf
    skipping: RunSkipping
    sampling: ChangeSampling
    in_flight: sessions.CancellableStatements = field(default_factory=sessions.CancellableStatements)

    def refresh(self, view: PlannedView, context: StartContext) -> RefreshResult:
        """Create or refresh the view, and record the outcome.

        If PostgreSQL cannot refresh the view, the result has the failure. Nothing is raised for it.

        Raises database errors if the outcome cannot be recorded, because the rows are then wrong. Raises
        `RefreshStopped` after a stop; the run then closes the rows.
        """
        if self.settings.hold_dependents and context.held_dependencies:
            result = unpublished_results.held_with_dependency(context, now=self.server_time())
            self.record_result(view, result)
            return result
        return _ViewRefresh(self, view, context).result()

    def give_up(self, view: PlannedView, hold: Hold, waits: RefreshCost) -> RefreshResult:
        """Record a view that was never started because of a hold."""
        result = unpublished_results.given_up(hold, waits, now=self.server_time())
        self.record_result(view, result)
        return result

    def record_result(self, view: PlannedView, result: RefreshResult) -> None:
        """Record a result in a transaction of its own."""

        def record(number: int) -> None:
            if number > 1 and self.history.has_recorded(view.spec, result):
                return  # the commit succeeded, and only its answer was lost
            with atomic(durable=True):
                self.record_rows(view, result)

        self.retry_transient(record)

    def record_rows(self, view: PlannedView, result: RefreshResult) -> None:
        """Close the rows of a view, in a transaction, with the rows that belong to them."""
        self.history.record_result(view.spec, result)
        self.save_check_results(view, result)

    def save_check_results(self, view: PlannedView, result: RefreshResult) -> None:
        """Save data checks, skip decision and changed rows, in the transaction that closes the view's rows."""
        history_id = self.history.history_ids(view.spec)[0]
        self.data_checks.save_results(view, history_id, result)
        skip_decisions.save(view, history_id, result)
        change_samples.save(view, self.history.run_id, history_id, result)

    def server_time(self) -> datetime:
        """Return the time by the clock of the history's server."""
        return self.retry_transient(lambda _: sessions.server_time(DEFAULT_DB_ALIAS))

    def retry_transient(self, operation: Callable[[int], Result], database: str = DEFAULT_DB_ALIAS) -> Result:
        return retry_transient(operation, retries=self.settings.max_retries, stop=self.stop, database=database)


class _ViewRefresh:
    """The refresh of one view, with its retries."""

    def __init__(self, refresher: ViewRefresher, view: PlannedView, context: StartContext) -> None:
        self._refresher, self._view, self._context = refresher, view, context
        self._settings, self._history, self._as_of = refresher.settings, refresher.history, refresher.as_of
        self._database, self._name = view.key.database, view.key.name
        self._is_default = view.key.database == DEFAULT_DB_ALIAS
        self._skipping = ViewSkipping(refresher.skipping, refresher.history, view, context)
        self._attempts = 0
        self._lock_wait = timedelta()
        self._started_at: datetime | None = None  # when the view was locked; None before
        self._uncommitted_result: RefreshResult | None = None  # see `has_recorded`
        self._query = CheckedQuery(view, self._settings, self._history)

    def _refresh_in_one_transaction(self) -> RefreshResult:
        """Lock, limit and look. Reuse, skip, or refresh and check. Measure, record, commit."""
        with self._refresher.meter.measure(self._view) as measurement:
            with self._skipping.transaction() as transaction:
                with self._cancellable():
                    before, started_at, others = self._lock_limit_and_look(transaction)
                    result = self._reuse(others) or self._skipping.skipped_result()
                    if result is not None and result.satisfied_by == self._history.run_id:  # and it is recorded
                        return self._with_waits_and_notes(replace(result, satisfied_by=None, mode=RefreshMode.PLAIN))
                    if result is None:
                        locked = self._lock_inputs(exists=before.exists)
                        before = self._query.begin(transaction, before, locked.inputs, self._parameters())
                        result = self._refresh(before, started_at, locked)
                self._uncommitted_result = result = self._record(result, before, measurement)
            backend = measurement.backend_cost()
            return replace(result, cost=replace(result.cost, backend=backend)) if backend else result

    def result(self) -> RefreshResult:
        """Return the final result, after all attempts, with its row written."""
        try:
            result = self._refresher.retry_transient(self._attempt, self._database)
        except ViewHeld as held:
            result = self._unpublished(partial(unpublished_results.held, self._view, held.checks))
        except Error as error:
            if self._refresher.stop.requested and sqlstate(error) == QUERY_CANCELED:
                raise RefreshStopped from error
            if (committed := self._committed_result()) is not None:
                return committed
            if self._is_default and self._started_at is None and is_connection_lost(error):
                raise WorkerLost(first_line(error)) from error
            plain = not self._settings.refresh_concurrently
            describe = partial(unpublished_results.failed, error, self._view.key, refreshes_plainly=plain)
            result = self._unpublished(describe)
        if result.failure is not None or not self._is_default:
            self._refresher.record_result(self._view, result)
        return result

    def _attempt(self, number: int) -> RefreshResult:
        self._attempts = number
        if (committed := self._committed_result()) is not None:
            return committed
        if self._skipping.can_verify:
            with self._cancellable():
                self._skipping.verify()
        attempt_started, waited_before = monotonic(), self._lock_wait
        if number > 1:  # it lost a race
            self._query.give_up()
        try:
            return self._refresh_in_one_transaction()
        except SnapshotLost:
            self._query.give_up()
            return self._attempt(number)
        except Error as error:
            if sqlstate(error) == LOCK_NOT_AVAILABLE:  # counts as lock wait, with the wait for the view's advisory lock
                self._lock_wait = waited_before + timedelta(seconds=monotonic() - attempt_started)
            if self._skipping.takes_proof:
                self._skipping.takes_proof = False
                if not is_connection_lost(error) and not self._refresher.stop.requested:
                    return self._attempt(number)  # as without a proof, which may have been the cause
            raise

    def _committed_result(self) -> RefreshResult | None:
        """Return the kept result if the server has committed it."""
        if (kept := self._uncommitted_result) is None:
            return None
        is_recorded = self._refresher.retry_transient(lambda _: self._history.has_recorded(self._view.spec, kept))
        return kept if is_recorded else None

    # The steps of one attempt

    @contextmanager
    def _cancellable(self) -> Iterator[None]:
        """Let a stop of the run cancel the statements inside. Raises `RefreshStopped` after a stop."""
        with self._refresher.in_flight.track(self._database):
            if self._refresher.stop.requested:
                raise RefreshStopped
            yield

    def _lock_limit_and_look(
        self, transaction: transactions.BatchedTransaction
    ) -> tuple[ViewBeforeRefresh, datetime, sessions.Rows]:
        """Lock the view. Return its state, the time, and its refreshes by other runs, in one round trip.

        A refresh by another run can be reused if it started after this run was requested and after the dependencies in
        this plan had finished.
        """
        after = self._context.reusable_after(self._refresher.requested_at)
        parameters = self._history.other_refreshes_parameters(self._view.spec, after=after, with_own=True)
        names = ("pin_transactions", "set_lock_wait", "lock", "apply_limits", "view_before_refresh")
        statements = [*(STATEMENTS[name] for name in names), *([OTHER_REFRESHES] if self._is_default else [])]
        _, waiting, locked, _, [state], *others = transaction.begin(statements, {**self._parameters(), **parameters})
        now = locked[0][-1]
        self._lock_wait += now - waiting[0][-1]
        if not self._is_default:  # the history's server has the clock for all times that are compared
            now = sessions.server_time(DEFAULT_DB_ALIAS)
            others = [sessions.query(DEFAULT_DB_ALIAS, OTHER_REFRESHES, parameters)]
        self._started_at = now
        return ViewBeforeRefresh.of(state), now, others[0]

    def _parameters(self) -> dict[str, object]:
        """Return the parameters of statements that lock the view and limit its transaction."""
        limits = refresh_limits.of_transaction(self._settings, self._context, run_id=self._history.run_id)
        return {**limits, **refresh_limits.of_view_lock(self._name, self._settings, self._lock_wait)}

    def _reuse(self, other_refreshes: sessions.Rows) -> RefreshResult | None:
        """Return a refresh by another run that can be reused, or that of a lost shared transaction, or None."""
        is_ours = partial(manifest_selection.is_manifest_in_database, database=self._database)
        return refresh_by_another_run(other_refreshes, is_ours=partial(is_ours, databases=self._settings.databases))

    def _refresh(self, before: ViewBeforeRefresh, started_at: datetime, locked: LockedInputs) -> RefreshResult:
        """Lock the inputs, create or refresh the view, and check it. Count its rows if they cannot be measured.

        Raises `ViewHeld` if a data check failed.
        """
        started_at = self._skipping.begun_at or started_at + locked.waited
        known = self._query.check(self._refresher.data_checks)
        data = self._as_of.before_refresh(self._view, locked.inputs, started_at)
        copied = self._refresher.sampling.before_refresh(self._view, before)
        self._skipping.before_refresh()
        exists, snapshot = before.exists, self._query.snapshot or locked.snapshot
        result = create_or_refresh(self._view, self._settings, exists=exists, started_at=started_at, snapshot=snapshot)
        self._query.require_unreplaced()
        result = self._skipping.after_refresh(result)
        data = self._as_of.after_refresh(self._view, data)
        result, rows = self._refresher.data_checks.check(self._view, replace(result, data=data), known)
        result = self._refresher.sampling.after_refresh(self._view, copied, result)
        return cost_meter.with_counted_rows(result, self._view.key, before, known=rows)

    def _lock_inputs(self, *, exists: bool) -> LockedInputs:
        """Lock what the view reads. `input_locks.sql` explains why."""
        wait = timedelta(milliseconds=self._settings.lock_timeout_ms)
        query, inputs = None if exists else self._view.spec.query, self._view.inputs
        locked = lock_inputs(self._database, self._name, inputs, query_of_missing=query, max_wait=wait)
        self._lock_wait += locked.waited
        return locked

    def _record(self, result: RefreshResult, before: ViewBeforeRefresh, measurement: Measurement) -> RefreshResult:
        """Return the complete result. Write its row if it is in this database."""
        if result.satisfied_by is not None or result.outcome is Outcome.SKIPPED:
            result = self._with_waits_and_notes(result)
            if self._is_default:
                self._refresher.record_rows(self._view, result)
            return result
        cpu_time, peak_memory = measurement.process_cost()
        result = self._with_waits_and_notes(result, cpu_time=cpu_time, peak_memory_bytes=peak_memory)
        if self._is_default:
            record = self._query.record_success if self._query.snapshot else self._skipping.record_success
            result = record(result, before)
            self._refresher.save_check_results(self._view, result)
            return result
        return cost_meter.with_written_rows(result, self._view.key, before)

    def _with_waits_and_notes(
        self, result: RefreshResult, *, cpu_time: timedelta | None = None, peak_memory_bytes: int | None = None
    ) -> RefreshResult:
        cost = replace(
            self._context.waits,
            worker_number=worker_pool.worker_number.get(),
            lock_wait=self._lock_wait,
            cpu_time=cpu_time,
            peak_memory_bytes=peak_memory_bytes,
        )
        notes = tuple(result_notes.notes_for(result, self._context, self._view.definition_drift))
        return replace(result, cost=cost, attempts=self._attempts, notes=notes)

    def _unpublished(self, describe: Callable[..., RefreshResult]) -> RefreshResult:
        """Return the complete result of a view that keeps its old rows."""
        return self._with_waits_and_notes(describe(started_at=self._started_at, now=self._refresher.server_time()))
