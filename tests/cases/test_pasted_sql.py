"""All SQL that doctor prints, pasted at once, changes only the privileges that its text names."""

from typing import Any

import pytest

from tests.cases.conftest import Deployment
from tests.conftest import server_major_version, sql

ROLES = "seeder", "h2_reader", "owner_2", "manager"

# Every relation and column, and the roles that may read it.
READERS = """
SELECT c.oid::regclass::text, a.attname, r.rolname
FROM pg_class AS c
JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
CROSS JOIN pg_roles AS r
WHERE c.relnamespace IN ('reporting'::regnamespace, 'public'::regnamespace) AND c.relkind IN ('r', 'm', 'v')
    AND r.rolname IN ('seeder', 'h2_reader', 'owner_2', 'manager') AND a.attname <> 'one'
    AND has_column_privilege(r.rolname, c.oid, a.attnum, 'SELECT')
"""

SCENE = """
CREATE TABLE public.src AS SELECT n AS id, 'x' || n AS name, n * 2 AS salary FROM generate_series(1, 10) n;
GRANT SELECT (id) ON public.src TO owner_2;
CREATE MATERIALIZED VIEW reporting.drifted WITH (fillfactor = 70) AS SELECT id, salary FROM public.src;
GRANT SELECT (id) ON reporting.drifted TO h2_reader;
CREATE UNIQUE INDEX drifted_id ON reporting.drifted (id);
ALTER DEFAULT PRIVILEGES IN SCHEMA reporting GRANT SELECT ON TABLES TO h2_reader, PUBLIC;
CREATE MATERIALIZED VIEW reporting.secret AS SELECT id, salary FROM public.src;
REVOKE SELECT ON reporting.secret FROM PUBLIC, h2_reader;
CREATE MATERIALIZED VIEW reporting.empty AS SELECT id FROM public.src WITH NO DATA;
REVOKE SELECT ON reporting.empty FROM PUBLIC;
CREATE MATERIALIZED VIEW reporting.of_owner AS SELECT id, name FROM public.src;
CREATE FUNCTION public.f() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM src';
REVOKE EXECUTE ON FUNCTION public.f() FROM PUBLIC;
CREATE MATERIALIZED VIEW reporting.calls AS SELECT public.f() AS n WITH NO DATA;
CREATE INDEX calls_n ON reporting.calls (n);
"""


@pytest.fixture
def other_roles(deployment: Deployment) -> Any:
    _drop_roles()
    for role in ROLES[1:]:
        sql(f"CREATE ROLE {role}")
    yield
    _drop_roles()


def _drop_roles() -> None:
    for role in ROLES[1:]:
        if sql("SELECT 1 FROM pg_roles WHERE rolname = %s", role):
            sql(f"DROP OWNED BY {role} CASCADE")
            sql(f"DROP ROLE {role}")


def readers() -> set[tuple[str, str, str]]:
    return {(relation, column, role) for relation, column, role in sql(READERS)}


@pytest.mark.usefixtures("other_roles")
def test_all_printed_sql_changes_only_the_privileges_that_it_names(deployment: Deployment) -> None:
    deployment.execute(SCENE)
    deployment.add_manifest("reporting.drifted", "SELECT id, salary, 1 AS one FROM public.src")
    deployment.add_manifest("reporting.secret", "SELECT id, salary, 1 AS one FROM public.src")
    deployment.add_manifest("reporting.empty", "SELECT id FROM public.src")
    deployment.add_manifest("reporting.of_owner", "SELECT id, name FROM public.src")
    deployment.add_manifest("reporting.calls", "SELECT public.f() AS n")
    sql("ALTER MATERIALIZED VIEW reporting.of_owner OWNER TO owner_2; GRANT USAGE ON SCHEMA public TO owner_2")
    sql("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'reporting.calls_n'::regclass")
    sql("REVOKE UPDATE ON reporting.seeder_job_status FROM seeder; ALTER ROLE seeder SET idle_session_timeout = '5s'")
    found = deployment.manage("doctor", "--json", "--all", SEEDER_MAX_DB_ACTIVE_QUERIES="5").document["diagnoses"]
    assert {one["problem"] for one in found if one["sql"]} >= {
        "definition_drift",
        "view_forbidden",
        "source_forbidden",
        "view_not_populated",
        "index_invalid",
        "table_forbidden",
        "stats_hidden",
        "idle_session_timeout",
        "function_unqualified" if server_major_version() >= 17 else "function_upgrade",
    }
    before = readers()
    superuser = str(sql("SELECT current_user")[0][0])
    for one in sorted(found, key=lambda one: one["problem"] == "view_not_populated"):  # after the functions
        for statement in (one["sql"] or "").split(";\n") if one["problem"] != "definition_drift" else [one["sql"]]:
            if statement and "pg_stat_statements" not in statement:
                deployment.execute(statement, user=superuser)
    gained, lost = readers() - before, before - readers()
    assert lost == set()
    through_owner = {("reporting.of_owner", column, "seeder") for column in ("id", "name")}  # before PostgreSQL 17
    assert gained - through_owner == {("src", "name", "owner_2")}
    assert sql("SELECT proacl::text FROM pg_proc WHERE proname = 'f'") == [("{seeder=X/seeder}",)]
