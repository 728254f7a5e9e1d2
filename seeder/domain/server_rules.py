"""What is wrong with a server and our role on it."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from seeder.domain.diagnosis import Diagnosis, Word
from seeder.domain.units import count

OLDEST = 15  # the oldest major version that the tests run on
# The first minor versions of each major one in which REFRESH … CONCURRENTLY does not run a view's query with the
# privileges of whoever refreshes it (CVE-2024-0985); later majors began with the fix.
_PATCHED = {15: 6, 16: 2}
_MAJOR = 10000  # of server_version_num

_BEAT = 10_000  # milliseconds: twice the pause in which a run says nothing on the session that shows it is alive


@dataclass(frozen=True, kw_only=True, slots=True)
class Server:
    """What a server says of itself. Names are quoted where SQL wants them quoted."""

    version: int  # server_version_num
    release: str  # as it calls itself
    role: str
    database: str
    is_superuser: bool
    is_standby: bool
    is_read_only: bool  # by default_transaction_read_only
    is_pooled: bool
    deadlock_timeout: int  # milliseconds
    transaction_timeout: int  # milliseconds; 0: none
    idle_session_timeout: int  # milliseconds; 0: none
    max_connections: int  # of everybody
    reserved_connections: int  # of these, for others than our role
    role_connections: int  # -1: as many as there are
    database_connections: int  # -1: as many as there are

    @property
    def major(self) -> int:
        return self.version // _MAJOR

    @property
    def refuses_writes(self) -> bool:
        return self.is_standby or self.is_read_only


def of_server(
    server: Server, database: str, *, lock_timeout: int, connections: int, holds_history: bool
) -> Iterator[Diagnosis]:
    """`lock_timeout`: ours in milliseconds; `connections`: that one run wants at once; `holds_history`: whether runs
    are recorded here."""
    yield from _of_version(server, database)
    if server.refuses_writes:
        yield _read_only(server, database)
    if server.is_pooled and holds_history:
        yield Diagnosis(
            word=Word.SESSIONS_POOLED,
            database=database,
            about=f"DATABASES[{database!r}]",
            message="The process that answers is not the one that we connected to, so a lock that shows that a run is"
            " alive would mean nothing.",
            fix="Let it lead to PostgreSQL itself, or to a proxy that pools sessions.",
        )
    if lock_timeout <= server.deadlock_timeout:
        wanted = max(2 * server.deadlock_timeout, 2000)
        yield Diagnosis(
            word=Word.LOCK_TIMEOUT_LOW,
            database=database,
            about="SEEDER_LOCK_TIMEOUT_MS",
            message=f"It is {lock_timeout} ms and the server's deadlock_timeout {server.deadlock_timeout} ms: only"
            " after that is an autovacuum in the way cancelled.",
            fix=f"Set SEEDER_LOCK_TIMEOUT_MS={wanted}.",
        )
    yield from _of_connections(server, database, connections)
    yield from _of_timeouts(server, database)
    if server.is_superuser:
        yield Diagnosis(
            word=Word.ROLE_SUPERUSER,
            database=database,
            about=server.role,
            message="It is a superuser, so whoever writes a manifest's query can do anything with the server when the"
            " view is created.",
            fix="Connect as a role of its own that owns the views; docs/security.md has roles to paste.",
        )


def _of_version(server: Server, database: str) -> Iterator[Diagnosis]:
    found = partial(Diagnosis, database=database, about=f"PostgreSQL {server.release}")
    if server.major < OLDEST:
        yield found(
            word=Word.SERVER_UNSUPPORTED,
            message=f"It is older than PostgreSQL {OLDEST}, the oldest that is supported.",
            fix=f"Upgrade it to PostgreSQL {OLDEST} or later.",
        )
    elif server.version % _MAJOR < _PATCHED.get(server.major, 0):
        fixed = f"{server.major}.{_PATCHED[server.major]}"
        yield found(
            word=Word.SERVER_UNPATCHED,
            message="A concurrent refresh can be made to run somebody else's code as our role (CVE-2024-0985, fixed in"
            f" {fixed}).",
            fix=f"Install the latest minor version, at least {fixed}; until then, SEEDER_REFRESH_CONCURRENTLY=false.",
        )


def _read_only(server: Server, database: str) -> Diagnosis:
    found = partial(Diagnosis, word=Word.READ_ONLY, database=database)
    if server.is_standby:
        return found(
            about=f"DATABASES[{database!r}]",
            message="It is a standby, which only replays what another server does.",
            fix="Name the primary there; with target_session_attrs=read-write in its OPTIONS libpq finds it by itself.",
        )
    return found(
        about="default_transaction_read_only",
        message=f"It is on for {server.role}, so every refresh is refused.",
        fix="If it was not switched on to lock the server, whoever may alter our role can switch it off for us:",
        sql="SET default_transaction_read_only = off;\n" + _for_us(server, "default_transaction_read_only = off"),
    )


_OTHERS = 20  # connections: who reads the reports wants some as well


def _of_connections(server: Server, database: str, wanted: int) -> Iterator[Diagnosis]:
    limits = [
        (
            server.max_connections - server.reserved_connections,
            "max_connections",
            f"ALTER SYSTEM SET max_connections = {wanted + server.reserved_connections + _OTHERS};",
            "A superuser can raise it, which needs a restart:",
        )
    ]
    if not server.is_superuser:  # which neither of the others is for
        alter = f"{server.role} CONNECTION LIMIT {wanted};", f"{server.database} CONNECTION LIMIT {wanted};"
        limits += [
            (server.role_connections, f"role {server.role}", f"ALTER ROLE {alter[0]}", "Raise it:"),
            (server.database_connections, f"database {server.database}", f"ALTER DATABASE {alter[1]}", "Raise it:"),
        ]
    for limit, about, sql, fix in limits:
        if 0 <= limit < wanted:
            yield Diagnosis(
                word=Word.CONNECTIONS_SHORT,
                database=database,
                about=about,
                message=f"It lets us have {count(limit, 'connection')} at most, and a run wants {wanted}"
                " (SEEDER_MAX_WORKERS, and one that shows it is alive): the rest of its seats stay empty.",
                fix=f"Lower SEEDER_MAX_WORKERS. {fix}",
                sql=sql,
            )


def _of_timeouts(server: Server, database: str) -> Iterator[Diagnosis]:
    if server.transaction_timeout:
        yield Diagnosis(
            word=Word.TRANSACTION_TIMEOUT,
            database=database,
            about="transaction_timeout",
            message=f"It is {server.transaction_timeout} ms: what takes longer loses its connection and fails.",
            fix="Let SEEDER_STATEMENT_TIMEOUT_MS limit refreshes, and this be off for our role:",
            sql=_for_us(server, "transaction_timeout = 0"),
        )
    if 0 < server.idle_session_timeout <= _BEAT:
        yield Diagnosis(
            word=Word.IDLE_SESSION_TIMEOUT,
            database=database,
            about="idle_session_timeout",
            message=f"It is {server.idle_session_timeout} ms, less than a run's own session can be silent for.",
            fix="Let it be off for our role:",
            sql=_for_us(server, "idle_session_timeout = 0"),
        )


def _for_us(server: Server, setting: str) -> str:
    """What stands for a role in one database goes before what stands for either, or for the server."""
    return f"ALTER ROLE {server.role} IN DATABASE {server.database} SET {setting};"
