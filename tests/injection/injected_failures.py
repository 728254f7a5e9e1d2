"""The kinds of failures of a database call, all of them real."""

import os
import socket
from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import psycopg
from django.db import connections
from psycopg.pq import TransactionStatus

from seeder.services.run import orphan_recovery

Connection = psycopg.Connection[Any]
RoundTrip = Generator[Any, Any, Any]


class FailureKind(StrEnum):
    CUT_BEFORE_SEND = "the connection is cut before the statement is sent"
    CUT_DURING_STATEMENT = "the connection is cut while the server executes the statement"
    ANSWER_LOST = "the statement is executed, and its answer is lost"
    TERMINATED = "the backend is terminated"
    CANCELLED = "the statement is cancelled"
    LOCK_NOT_GRANTED = "a lock is not granted"
    DEADLOCK = "the server finds a deadlock"
    DISK_FULL = "the server's disk is full"
    UNSERIALIZABLE = "the server cannot serialize the transaction"
    RECONNECT_REFUSED = "the connection is cut, and new ones are refused for a while"
    SERVER_GONE = "all connections are cut, and the server does not come back"
    ALL_TERMINATED = "every backend is terminated"
    RUN_LOCK_LOST = "the connection with the run's lock is lost, and another process recovers immediately"


# Transient failures, after which a refresh is retried.
TRANSIENT = {
    FailureKind.CUT_BEFORE_SEND,
    FailureKind.CUT_DURING_STATEMENT,
    FailureKind.ANSWER_LOST,
    FailureKind.TERMINATED,
    FailureKind.RECONNECT_REFUSED,
    FailureKind.ALL_TERMINATED,
}
TRANSIENT |= {FailureKind.LOCK_NOT_GRANTED, FailureKind.DEADLOCK, FailureKind.UNSERIALIZABLE}

# After these the server is still available: a run that ends early closes its rows itself.
SERVER_SURVIVES = {FailureKind.CANCELLED, FailureKind.DISK_FULL}

_SQLSTATES = {
    FailureKind.LOCK_NOT_GRANTED: "55P03",
    FailureKind.DEADLOCK: "40P01",
    FailureKind.DISK_FULL: "53100",
    FailureKind.UNSERIALIZABLE: "40001",
}
_SERVER_ERRORS = {*_SQLSTATES, FailureKind.CANCELLED}
_OTHER_BACKENDS = (
    " FROM pg_stat_activity AS a"
    " WHERE datname ~ '^test_' AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
)
_HOLDS_LOCK = (
    " AND EXISTS (SELECT FROM pg_locks AS l, ({}) AS n (name), hashtextextended(n.name, 0) AS key"
    " WHERE l.pid = a.pid AND l.locktype = 'advisory'"
    " AND l.classid::bigint = (key >> 32) & 4294967295 AND l.objid::bigint = key & 4294967295)"
)
_RECOVERY_HEAD_START = 0.2  # seconds


@dataclass(frozen=True)
class LockedWork:
    """Work whose process holds a session lock, by which others see that it is alive."""

    lock_names: str  # query of the names of such locks
    recover: Callable[[], object]  # closes what dead processes left open


REFRESH_RUN = LockedWork(
    "SELECT 'seeder.run ' || run_id FROM reporting.seeder_run_history", orphan_recovery.recover_orphaned_runs
)


class FailureInjector:
    """Lets calls fail. `send` is psycopg's own function for a round trip; `own_session` is not counted."""

    def __init__(self, send: Callable[[Connection, RoundTrip], Any], own_session: Connection, work: LockedWork) -> None:
        self._send, self._own_session, self._work = send, own_session, work
        self._recovery_thread = ThreadPoolExecutor(1)
        self._recovery: Future[None] | None = None

    def can_fail(self, kind: FailureKind, connection: Connection) -> bool:
        """Return whether a call can fail like this.

        In a failed transaction the server has no other errors, and during a COPY it takes no other statement.
        """
        status = connection.pgconn.transaction_status
        return kind not in _SERVER_ERRORS or status not in {TransactionStatus.INERROR, TransactionStatus.ACTIVE}

    def fail(self, kind: FailureKind, connection: Connection, call: RoundTrip) -> Any:
        """Execute a call that fails. Return its result, if it survives."""
        match kind:
            case FailureKind.CUT_BEFORE_SEND | FailureKind.RECONNECT_REFUSED | FailureKind.SERVER_GONE:
                cut(connection)
            case FailureKind.CUT_DURING_STATEMENT:
                with suppress(StopIteration):  # a part of a COPY may be sent without waiting
                    next(call)
                cut(connection)
            case FailureKind.ANSWER_LOST:
                with suppress(psycopg.Error):
                    self._send(connection, call)
                cut(connection)
                call = connection._exec_command(b"SELECT 1")
            case FailureKind.TERMINATED:
                self._own_session.execute("SELECT pg_terminate_backend(%s, 5000)", [connection.info.backend_pid])
            case FailureKind.ALL_TERMINATED | FailureKind.RUN_LOCK_LOST:
                self.fail_other_connections(kind)
            case _:
                call.close()
                self._begin(connection)
                call = connection._exec_command(_failing_statement(kind))
        return self._send(connection, call)

    def fail_other_connections(self, kind: FailureKind) -> None:
        """Fail in a way that affects more than one connection."""
        if kind is FailureKind.ALL_TERMINATED:
            self._own_session.execute("SELECT pg_terminate_backend(pid, 5000)" + _OTHER_BACKENDS)
        elif kind is FailureKind.RUN_LOCK_LOST:
            self._own_session.execute("SELECT pg_terminate_backend(pid, 5000)" + self._holders)
            self._recovery = self._recovery_thread.submit(self._recover)
            # No longer, because the recovery may wait for a lock of the failing transaction.
            wait([self._recovery], _RECOVERY_HEAD_START)

    @property
    def _holders(self) -> str:
        return _OTHER_BACKENDS + _HOLDS_LOCK.format(self._work.lock_names)

    def _recover(self) -> None:
        try:
            self._work.recover()
        finally:
            connections.close_all()

    def finish(self) -> None:
        """Raise the error of the recovery, if any."""
        self._recovery_thread.shutdown()
        if self._recovery is not None:
            self._recovery.result()

    def _begin(self, connection: Connection) -> None:
        """Begin a transaction like psycopg, so that the transaction fails."""
        if not connection.autocommit and connection.pgconn.transaction_status == TransactionStatus.IDLE:
            self._send(connection, connection._exec_command(b"BEGIN"))


def cut(connection: Connection) -> None:
    """Cut the connection: no more bytes pass in any direction."""
    with suppress(OSError), socket.socket(fileno=os.dup(connection.fileno())) as duplicate:
        duplicate.shutdown(socket.SHUT_RDWR)


def _failing_statement(kind: FailureKind) -> bytes:
    if kind is FailureKind.CANCELLED:
        return b"SELECT pg_cancel_backend(pg_backend_pid()), pg_sleep(60)"
    return f"DO $$BEGIN RAISE 'injected' USING ERRCODE = '{_SQLSTATES[kind]}'; END$$".encode()
