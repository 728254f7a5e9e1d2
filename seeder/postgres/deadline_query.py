"""Questions to a database that are answered within a time, or not at all: for who watches, and must not hang.

A server may refuse a connection, leave it unanswered, or take it and then say nothing more, and then no time limit of
its own ends the wait. So the question is asked in a thread, on a connection of its own, whose socket is shut down when
the time is over. Whoever asks meanwhile gets the same answer: nobody can open many connections by asking often.
"""

import os
import socket
from collections.abc import Callable
from concurrent.futures import Future, wait
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import suppress
from datetime import timedelta
from threading import Lock, Thread
from time import monotonic
from typing import Any, Generic, TypeVar

from django.db import OperationalError, connections

from seeder.postgres import sessions, transactions

Answer = TypeVar("Answer")

_ABORT_GRACE = 0.2  # seconds for a thread to notice that it was cut, so that the next question is a new one
_CONNECT_TIMEOUT = 2  # seconds, the least that libpq and psycopg know


class DeadlineQuery(Generic[Answer]):
    """What is asked of one database, in one transaction. `ask` runs in another thread."""

    def __init__(self, database: str, query: Callable[[], Answer], *, timeout: timedelta) -> None:
        self._database, self._query, self._timeout = database, query, timeout
        self._lock = Lock()
        self._pending: PendingAnswer[Answer] | None = None

    def start(self, *, max_age: timedelta = timedelta()) -> "PendingAnswer[Answer]":
        """Ask, unless that is being done or was answered no longer ago than `kept`; several questions can so be asked
        at once."""
        with self._lock:
            if self._pending is None or not self._pending.is_fresh(max_age):
                self._pending = PendingAnswer(self._database, self._query, self._timeout)
            return self._pending


class PendingAnswer(Generic[Answer]):
    """A question on its way."""

    def __init__(self, database: str, query: Callable[[], Answer], timeout: timedelta) -> None:
        self._timeout, self._deadline = timeout, monotonic() + timeout.total_seconds()
        self._future: Future[Answer] = Future()
        self._lock = Lock()
        self._socket: socket.socket | None = None
        self._timed_out, self._answered_at = False, 0.0
        Thread(target=self._run, args=(database, query), daemon=True, name="seeder probe").start()

    def is_fresh(self, max_age: timedelta) -> bool:
        """Whether it is still being asked, or was answered no longer ago than that."""
        return not self._future.done() or monotonic() - self._answered_at < max_age.total_seconds()

    def answer(self) -> Answer:
        """Raises what `ask` does, and `OperationalError` where there is no answer in time."""
        try:
            return self._future.result(max(self._deadline - monotonic(), 0))
        except FutureTimeout:
            self._abort()
            wait([self._future], _ABORT_GRACE)
            raise OperationalError(f"no answer within {self._timeout.total_seconds():.0f} s") from None

    def _abort(self) -> None:
        """Whoever waits at the other end of the socket hears that it was closed."""
        with self._lock:
            self._timed_out = True
            self._shut_down_socket()

    def _run(self, database: str, query: Callable[[], Answer]) -> None:
        try:
            self._future.set_result(self._answer_within_transaction(database, query))
        except BaseException as error:  # noqa: BLE001  # raised where the answer is waited for
            self._future.set_exception(error)

    def _answer_within_transaction(self, database: str, query: Callable[[], Answer]) -> Answer:
        self._use_private_connection(database)
        try:
            with transactions.durable_transaction(database):
                sessions.query(database, "set_time_limit", {"timeout": f"{self._timeout.total_seconds():.0f}s"})
                return query()
        finally:
            with suppress(Exception):  # what ended the question says more
                sessions.close_thread_connections()
            self._keep_socket(None)
            self._answered_at = monotonic()

    def _use_private_connection(self, database: str) -> None:
        """In this thread, a connection to the same database that is not pooled, gives up soon, and can be cut from when
        it is there: what Django and the host say to a new one may stay unanswered too."""
        connection = connections[database].copy()
        options = connection.settings_dict.setdefault("OPTIONS", {})
        options.pop("pool", None)
        options["connect_timeout"] = _CONNECT_TIMEOUT
        connection.settings_dict["CONN_MAX_AGE"] = 0
        connect = connection.get_new_connection

        def connect_and_keep_socket(parameters: dict[str, Any]) -> Any:
            made = connect(parameters)
            # Another descriptor of the same socket: the connection may close its own, whose number is then anybody's.
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
        with suppress(OSError):
            if self._socket is not None:
                self._socket.shutdown(socket.SHUT_RDWR)
