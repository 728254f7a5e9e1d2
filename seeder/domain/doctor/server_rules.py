"""Rules for a server and seeder's role on it."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from seeder.domain.doctor.diagnosis import Diagnosis, Problem
from seeder.domain.human_format import format_count

OLDEST_SUPPORTED_MAJOR = 15  # the oldest major version that the tests run on
# The first minor version of each major version with the fix of CVE-2024-0985: before, REFRESH … CONCURRENTLY could run
# code of the view's owner with the privileges of the refreshing role. Later major versions have the fix.
_FIRST_PATCHED_MINOR = {15: 6, 16: 2}
_VERSION_NUM_PER_MAJOR = 10000  # of server_version_num

_MIN_IDLE_SESSION_TIMEOUT_MS = 10_000  # twice the interval of the heartbeat on the session with the run lock


@dataclass(frozen=True, kw_only=True, slots=True)
class ServerFacts:
    """Facts about a server and a role. Names are quoted for SQL."""

    version_num: int  # server_version_num
    version_text: str
    role: str
    database: str
    is_superuser: bool
    is_standby: bool
    is_read_only: bool  # by default_transaction_read_only
    is_pooled: bool
    deadlock_timeout_ms: int  # milliseconds
    transaction_timeout_ms: int  # milliseconds; 0: none
    idle_session_timeout_ms: int  # milliseconds; 0: none
    max_connections: int
    reserved_connections: int  # not available to seeder's role
    role_connection_limit: int  # -1: no limit
    database_connection_limit: int  # -1: no limit

    @property
    def major(self) -> int:
        return self.version_num // _VERSION_NUM_PER_MAJOR

    @property
    def refuses_writes(self) -> bool:
        return self.is_standby or self.is_read_only


def check_server(
    server: ServerFacts, database: str, *, lock_timeout_ms: int, required_connections: int, is_history_database: bool
) -> Iterator[Diagnosis]:
    """Yield the problems of a server. `required_connections` is what one run uses at once."""
    yield from _check_version(server, database)
    if server.refuses_writes:
        yield _diagnose_read_only(server, database)
    if server.is_pooled and is_history_database:
        yield Diagnosis(
            problem=Problem.SESSIONS_POOLED,
            database=database,
            subject=f"DATABASES[{database!r}]",
            message="A proxy pools transactions, so session locks, which show that a run is alive, do not work.",
            fix="Connect to PostgreSQL directly, or through a proxy that pools sessions.",
        )
    if lock_timeout_ms <= server.deadlock_timeout_ms:
        recommended_ms = max(2 * server.deadlock_timeout_ms, 2000)
        yield Diagnosis(
            problem=Problem.LOCK_TIMEOUT_LOW,
            database=database,
            subject="SEEDER_LOCK_TIMEOUT_MS",
            message=f"It is {lock_timeout_ms} ms. The server cancels a blocking autovacuum only after its"
            f" deadlock_timeout of {server.deadlock_timeout_ms} ms.",
            fix=f"Set SEEDER_LOCK_TIMEOUT_MS={recommended_ms}.",
        )
    yield from _check_connection_limits(server, database, required_connections)
    yield from _check_timeouts(server, database)
    if server.is_superuser:
        yield Diagnosis(
            problem=Problem.ROLE_SUPERUSER,
            database=database,
            subject=server.role,
            message="It is a superuser, so the query of a manifest runs with all privileges when its view is created.",
            fix="Connect as a dedicated role that owns the views; docs/how-to/security.md has roles to paste.",
        )


def _check_version(server: ServerFacts, database: str) -> Iterator[Diagnosis]:
    diagnosis = partial(Diagnosis, database=database, subject=f"PostgreSQL {server.version_text}")
    if server.major < OLDEST_SUPPORTED_MAJOR:
        yield diagnosis(
            problem=Problem.SERVER_UNSUPPORTED,
            message=f"It is older than PostgreSQL {OLDEST_SUPPORTED_MAJOR}, the oldest that is supported.",
            fix=f"Upgrade it to PostgreSQL {OLDEST_SUPPORTED_MAJOR} or later.",
        )
    elif server.version_num % _VERSION_NUM_PER_MAJOR < _FIRST_PATCHED_MINOR.get(server.major, 0):
        patched_version = f"{server.major}.{_FIRST_PATCHED_MINOR[server.major]}"
        yield diagnosis(
            problem=Problem.SERVER_UNPATCHED,
            message="A concurrent refresh can run code of the view's owner as seeder's role (CVE-2024-0985, fixed in"
            f" {patched_version}).",
            fix=f"Install the latest minor version, at least {patched_version}. Until then set"
            " SEEDER_REFRESH_CONCURRENTLY=false.",
        )


def _diagnose_read_only(server: ServerFacts, database: str) -> Diagnosis:
    diagnosis = partial(Diagnosis, problem=Problem.READ_ONLY, database=database)
    if server.is_standby:
        return diagnosis(
            subject=f"DATABASES[{database!r}]",
            message="It is a standby.",
            fix="Configure the primary, or several hosts with target_session_attrs=read-write in OPTIONS.",
        )
    return diagnosis(
        subject="default_transaction_read_only",
        message=f"It is on for {server.role}, so every refresh is refused.",
        fix="If that is not intended, a role that may alter seeder's role can switch it off:",
        sql="SET default_transaction_read_only = off;\n"
        + _alter_role_sql(server, "default_transaction_read_only = off"),
    )


_CONNECTIONS_FOR_READERS = 20  # in addition, for readers of the reports


def _check_connection_limits(server: ServerFacts, database: str, required: int) -> Iterator[Diagnosis]:
    limits = [
        (
            server.max_connections - server.reserved_connections,
            "max_connections",
            f"ALTER SYSTEM SET max_connections = {required + server.reserved_connections + _CONNECTIONS_FOR_READERS};",
            "A superuser can raise it, which needs a restart:",
        )
    ]
    if not server.is_superuser:  # these limits do not apply to superusers
        alter = f"{server.role} CONNECTION LIMIT {required};", f"{server.database} CONNECTION LIMIT {required};"
        limits += [
            (server.role_connection_limit, f"role {server.role}", f"ALTER ROLE {alter[0]}", "Raise it:"),
            (
                server.database_connection_limit,
                f"database {server.database}",
                f"ALTER DATABASE {alter[1]}",
                "Raise it:",
            ),
        ]
    for limit, about, sql, fix in limits:
        if 0 <= limit < required:
            yield Diagnosis(
                problem=Problem.TOO_FEW_CONNECTIONS,
                database=database,
                subject=about,
                message=f"It allows {format_count(limit, 'connection')}, but a run uses {required}"
                " (SEEDER_MAX_WORKERS, and one for the run lock): some workers cannot start.",
                fix=f"Lower SEEDER_MAX_WORKERS. {fix}",
                sql=sql,
            )


def _check_timeouts(server: ServerFacts, database: str) -> Iterator[Diagnosis]:
    if server.transaction_timeout_ms:
        yield Diagnosis(
            problem=Problem.TRANSACTION_TIMEOUT,
            database=database,
            subject="transaction_timeout",
            message=f"It is {server.transaction_timeout_ms} ms: a longer refresh loses its connection and fails.",
            fix="Limit refreshes with SEEDER_STATEMENT_TIMEOUT_MS, and switch this off for seeder's role:",
            sql=_alter_role_sql(server, "transaction_timeout = 0"),
        )
    if 0 < server.idle_session_timeout_ms <= _MIN_IDLE_SESSION_TIMEOUT_MS:
        yield Diagnosis(
            problem=Problem.IDLE_SESSION_TIMEOUT,
            database=database,
            subject="idle_session_timeout",
            message=f"It is {server.idle_session_timeout_ms} ms, but a run's own session can be idle for longer.",
            fix="Switch it off for seeder's role:",
            sql=_alter_role_sql(server, "idle_session_timeout = 0"),
        )


def _alter_role_sql(server: ServerFacts, setting: str) -> str:
    """Set it for the role in this database, which takes precedence over all other defaults."""
    return f"ALTER ROLE {server.role} IN DATABASE {server.database} SET {setting};"
