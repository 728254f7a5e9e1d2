"""Refreshes one view, from the first look to the recorded outcome."""

from datetime import datetime

from django.db import DEFAULT_DB_ALIAS, Error

from seeder.domain.outcomes import Failure, Outcome, RefreshResult
from seeder.domain.plan import PlannedView
from seeder.postgres import catalog, identifiers, sessions
from seeder.postgres.sqlstates import failure
from seeder.services.history import RunRecord


def refresh(view: PlannedView, record: RunRecord) -> RefreshResult:
    """Create or refresh the view, and record how it ended.

    The refresh and its outcome commit together where the view lives in the database that holds the history; a view
    elsewhere is recorded right after it. What PostgreSQL has against the view is its result; an error in recording
    it is raised, because then nothing here is true any more.
    """
    database = view.key.database
    before = catalog.look(database, view.key.name)
    record.running(view.spec, at=before.at)
    try:
        with sessions.one_transaction(database):
            outcome = _fill(view, before)
            result = _measure(view, outcome, started=before.at)
            if database == DEFAULT_DB_ALIAS:
                record.ended(view.spec, result)
    except Error as error:
        result = _failed(view, failure(error), started=before.at)
    else:
        if database == DEFAULT_DB_ALIAS:
            return result
    with sessions.one_transaction(DEFAULT_DB_ALIAS):
        record.ended(view.spec, result)
    return result


def _fill(view: PlannedView, before: catalog.Look) -> Outcome:
    """Whatever else stands under that name, PostgreSQL itself says that it is not a materialized view."""
    name = view.key.name
    if before.oid is None:
        sessions.execute_one(view.key.database, identifiers.create_materialized_view(name, view.spec.query))
        return Outcome.CREATED
    sessions.execute(view.key.database, identifiers.refresh(name))
    return Outcome.REFRESHED


def _measure(view: PlannedView, outcome: Outcome, *, started: datetime) -> RefreshResult:
    measure = catalog.measure(view.key.database, view.key.name)
    return RefreshResult(outcome=outcome, started=started, finished=measure.at, rows=measure.rows, bytes=measure.bytes)


def _failed(view: PlannedView, failure: Failure, *, started: datetime) -> RefreshResult:
    sessions.mend(view.key.database)
    finished = sessions.clock(view.key.database)
    return RefreshResult(outcome=Outcome.FAILED, started=started, finished=finished, failure=failure)
