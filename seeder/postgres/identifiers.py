"""The one composer of identifiers and of the statements around them.

Django's `quote_name()` is not used: it passes a name that looks quoted through as it is.
"""

from psycopg import sql

from seeder.domain.view_names import ViewName


def view_identifier(view: ViewName) -> sql.Identifier:
    return sql.Identifier(view.schema, view.name)


def create_materialized_view(view: ViewName, query: str) -> sql.Composed:
    """The statement that creates and fills a view. The query comes last and on a line of its own: a semicolon or a
    comment at its end does no harm there, and the line that an error points to is a line of the query."""
    return sql.SQL("CREATE MATERIALIZED VIEW {} AS\n{}").format(view_identifier(view), _verbatim(query))


def create_plain_view(view: ViewName, query: str) -> sql.Composed:
    return sql.SQL("CREATE VIEW {} AS\n{}").format(view_identifier(view), _verbatim(query))


def create_trial_view(number: int, query: str) -> sql.Composed:
    """A temporary view, as which any session may try out a query without a name in anybody's schema."""
    trial = sql.Identifier("pg_temp", f"seeder_trial_{number}")
    return sql.SQL("CREATE TEMPORARY VIEW {} AS\n{}").format(trial, _verbatim(query))


def refresh_materialized_view(view: ViewName, *, concurrently: bool = False) -> sql.Composed:
    option = sql.SQL("CONCURRENTLY ") if concurrently else sql.SQL("")
    return sql.SQL("REFRESH MATERIALIZED VIEW {}{}").format(option, view_identifier(view))


def _verbatim(query: str) -> sql.SQL:
    """A manifest's query as it stands. It is SQL by intention; `sessions.execute_one` and `execute_each` see to it
    that it is no more than one statement."""
    return sql.SQL(query)
