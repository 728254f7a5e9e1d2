"""What can be wrong with a database, and how to make it so: SQL of whoever owns it, as whom nobody refreshes."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from django.db import connection, connections

from tests.conftest import CHECKOUT, another_session, has_statements, sql

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

# A view `a` that a manifest asks for, and that belongs to us.
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
def healthy() -> Iterator[None]:
    """A database of which a role of its own has all that it needs. Roles and privileges on databases outlive a test's
    schema."""
    _forget()
    sql(f"CREATE ROLE {ROLE} LOGIN; CREATE ROLE {OWNER}")
    sql(_HEALTHY)
    try:
        yield
    finally:
        connection.close()
        _forget()


def _forget() -> None:
    name = connection.ops.quote_name(str(connection.settings_dict["NAME"]))
    sql(f"GRANT TEMPORARY ON DATABASE {name} TO PUBLIC")
    if has_statements():
        sql("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
    for role in (ROLE, OWNER):
        if sql("SELECT 1 FROM pg_roles WHERE rolname = %s", role):
            for database in connections:
                sql(f"DROP OWNED BY {role} CASCADE", using=database)
            sql(f"DROP ROLE {role}")


def paste(statements: str) -> None:
    """As somebody does who may do anything, into a psql of his own."""
    with another_session() as session:
        session.execute(statements.encode())


def settings_module(folder: Path, text: str) -> Mapping[str, str]:
    """The environment of a host whose settings say this besides; `archive` is the tests' own."""
    archive = connections["archive"].settings_dict["NAME"]
    (folder / "doctor_host.py").write_text(
        f"from settings.test import *\nDATABASES['archive'] = {{**DATABASES['default'], 'NAME': {archive!r}}}\n{text}\n"
    )
    return {
        "DJANGO_SETTINGS_MODULE": "doctor_host",
        "PYTHONPATH": os.pathsep.join([os.fspath(folder), os.fspath(CHECKOUT)]),
    }


@dataclass(frozen=True, kw_only=True)
class Case:
    """Something wrong that a statement of the doctor's own puts right."""

    word: str
    provoke: str
    about: str
    environment: Mapping[str, str] = field(default_factory=dict)
    since: int = 0  # the server's major version that it needs
    until: int = 99


def _function(word: str, *, since: int = 0, until: int = 99) -> Case:
    return Case(
        word=word,
        provoke="SET search_path = reporting, public;"
        " CREATE FUNCTION reporting.\"Called\"(text) RETURNS integer LANGUAGE sql AS 'SELECT n FROM source';"
        " RESET search_path;"
        " CREATE MATERIALIZED VIEW reporting.a AS SELECT reporting.\"Called\"('x') AS n WITH NO DATA;"
        f" ALTER MATERIALIZED VIEW reporting.a OWNER TO {ROLE};"
        + manifest("reporting.a", "SELECT reporting.\"Called\"('x') AS n"),
        about='reporting."Called"(text)',
        since=since,
        until=until,
    )


CONCURRENT = {"SEEDER_REFRESH_CONCURRENTLY": "true"}
HEALED = [
    Case(
        word="read_only",
        provoke=f"ALTER ROLE {ROLE} SET default_transaction_read_only = on",
        about="default_transaction_read_only",
    ),
    Case(word="connections_short", provoke=f"ALTER ROLE {ROLE} CONNECTION LIMIT 3", about=f"role {ROLE}"),
    Case(
        word="transaction_timeout",
        provoke=f"ALTER ROLE {ROLE} SET transaction_timeout = '1h'",
        about="transaction_timeout",
        since=17,
    ),
    Case(
        word="idle_session_timeout",
        provoke=f"ALTER ROLE {ROLE} SET idle_session_timeout = '5s'",
        about="idle_session_timeout",
    ),
    Case(
        word="column_missing",
        provoke="ALTER TABLE reporting.seeder_run_history DROP COLUMN bytes_processed",
        about="reporting.seeder_run_history",
    ),
    Case(
        word="column_differs",
        provoke="ALTER TABLE reporting.seeder_run_history ALTER COLUMN errors TYPE varchar(9),"
        " ALTER COLUMN errors SET NOT NULL",
        about="reporting.seeder_run_history",
    ),
    Case(
        word="optional_unusable",
        provoke=f"REVOKE UPDATE ON reporting.seeder_circuit_breaker FROM {ROLE}",
        about="reporting.seeder_circuit_breaker",
    ),
    Case(
        word="optional_unusable",
        provoke="ALTER TABLE reporting.seeder_run ALTER COLUMN seats TYPE bigint",
        about="reporting.seeder_run",
    ),
    Case(
        word="table_forbidden",
        provoke=f"REVOKE SELECT ON reporting.seeder_canned_report FROM {ROLE}",
        about="reporting.seeder_canned_report",
    ),
    Case(
        word="table_forbidden",
        provoke=f"REVOKE INSERT, UPDATE ON reporting.seeder_job_status FROM {ROLE}",
        about="reporting.seeder_job_status",
    ),
    Case(
        word="table_forbidden",
        provoke=f"REVOKE USAGE ON SEQUENCE reporting.seeder_run_history_id_seq FROM {ROLE}",
        about="reporting.seeder_run_history",
    ),
    Case(
        word="schema_forbidden",
        provoke='CREATE SCHEMA "Closed one"; CREATE MATERIALIZED VIEW "Closed one".a AS SELECT 1 AS n;'
        + manifest('"Closed one".a'),
        about='"Closed one"',
    ),
    Case(
        word="create_forbidden",
        provoke=f"REVOKE CREATE ON SCHEMA reporting FROM {ROLE};" + manifest("reporting.a"),
        about="reporting",
    ),
    Case(
        word="view_forbidden",
        provoke=VIEW + f"ALTER MATERIALIZED VIEW reporting.a OWNER TO {OWNER}; REVOKE ALL ON reporting.a FROM {ROLE}",
        about="reporting.a",
    ),
    Case(
        word="view_forbidden",
        provoke=VIEW + "ALTER MATERIALIZED VIEW reporting.a OWNER TO CURRENT_USER",
        about="reporting.a",
    ),
    Case(
        word="source_forbidden",
        provoke=VIEW + f"REVOKE SELECT ON reporting.source FROM {ROLE}",
        about="reporting.a",
    ),
    Case(
        word="temp_forbidden",
        provoke="DO $$ BEGIN EXECUTE format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC', current_database()); END $$",
        about="reporting.good",
        environment=CONCURRENT,
    ),
    Case(
        word="breaker_open",
        provoke="INSERT INTO reporting.seeder_circuit_breaker (database_alias, failures, opened_at)"
        " VALUES ('default', 5, now())",
        about="default",
    ),
    Case(word="stats_hidden", provoke="", about=ROLE, environment={"SEEDER_MAX_DB_ACTIVE_QUERIES": "5"}),
    Case(word="schema_missing", provoke=manifest('"No such".a'), about='"No such"'),
    Case(
        word="view_unfilled",
        provoke=VIEW + "REFRESH MATERIALIZED VIEW reporting.a WITH NO DATA",
        about="reporting.a",
    ),
    Case(
        word="definition_drift",
        provoke=VIEW + "UPDATE reporting.seeder_custom_report_manifest SET query ="
        " E'SELECT n, \\'a\\tb%s\\' AS t\\nFROM reporting.source -- the end' WHERE table_name = 'reporting.a'",
        about="reporting.a",
    ),
    _function("function_unqualified", since=17),
    _function("function_upgrade", until=16),
    Case(
        word="index_invalid",
        provoke=VIEW + "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'reporting.a_n'::regclass",
        about="reporting.a",
    ),
    Case(
        word="index_invalid",
        provoke=VIEW + "CREATE INDEX a_n_ccnew ON reporting.a (n);"
        " UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'reporting.a_n_ccnew'::regclass",
        about="reporting.a",
    ),
    Case(word="statements_missing", provoke="DROP EXTENSION pg_stat_statements", about="pg_stat_statements"),
    Case(
        word="statements_outdated",
        provoke="DROP EXTENSION pg_stat_statements; CREATE EXTENSION pg_stat_statements VERSION '1.7'",
        about="pg_stat_statements",
    ),
    Case(
        word="statements_forbidden",
        provoke=f"REVOKE SELECT ON pg_stat_statements FROM PUBLIC; REVOKE SELECT ON pg_stat_statements FROM {ROLE}",
        about="pg_stat_statements",
    ),
]

# Word: what provokes it, and the settings; no statement puts it right.
SAID: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "bad_name": (manifest("a.b.c"), {}),
    "report_missing": (
        "INSERT INTO reporting.seeder_canned_report_manifest VALUES (1, 1, 'demo', 7)",
        {},
    ),
    "other_kind": ("CREATE VIEW reporting.a AS SELECT 1 AS n;" + manifest("reporting.a"), {}),
    "query_refused": (manifest("reporting.a", "SELECT nonsense"), {}),
    "concurrent_refused": (VIEW + "DROP INDEX reporting.a_n", {**CONCURRENT, "SEEDER_CONCURRENT_FALLBACK": "false"}),
    "concurrent_falls_back": (VIEW + "DROP INDEX reporting.a_n", CONCURRENT),
    "concurrent_unready": (VIEW + "DROP INDEX reporting.a_n", {}),
    "view_unlisted": ("CREATE MATERIALIZED VIEW reporting.a AS SELECT 1 AS n", {}),
    "lock_timeout_low": ("", {"SEEDER_LOCK_TIMEOUT_MS": "500"}),
    "setting_wrong": ("", {"SEEDER_AGENCY_SCOPE": "nowhere.scope"}),
    "role_superuser": ("", {"DB_USER": "postgres"}),
    "queue_blocked": (
        "INSERT INTO django_q_schedule (name, func, args, schedule_type, repeats) VALUES ('x', 'x', '(', 'O', 1)",
        {},
    ),
    "check_failed": (f"REVOKE SELECT ON reporting.seeder_canned_report FROM {ROLE}", {}),
}

# What is put right by installing the schema.
INSTALLED = {
    "table_missing": "DROP TABLE reporting.seeder_job_status",
    "optional_missing": "DROP TABLE reporting.seeder_view_definition",
    "queue_missing": "DROP TABLE reporting.seeder_queued_refresh",
}

# Each has a test of its own; and those that need a server of their own, or are provoked by a rule alone.
BY_THEMSELVES = {
    "sessions_pooled",
    "view_missing",
    "drift_unknown",
    "queue_fault",
    "queue_risk",
    "database_unmapped",
    "database_unreachable",
}
ELSEWHERE = {"server_unsupported", "server_unpatched", "statements_unloaded"}
