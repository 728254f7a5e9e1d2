"""The server, the role and the statistics that it can read."""

from collections.abc import Iterator
from functools import partial

from seeder.domain.doctor import server_rules
from seeder.domain.doctor.diagnosis import Diagnosis, Problem
from seeder.postgres import doctor_server_queries, server_activity
from seeder.services.doctor.check_context import CheckContext

_LIBRARY = "pg_stat_statements"


def check_server(context: CheckContext) -> Iterator[Diagnosis]:
    """Check the version and limits of the server, and the role."""
    settings = context.settings
    return server_rules.check_server(
        context.server,
        context.alias,
        lock_timeout_ms=settings.lock_timeout_ms,
        required_connections=settings.max_workers + context.is_history_database,
        is_history_database=context.is_history_database,
    )


def check_throttle(context: CheckContext) -> Iterator[Diagnosis]:
    """Check that the role sees the sessions that the throttle counts."""
    if context.settings.max_db_active_queries and not server_activity.can_see_all_sessions(context.alias):
        yield Diagnosis(
            problem=Problem.STATS_HIDDEN,
            database=context.alias,
            subject=context.server.role,
            message="It may not see what other roles do, so SEEDER_MAX_DB_ACTIVE_QUERIES counts only our own queries.",
            fix="A superuser can grant it:",
            sql=f"GRANT pg_read_all_stats TO {context.server.role};",
        )


def check_pg_stat_statements(context: CheckContext) -> Iterator[Diagnosis]:
    """Check that pg_stat_statements is loaded, current and readable."""
    found = doctor_server_queries.statement_statistics_extension(context.alias)
    one = partial(Diagnosis, database=context.alias, subject=_LIBRARY)
    without = "what refreshes cost by the server's own count stays unknown."
    if not found.is_preloaded:
        names = [*filter(None, map(str.strip, (found.preloaded_libraries or "").split(","))), _LIBRARY]
        libraries = ", ".join("'" + name.strip('"').replace("'", "''") + "'" for name in names)
        yield one(
            problem=Problem.PG_STAT_STATEMENTS_UNLOADED,
            message=f"The server does not preload it, so {without}",
            fix="A superuser can have it preloaded, which needs a restart"
            + (
                ":"
                if found.preloaded_libraries is not None
                else "; put it behind what shared_preload_libraries names already."
            ),
            sql=""
            if found.preloaded_libraries is None
            else f"ALTER SYSTEM SET shared_preload_libraries = {libraries};",
        )
    if not found.is_created:
        yield one(
            problem=Problem.PG_STAT_STATEMENTS_MISSING,
            message=f"It is not created in this database, so {without}",
            fix="A superuser can create it:",
            sql=f"CREATE EXTENSION {_LIBRARY};",
        )
    elif not found.is_supported_version:
        yield one(
            problem=Problem.PG_STAT_STATEMENTS_OUTDATED,
            message=f"It is older than its version 1.8, so {without}",
            fix="Its owner can update it:",
            sql=f"ALTER EXTENSION {_LIBRARY} UPDATE;",
        )
    elif not found.is_readable:
        yield one(
            problem=Problem.PG_STAT_STATEMENTS_FORBIDDEN,
            message=f"Our role may not read it, so {without}",
            fix="Its owner can let us:",
            sql=f"GRANT USAGE ON SCHEMA {found.schema} TO {context.server.role};\n"
            f"GRANT SELECT ON {found.schema}.{_LIBRARY} TO {context.server.role};",
        )
