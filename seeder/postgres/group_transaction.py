"""The locks and the snapshot of a transaction that refreshes a group of views."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.db import Error
from psycopg import sql

from seeder.domain.view_names import ViewName
from seeder.postgres import sessions, transactions, view_statements
from seeder.postgres.named_statements import STATEMENTS

Result = TypeVar("Result")

_BEGIN = "BEGIN ISOLATION LEVEL REPEATABLE READ;"
# Less than deadlock_timeout (1 s by default), after which PostgreSQL ends one of two that wait for each other.
SHORT_LOCK_TIMEOUT_MS = 50


@contextmanager
def locked_keys(database: str, keys: Iterable[str], limits: Mapping[str, Any]) -> Iterator[timedelta]:
    """Hold advisory locks of the session inside the block. Return the wait.

    They are taken before the transaction, whose snapshot would otherwise be older than the wait for another run.

    Raises a database error with SQLSTATE 55P03 if they are not free in time.
    """
    parameters = {**limits, "keys": list(keys)}
    try:
        with transactions.BatchedTransaction(database) as transaction:
            names = ("pin_transactions", "set_lock_wait", "lock_keys_for_session")
            _, waiting, locked = transaction.begin([STATEMENTS[name] for name in names], parameters)
        yield max(row[-1] for row in locked) - waiting[0][-1]
    finally:
        with suppress(Error):  # a lost session has no locks any more
            sessions.query(database, STATEMENTS["unlock_keys"], parameters)


@contextmanager
def snapshot_transaction(database: str) -> Iterator[None]:
    """Run the block in a REPEATABLE READ transaction, which has no snapshot yet."""
    with transactions.BatchedTransaction(database, begin_statement=_BEGIN) as transaction:
        transaction.begin((), {})
        yield


def lock_tables(database: str, tables: Iterable[ViewName], *, max_wait: timedelta) -> timedelta:
    """Lock tables in ACCESS SHARE mode before the snapshot. Return the wait.

    Raises a database error with SQLSTATE 55P03 if another session keeps one locked.
    """
    identifiers = [view_statements.view_identifier(table) for table in tables]
    if not identifiers:
        return timedelta()
    lock = sql.SQL("LOCK TABLE {} IN ACCESS SHARE MODE").format(sql.SQL(", ").join(identifiers))

    def attempt() -> Error | None:
        try:
            transactions.query_in_savepoint(database, view_statements.set_lock_timeout(SHORT_LOCK_TIMEOUT_MS), lock)
        except Error as error:
            return error
        return None

    error, waited = transactions.retry_while_locked(attempt, max_wait)
    if error is not None:
        raise error
    return waited


def take_snapshot(database: str) -> tuple[datetime, str]:
    """Take the snapshot. Return a time before it, and the transactions that it contains."""
    [(taken_at, snapshot)] = sessions.query(database, STATEMENTS["take_snapshot"])
    return taken_at, snapshot


def attempt_in_savepoint(database: str, operation: Callable[[], Result]) -> Result | Error:
    """Return the result of an operation, or its database error after undoing it. The transaction continues.

    Raises the error if the transaction cannot continue.
    """
    sessions.query(database, "SAVEPOINT seeder;")
    try:
        result = operation()
        sessions.query(database, "RELEASE SAVEPOINT seeder;")
    except Error as error:
        try:
            sessions.query(database, "ROLLBACK TO SAVEPOINT seeder; RELEASE SAVEPOINT seeder;")
        except Error:
            raise error from None
        return error
    return result


@contextmanager
def member_savepoint(database: str) -> Iterator[None]:
    """Undo what the block did if it raises an error. The transaction continues, unless the error is the database's."""
    sessions.query(database, "SAVEPOINT seeder_member;")
    try:
        yield
        sessions.query(database, "RELEASE SAVEPOINT seeder_member;")
    except Exception:
        with suppress(Error):  # a lost session has no savepoint any more
            sessions.query(database, "ROLLBACK TO SAVEPOINT seeder_member; RELEASE SAVEPOINT seeder_member;")
        raise
