"""Refreshes one view, from taking it up to the recorded outcome."""

from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from django.db import DEFAULT_DB_ALIAS, Error

from seeder.conf import Settings
from seeder.domain.outcomes import Mode, Outcome, RefreshResult
from seeder.domain.plan import PlannedView
from seeder.postgres import catalog, identifiers, limits, locks, sessions
from seeder.postgres.sqlstates import (
    FEATURE_NOT_SUPPORTED,
    NOT_IN_PREREQUISITE_STATE,
    QUERY_CANCELED,
    failure,
    sqlstate,
)
from seeder.services.history import RunRecord
from seeder.services.retrying import patiently
from seeder.services.stopping import Stop

Done = TypeVar("Done")


class Stopped(Exception):
    """The run is to end, and this view's refresh was not begun or was cancelled."""


class Refresher:
    """How the views of one run are refreshed. Each seat calls `refresh` in a thread of its own."""

    def __init__(self, *, record: RunRecord, settings: Settings, stop: Stop, in_flight: sessions.InFlight) -> None:
        self._record, self._settings, self._stop, self._in_flight = record, settings, stop, in_flight
        self._limits = limits.Limits(
            lock=settings.lock_timeout_ms,
            statement=settings.statement_timeout_ms,
            application=f"seeder {record.run_id}",
        )

    def refresh(self, view: PlannedView) -> RefreshResult:
        """Create or refresh the view, and record how it ended.

        The refresh and its outcome commit together where the view lives in the database that holds the history; a view
        elsewhere is recorded right after it. What PostgreSQL has against the view is its result. An error in recording
        it is raised, because then nothing written here is true any more; so is `Stopped`, whose row the run closes.
        """
        database = view.key.database
        started = self._patiently(lambda _: self._begin(view))
        done: RefreshResult | None = None
        attempts = 0

        def attempt(number: int) -> RefreshResult:
            nonlocal done, attempts
            attempts = number
            if done is not None and self._record.has(view.spec, done):
                return done  # the connection was lost after the server had committed
            with sessions.one_transaction(database):
                done = self._in_one_transaction(view, started=started, attempt=number)
            return done

        try:
            result = self._patiently(attempt, database)
        except Error as error:
            if self._stop.requested and sqlstate(error) == QUERY_CANCELED:
                raise Stopped from error
            if done is not None and self._is_recorded(view, done):
                return done
            result = RefreshResult(
                outcome=Outcome.FAILED,
                started=started,
                finished=self._patiently(lambda _: sessions.clock(DEFAULT_DB_ALIAS)),
                attempts=attempts,
                failure=failure(error),
            )
        if result.failure is not None or database != DEFAULT_DB_ALIAS:
            self._patiently(lambda number: self._end(view, result, again=number > 1))
        return result

    def _begin(self, view: PlannedView) -> datetime:
        started = sessions.clock(DEFAULT_DB_ALIAS)
        self._record.running(view.spec, at=started)
        return started

    def _in_one_transaction(self, view: PlannedView, *, started: datetime, attempt: int) -> RefreshResult:
        """Limit, lock, look, create or refresh, measure, record."""
        database, name = view.key.database, view.key.name
        with self._in_flight.of(database):
            if self._stop.requested:
                raise Stopped
            limits.apply(database, self._limits)
            locks.have_to_myself(database, name)
            if catalog.exists(database, name):
                outcome, (mode, fell_back) = Outcome.REFRESHED, self._fill(view)
            else:
                outcome, mode, fell_back = Outcome.CREATED, None, False
                _create(view)
        rows, size = catalog.measure(database, name)
        result = RefreshResult(
            outcome=outcome,
            started=started,
            finished=sessions.clock(DEFAULT_DB_ALIAS),
            mode=mode,
            fell_back=fell_back,
            attempts=attempt,
            rows=rows,
            bytes=size,
        )
        if database == DEFAULT_DB_ALIAS:
            self._record.ended(view.spec, result)
        return result

    def _fill(self, view: PlannedView) -> tuple[Mode, bool]:
        """Refresh what stands under the name: where it is no materialized view, PostgreSQL itself says so.

        Plainly after PostgreSQL has refused to do it concurrently, and only where the catalog confirms that the view
        itself is the reason: the same SQLSTATEs also say that it reads a view which was never filled (55000), or that
        it is no materialized view (0A000).
        """
        database, name = view.key.database, view.key.name
        fell_back = False
        if self._settings.refresh_concurrently:
            try:
                with sessions.part(database):
                    sessions.execute(database, identifiers.refresh(name, concurrently=True))
            except Error as error:
                refused = sqlstate(error) in {NOT_IN_PREREQUISITE_STATE, FEATURE_NOT_SUPPORTED}
                if not (
                    refused and self._settings.concurrent_fallback and catalog.rules_out_concurrent(database, name)
                ):
                    raise
                fell_back = True
            else:
                return Mode.CONCURRENT, False
        sessions.execute(database, identifiers.refresh(name))
        return Mode.PLAIN, fell_back

    def _end(self, view: PlannedView, result: RefreshResult, *, again: bool) -> None:
        if again and self._record.has(view.spec, result):
            return
        with sessions.one_transaction(DEFAULT_DB_ALIAS):
            self._record.ended(view.spec, result)

    def _is_recorded(self, view: PlannedView, result: RefreshResult) -> bool:
        return self._patiently(lambda _: self._record.has(view.spec, result))

    def _patiently(self, act: Callable[[int], Done], database: str = DEFAULT_DB_ALIAS) -> Done:
        return patiently(act, retries=self._settings.max_retries, stop=self._stop, database=database)


def _create(view: PlannedView) -> None:
    database, name = view.key.database, view.key.name
    sessions.execute_one(database, identifiers.create_materialized_view(name, view.spec.query))
    if not catalog.is_populated(database, name):  # the query itself ended in WITH NO DATA
        sessions.execute(database, identifiers.refresh(name))
