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

_NOTICE = 0.2  # seconds for a thread to notice that it was cut, so that the next question is a new one
_CONNECT = 2  # seconds, the least that libpq and psycopg know


class Question(Generic[Answer]):
    """What is asked of one database, in one transaction. `ask` runs in another thread."""

    def __init__(self, database: str, ask: Callable[[], Answer], *, limit: timedelta) -> None:
        self._database, self._ask, self._limit = database, ask, limit
        self._lock = Lock()
        self._asking: Asking[Answer] | None = None

    def begin(self, *, kept: timedelta = timedelta()) -> "Asking[Answer]":
        """Ask, unless that is being done or was answered no longer ago than `kept`; several questions can so be asked
        at once."""
        with self._lock:
            if self._asking is None or not self._asking.holds(kept):
                self._asking = Asking(self._database, self._ask, self._limit)
            return self._asking


class Asking(Generic[Answer]):
    """A question on its way."""

    def __init__(self, database: str, ask: Callable[[], Answer], limit: timedelta) -> None:
        self._limit, self._end = limit, monotonic() + limit.total_seconds()
        self._future: Future[Answer] = Future()
        self._lock = Lock()
        self._socket: socket.socket | None = None
        self._late, self._ended = False, 0.0
        Thread(target=self._run, args=(database, ask), daemon=True, name="seeder probe").start()

    def holds(self, kept: timedelta) -> bool:
        """Whether it is still being asked, or was answered no longer ago than that."""
        return not self._future.done() or monotonic() - self._ended < kept.total_seconds()

    def answer(self) -> Answer:
        """Raises what `ask` does, and `OperationalError` where there is no answer in time."""
        try:
            return self._future.result(max(self._end - monotonic(), 0))
        except FutureTimeout:
            self._cut()
            wait([self._future], _NOTICE)
            raise OperationalError(f"no answer within {self._limit.total_seconds():.0f} s") from None

    def _cut(self) -> None:
        """Whoever waits at the other end of the socket hears that it was closed."""
        with self._lock:
            self._late = True
            self._shut()

    def _run(self, database: str, ask: Callable[[], Answer]) -> None:
        try:
            self._future.set_result(self._asked(database, ask))
        except BaseException as error:  # noqa: BLE001  # raised where the answer is waited for
            self._future.set_exception(error)

    def _asked(self, database: str, ask: Callable[[], Answer]) -> Answer:
        self._have_one_of_our_own(database)
        try:
            with transactions.one_transaction(database):
                sessions.query(database, "limit_time", {"limit": f"{self._limit.total_seconds():.0f}s"})
                return ask()
        finally:
            with suppress(Exception):  # what ended the question says more
                sessions.leave()
            self._hold(None)
            self._ended = monotonic()

    def _have_one_of_our_own(self, database: str) -> None:
        """In this thread, a connection to the same database that is not pooled, gives up soon, and can be cut from when
        it is there: what Django and the host say to a new one may stay unanswered too."""
        connection = connections[database].copy()
        options = connection.settings_dict.setdefault("OPTIONS", {})
        options.pop("pool", None)
        options["connect_timeout"] = _CONNECT
        connection.settings_dict["CONN_MAX_AGE"] = 0
        connect = connection.get_new_connection

        def connect_and_hold(parameters: dict[str, Any]) -> Any:
            made = connect(parameters)
            # Another descriptor of the same socket: the connection may close its own, whose number is then anybody's.
            self._hold(socket.socket(fileno=os.dup(made.fileno())))
            return made

        connection.get_new_connection = connect_and_hold  # type: ignore[assignment, method-assign]  # of this one alone
        connections[database] = connection

    def _hold(self, end: socket.socket | None) -> None:
        with self._lock:
            if self._socket is not None:
                self._socket.close()
            self._socket = end
            if self._late:
                self._shut()

    def _shut(self) -> None:
        with suppress(OSError):
            if self._socket is not None:
                self._socket.shutdown(socket.SHUT_RDWR)
