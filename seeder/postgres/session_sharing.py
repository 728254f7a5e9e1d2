"""Finds out whether a proxy gives a session to another client between two transactions."""

import select
import time
from contextlib import ExitStack, suppress
from typing import Any

import psycopg
from django.db import connections
from psycopg.pq import ExecStatus

from seeder.postgres import sessions
from seeder.postgres.named_statements import STATEMENTS

_MAX_SECONDS = 5.0
_MAX_CLIENTS = 100  # more than the idle sessions of a usual proxy


def shares_session(database: str) -> bool:
    """Return whether another client can get this thread's session between its transactions.

    The process id of the greeting does not tell: PgBouncer invents it in every mode. So further clients begin
    transactions and keep them open. A proxy that pools transactions gives one of them the session that this thread has
    just used, and one that pools statements refuses the transaction. Otherwise this thread keeps its session, so the
    proxy soon has to open a new one, or lets a client wait.
    """
    [(own_pid, _, used_at)] = sessions.query(database, STATEMENTS["session_identity"])
    parameters = {
        **connections[database].get_connection_params(),
        "autocommit": True,
        "connect_timeout": int(_MAX_SECONDS),
    }
    deadline = time.monotonic() + _MAX_SECONDS
    with ExitStack() as clients:
        for _ in range(_MAX_CLIENTS):
            try:
                client = psycopg.connect(**parameters)
            except psycopg.OperationalError:  # no further client is allowed
                break
            clients.callback(client.close)
            try:
                identity = _begin_transaction(client, deadline)
            except psycopg.OperationalError:
                return True  # transactions are refused
            if identity is None:
                break
            clients.callback(_roll_back, client)
            pid, started_at = identity
            if pid == own_pid:
                return True
            if started_at > used_at:
                break
        [(pid_now, _, _)] = sessions.query(database, STATEMENTS["session_identity"])
        return bool(pid_now != own_pid)


def _begin_transaction(client: "psycopg.Connection[Any]", deadline: float) -> tuple[int, float] | None:
    """Return the process and the start of the client's session, or None if it waits for a session too long.

    Raises `psycopg.OperationalError` if the proxy refuses the transaction.
    """
    connection, identity = client.pgconn, None
    connection.send_query(b"BEGIN; " + STATEMENTS["session_identity"].encode())
    while True:
        connection.consume_input()
        if connection.is_busy():
            if not select.select([connection.socket], [], [], max(deadline - time.monotonic(), 0))[0]:
                return None
            continue
        result = connection.get_result()
        if result is None:
            break
        if result.status == ExecStatus.TUPLES_OK:
            identity = int(result.get_value(0, 0) or 0), float(result.get_value(0, 1) or 0)
        elif result.status != ExecStatus.COMMAND_OK:
            raise psycopg.OperationalError(result.error_message)
    return identity


def _roll_back(client: "psycopg.Connection[Any]") -> None:
    """End the transaction, so that the proxy keeps the session."""
    with suppress(psycopg.Error):
        client.execute("ROLLBACK")
