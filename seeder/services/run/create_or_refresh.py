"""Creates a view, or refreshes it concurrently or plainly."""

from datetime import datetime
from functools import partial

from django.db import Error

from seeder.conf import Settings
from seeder.domain.outcomes import Outcome, RefreshMode, RefreshResult
from seeder.domain.plan import PlannedView
from seeder.postgres import catalog, sessions, transactions, view_statements
from seeder.postgres.sqlstates import FEATURE_NOT_SUPPORTED, NOT_IN_PREREQUISITE_STATE, sqlstate


def create_or_refresh(
    view: PlannedView, settings: Settings, *, exists: bool, started_at: datetime, snapshot: str | None
) -> RefreshResult:
    """Create or refresh the view inside the caller's transaction. Raises PostgreSQL's errors unchanged.

    The caller has locked the inputs of the view and taken the snapshot. The result has no measurements yet, and ends
    when it started.
    """
    done = partial(RefreshResult, started_at=started_at, finished_at=started_at, snapshot=snapshot)
    if not exists:
        _create(view)
        return done(outcome=Outcome.CREATED)
    if settings.refresh_concurrently and _refresh_concurrently(view, or_raise=not settings.concurrent_fallback):
        return done(outcome=Outcome.REFRESHED, mode=RefreshMode.CONCURRENT)
    # If another object has the name, PostgreSQL's error says so.
    sessions.query(view.key.database, view_statements.refresh_materialized_view(view.key.name))
    return done(outcome=Outcome.REFRESHED, mode=RefreshMode.PLAIN, fell_back=settings.refresh_concurrently)


def _create(view: PlannedView) -> None:
    database, name = view.key.database, view.key.name
    sessions.execute_single_statement(database, view_statements.create_materialized_view(name, view.spec.query))
    ends_in_no_data = catalog.relation_state(database, name) == ("m", False)
    if ends_in_no_data:
        sessions.query(database, view_statements.refresh_materialized_view(name))


def _refresh_concurrently(view: PlannedView, *, or_raise: bool) -> bool:
    """Return whether the concurrent refresh succeeded.

    Returns False only if PostgreSQL refused it and the catalog confirms that the view itself is the reason. The same
    SQLSTATEs also mean that the view reads one that was never filled (55000), or is no materialized view (0A000).
    """
    database, name = view.key.database, view.key.name
    try:
        statement = view_statements.refresh_materialized_view(name, concurrently=True)
        transactions.query_in_savepoint(database, statement)
    except Error as error:
        refused = sqlstate(error) in {NOT_IN_PREREQUISITE_STATE, FEATURE_NOT_SUPPORTED}
        if or_raise or not refused or not catalog.cannot_refresh_concurrently(database, name):
            raise
        return False
    return True
