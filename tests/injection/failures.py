"""What can happen to a database call: each kind, done for real."""

import os
import socket
from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from enum import StrEnum
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus

from seeder.postgres import sessions
from seeder.services import recovery

Connection = psycopg.Connection[Any]
RoundTrip = Generator[Any, Any, Any]


class Kind(StrEnum):
    CUT = "the connection is cut before the statement is sent"
    UNAWAITED = "the connection is cut while the server carries the statement out"
    LOST = "the statement is carried out, and its answer is lost"
    TERMINATED = "somebody terminates the backend"
    CANCELLED = "somebody cancels the statement"
    NO_LOCK = "a lock is not granted"
    DEADLOCK = "the server finds a deadlock"
    DISK_FULL = "the server's disk is full"
    UNSERIALIZABLE = "the server cannot serialize the transaction"
    REFUSED = "the connection is cut, and new ones are refused for a while"
    GONE = "all connections are cut, and the server does not come back"
    RESTART = "every backend is terminated"
    TAKEN_FOR_DEAD = "the connection that shows that the run lives is lost, and somebody recovers at once"


# What may well succeed the next time, and so is tried again where a view is refreshed.
PASSING = {Kind.CUT, Kind.UNAWAITED, Kind.LOST, Kind.TERMINATED, Kind.REFUSED, Kind.RESTART}
PASSING |= {Kind.NO_LOCK, Kind.DEADLOCK, Kind.UNSERIALIZABLE}

# After these the server goes on to answer: a run that ends early closes its rows itself.
ANSWERED = {Kind.CANCELLED, Kind.DISK_FULL}

_RAISED = {Kind.NO_LOCK: "55P03", Kind.DEADLOCK: "40P01", Kind.DISK_FULL: "53100", Kind.UNSERIALIZABLE: "40001"}
_BY_THE_SERVER = {*_RAISED, Kind.CANCELLED}
_OTHERS = (
    " FROM pg_stat_activity AS a"
    " WHERE datname ~ '^test_' AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
)
_ALIVE = (
    " AND EXISTS (SELECT FROM pg_locks AS l, reporting.seeder_run_history AS h,"
    " hashtextextended('seeder.run ' || h.run_id, 0) AS key WHERE l.pid = a.pid AND l.locktype = 'advisory'"
    " AND l.classid::bigint = (key >> 32) & 4294967295 AND l.objid::bigint = key & 4294967295)"
)
_MOMENT = 0.2  # seconds


class Failures:
    """Makes calls fail. `send` is psycopg's own way to have a round trip, `somebody` a session that nobody counts."""

    def __init__(self, send: Callable[[Connection, RoundTrip], Any], somebody: Connection) -> None:
        self._send, self._somebody = send, somebody
        self._somebody_s_thread = ThreadPoolExecutor(1)
        self._recovering: Future[None] | None = None

    def can(self, kind: Kind, connection: Connection) -> bool:
        """In a transaction that has failed already, the server has no other errors to give."""
        return kind not in _BY_THE_SERVER or connection.pgconn.transaction_status != TransactionStatus.INERROR

    def fail(self, kind: Kind, connection: Connection, call: RoundTrip) -> Any:
        """Carry out a call in this way; what it returns, should it survive it."""
        match kind:
            case Kind.CUT | Kind.REFUSED | Kind.GONE:
                cut(connection)
            case Kind.UNAWAITED:
                next(call)
                cut(connection)
            case Kind.LOST:
                with suppress(psycopg.Error):
                    self._send(connection, call)
                cut(connection)
                call = connection._exec_command(b"SELECT 1")
            case Kind.TERMINATED:
                self._somebody.execute("SELECT pg_terminate_backend(%s, 5000)", [connection.info.backend_pid])
            case Kind.RESTART | Kind.TAKEN_FOR_DEAD:
                self.fail_elsewhere(kind)
            case _:
                call.close()
                self._begin(connection)
                call = connection._exec_command(_raising(kind))
        return self._send(connection, call)

    def fail_elsewhere(self, kind: Kind) -> None:
        """What does not happen to one connection alone."""
        if kind is Kind.RESTART:
            self._somebody.execute("SELECT pg_terminate_backend(pid, 5000)" + _OTHERS)
        elif kind is Kind.TAKEN_FOR_DEAD:
            self._somebody.execute("SELECT pg_terminate_backend(pid, 5000)" + _OTHERS + _ALIVE)
            self._recovering = self._somebody_s_thread.submit(_recover)
            wait([self._recovering], _MOMENT)  # no longer: it may wait for what the call's own transaction has locked

    def end(self) -> None:
        """Raises what whoever recovered has met with."""
        self._somebody_s_thread.shutdown()
        if self._recovering is not None:
            self._recovering.result()

    def _begin(self, connection: Connection) -> None:
        """As psycopg does before a transaction's first statement, so that it is the transaction that fails."""
        if not connection.autocommit and connection.pgconn.transaction_status == TransactionStatus.IDLE:
            self._send(connection, connection._exec_command(b"BEGIN"))


def cut(connection: Connection) -> None:
    """No byte goes either way any more."""
    with suppress(OSError), socket.socket(fileno=os.dup(connection.fileno())) as ours:
        ours.shutdown(socket.SHUT_RDWR)


def _raising(kind: Kind) -> bytes:
    if kind is Kind.CANCELLED:
        return b"SELECT pg_cancel_backend(pg_backend_pid()), pg_sleep(60)"
    return f"DO $$BEGIN RAISE 'injected' USING ERRCODE = '{_RAISED[kind]}'; END$$".encode()


def _recover() -> None:
    try:
        recovery.recover()
    finally:
        sessions.close_thread_connections()
