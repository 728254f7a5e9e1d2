"""What the catalog knows about one view: its query, columns, indexes, size and owner."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial

from django.db import Error
from psycopg.rows import class_row, namedtuple_row

from seeder.domain.query_trials import QueryColumn
from seeder.domain.view_names import ViewName
from seeder.postgres import sessions, transactions, view_statements
from seeder.postgres.named_statements import STATEMENTS
from seeder.postgres.sqlstates import LOCK_NOT_AVAILABLE, sqlstate


@dataclass(frozen=True, kw_only=True, slots=True)
class DescribedColumn(QueryColumn):
    """A column of a view."""

    comment: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class DescribedIndex:
    """An index of a view."""

    name: str
    definition: str
    size_bytes: int
    is_unique: bool
    is_valid: bool
    serves_concurrent_refresh: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class ViewContents:
    """What can only be read while no plain refresh has the view locked."""

    query: str | None  # as PostgreSQL prints it; None for a table
    total_bytes: int  # with indexes and TOAST
    index_bytes: int
    indexes: Sequence[DescribedIndex]


@dataclass(frozen=True, kw_only=True, slots=True)
class DescribedView:
    """A relation that has the name of a view."""

    kind: str  # relkind
    is_populated: bool
    owner: str
    comment: str | None
    columns: Sequence[DescribedColumn]
    contents: ViewContents | None  # None while another session has it locked, and after a drop


def describe(database: str, view: ViewName) -> DescribedView | None:
    """Return what the catalog knows about a view, or None if it does not exist. Hardly waits for locks."""
    name = asdict(view)
    with transactions.rolled_back_atomic(database):
        found = sessions.query(database, STATEMENTS["described_relation"], name, row_factory=namedtuple_row)
        if not found:
            return None
        columns = sessions.query(
            database, STATEMENTS["described_columns"], name, row_factory=class_row(DescribedColumn)
        )
        sessions.query(database, transactions.SHORT_LOCK_TIMEOUT)
        contents = transactions.attempt(database, partial(_read_contents, database, view))
    if isinstance(contents, Error) and sqlstate(contents) != LOCK_NOT_AVAILABLE:
        raise contents
    return DescribedView(
        **found[0]._asdict(), columns=columns, contents=None if isinstance(contents, Error) else contents
    )


def _read_contents(database: str, view: ViewName) -> ViewContents | None:
    name = asdict(view)
    rows = sessions.query(database, STATEMENTS["described_contents"], name, row_factory=namedtuple_row)
    if not rows:
        return None  # dropped meanwhile
    indexes = sessions.query(database, STATEMENTS["described_indexes"], name, row_factory=class_row(DescribedIndex))
    return ViewContents(**rows[0]._asdict(), indexes=indexes)


def print_query(database: str, query: str) -> str | Error:
    """Return a query as PostgreSQL would print it as the query of a view, or its error. Nothing remains of it."""
    with transactions.rolled_back_atomic(database):
        sessions.query(database, transactions.SHORT_LOCK_TIMEOUT)
        return transactions.attempt(database, partial(_print_query, database, query))


def _print_query(database: str, query: str) -> str:
    sessions.execute_single_statement(database, view_statements.create_comparison_view(0, query))
    [(text,)] = sessions.query(database, STATEMENTS["printed_trial_query"])
    return str(text)
