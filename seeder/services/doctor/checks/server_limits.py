"""Limits of the server and the role that a run would exceed."""

from collections.abc import Iterator

from seeder.domain.human_format import format_count
from seeder.services.doctor.check_types import CheckedDatabase, Diagnosis, error_problem, warning_problem

_CONNECTIONS_FOR_READERS = 20  # added to a raised max_connections, for readers of the reports
_MIN_IDLE_SESSION_TIMEOUT_MS = 10_000  # twice the interval of the heartbeat on the session with the run lock

LOCK_TIMEOUT_LOW = error_problem(
    name="lock_timeout_low",
    area="server and role",
    meaning="`SEEDER_LOCK_TIMEOUT_MS` does not exceed the server's `deadlock_timeout`, after which a blocking"
    " autovacuum is cancelled: runs are refused.",
    fix="Raise it.",
)
TOO_FEW_CONNECTIONS = warning_problem(
    name="too_few_connections",
    area="server and role",
    meaning="A limit allows fewer connections than a run uses: `SEEDER_MAX_WORKERS`, and one more on the default"
    " database. Some workers cannot start. Each queue worker needs as many.",
    fix="Lower `SEEDER_MAX_WORKERS`, or raise the limit.",
)
TRANSACTION_TIMEOUT = warning_problem(
    name="transaction_timeout",
    area="server and role",
    meaning="The server (17 and later) ends the connection of a refresh that takes longer than `transaction_timeout`.",
    fix="Switch it off for seeder's role, and limit refreshes with `SEEDER_STATEMENT_TIMEOUT_MS`.",
)
IDLE_SESSION_TIMEOUT = warning_problem(
    name="idle_session_timeout",
    area="server and role",
    meaning="`idle_session_timeout` is 10 s or less. It could end the session with the run lock, used every 5 s.",
    fix="Switch it off for seeder's role.",
)


def check(database: CheckedDatabase) -> Iterator[Diagnosis]:
    server, lock_timeout_ms = database.server, database.settings.lock_timeout_ms
    if lock_timeout_ms <= server.deadlock_timeout_ms:
        yield LOCK_TIMEOUT_LOW.found(
            "SEEDER_LOCK_TIMEOUT_MS",
            message=f"It is {lock_timeout_ms} ms, and deadlock_timeout is {server.deadlock_timeout_ms} ms.",
            fix=f"Set SEEDER_LOCK_TIMEOUT_MS={max(2 * server.deadlock_timeout_ms, 2000)}.",
        )
    yield from _check_connection_limits(database)
    if server.transaction_timeout_ms:
        yield TRANSACTION_TIMEOUT.found(
            "transaction_timeout",
            message=f"It is {server.transaction_timeout_ms} ms.",
            sql=server.alter_role_sql("transaction_timeout", "0"),
        )
    if 0 < server.idle_session_timeout_ms <= _MIN_IDLE_SESSION_TIMEOUT_MS:
        yield IDLE_SESSION_TIMEOUT.found(
            "idle_session_timeout",
            message=f"It is {server.idle_session_timeout_ms} ms.",
            sql=server.alter_role_sql("idle_session_timeout", "0"),
        )


def _check_connection_limits(database: CheckedDatabase) -> Iterator[Diagnosis]:
    server, required = database.server, database.settings.max_workers + database.is_default
    raised = required + server.reserved_connections + _CONNECTIONS_FOR_READERS
    limits = [
        (
            server.max_connections - server.reserved_connections,
            "max_connections",
            f"ALTER SYSTEM SET max_connections = {raised}; -- needs a restart",
        )
    ]
    if not server.is_superuser:  # these limits do not apply to superusers
        role, name = f"role {server.role}", f"database {server.database}"
        set_limit = f"CONNECTION LIMIT {required};"
        limits += [
            (server.role_connection_limit, role, f"ALTER ROLE {server.role} {set_limit}"),
            (server.database_connection_limit, name, f"ALTER DATABASE {server.database} {set_limit}"),
        ]
    for limit, subject, sql in limits:
        if 0 <= limit < required:
            message = f"It allows {format_count(limit, 'connection')}, but a run uses {required}."
            yield TOO_FEW_CONNECTIONS.found(subject, message=message, sql=sql)
