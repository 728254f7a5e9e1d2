"""Queries with a deadline, for health checks that must not hang.

A server can leave a connection unanswered, and then none of its own time limits ends the wait. So the query runs in a
thread with its own connection, whose socket is shut down at the deadline. Concurrent callers share one query, so that
frequent checks do not open many connections.
"""

import os
import socket
from collections.abc import Callable
from concurrent.futures import Future, wait
from contextlib import suppress
from datetime import timedelta
from threading import Lock, Thread
from time import monotonic
from typing import Any, Generic, TypeVar

from django.db import OperationalError, connections

from seeder.postgres import sessions
from seeder.postgres.named_statements import STATEMENTS
from seeder.postgres.transactions import atomic

Answer = TypeVar("Answer")

_ABORT_GRACE = 0.2  # seconds until the thread notices the shutdown, so that the next query is a new one
_CONNECT_TIMEOUT = 2  # seconds, the minimum of libpq and psycopg


class DeadlineQuery(Generic[Answer]):
    """A query to one database in one transaction. `query` runs in another thread."""

    def __init__(self, database: str, query: Callable[[], Answer], *, timeout: timedelta) -> None:
        self._database, self._query, self._timeout = database, query, timeout
        self._lock = Lock()
        self._pending: PendingAnswer[Answer] | None = None

    def start(self, *, max_age: timedelta = timedelta()) -> "PendingAnswer[Answer]":
        """Start the query, or return the running one or an answer younger than `max_age`."""
        with self._lock:
            if self._pending is None or not self._pending.is_fresh(max_age):
                self._pending = PendingAnswer(self._database, self._query, self._timeout)
            return self._pending


class PendingAnswer(Generic[Answer]):
    """A running query and its answer."""

    def __init__(self, database: str, query: Callable[[], Answer], timeout: timedelta) -> None:
        self._timeout, self._deadline = timeout, monotonic() + timeout.total_seconds()
        self._future: Future[Answer] = Future()
        self._lock = Lock()
        self._socket: socket.socket | None = None
        self._timed_out, self._answered_at = False, 0.0
        Thread(target=self._run, args=(database, query), daemon=True, name="seeder probe").start()

    def is_fresh(self, max_age: timedelta) -> bool:
        """Return whether it is running, or was answered within `max_age`."""
        return not self._future.done() or monotonic() - self._answered_at < max_age.total_seconds()

    def answer(self) -> Answer:
        """Wait for the answer. Raises the query's errors, and `OperationalError` at the deadline."""
        try:
            return self._future.result(max(self._deadline - monotonic(), 0))
        except TimeoutError:
            with self._lock:
                self._timed_out = True
                self._shut_down_socket()
            wait([self._future], _ABORT_GRACE)
            raise OperationalError(f"no answer within {self._timeout.total_seconds():.0f} s") from None

    def _run(self, database: str, query: Callable[[], Answer]) -> None:
        try:
            self._future.set_result(self._answer_within_transaction(database, query))
        except BaseException as error:  # noqa: BLE001  # raised where the answer is waited for
            self._future.set_exception(error)

    def _answer_within_transaction(self, database: str, query: Callable[[], Answer]) -> Answer:
        self._use_private_connection(database)
        try:
            with atomic(using=database, durable=True):
                limit = {"timeout": f"{self._timeout.total_seconds():.0f}s"}
                sessions.query(database, STATEMENTS["set_time_limit"], limit)
                return query()
        finally:
            with suppress(Exception):  # the query's own error matters more
                connections.close_all()
            self._keep_socket(None)
            self._answered_at = monotonic()

    def _use_private_connection(self, database: str) -> None:
        """Give this thread its own connection, without a pool and with a short connect timeout.

        Its socket is kept as soon as it is connected, because the first statements of Django and the host may stay
        unanswered too.
        """
        connection = connections[database].copy()
        options = connection.settings_dict.setdefault("OPTIONS", {})
        options.pop("pool", None)
        options["connect_timeout"] = _CONNECT_TIMEOUT
        connection.settings_dict["CONN_MAX_AGE"] = 0
        connect = connection.get_new_connection

        def connect_and_keep_socket(parameters: dict[str, Any]) -> Any:
            made = connect(parameters)
            # A duplicate descriptor: if the connection closes its own, the number can be reused.
            self._keep_socket(socket.socket(fileno=os.dup(made.fileno())))
            return made

        connection.get_new_connection = connect_and_keep_socket  # type: ignore[assignment, method-assign]  # of this one alone
        connections[database] = connection

    def _keep_socket(self, connection_socket: socket.socket | None) -> None:
        with self._lock:
            if self._socket is not None:
                self._socket.close()
            self._socket = connection_socket
            if self._timed_out:
                self._shut_down_socket()

    def _shut_down_socket(self) -> None:
        """End the thread's wait."""
        with suppress(OSError):
            if self._socket is not None:
                self._socket.shutdown(socket.SHUT_RDWR)
