"""The server and seeder's role: version, connection, and limits that a run would exceed."""

from collections.abc import Iterator

from seeder.domain.human_format import format_count
from seeder.postgres import server_activity
from seeder.services.doctor.check_types import CheckedDatabase, Diagnosis, error_problem, info_problem, warning_problem
from seeder.texts import Text

_OLDEST_SUPPORTED_MAJOR = 15  # the oldest major version that the tests run on
# The first minor version of each major version with the fix of CVE-2024-0985. Later major versions have the fix.
_FIRST_PATCHED_MINOR = {15: 6, 16: 2}
_CONNECTIONS_FOR_READERS = 20  # added to a raised max_connections, for readers of the reports
_MIN_IDLE_SESSION_TIMEOUT_MS = 10_000  # twice the interval of the heartbeat on the session with the run lock

SERVER_UNSUPPORTED = error_problem(
    name="server_unsupported",
    area="server and role",
    meaning=Text(
        "The server is older than PostgreSQL {major}, the oldest supported version.", major=_OLDEST_SUPPORTED_MAJOR
    ),
    fix=Text("Upgrade it."),
)
SERVER_UNPATCHED = warning_problem(
    name="server_unpatched",
    area="server and role",
    meaning=Text(
        "Before 15.6 and 16.2, a concurrent refresh can run the owner's code as seeder's role (CVE-2024-0985)."
    ),
    fix=Text("Install the latest minor version. Until then set `SEEDER_REFRESH_CONCURRENTLY=false`."),
)
READ_ONLY = error_problem(
    name="read_only",
    area="server and role",
    meaning=Text("The server is a standby, or `default_transaction_read_only` is on: every run is refused."),
    fix=Text("Connect to the primary, or switch the setting off for seeder's role."),
)
SESSIONS_POOLED = error_problem(
    name="sessions_pooled",
    area="server and role",
    meaning=Text(
        "A proxy gives each transaction another session, so a run cannot hold its lock. Every run is refused."
    ),
    fix=Text("Connect to PostgreSQL directly, or through a proxy that pools sessions."),
)
ROLE_SUPERUSER = info_problem(
    name="role_superuser",
    area="server and role",
    meaning=Text(
        "Seeder's role is a superuser: a manifest's query can do anything on the server when its view is created."
    ),
    fix=Text("Connect as a role of its own that owns the views. docs/how-to/security.md has the statements."),
)
STATS_HIDDEN = warning_problem(
    name="stats_hidden",
    area="permissions",
    meaning=Text("The throttle (`SEEDER_MAX_DB_ACTIVE_QUERIES`) does not see the queries of other roles."),
    fix=Text("A superuser can grant it. Seeder's role can then read the statements and statistics of all roles."),
)
LOCK_TIMEOUT_LOW = error_problem(
    name="lock_timeout_low",
    area="server and role",
    meaning=Text(
        "`SEEDER_LOCK_TIMEOUT_MS` does not exceed the server's `deadlock_timeout`, after which a blocking"
        " autovacuum is cancelled: runs are refused."
    ),
    fix=Text("Raise it."),
)
TOO_FEW_CONNECTIONS = warning_problem(
    name="too_few_connections",
    area="server and role",
    meaning=Text(
        "A limit allows fewer connections than a run uses: `SEEDER_MAX_WORKERS`, and one more on the default"
        " database. Some workers cannot start. Each queue worker needs as many."
    ),
    fix=Text("Lower `SEEDER_MAX_WORKERS`, or raise the limit."),
)
IDLE_SESSION_TIMEOUT = warning_problem(
    name="idle_session_timeout",
    area="server and role",
    meaning=Text("`idle_session_timeout` is 10 s or less. It could end the session with the run lock, used every 5 s."),
    fix=Text("Switch it off for seeder's role."),
)


def check(database: CheckedDatabase) -> Iterator[Diagnosis]:
    server, connection = database.server, f"DATABASES[{database.alias!r}]"
    if server.major < _OLDEST_SUPPORTED_MAJOR:
        yield SERVER_UNSUPPORTED.found(server.version_text)
    elif server.minor < _FIRST_PATCHED_MINOR.get(server.major, 0):
        yield SERVER_UNPATCHED.found(server.version_text)
    if server.is_standby:
        fix = Text("Configure the primary, or several hosts with target_session_attrs=read-write in OPTIONS.")
        yield READ_ONLY.found(connection, message=Text("It is a standby."), fix=fix)
    elif server.is_read_only:
        setting = "default_transaction_read_only"
        fix = Text("If that is not intended, a role that may alter seeder's role can switch it off.")
        sql = f"SET {setting} = off;\n{server.alter_role_sql(setting, 'off')}"
        yield READ_ONLY.found(setting, message=Text("It is on for {role}.", role=server.role), fix=fix, sql=sql)
    if server.is_pooled and database.is_default:
        yield SESSIONS_POOLED.found(connection)
    if server.is_superuser:
        yield ROLE_SUPERUSER.found(server.role)
    if database.settings.max_db_active_queries and not server_activity.can_see_all_sessions(database.alias):
        yield STATS_HIDDEN.found(server.role, sql=f"GRANT pg_read_all_stats TO {server.role};")
    yield from _check_connection_limits(database)
    yield from _check_timeouts(database)


def _check_connection_limits(database: CheckedDatabase) -> Iterator[Diagnosis]:
    server, required = database.server, database.settings.max_workers + database.is_default
    raised = required + server.reserved_connections + _CONNECTIONS_FOR_READERS
    usable, sql = server.max_connections - server.reserved_connections, f"ALTER SYSTEM SET max_connections = {raised};"
    limits = [(usable, "max_connections", f"{sql} -- needs a restart")]
    if not server.is_superuser:  # these limits do not apply to superusers
        role, name = Text("role {role}", role=server.role), Text("database {database}", database=server.database)
        limit_sql = f"CONNECTION LIMIT {required};"
        limits.append((server.role_connection_limit, role, f"ALTER ROLE {server.role} {limit_sql}"))
        limits.append((server.database_connection_limit, name, f"ALTER DATABASE {server.database} {limit_sql}"))
    for limit, subject, sql in limits:
        if 0 <= limit < required:
            allowed = format_count(limit, "connection")
            message = Text(
                "It allows {connections}, but a run uses {required}.", connections=allowed, required=required
            )
            yield TOO_FEW_CONNECTIONS.found(subject, message=message, sql=sql)


def _check_timeouts(database: CheckedDatabase) -> Iterator[Diagnosis]:
    server, lock_timeout_ms = database.server, database.settings.lock_timeout_ms
    if lock_timeout_ms <= server.deadlock_timeout_ms:
        message = Text(
            "It is {value} ms, and deadlock_timeout is {deadlock_timeout} ms.",
            value=lock_timeout_ms,
            deadlock_timeout=server.deadlock_timeout_ms,
        )
        fix = Text("Set SEEDER_LOCK_TIMEOUT_MS={value}.", value=max(2 * server.deadlock_timeout_ms, 2000))
        yield LOCK_TIMEOUT_LOW.found("SEEDER_LOCK_TIMEOUT_MS", message=message, fix=fix)
    if 0 < server.idle_session_timeout_ms <= _MIN_IDLE_SESSION_TIMEOUT_MS:
        message = Text("It is {value} ms.", value=server.idle_session_timeout_ms)
        sql = server.alter_role_sql("idle_session_timeout", "0")
        yield IDLE_SESSION_TIMEOUT.found("idle_session_timeout", message=message, sql=sql)
