"""Refreshes a view and compares its rows before and after, in a transaction that is rolled back."""

from dataclasses import dataclass
from functools import partial
from typing import cast

from django.db import Error
from psycopg import sql
from psycopg.rows import class_row

from seeder.domain.view_names import ViewName
from seeder.postgres import catalog, sessions, transactions, view_statements
from seeder.postgres.named_statements import STATEMENTS


@dataclass(frozen=True, kw_only=True, slots=True)
class RowChanges:
    """Rows of a view before and after a refresh. A changed row is one that is removed and one that is added."""

    before: int
    after: int
    added: int  # only in the new rows
    removed: int  # only in the old rows


def limit_lock_waits(database: str, *, milliseconds: int) -> None:
    """Limit each wait for a lock until the end of the transaction."""
    sessions.query(database, STATEMENTS["limit_lock_waits"], {"timeout": f"{milliseconds}ms"})


def refresh_and_compare(database: str, view: ViewName) -> RowChanges:
    """Refresh a view, concurrently if possible, and count the rows that change."""
    state = catalog.relation_state(database, view)
    is_filled = state is not None and state[1]
    sessions.query(database, _statement("create_old_rows" if is_filled else "create_no_old_rows", view))
    _refresh(database, view)
    [changes] = sessions.query(database, _statement("compare_rows", view), row_factory=class_row(RowChanges))
    sessions.query(database, STATEMENTS["drop_old_rows"])
    return cast("RowChanges", changes)


def _refresh(database: str, view: ViewName) -> None:
    plain = view_statements.refresh_materialized_view(view)
    if catalog.cannot_refresh_concurrently(database, view):
        sessions.query(database, plain)
        return
    concurrent = view_statements.refresh_materialized_view(view, concurrently=True)
    # Duplicate rows with a null, for example, are refused only while the rows are compared.
    if isinstance(transactions.attempt(database, partial(sessions.query, database, concurrent)), Error):
        sessions.query(database, plain)


def _statement(name: str, view: ViewName) -> sql.Composed:
    return sql.SQL(STATEMENTS[name]).format(view=view_statements.view_identifier(view))
