"""Composed statements that create, refresh and read views.

Django's `quote_name()` is not used: it does not quote a name that looks quoted.
"""

import re
from collections.abc import Iterable

from psycopg import sql

from seeder.domain.view_names import ViewName

_WITH_DATA_CLAUSE = re.compile(r"\bWITH\s+(NO\s+)?DATA[\s;]*\Z", re.IGNORECASE)


def view_identifier(view: ViewName) -> sql.Identifier:
    return sql.Identifier(view.schema, view.name)


def create_materialized_view(view: ViewName, query: str) -> sql.Composed:
    """Create and fill a view.

    The query is last and begins a line: it can end with a semicolon or a comment, and PostgreSQL's line numbers are
    those of the query. Like the next two it contains untrusted SQL: run it with `sessions.execute_single_statement`.
    """
    return sql.SQL("CREATE MATERIALIZED VIEW {} AS\n{}").format(view_identifier(view), sql.SQL(query))


def explain_materialized_view(view: ViewName, query: str) -> sql.Composed:
    """Plan the creation of a view, without creating it. The plan has no costs of a run."""
    return sql.SQL("EXPLAIN {}").format(create_materialized_view(view, query))


def select_texts(view: ViewName, columns: Iterable[str], *, max_characters: int, max_rows: int) -> sql.Composed:
    """Select the first rows as texts, cut by the server."""
    texts = sql.SQL(", ").join(
        sql.SQL("left(shown.{}::text, {})").format(sql.Identifier(name), max_characters) for name in columns
    )
    return sql.SQL("SELECT {} FROM {} AS shown LIMIT {}").format(texts, view_identifier(view), max_rows)


def create_plain_view(view: ViewName, query: str, column_names: Iterable[str] = ()) -> sql.Composed:
    """Create a view of the query, without the clause that only CREATE MATERIALIZED VIEW allows.

    Without column names, the view has those of the query.
    """
    names = sql.SQL(", ").join(map(sql.Identifier, column_names))
    columns = sql.SQL(" ({})").format(names) if column_names else sql.SQL("")
    query = _WITH_DATA_CLAUSE.sub("", query)
    return sql.SQL("CREATE VIEW {}{} AS\n{}").format(view_identifier(view), columns, sql.SQL(query))


def drop_plain_view(view: ViewName) -> sql.Composed:
    return sql.SQL("DROP VIEW {}").format(view_identifier(view))


def create_comparison_view(number: int, query: str, column_names: Iterable[str] = ()) -> sql.Composed:
    """Create a temporary view, which needs no privilege on a schema."""
    return create_plain_view(ViewName(schema="pg_temp", name=f"seeder_comparison_{number}"), query, column_names)


def refresh_materialized_view(view: ViewName, *, concurrently: bool = False) -> sql.Composed:
    option = sql.SQL("CONCURRENTLY " if concurrently else "")
    return sql.SQL("REFRESH MATERIALIZED VIEW {}{}").format(option, view_identifier(view))


def set_lock_timeout(milliseconds: int) -> sql.Composed:
    """Limit the wait for each lock, until the end of the transaction."""
    return sql.SQL("SET LOCAL lock_timeout = {}").format(sql.Literal(milliseconds))
