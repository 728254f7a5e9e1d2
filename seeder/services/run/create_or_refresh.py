"""Creates a view, or refreshes it concurrently or plainly."""

from datetime import datetime, timedelta
from functools import partial

from django.db import Error

from seeder.conf import Settings
from seeder.domain.mode_predictor import RefreshMode
from seeder.domain.outcomes import Outcome, RefreshResult
from seeder.domain.plan import PlannedView
from seeder.domain.refresh_mode import ModeChoice
from seeder.postgres import catalog, sessions, transactions, view_statements
from seeder.postgres.sqlstates import FEATURE_NOT_SUPPORTED, LOCK_NOT_AVAILABLE, NOT_IN_PREREQUISITE_STATE, sqlstate
from seeder.services.run import mode_choice


def create_or_refresh(
    view: PlannedView, settings: Settings, *, exists: bool, started_at: datetime, snapshot: str | None
) -> RefreshResult:
    """Create or refresh the view inside the caller's transaction. Raises PostgreSQL's errors unchanged.

    The caller has locked the inputs of the view and taken the snapshot. The result has no measurements yet, and ends
    when it started.
    """
    done = partial(RefreshResult, started_at=started_at, finished_at=started_at, snapshot=snapshot)
    if not exists:
        create_view(view)
        return done(outcome=Outcome.CREATED)
    choice = mode_choice.choose(view, settings, started_at)
    if choice.mode is RefreshMode.PLAIN and not _refresh_plainly(view, choice, settings):
        choice = choice.while_readers_hold_it()
    done = partial(done, outcome=Outcome.REFRESHED, mode_reason=choice.reason)
    if choice.mode is RefreshMode.PLAIN:
        return done(mode=RefreshMode.PLAIN, fell_back=choice.is_forced)
    if _refresh_concurrently(view, or_raise=not settings.concurrent_fallback):
        return done(mode=RefreshMode.CONCURRENT)
    # If another object has the name, PostgreSQL's error says so.
    sessions.query(view.key.database, view_statements.refresh_materialized_view(view.key.name))
    return done(mode=RefreshMode.PLAIN, fell_back=True)


def create_view(view: PlannedView) -> None:
    """Create and fill the view inside the caller's transaction."""
    database, name = view.key.database, view.key.name
    sessions.execute_single_statement(database, view_statements.create_materialized_view(name, view.spec.query))
    ends_in_no_data = catalog.relation_state(database, name) == ("m", False)
    if ends_in_no_data:
        sessions.query(database, view_statements.refresh_materialized_view(name))


def _refresh_plainly(view: PlannedView, choice: ModeChoice, settings: Settings) -> bool:
    """Return whether the plain refresh got its lock in time. Readers queue behind it while it waits."""
    database, refresh = view.key.database, view_statements.refresh_materialized_view(view.key.name)
    if choice.max_lock_wait is None:
        sessions.query(database, refresh)
        return True
    max_wait_ms = min(choice.max_lock_wait // timedelta(milliseconds=1), settings.lock_timeout_ms)
    set_limits = [view_statements.set_lock_timeout(limit) for limit in (max_wait_ms, settings.lock_timeout_ms)]
    try:
        transactions.query_in_savepoint(database, set_limits[0], refresh, set_limits[1])
    except Error as error:
        if sqlstate(error) != LOCK_NOT_AVAILABLE:
            raise
        return False
    return True


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
