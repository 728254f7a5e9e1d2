"""Statements of scripts and notebooks, on Django's connection of this thread.

In contrast to Django's cursors, rows are dictionaries and `jsonb` values are decoded.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, cast

import psycopg
from django.db import Error, connections
from django.db.transaction import atomic
from psycopg.rows import dict_row
from psycopg.types.json import JsonbLoader

from seeder.errors import ColumnsNamedTwice, StatementRefused, TransactionRolledBack
from seeder.postgres import sqlstates
from seeder.postgres.sessions import discard_if_broken, driver_connection

Parameters = Sequence[Any] | Mapping[str, Any]
Record = dict[str, Any]


def fetch_all(database: str, statement: str, parameters: Parameters | None) -> list[Record]:
    """Return the rows of the last statement, or none if it returns no rows."""
    with _run(database, statement, parameters) as cursor:
        return _require_distinct_names(cursor, cursor.fetchall()) if cursor.description else []


def execute(database: str, statement: str, parameters: Parameters | None) -> int:
    """Return the number of rows that the last statement affected, or 0 if PostgreSQL does not count them."""
    with _run(database, statement, parameters) as cursor:
        return max(cursor.rowcount, 0)


def fetch_iter(database: str, statement: str, parameters: Parameters | None, *, chunk_size: int) -> Iterator[Record]:
    """Yield the rows of one query from a cursor on the server, one chunk per round trip."""
    with _run(database, statement, parameters, is_chunked=True) as cursor:
        while records := cursor.fetchmany(chunk_size):
            yield from _require_distinct_names(cursor, records)


@contextmanager
def transaction(database: str) -> Iterator[None]:
    """Run the block in a transaction, or in a savepoint if there is one.

    After a failed statement PostgreSQL executes COMMIT as ROLLBACK without an error, so this raises
    `TransactionRolledBack`.
    """
    is_in_block = False
    try:
        with atomic(using=database):
            session = driver_connection(database)
            is_in_block = True
            yield
            is_in_block = False
            if session.info.transaction_status != psycopg.pq.TransactionStatus.INTRANS:
                raise TransactionRolledBack
    except Error:
        if is_in_block:  # an error of the ORM, which the caller expects
            raise
        with _translate_errors(database):
            raise


@contextmanager
def _run(
    database: str, statement: str, parameters: Parameters | None, *, is_chunked: bool = False
) -> "Iterator[psycopg.Cursor[Record]]":
    """Run statements, which PostgreSQL runs as one transaction, and yield the cursor at the last one's result."""
    connection = connections[database]
    with (
        _translate_errors(database),
        connection.chunked_cursor() if is_chunked else connection.cursor() as cursor,
    ):
        cursor.cursor.row_factory = dict_row
        cursor.cursor.adapters.register_loader("jsonb", JsonbLoader)
        cursor.execute(statement, parameters or None)
        while not is_chunked and cursor.nextset():
            pass
        yield cast("psycopg.Cursor[Record]", cursor)  # Django's wrapper of it, which translates its errors


def _require_distinct_names(cursor: "psycopg.Cursor[Record]", records: list[Record]) -> list[Record]:
    names = [column.name for column in cursor.description or ()]
    if records and len(records[0]) < len(names):
        raise ColumnsNamedTwice(names=", ".join(sorted({name for name in names if names.count(name) > 1})))
    return records


@contextmanager
def _translate_errors(database: str) -> Iterator[None]:
    with sqlstates.translate_database_errors(database):
        try:
            yield
        except Error as error:
            _restore_connection(database)
            if sqlstates.is_connection_lost(error):
                raise
            state = sqlstates.sqlstate(error)
            cause = f"{sqlstates.first_line(error)} (SQLSTATE {state})" if state else sqlstates.first_line(error)
            raise StatementRefused(cause=cause, sqlstate=state) from error


def _restore_connection(database: str) -> None:
    """Close a broken connection, so that the next statement opens a new one.

    A COPY, which needs another function of psycopg, would block its connection.
    """
    session = connections[database].connection
    if session is not None and session.info.transaction_status == psycopg.pq.TransactionStatus.ACTIVE:
        connections[database].close()
    elif not connections[database].in_atomic_block:
        discard_if_broken(database)
