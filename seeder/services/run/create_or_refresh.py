"""Fills a view: creates it where it is missing, else refreshes it in the way that is asked for."""

from dataclasses import dataclass

from django.db import Error

from seeder.conf import Settings
from seeder.domain.outcomes import Outcome, RefreshMode
from seeder.domain.plan import PlannedView
from seeder.postgres import catalog, identifiers, sessions, transactions
from seeder.postgres.sqlstates import FEATURE_NOT_SUPPORTED, NOT_IN_PREREQUISITE_STATE, sqlstate


@dataclass(frozen=True, kw_only=True, slots=True)
class RefreshDone:
    """What was done to a view."""

    outcome: Outcome
    mode: RefreshMode | None = None  # None where it was created
    fell_back: bool = False  # plain, although concurrent was asked for


def create_or_refresh(view: PlannedView, settings: Settings, *, exists: bool) -> RefreshDone:
    """Create or refresh the view inside the caller's `Transaction`. PostgreSQL's errors are raised as they are."""
    if not exists:
        _create(view)
        return RefreshDone(outcome=Outcome.CREATED)
    if settings.refresh_concurrently and _refresh_concurrently(view, or_raise=not settings.concurrent_fallback):
        return RefreshDone(outcome=Outcome.REFRESHED, mode=RefreshMode.CONCURRENT)
    # Whatever stands under the name: where it is no materialized view, PostgreSQL itself says so.
    sessions.execute(view.key.database, identifiers.refresh_materialized_view(view.key.name))
    return RefreshDone(outcome=Outcome.REFRESHED, mode=RefreshMode.PLAIN, fell_back=settings.refresh_concurrently)


def _create(view: PlannedView) -> None:
    database, name = view.key.database, view.key.name
    sessions.execute_single_statement(database, identifiers.create_materialized_view(name, view.spec.query))
    if not catalog.is_populated(database, name):  # the query itself ended in WITH NO DATA
        sessions.execute(database, identifiers.refresh_materialized_view(name))


def _refresh_concurrently(view: PlannedView, *, or_raise: bool) -> bool:
    """Whether it could be done; False where PostgreSQL has refused and the catalog confirms that the view itself is the
    reason. The same SQLSTATEs also say that it reads a view which was never filled (55000), or that it is no
    materialized view (0A000)."""
    database, name = view.key.database, view.key.name
    try:
        with transactions.savepoint(database):
            sessions.execute(database, identifiers.refresh_materialized_view(name, concurrently=True))
    except Error as error:
        refused = sqlstate(error) in {NOT_IN_PREREQUISITE_STATE, FEATURE_NOT_SUPPORTED}
        if or_raise or not refused or not catalog.cannot_refresh_concurrently(database, name):
            raise
        return False
    return True
