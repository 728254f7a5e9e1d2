"""A database and a role in which the doctor finds no problems."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.db import connection, connections

from tests.conftest import CHECKOUT, CompletedCommand, another_session, has_statements, sql

Manage = Callable[..., CompletedCommand]
Found = list[dict[str, Any]]
Doctor = Callable[..., Found]

ROLE = "test_doctor"
OWNER = "test_doctor_owner"

_HEALTHY = f"""
GRANT USAGE, CREATE ON SCHEMA reporting TO {ROLE};
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA reporting, public TO {ROLE};
GRANT USAGE ON ALL SEQUENCES IN SCHEMA reporting, public TO {ROLE};
CREATE TABLE reporting.source AS SELECT 1 AS n;
GRANT SELECT ON reporting.source TO {ROLE}, {OWNER};
CREATE MATERIALIZED VIEW reporting.good AS SELECT 1 AS n;
CREATE UNIQUE INDEX ON reporting.good (n);
ALTER MATERIALIZED VIEW reporting.good OWNER TO {ROLE};
INSERT INTO reporting.seeder_custom_report_manifest
    (table_name, report_name, agency_id, agency_slug, query, database_id)
VALUES ('reporting.good', 'Good', 1, 'demo', 'SELECT 1 AS n', 1)
"""

# A view `a` of the role, with its manifest.
VIEW = f"""
CREATE MATERIALIZED VIEW reporting.a AS SELECT n FROM reporting.source;
CREATE UNIQUE INDEX a_n ON reporting.a (n);
ALTER MATERIALIZED VIEW reporting.a OWNER TO {ROLE};
INSERT INTO reporting.seeder_custom_report_manifest
    (table_name, report_name, agency_id, agency_slug, query, database_id)
VALUES ('reporting.a', 'A', 1, 'demo', 'SELECT n FROM reporting.source', 1);
"""


def manifest(table_name: str, query: str = "SELECT 1 AS n") -> str:
    return (
        "INSERT INTO reporting.seeder_custom_report_manifest"
        " (table_name, report_name, agency_id, agency_slug, query, database_id)"
        " VALUES ($$" + table_name + "$$, 'A', 1, 'demo', $$" + query + "$$, 1);"
    )


@contextmanager
def roles_and_grants() -> Iterator[None]:
    """Create the roles and the view. Roles outlive a test's schema."""
    _drop_roles()
    sql(f"CREATE ROLE {ROLE} LOGIN; CREATE ROLE {OWNER}")
    sql(_HEALTHY)
    try:
        yield
    finally:
        connection.close()
        _drop_roles()


def _drop_roles() -> None:
    name = connection.ops.quote_name(str(connection.settings_dict["NAME"]))
    sql(f"GRANT TEMPORARY ON DATABASE {name} TO PUBLIC")
    if has_statements():
        sql("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
    for role in (ROLE, OWNER):
        if sql("SELECT 1 FROM pg_roles WHERE rolname = %s", role):
            for database in connections:
                sql(f"DROP OWNED BY {role} CASCADE", using=database)
            sql(f"DROP ROLE {role}")


def find_problems(manage: Manage, *options: str, **environment: str) -> Found:
    """Run the doctor as the role, and ignore missing contrib modules."""
    ended = manage("doctor", "--json", *options, **{"DB_USER": ROLE, **environment})
    assert ended.err == ""
    expected = set() if has_statements() else {"pg_stat_statements_missing"}
    found: Found = [diagnosis for diagnosis in ended.document["diagnoses"] if diagnosis["problem"] not in expected]
    assert ended.exit_code == any(diagnosis["level"] == "error" for diagnosis in found)
    return found


def names(found: Found) -> set[str]:
    """Return the names of the problems."""
    return {diagnosis["problem"] for diagnosis in found}


def only(found: Found, problem: str) -> dict[str, Any]:
    """Return the only diagnosis of a problem."""
    [diagnosis] = [diagnosis for diagnosis in found if diagnosis["problem"] == problem]
    return diagnosis


def execute_as_owner(statements: str) -> None:
    """Run statements as a superuser in another session, as in psql."""
    with another_session() as session:
        session.execute(statements.encode())


def settings_module(folder: Path, text: str) -> Mapping[str, str]:
    """Return the environment of a host with these additional settings."""
    archive = connections["archive"].settings_dict["NAME"]
    (folder / "doctor_host.py").write_text(
        f"from settings.test import *\nDATABASES['archive'] = {{**DATABASES['default'], 'NAME': {archive!r}}}\n{text}\n"
    )
    return {
        "DJANGO_SETTINGS_MODULE": "doctor_host",
        "PYTHONPATH": os.pathsep.join([os.fspath(folder), os.fspath(CHECKOUT)]),
    }
