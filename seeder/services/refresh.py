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
from seeder.services import explaining, filling, manifests, seats
from seeder.services.history import RunRecord, of_another_run
from seeder.services.meter import Meter, Reading
from seeder.services.retrying import patiently
from seeder.services.seats import NoSeat
from seeder.services.stopping import Stop

Done = TypeVar("Done")

_LONGEST_WAIT = 2**31 - 1  # milliseconds: the most that PostgreSQL takes


class Stopped(Exception):
    """The run is to end, and this view's refresh was not begun or was cancelled."""


@dataclass(frozen=True, kw_only=True)
class Refresher:
    """How the views of one run are refreshed. Each seat calls `refresh` in a thread of its own."""

    record: RunRecord
    settings: Settings
    stop: Stop
    asked: datetime  # when somebody asked for this run
    meter: Meter
    in_flight: sessions.CancellableStatements = field(default_factory=sessions.CancellableStatements)

    def limits(self, turn: StartContext) -> transaction_limits.TransactionLimits:
        return transaction_limits.TransactionLimits(
            lock_timeout_ms=self.settings.lock_timeout_ms,
            statement_timeout_ms=self.settings.statement_timeout_ms,
            allow_parallel=self.settings.parallel_when_busy or not turn.pool_is_full,
            application_name=f"seeder {self.record.run_id}",
        )

    def refresh(self, view: PlannedView, turn: StartContext) -> RefreshResult:
        """Create or refresh the view, and record how it ended.

        The refresh and its outcome commit together where the view lives in the database that holds the history; a view
        elsewhere is recorded right after it. What PostgreSQL has against the view is its result. An error in recording
        it is raised, because then nothing written here is true any more; so is `Stopped`, whose row the run closes.
        """
        return _Refresh(self, view, turn).result()

    def refuse(self, view: PlannedView, hold: Hold, cost: RefreshCost) -> RefreshResult:
        """Record a view that was never started."""

        def refused() -> RefreshResult:
            now = sessions.server_time(DEFAULT_DB_ALIAS)
            message = f"Not started, as {hold.message}."
            failed = Failure(reason=hold.reason, message=message)
            return RefreshResult(
                outcome=Outcome.FAILED, started_at=now, finished_at=now, attempts=0, failure=failed, cost=cost
            )

        result = self.patiently(lambda _: refused())
        self.end(view, result)
        return result

    def end(self, view: PlannedView, result: RefreshResult) -> None:
        """Record a result by itself."""

        def record(number: int) -> None:
            if number > 1 and self.record.has(view.spec, result):
                return  # the answer to the commit was lost
            with transactions.durable_transaction(DEFAULT_DB_ALIAS):
                self.record.ended(view.spec, result)

        self.patiently(record)

    def patiently(self, act: Callable[[int], Done], database: str = DEFAULT_DB_ALIAS) -> Done:
        return patiently(act, retries=self.settings.max_retries, stop=self.stop, database=database)


class _Refresh:
    """One view's turn."""

    def __init__(self, run: Refresher, view: PlannedView, turn: StartContext) -> None:
        self._run, self._view, self._turn = run, view, turn
        self._database, self._name = view.key.database, view.key.name
        self._attempts = 0
        self._lock_wait = timedelta()
        self._started: datetime | None = None  # when it had the view to itself; None as long as it has not
        self._done: RefreshResult | None = None  # as it is true if the transaction has committed

    def result(self) -> RefreshResult:
        try:
            result = self._run.patiently(self._attempt, self._database)
        except Error as error:
            if self._run.stop.requested and sqlstate(error) == QUERY_CANCELED:
                raise Stopped from error
            if self._done is not None and self._is_recorded(self._done):
                return self._done
            if self._database == DEFAULT_DB_ALIAS and self._started is None and is_connection_lost(error):
                raise NoSeat(first_line(error)) from error
            result = self._failed(error)
        if result.failure is not None or self._database != DEFAULT_DB_ALIAS:
            self._run.end(self._view, result)
        return result

    def _attempt(self, number: int) -> RefreshResult:
        self._attempts = number
        if self._done is not None and self._is_recorded(self._done):
            return self._done  # the connection was lost after the server had committed
        began, waited = monotonic(), self._lock_wait
        try:
            return self._in_one_transaction()
        except Error as error:
            if sqlstate(error) == LOCK_NOT_AVAILABLE:  # in vain, together with what it waited for the view's own lock
                self._lock_wait = waited + timedelta(seconds=monotonic() - began)
            raise

    def _in_one_transaction(self) -> RefreshResult:
        """Limit, lock and look, take over or fill, measure and record."""
        with self._run.meter.reading(self._view) as reading:
            with transactions.BatchedTransaction(self._database) as transaction:
                with self._run.in_flight.track(self._database):
                    if self._run.stop.requested:
                        raise Stopped
                    exists, others = self._take(transaction)
                    done = of_another_run(others, is_ours=self._is_ours) or filling.fill(
                        self._view, self._run.settings, exists=exists
                    )
                self._done = self._recorded(done, reading)
            return replace(self._done, cost=replace(self._done.cost, backend=reading.backend()))

    def _take(self, transaction: transactions.BatchedTransaction) -> tuple[bool, sessions.Rows]:
        """Have the view to ourselves; whether it exists, and what other runs have done to it. A refresh that began
        after we were asked for ours, and after what the view reads in this plan had ended, shows all ours would."""
        after = max(self._run.asked, self._turn.dependencies_finished_at or self._run.asked)
        question, facts = self._run.record.others(self._view.spec, after=after)
        here = self._database == DEFAULT_DB_ALIAS
        first = (
            advisory_locks.SET_LOCK_WAIT,
            advisory_locks.LOCK_VIEW,
            transaction_limits.APPLY_LIMITS,
            catalog.RELATION_EXISTS,
            *([question] if here else []),
        )
        name = {"schema": self._name.schema, "name": self._name.name, "lock_wait": self._patience}
        waits, locked, _, found, *others = transaction.begin(
            first, {**self._run.limits(self._turn).parameters, **name, **facts}
        )
        began, now = waits[0][-1], locked[0][-1]
        self._lock_wait += now - began
        # Instants are compared with others in the history, so they are by the clock of its server.
        self._started = now if here else sessions.server_time(DEFAULT_DB_ALIAS)
        return bool(found), others[0] if here else sessions.query(DEFAULT_DB_ALIAS, question, facts)

    @property
    def _patience(self) -> int:
        """For how many milliseconds more to wait for another run that is at the view: until it has been as long as any
        wait may be. Who gave up sooner would report a view as failed that is being refreshed; or leave it as it was,
        where that refresh turns out to be of a run that was taken for dead, and is undone."""
        settings = self._run.settings
        left = settings.max_wait_seconds * 1000 - int(self._lock_wait.total_seconds() * 1000)
        return min(max(left, settings.lock_timeout_ms), _LONGEST_WAIT)

    def _is_ours(self, report_type: str, manifest_id: int) -> bool:
        databases = self._run.settings.databases
        return manifests.is_in(report_type, manifest_id, self._database, databases=databases)

    def _recorded(self, done: RefreshResult | filling.Filled, reading: Reading) -> RefreshResult:
        """The result, written where that belongs into this transaction."""
        here, spec, started = self._database == DEFAULT_DB_ALIAS, self._view.spec, cast("datetime", self._started)
        if isinstance(done, RefreshResult):
            taken_over = self._explained(done)
            if here:
                self._run.record.ended(spec, taken_over)
            return taken_over
        cpu, memory = reading.process()
        result = self._explained(
            RefreshResult(
                outcome=done.outcome,
                started_at=started,
                finished_at=started,
                mode=done.mode,
                fell_back=done.fell_back,
                cost=RefreshCost(cpu_time=cpu, peak_memory_bytes=memory),
            )
        )
        if here:
            return self._run.record.refreshed(spec, result)
        rows, size = catalog.measure_view(self._database, self._name)
        return replace(result, rows=rows, size_bytes=size, finished_at=sessions.server_time(DEFAULT_DB_ALIAS))

    def _explained(self, result: RefreshResult) -> RefreshResult:
        """With what it waited for and what else is to be known of it."""
        turn = self._turn
        cost = replace(
            result.cost,
            worker_number=seats.number.get(),
            worker_wait=turn.worker_wait,
            throttle_wait=turn.throttle_wait,
            lock_wait=self._lock_wait,
        )
        said = tuple(result_notes.notes_for(result, self._turn, self._view.definition_drift))
        return replace(result, cost=cost, attempts=self._attempts, notes=said)

    def _failed(self, error: Error) -> RefreshResult:
        finished = self._run.patiently(lambda _: sessions.server_time(DEFAULT_DB_ALIAS))
        why = explaining.failure(error, self._view.key, plain=not self._run.settings.refresh_concurrently)
        return self._explained(
            RefreshResult(
                outcome=Outcome.FAILED, started_at=self._started or finished, finished_at=finished, failure=why
            )
        )

    def _is_recorded(self, result: RefreshResult) -> bool:
        return self._run.patiently(lambda _: self._run.record.has(self._view.spec, result))
