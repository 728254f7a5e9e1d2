"""Transactions and savepoints that Django does not have, and one that saves a round trip."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import timedelta
from time import monotonic
from typing import Any, Self, TypeVar

import psycopg
from django.db import DEFAULT_DB_ALIAS, Error, connections, transaction
from psycopg import sql

from seeder.domain.view_names import ViewName
from seeder.postgres import sessions, view_statements
from seeder.postgres.named_statements import STATEMENTS
from seeder.postgres.sessions import Rows, query, query_batch
from seeder.postgres.sqlstates import LOCK_NOT_AVAILABLE, sqlstate

Result = TypeVar("Result")


@contextmanager
def atomic(using: str = DEFAULT_DB_ALIAS, *, durable: bool = False) -> Iterator[None]:
    """Run the block in Django's `atomic()`, which begins READ COMMITTED.

    The default of the role, the database or the host can be another one. A snapshot from before a lock would then be
    read after the wait for it.
    """
    with _begins_with(using, psycopg.IsolationLevel.READ_COMMITTED), transaction.atomic(using=using, durable=durable):
        yield


@contextmanager
def read_only_snapshot(using: str = DEFAULT_DB_ALIAS) -> Iterator[None]:
    """Run the block in a read-only transaction with one snapshot, which its first statement takes.

    Must not be called inside a transaction.
    """
    with (
        _begins_with(using, psycopg.IsolationLevel.REPEATABLE_READ, read_only=True),
        transaction.atomic(using=using, durable=True),
    ):
        yield


@contextmanager
def _begins_with(
    using: str, isolation_level: psycopg.IsolationLevel, *, read_only: bool | None = None
) -> Iterator[None]:
    """Set how a transaction begins inside the block. One that has begun already stays as it is."""
    session, idle = sessions.driver_connection(using), psycopg.pq.TransactionStatus.IDLE
    previous, begins = (session.isolation_level, session.read_only), session.info.transaction_status == idle
    if begins:
        session.isolation_level, session.read_only = isolation_level, read_only
    try:
        yield
    finally:
        if begins and session.info.transaction_status == idle:
            session.isolation_level, session.read_only = previous


def attempt(database: str, operation: Callable[[], Result]) -> Result | Error:
    """Return the result of `operation`, or its database error. The surrounding transaction continues.

    Raises an error that ends the surrounding transaction, such as a lost connection: otherwise Django would roll that
    transaction back silently.
    """
    if not connections[database].in_atomic_block:
        try:
            return operation()
        except Error as error:
            return error
    has_begun = False
    try:
        with atomic(database):
            has_begun = True
            return operation()
    except Error as error:
        if not has_begun or transaction.get_rollback(using=database):
            raise
        return error


# For transactions that hold locks: less than deadlock_timeout (1 s by default), after which PostgreSQL ends one of two
# that wait for each other.
SHORT_LOCK_TIMEOUT = "SET LOCAL lock_timeout = '50ms';"


def retry_while_locked(attempt: Callable[[], Result | Error], max_wait: timedelta) -> tuple[Result | Error, timedelta]:
    """Repeat an attempt, which holds no locks after an error, while another session's lock is in the way.

    Return its last result, and how long the attempts before it took. With a short lock timeout, this waits without
    deadlocks: what the attempt has locked is free between two attempts.
    """
    begun = monotonic()
    while True:
        waited = timedelta(seconds=monotonic() - begun)
        result = attempt()
        is_locked = isinstance(result, Error) and sqlstate(result) == LOCK_NOT_AVAILABLE
        if not is_locked or waited >= max_wait:
            return result, waited


@contextmanager
def rolled_back_atomic(database: str) -> Iterator[None]:
    """Run the block in a transaction or savepoint that is always rolled back, with its locks."""
    with atomic(database):
        yield
        transaction.set_rollback(True, using=database)


class BatchedTransaction:
    """A transaction that begins and runs its first statements in one round trip.

    It commits at the end of its `with` block, or rolls back on an error. Django's `atomic()` needs a round trip to
    begin.
    """

    def __init__(self, database: str, *, begin_statement: str = "BEGIN ISOLATION LEVEL READ COMMITTED;") -> None:
        """`begin_statement` can be several statements."""
        self._database, self._begin_statement, self._has_begun = database, begin_statement, False

    def begin(self, statements: Iterable[str], parameters: Mapping[str, Any]) -> list[Rows]:
        """Begin, run the statements and return the rows of each."""
        self._has_begun, statements = True, list(statements)
        results = query_batch(self._database, (self._begin_statement, *statements), parameters)
        return results[len(results) - len(statements) :]

    def begin_again(self, locked_tables: Iterable[ViewName]) -> None:
        """Commit, and begin a REPEATABLE READ transaction that locks tables before its snapshot, in one round trip.

        LOCK TABLE takes no snapshot. It does not wait.
        """
        statements: list[sql.Composable] = [sql.SQL("COMMIT;\nBEGIN ISOLATION LEVEL REPEATABLE READ;")]
        if tables := [view_statements.view_identifier(table) for table in locked_tables]:
            lock = sql.SQL("\nLOCK TABLE {} IN ACCESS SHARE MODE NOWAIT;")
            statements.append(lock.format(sql.SQL(", ").join(tables)))
        query_batch(self._database, sql.Composed(statements))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if not self._has_begun:
            return
        try:
            # COMMIT then publishes the statistics, for a reader that measures this transaction.
            commit = STATEMENTS["flush_backend_statistics"], "COMMIT;"
            query_batch(self._database, commit if kind is None else ("ROLLBACK;",), {})
        except Error:
            with suppress(Error):  # a lost session has no transaction any more
                query(self._database, "ROLLBACK;")
            if kind is None:
                raise


def query_transaction(database: str, statements: Iterable[str], parameters: Mapping[str, Any]) -> list[Rows]:
    """Run statements as one transaction, in one round trip, and return the rows of each.

    Each has its own snapshot. Raises the error of the first that fails, after a rollback.
    """
    try:
        _, *results, _ = query_batch(
            database, ("BEGIN ISOLATION LEVEL READ COMMITTED;", *statements, "COMMIT;"), parameters
        )
    except Error:
        with suppress(Error):  # a lost session has no transaction any more
            query(database, "ROLLBACK;")
        raise
    return results


def attempt_and_roll_back(database: str, operation: Callable[[], Result]) -> Result | Error:
    """Return the result or the database error of an operation in a `BatchedTransaction`, and undo what it did.

    It waits for each lock for a short time. Raises the error if the transaction cannot continue.
    """
    query(database, f"SAVEPOINT seeder; {SHORT_LOCK_TIMEOUT}")
    result: Result | Error
    try:
        result = operation()
    except Error as error:
        result = error
    try:
        query(database, "ROLLBACK TO SAVEPOINT seeder; RELEASE SAVEPOINT seeder;")
    except Error as error:
        raise (result if isinstance(result, Error) else error) from None
    return result


def query_in_savepoint(database: str, *statements: sql.Composed) -> Rows:
    """Run trusted statements in a savepoint of a `BatchedTransaction`, in one round trip.

    Return the rows of the first.
    """
    batch = sql.SQL("SAVEPOINT seeder;\n{}\n;\nRELEASE SAVEPOINT seeder;").format(sql.SQL("\n;\n").join(statements))
    try:
        _, rows, *_ = query_batch(database, batch)
    except Error:
        with suppress(Error):  # there is no savepoint if that statement failed
            query(database, "ROLLBACK TO SAVEPOINT seeder;")
        raise
    return rows
