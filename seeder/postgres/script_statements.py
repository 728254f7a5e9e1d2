"""Statements of scripts and notebooks: anybody's SQL, on Django's connection of this thread.

What Django's own cursors do not give: rows by the names of their columns, and `jsonb` as what it holds.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import count
from typing import Any

import psycopg
from django.conf import settings
from django.db import Error, connections
from psycopg.types.json import JsonbLoader

from seeder.errors import (
    ColumnsNamedTwice,
    ConfigurationError,
    DjangoNotStarted,
    NotPostgreSQL,
    StatementRefused,
    TransactionRolledBack,
)
from seeder.postgres import sqlstates
from seeder.postgres.sessions import discard_if_broken, driver_connection
from seeder.postgres.transactions import in_transaction, nested_atomic

Parameters = Sequence[Any] | Mapping[str, Any]
Record = dict[str, Any]

_cursor_numbers = count(1)


def fetch_all(database: str, statement: str, parameters: Parameters | None) -> list[Record]:
    """The rows of a statement, none of one that gives none."""
    with _run_statement(database, statement, parameters) as cursor:
        return _to_records(cursor, cursor.fetchall()) if cursor.description else []


def execute(database: str, statement: str, parameters: Parameters | None) -> int:
    """How many rows a statement was about; 0 where PostgreSQL does not count them."""
    with _run_statement(database, statement, parameters) as cursor:
        return max(cursor.rowcount, 0)


def fetch_iter(database: str, statement: str, parameters: Parameters | None, *, chunk_size: int) -> Iterator[Record]:
    """The rows of a query, so many at a time from a cursor on the server. Outside of a transaction the server keeps the
    whole result meanwhile, so that nobody's transaction stays open between two rows."""
    with _translate_errors(database):
        session = driver_connection(database)
    name = f"seeder_{next(_cursor_numbers)}"
    with psycopg.ServerCursor(session, name, withhold=session.autocommit) as cursor:
        cursor.adapters.register_loader("jsonb", JsonbLoader)
        with _translate_errors(database):
            cursor.execute(_bind_parameters(session, statement, parameters))
        while True:
            with _translate_errors(database):
                records = _to_records(cursor, cursor.fetchmany(chunk_size))
            if not records:
                return
            yield from records


@contextmanager
def transaction(database: str) -> Iterator[None]:
    """A transaction, or a part of the one that there is. After a statement that failed in it PostgreSQL takes a COMMIT
    for a ROLLBACK, without a word: where nobody says so outside, this raises `TransactionUndone`."""
    with _translate_errors(database):
        session = driver_connection(database)
    in_callers_code = False
    try:
        with nested_atomic(database):
            in_callers_code = True
            yield
            in_callers_code = False
            if session.info.transaction_status != psycopg.pq.TransactionStatus.INTRANS:
                raise TransactionRolledBack
    except Error:
        if in_callers_code:  # an error of whoever's work it is
            raise
        with _translate_errors(database):
            raise


def close(database: str) -> None:
    """Close this thread's connection; whatever is sent next opens another."""
    with _translate_errors(database):
        connections[database].close()


@contextmanager
def _run_statement(database: str, statement: str, parameters: Parameters | None) -> "Iterator[psycopg.Cursor[Any]]":
    """Of several statements, which PostgreSQL runs as one transaction, the last one's answer."""
    with _translate_errors(database):
        session = driver_connection(database)
        with psycopg.ClientCursor(session) as cursor:
            cursor.adapters.register_loader("jsonb", JsonbLoader)
            cursor.execute(statement.encode(session.info.encoding), parameters or None)
            while cursor.nextset():
                pass
            yield cursor


def _bind_parameters(session: "psycopg.Connection[Any]", statement: str, parameters: Parameters | None) -> bytes:
    """With its parameters put in here, as everywhere else: a cursor of the server's would have the server do it, which
    then wants to know their types."""
    text = psycopg.ClientCursor(session).mogrify(statement, parameters) if parameters else statement
    return text.encode(session.info.encoding)


def _to_records(cursor: "psycopg.Cursor[Any]", rows: list[tuple[Any, ...]]) -> list[Record]:
    names = [column.name for column in cursor.description or ()]
    if len(set(names)) < len(names):
        raise ColumnsNamedTwice(names=", ".join(sorted({name for name in names if names.count(name) > 1})))
    return [dict(zip(names, row, strict=True)) for row in rows]


@contextmanager
def _translate_errors(database: str) -> Iterator[None]:
    if not settings.configured:
        raise DjangoNotStarted
    if database not in connections:
        raise ConfigurationError(setting="alias", value=database, expected=f"one of {', '.join(connections)}")
    if connections[database].vendor != "postgresql":
        raise NotPostgreSQL(alias=database, vendor=connections[database].vendor)
    try:
        with connections[database].wrap_database_errors:
            yield
    except Error as error:
        _restore_connection(database)
        if sqlstates.is_connection_lost(error):
            with sqlstates.translate_database_errors(database):
                raise
        state = sqlstates.sqlstate(error)
        cause = f"{sqlstates.first_line(error)} (SQLSTATE {state})" if state else sqlstates.first_line(error)
        raise StatementRefused(cause=cause, sqlstate=state) from error


def _restore_connection(database: str) -> None:
    """So that the next statement has a connection to go by: a notebook outlives its own, and a COPY, for which psycopg
    has another door, would hold it for ever."""
    session = connections[database].connection
    if session is not None and session.info.transaction_status == psycopg.pq.TransactionStatus.ACTIVE:
        connections[database].close()
    elif not in_transaction(database):
        discard_if_broken(database)
