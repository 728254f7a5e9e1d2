"""What is wrong with a server and our role on it."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from seeder.domain.doctor.diagnosis import Diagnosis, Problem
from seeder.domain.human_format import format_count

OLDEST_SUPPORTED_MAJOR = 15  # the oldest major version that the tests run on
# The first minor versions of each major one in which REFRESH … CONCURRENTLY does not run a view's query with the
# privileges of whoever refreshes it (CVE-2024-0985); later majors began with the fix.
_FIRST_PATCHED_MINOR = {15: 6, 16: 2}
_VERSION_NUM_PER_MAJOR = 10000  # of server_version_num

_MIN_IDLE_SESSION_TIMEOUT_MS = (
    10_000  # milliseconds: twice the pause in which a run says nothing on the session that shows it is alive
)


@dataclass(frozen=True, kw_only=True, slots=True)
class ServerFacts:
    """What a server says of itself. Names are quoted where SQL wants them quoted."""

    version_num: int  # server_version_num
    version_text: str  # as it calls itself
    role: str
    database: str
    is_superuser: bool
    is_standby: bool
    is_read_only: bool  # by default_transaction_read_only
    is_pooled: bool
    deadlock_timeout_ms: int  # milliseconds
    transaction_timeout_ms: int  # milliseconds; 0: none
    idle_session_timeout_ms: int  # milliseconds; 0: none
    max_connections: int  # of everybody
    reserved_connections: int  # of these, for others than our role
    role_connection_limit: int  # -1: as many as there are
    database_connection_limit: int  # -1: as many as there are

    @property
    def major(self) -> int:
        return self.version_num // _VERSION_NUM_PER_MAJOR

    @property
    def refuses_writes(self) -> bool:
        return self.is_standby or self.is_read_only


def check_server(
    server: ServerFacts, database: str, *, lock_timeout_ms: int, required_connections: int, is_history_database: bool
) -> Iterator[Diagnosis]:
    """`lock_timeout`: ours in milliseconds; `connections`: that one run wants at once; `holds_history`: whether runs
    are recorded here."""
    yield from _check_version(server, database)
    if server.refuses_writes:
        yield _diagnose_read_only(server, database)
    if server.is_pooled and is_history_database:
        yield Diagnosis(
            problem=Problem.SESSIONS_POOLED,
            database=database,
            subject=f"DATABASES[{database!r}]",
            message="The process that answers is not the one that we connected to, so a lock that shows that a run is"
            " alive would mean nothing.",
            fix="Let it lead to PostgreSQL itself, or to a proxy that pools sessions.",
        )
    if lock_timeout_ms <= server.deadlock_timeout_ms:
        recommended_ms = max(2 * server.deadlock_timeout_ms, 2000)
        yield Diagnosis(
            problem=Problem.LOCK_TIMEOUT_LOW,
            database=database,
            subject="SEEDER_LOCK_TIMEOUT_MS",
            message=f"It is {lock_timeout_ms} ms and the server's deadlock_timeout {server.deadlock_timeout_ms}"
            " ms: only"
            " after that is an autovacuum in the way cancelled.",
            fix=f"Set SEEDER_LOCK_TIMEOUT_MS={recommended_ms}.",
        )
    yield from _check_connection_limits(server, database, required_connections)
    yield from _check_timeouts(server, database)
    if server.is_superuser:
        yield Diagnosis(
            problem=Problem.ROLE_SUPERUSER,
            database=database,
            subject=server.role,
            message="It is a superuser, so whoever writes a manifest's query can do anything with the server when the"
            " view is created.",
            fix="Connect as a role of its own that owns the views; docs/how-to/security.md has roles to paste.",
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
            message="A concurrent refresh can be made to run somebody else's code as our role (CVE-2024-0985, fixed in"
            f" {patched_version}).",
            fix=f"Install the latest minor version, at least {patched_version}; until then,"
            " SEEDER_REFRESH_CONCURRENTLY=false.",
        )


def _diagnose_read_only(server: ServerFacts, database: str) -> Diagnosis:
    diagnosis = partial(Diagnosis, problem=Problem.READ_ONLY, database=database)
    if server.is_standby:
        return diagnosis(
            subject=f"DATABASES[{database!r}]",
            message="It is a standby, which only replays what another server does.",
            fix="Name the primary there; with target_session_attrs=read-write in its OPTIONS libpq finds it by itself.",
        )
    return diagnosis(
        subject="default_transaction_read_only",
        message=f"It is on for {server.role}, so every refresh is refused.",
        fix="If it was not switched on to lock the server, whoever may alter our role can switch it off for us:",
        sql="SET default_transaction_read_only = off;\n"
        + _alter_role_sql(server, "default_transaction_read_only = off"),
    )


_CONNECTIONS_FOR_READERS = 20  # connections: who reads the reports wants some as well


def _check_connection_limits(server: ServerFacts, database: str, required: int) -> Iterator[Diagnosis]:
    limits = [
        (
            server.max_connections - server.reserved_connections,
            "max_connections",
            f"ALTER SYSTEM SET max_connections = {required + server.reserved_connections + _CONNECTIONS_FOR_READERS};",
            "A superuser can raise it, which needs a restart:",
        )
    ]
    if not server.is_superuser:  # which neither of the others is for
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
                message=f"It lets us have {format_count(limit, 'connection')} at most, and a run wants {required}"
                " (SEEDER_MAX_WORKERS, and one that shows it is alive): the rest of its seats stay empty.",
                fix=f"Lower SEEDER_MAX_WORKERS. {fix}",
                sql=sql,
            )


def _check_timeouts(server: ServerFacts, database: str) -> Iterator[Diagnosis]:
    if server.transaction_timeout_ms:
        yield Diagnosis(
            problem=Problem.TRANSACTION_TIMEOUT,
            database=database,
            subject="transaction_timeout",
            message=f"It is {server.transaction_timeout_ms} ms: what takes longer loses its connection and fails.",
            fix="Let SEEDER_STATEMENT_TIMEOUT_MS limit refreshes, and this be off for our role:",
            sql=_alter_role_sql(server, "transaction_timeout = 0"),
        )
    if 0 < server.idle_session_timeout_ms <= _MIN_IDLE_SESSION_TIMEOUT_MS:
        yield Diagnosis(
            problem=Problem.IDLE_SESSION_TIMEOUT,
            database=database,
            subject="idle_session_timeout",
            message=f"It is {server.idle_session_timeout_ms} ms, less than a run's own session can be silent for.",
            fix="Let it be off for our role:",
            sql=_alter_role_sql(server, "idle_session_timeout = 0"),
        )


def _alter_role_sql(server: ServerFacts, setting: str) -> str:
    """What stands for a role in one database goes before what stands for either, or for the server."""
    return f"ALTER ROLE {server.role} IN DATABASE {server.database} SET {setting};"
