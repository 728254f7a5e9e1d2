"""The extension pg_stat_statements, which measures the costs of refreshes."""

from collections.abc import Iterator

from seeder.services.doctor.check_types import CheckedDatabase, Diagnosis, info_problem
from seeder.texts import Text

PG_STAT_STATEMENTS_UNLOADED = info_problem(
    name="pg_stat_statements_unloaded",
    area="statistics",
    meaning=Text("The server does not preload `pg_stat_statements`: statement costs are null."),
    fix=Text("A superuser can add it to `shared_preload_libraries`, after the other libraries. It needs a restart."),
)
PG_STAT_STATEMENTS_MISSING = info_problem(
    name="pg_stat_statements_missing",
    area="statistics",
    meaning=Text("`pg_stat_statements` is not created in this database: statement costs are null."),
    fix=Text("A superuser can create it."),
)
PG_STAT_STATEMENTS_OUTDATED = info_problem(
    name="pg_stat_statements_outdated",
    area="statistics",
    meaning=Text("`pg_stat_statements` was created by an older server, before version 1.8: statement costs are null."),
    fix=Text("Its owner can update it."),
)
PG_STAT_STATEMENTS_FORBIDDEN = info_problem(
    name="pg_stat_statements_forbidden",
    area="statistics",
    meaning=Text("Seeder's role may not read `pg_stat_statements`: statement costs are null."),
    fix=Text("Its owner can grant it."),
)

_EXTENSION = "pg_stat_statements"
_INSTALL_FIX = Text(
    "Install PostgreSQL's contrib package on the server (such as postgresql-contrib), then run the doctor again."
)


def check(database: CheckedDatabase) -> Iterator[Diagnosis]:
    [row] = database.read("statement_statistics_extension")
    is_preloaded, is_installed, is_created, is_supported, is_readable, schema, libraries = row
    role = database.server.role
    if not is_installed:  # preloading it would prevent the next start of the server
        message = Text("The server has no such extension.")
        yield PG_STAT_STATEMENTS_MISSING.found(_EXTENSION, message=message, fix=_INSTALL_FIX)
        return
    if not is_preloaded:
        sql = "" if libraries is None else f"ALTER SYSTEM SET shared_preload_libraries = {_add_library(libraries)};"
        yield PG_STAT_STATEMENTS_UNLOADED.found(_EXTENSION, sql=sql)
    if not is_created:
        yield PG_STAT_STATEMENTS_MISSING.found(_EXTENSION, sql=f"CREATE EXTENSION {_EXTENSION};")
    elif not is_supported:
        yield PG_STAT_STATEMENTS_OUTDATED.found(_EXTENSION, sql=f"ALTER EXTENSION {_EXTENSION} UPDATE;")
    elif not is_readable:
        sql = f"GRANT USAGE ON SCHEMA {schema} TO {role};\nGRANT SELECT ON {schema}.{_EXTENSION} TO {role};"
        yield PG_STAT_STATEMENTS_FORBIDDEN.found(_EXTENSION, sql=sql)


def _add_library(libraries: str) -> str:
    """Return a list of quoted libraries, with the extension last."""
    names = [*filter(None, map(str.strip, libraries.split(","))), _EXTENSION]
    return ", ".join("'" + name.strip('"').replace("'", "''") + "'" for name in names)
