"""Refreshes one view, from taking it up to the recorded outcome."""

from django.db import DEFAULT_DB_ALIAS, Error

from seeder.domain.outcomes import Outcome, RefreshResult
from seeder.domain.plan import PlannedView
from seeder.postgres import catalog, identifiers, locks, sessions
from seeder.postgres.sqlstates import QUERY_CANCELED, failure, sqlstate
from seeder.services.history import RunRecord
from seeder.services.stopping import Stop


class Stopped(Exception):
    """The run is to end, and this view's refresh was not begun or was cancelled."""


def refresh(view: PlannedView, *, record: RunRecord, stop: Stop, in_flight: sessions.InFlight) -> RefreshResult:
    """Create or refresh the view, and record how it ended.

    The refresh and its outcome commit together where the view lives in the database that holds the history; a view
    elsewhere is recorded right after it. What PostgreSQL has against the view is its result. An error in recording it
    is raised, because then nothing written here is true any more; so is `Stopped`, whose row the run itself closes.
    """
    database, recorded = view.key.database, False
    started = sessions.clock(DEFAULT_DB_ALIAS)
    record.running(view.spec, at=started)
    try:
        with sessions.one_transaction(database):
            with in_flight.of(database):
                if stop.requested:
                    raise Stopped
                outcome = _fill(view)
            rows, size = catalog.measure(database, view.key.name)
            finished = sessions.clock(DEFAULT_DB_ALIAS)
            result = RefreshResult(outcome=outcome, started=started, finished=finished, rows=rows, bytes=size)
            if database == DEFAULT_DB_ALIAS:
                record.ended(view.spec, result)
                recorded = True
    except Error as error:
        if stop.requested and sqlstate(error) == QUERY_CANCELED:
            raise Stopped from error
        recorded = False
        finished = sessions.clock(DEFAULT_DB_ALIAS)
        result = RefreshResult(outcome=Outcome.FAILED, started=started, finished=finished, failure=failure(error))
    if not recorded:
        with sessions.one_transaction(DEFAULT_DB_ALIAS):
            record.ended(view.spec, result)
    return result


def _fill(view: PlannedView) -> Outcome:
    """Whatever else stands under that name, PostgreSQL itself says that it is not a materialized view."""
    database, name = view.key.database, view.key.name
    locks.have_to_myself(database, name)
    if catalog.exists(database, name):
        sessions.execute(database, identifiers.refresh(name))
        return Outcome.REFRESHED
    sessions.execute_one(database, identifiers.create_materialized_view(name, view.spec.query))
    if not catalog.is_populated(database, name):  # the query itself ended in WITH NO DATA
        sessions.execute(database, identifiers.refresh(name))
    return Outcome.CREATED
