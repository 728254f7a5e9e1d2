"""Refreshes dependent views on trial, and counts the rows that change. The caller's transaction is rolled back."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import partial

from django.db import DEFAULT_DB_ALIAS, Error

from seeder import conf
from seeder.domain import lock_keys
from seeder.domain.plan import topological_order
from seeder.domain.view_names import ViewName
from seeder.postgres import advisory_locks, catalog, input_locks, transactions, trial_queries
from seeder.postgres.sqlstates import first_line, translate_database_errors
from seeder.postgres.trial_queries import RowChanges
from seeder.services.queue.dependent_refreshes import find_dependent_views


@dataclass(frozen=True, kw_only=True, slots=True)
class TrialRefresh:
    """What a refresh would do to a view."""

    view: ViewName
    changes: RowChanges | None  # None if it would fail
    problem: str | None = None  # why it would fail


@dataclass(frozen=True, kw_only=True, slots=True)
class TrialRefreshes:
    """What refreshes of the views that depend on some tables would do."""

    views: Sequence[TrialRefresh]  # in the order of their dependencies
    undetermined: Sequence[ViewName]  # they call functions with text bodies, so their dependencies are unknown


def limit_lock_waits(database: str = DEFAULT_DB_ALIAS) -> None:
    """Limit each wait for a lock to `SEEDER_LOCK_TIMEOUT_MS` until the end of the transaction."""
    trial_queries.limit_lock_waits(database, milliseconds=conf.load().lock_timeout_ms)


def refresh_on_trial(relations: Collection[ViewName], *, database: str = DEFAULT_DB_ALIAS) -> TrialRefreshes:
    """Refresh the views that depend on changed tables, inside the caller's transaction, which must be rolled back.

    A view with a usable unique index is refreshed concurrently, so that its readers never wait. Readers of another one
    wait until the rollback. A view that fails is as before, and views that read it are refreshed from its old rows.

    Raises `ConfigurationError` or `DatabaseError`.
    """
    found = find_dependent_views(relations, database=database)
    names = {view.name for view in found.views}
    order = topological_order({view: found.reads[view] & (names - {view}) for view in names})
    with translate_database_errors(database):
        views = [_refresh(database, view) for view in order if catalog.relation_state(database, view) is not None]
    return TrialRefreshes(views=views, undetermined=[key.name for key in found.undetermined])


def _refresh(database: str, view: ViewName) -> TrialRefresh:
    outcome = transactions.attempt(database, partial(_lock_and_refresh, database, view))
    if isinstance(outcome, Error):
        return TrialRefresh(view=view, changes=None, problem=first_line(outcome))
    return TrialRefresh(view=view, changes=outcome)


def _lock_and_refresh(database: str, view: ViewName) -> RowChanges:
    # A run waits for this lock much longer than for that of REFRESH, so a trial does not make it fail.
    advisory_locks.lock(database, lock_keys.of_view(view))
    input_locks.lock_inputs(database, view, None)
    return trial_queries.refresh_and_compare(database, view)
