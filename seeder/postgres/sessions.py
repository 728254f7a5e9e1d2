"""Connections and statements: Django's connection of this thread and its psycopg connection."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

import psycopg
from django.db import connections
from psycopg import sql
from psycopg.rows import RowFactory, class_row, tuple_row

from seeder.postgres.named_statements import STATEMENTS

Row = tuple[Any, ...]
Rows = list[Row]


def query(
    database: str,
    statement: str | sql.SQL | sql.Composed,
    parameters: Mapping[str, Any] | None = None,
    *,
    row_factory: RowFactory[Any] = tuple_row,
) -> list[Any]:
    """Run a trusted statement and return its rows, if it has any."""
    if isinstance(statement, str):
        parameters = parameters or {}  # a percent sign is doubled, but not in the names of a composed statement
    cursor = _client_cursor(database, row_factory)
    with connections[database].wrap_database_errors:
        return _rows(cursor.execute(statement, parameters))


def query_batch(
    database: str, statements: Iterable[str] | sql.Composed, parameters: Mapping[str, Any] | None = None
) -> list[Rows]:
    """Run statements with shared parameters in one round trip. Return the rows of each.

    Each has its own snapshot, so it sees what was committed while an earlier one waited. Composed statements have no
    parameters.
    """
    cursor = _client_cursor(database)
    with connections[database].wrap_database_errors:
        cursor.execute(statements if isinstance(statements, sql.Composed) else "\n".join(statements), parameters)
        results = [_rows(cursor)]
        while cursor.nextset():
            results.append(_rows(cursor))
        return results


def _client_cursor(database: str, row_factory: RowFactory[Any] = tuple_row) -> "psycopg.ClientCursor[Any]":
    """Return a psycopg cursor that binds parameters on the client.

    Django's cursor takes twice the time and keeps all queries in DEBUG. Server-side binding allows one statement only.
    """
    return psycopg.ClientCursor(driver_connection(database), row_factory=row_factory)


def _rows(cursor: "psycopg.Cursor[Any]") -> Rows:
    """Return the rows, or none if the statement returns no result set."""
    result = cursor.pgresult
    return cursor.fetchall() if result and result.status == psycopg.pq.ExecStatus.TUPLES_OK else []


def server_time(database: str) -> datetime:
    """The server's time."""
    return cast("datetime", query(database, STATEMENTS["server_time"])[0][0])


def can_encode(database: str, text: str) -> bool:
    """Return whether the encoding of the database has all characters of a text."""
    encoding = driver_connection(database).info.parameter_status("server_encoding") or "UTF8"
    if encoding in {"UTF8", "SQL_ASCII"}:  # SQL_ASCII stores any bytes
        return True
    try:
        text.encode(encoding.replace("WIN", "cp").replace("KOI8", "koi8_"))
    except (UnicodeEncodeError, LookupError):  # an encoding that Python does not know cannot be asked
        return False
    return True


@dataclass(frozen=True, kw_only=True, slots=True)
class SessionState:
    """What a run requires of this thread's session."""

    is_behind_proxy: bool  # the proxy may share sessions: see `session_sharing`
    is_read_only: bool  # also true on a standby
    deadlock_timeout_ms: int
    now: datetime  # the server's time


def session_state(database: str) -> SessionState:
    """Read the state of this thread's session, in one round trip."""
    # A proxy reports another process at connect time than the one that answers.
    parameters = {"connected_pid": driver_connection(database).info.backend_pid}
    [state] = query(database, STATEMENTS["session_state"], parameters, row_factory=class_row(SessionState))
    return cast("SessionState", state)


def execute_single_statement(database: str, statement: sql.Composed) -> None:
    """Run a statement that contains untrusted SQL, as `query_single_statement` does."""
    query_single_statement(database, statement)


def query_single_statement(database: str, statement: sql.Composed) -> Rows:
    """Run a statement that contains untrusted SQL, so that PostgreSQL rejects a second one. Return its rows.

    Without parameters psycopg uses the simple query protocol, which accepts several statements. Binary results require
    the extended protocol, which accepts exactly one. Django's cursor may bind on the client, which uses the simple
    protocol.
    """
    connection = driver_connection(database)
    with connections[database].wrap_database_errors, psycopg.Cursor(connection) as cursor:
        return _rows(cursor.execute(statement, binary=True))


def execute_pipeline(database: str, statements: Iterable[sql.Composed]) -> None:
    """Run statements as by `execute_single_statement`, in one round trip.

    Raises the error of the first that fails; later ones are not run.
    """
    connection, first_error = driver_connection(database), None
    with connections[database].wrap_database_errors:
        # If an error left the pipeline, psycopg would also log a warning that the rest was not run.
        with suppress(psycopg.errors.PipelineAborted), connection.pipeline(), psycopg.Cursor(connection) as cursor:
            try:
                for statement in statements:
                    cursor.execute(statement, binary=True)
            except psycopg.Error as error:
                first_error = error
        if first_error is not None:
            raise first_error


class CancellableStatements:
    """Long statements of a run that can be cancelled together."""

    def __init__(self) -> None:
        self._connections: set[psycopg.Connection[Any]] = set()

    @contextmanager
    def track(self, database: str) -> Iterator[None]:
        """Allow to cancel this thread's statements inside the block. Write rows of the history outside."""
        connection = driver_connection(database)
        is_tracked = connection in self._connections
        self._connections.add(connection)
        try:
            yield
        finally:
            if not is_tracked:
                self._connections.discard(connection)

    def cancel_all(self) -> None:
        """Cancel all tracked statements (57014). A statement that just ended is not affected."""
        for connection in tuple(self._connections):
            with suppress(psycopg.Error):
                connection.cancel_safe(timeout=1.0)


def driver_connection(database: str) -> "psycopg.Connection[Any]":
    """Return this thread's psycopg connection."""
    connection = connections[database]
    connection.ensure_connection()
    return cast("psycopg.Connection[Any]", connection.connection)


def discard_if_broken(database: str) -> None:
    """Drop this thread's connection if it is broken, so that the next statement opens a new one.

    Django's own `close_if_unusable_or_obsolete()` would also close a good one that is older than CONN_MAX_AGE (0 by
    default), and with it the session that holds a run's lock.
    """
    connection = connections[database].connection
    if connection is not None and connection.closed:
        connections[database].close()
