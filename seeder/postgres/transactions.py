"""Transactions and their parts: Django's, and one of our own that saves a round trip."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Self, TypeVar

from django.db import Error, connections, transaction

from seeder.postgres.sessions import Rows, query, query_batch

Result = TypeVar("Result")


@contextmanager
def durable_transaction(database: str) -> Iterator[None]:
    """Everything inside commits together or not at all."""
    with transaction.atomic(using=database, durable=True):
        yield


@contextmanager
def nested_atomic(database: str) -> Iterator[None]:
    """A part of a transaction (a savepoint) that can fail without the whole."""
    with transaction.atomic(using=database):
        yield


def attempt(database: str, operation: Callable[[], Result]) -> Result | Error:
    """What `act` returns, or the error that it ended with, after which what surrounds it goes on as if it had not been.

    An error that takes the surrounding transaction with it, as a lost connection does, is raised: Django would undo
    that transaction without a word.
    """
    has_begun = False
    try:
        with nested_atomic(database):
            has_begun = True
            return operation()
    except Error as error:
        if in_transaction(database) and (not has_begun or transaction.get_rollback(using=database)):
            raise
        return error


def after_commit(database: str, callback: Callable[[], object]) -> None:
    """Do this when what surrounds it has committed, or never."""
    transaction.on_commit(callback, using=database)


def in_transaction(database: str) -> bool:
    return connections[database].in_atomic_block


@contextmanager
def rolled_back_savepoint(database: str) -> Iterator[None]:
    """A part of a transaction that is rolled back whatever happens in it, with the locks that it took."""
    with transaction.atomic(using=database):
        yield
        transaction.set_rollback(True, using=database)


@contextmanager
def rolled_back_transaction(database: str) -> Iterator[None]:
    """A transaction that is rolled back whatever happens in it."""
    with transaction.atomic(using=database, durable=True):
        yield
        transaction.set_rollback(True, using=database)


class BatchedTransaction:
    """A transaction whose first statements travel with its beginning. It commits at the end of its `with`, or undoes
    everything if an error leaves that. Not Django's `atomic()`, which takes a round trip to begin with."""

    def __init__(self, database: str, *, begin_statement: str = "begin") -> None:
        """`by`: the named statement that begins it."""
        self._database, self._begin_statement, self._has_begun = database, begin_statement, False

    def begin(self, statements: Sequence[str], parameters: Mapping[str, Any]) -> list[Rows]:
        """The rows of the first named statements."""
        self._has_begun = True
        return query_batch(self._database, (self._begin_statement, *statements), parameters)[1:]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if not self._has_begun:
            return
        try:
            # Counters are published right after the commit, for a reader that then measures this transaction.
            query_batch(self._database, ("flush_backend_statistics", "commit") if kind is None else ("rollback",), {})
        except Error:
            with suppress(Error):  # where the session is gone, so is its transaction
                query(self._database, "rollback")
            if kind is None:
                raise


@contextmanager
def savepoint(database: str) -> Iterator[None]:
    """A part of a `Transaction` that can fail without the whole."""
    query(database, "savepoint")
    try:
        yield
    except Error:
        query(database, "rollback_to_savepoint")
        raise
    query(database, "release_savepoint")
