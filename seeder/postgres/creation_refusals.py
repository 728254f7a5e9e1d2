"""Why PostgreSQL refuses to create missing views: tried, because an SQLSTATE has several causes."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum

from django.db import Error

from seeder.domain.view_names import ViewName
from seeder.postgres import sessions, transactions, view_statements
from seeder.postgres.sqlstates import (
    INSUFFICIENT_PRIVILEGE,
    UNDEFINED_TABLE,
    first_line,
    is_query_error,
    is_transient,
    sqlstate,
)

_EMPTY_QUERY = "SELECT"


class RefusalCause(StrEnum):
    """What prevents the creation of a view."""

    QUERY = "query"
    PRIVILEGE = "privilege"  # on an object of the query
    MISSING_VIEW = "missing view"  # of another manifest, which the query reads
    ANY_VIEW = "any view"  # PostgreSQL refuses every view of this name, as by an event trigger


@dataclass(frozen=True, kw_only=True, slots=True)
class CreationRefused:
    """PostgreSQL's refusal to create a view."""

    message: str
    cause: RefusalCause


def explain(
    database: str,
    queries: Mapping[ViewName, str],
    errors: Mapping[ViewName, Error],
    without_proof: Collection[ViewName],
) -> Mapping[ViewName, CreationRefused]:
    """Return the causes of errors, except for transient ones and for query errors of views without proof.

    An empty view of each name shows if any view is refused. A query that finds its relations as soon as the empty views
    exist reads one of them.
    """
    refused = {
        view: error
        for view, error in errors.items()
        if sqlstate(error) == INSUFFICIENT_PRIVILEGE or (is_query_error(error) and view not in without_proof)
    }
    if not refused:
        return {}
    with transactions.rolled_back_atomic(database):
        controls = {view: _attempt(database, view, _EMPTY_QUERY) for view in errors if not is_transient(errors[view])}
        return {view: _explain(database, view, queries[view], error, controls[view]) for view, error in refused.items()}


def _explain(database: str, view: ViewName, query: str, error: Error, control: Error | None) -> CreationRefused:
    if control:
        return CreationRefused(message=first_line(control), cause=RefusalCause.ANY_VIEW)
    if sqlstate(error) == INSUFFICIENT_PRIVILEGE:
        return CreationRefused(message=first_line(error), cause=RefusalCause.PRIVILEGE)
    if sqlstate(error) == UNDEFINED_TABLE:
        retried = _retry(database, view, query)
        if retried is None or sqlstate(retried) != UNDEFINED_TABLE:
            return CreationRefused(message=first_line(error), cause=RefusalCause.MISSING_VIEW)
        error = retried
    return CreationRefused(message=first_line(error), cause=RefusalCause.QUERY)


def _attempt(database: str, view: ViewName, query: str) -> Error | None:
    statement = view_statements.create_plain_view(view, query)
    return transactions.attempt(database, lambda: sessions.execute_single_statement(database, statement))


def _retry(database: str, view: ViewName, query: str) -> Error | None:
    """Try the query without the empty view of its own name."""
    with transactions.rolled_back_atomic(database):
        sessions.query(database, view_statements.drop_plain_view(view))
        return _attempt(database, view, query)
