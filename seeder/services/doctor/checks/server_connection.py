"""The server and the role of seeder's connection."""

from collections.abc import Iterator

from seeder.postgres import server_activity
from seeder.services.doctor.check_types import CheckedDatabase, Diagnosis, error_problem, info_problem, warning_problem

READ_ONLY = error_problem(
    name="read_only",
    area="server and role",
    meaning="The server is a standby, or `default_transaction_read_only` is on: every run is refused.",
    fix="Connect to the primary, or switch the setting off for seeder's role.",
)
SESSIONS_POOLED = error_problem(
    name="sessions_pooled",
    area="server and role",
    meaning="A proxy gives each transaction another session, so a run cannot hold its lock. Every run is refused.",
    fix="Connect to PostgreSQL directly, or through a proxy that pools sessions.",
)
ROLE_SUPERUSER = info_problem(
    name="role_superuser",
    area="server and role",
    meaning="Seeder's role is a superuser: a manifest's query can do anything on the server when its view is created.",
    fix="Connect as a role of its own that owns the views. docs/how-to/security.md has the statements.",
)
STATS_HIDDEN = warning_problem(
    name="stats_hidden",
    area="permissions",
    meaning="The throttle (`SEEDER_MAX_DB_ACTIVE_QUERIES`) does not see the queries of other roles.",
    fix="A superuser can grant it.",
)


def check(database: CheckedDatabase) -> Iterator[Diagnosis]:
    server, connection = database.server, f"DATABASES[{database.alias!r}]"
    if server.is_standby:
        fix = "Configure the primary, or several hosts with target_session_attrs=read-write in OPTIONS."
        yield READ_ONLY.found(connection, message="It is a standby.", fix=fix)
    elif server.is_read_only:
        setting = "default_transaction_read_only"
        fix = "If that is not intended, a role that may alter seeder's role can switch it off."
        sql = f"SET {setting} = off;\n{server.alter_role_sql(setting, 'off')}"
        yield READ_ONLY.found(setting, message=f"It is on for {server.role}.", fix=fix, sql=sql)
    if server.is_pooled and database.is_default:
        yield SESSIONS_POOLED.found(connection)
    if server.is_superuser:
        yield ROLE_SUPERUSER.found(server.role)
    if database.settings.max_db_active_queries and not server_activity.can_see_all_sessions(database.alias):
        yield STATS_HIDDEN.found(server.role, sql=f"GRANT pg_read_all_stats TO {server.role};")
