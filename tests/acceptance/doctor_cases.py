"""Problems of a database, with the SQL that causes each."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.acceptance.doctor_database import OWNER, ROLE, VIEW, manifest


@dataclass(frozen=True, kw_only=True)
class DoctorCase:
    """A problem that the doctor's statement fixes."""

    problem: str
    provoking_sql: str
    subject: str
    environment: Mapping[str, str] = field(default_factory=dict)
    min_server_version: int = 0  # of the major versions that have the problem
    max_server_version: int = 99


def _function_case(problem: str, *, min_server_version: int = 0, max_server_version: int = 99) -> DoctorCase:
    return DoctorCase(
        problem=problem,
        provoking_sql="SET search_path = reporting, public;"
        " CREATE FUNCTION reporting.\"Called\"(text) RETURNS integer LANGUAGE sql AS 'SELECT n FROM source';"
        " RESET search_path;"
        " CREATE MATERIALIZED VIEW reporting.a AS SELECT reporting.\"Called\"('x') AS n WITH NO DATA;"
        f" ALTER MATERIALIZED VIEW reporting.a OWNER TO {ROLE};"
        + manifest("reporting.a", "SELECT reporting.\"Called\"('x') AS n"),
        subject='reporting."Called"(text)',
        min_server_version=min_server_version,
        max_server_version=max_server_version,
    )


CONCURRENT_SETTINGS = {"SEEDER_REFRESH_CONCURRENTLY": "true"}
CASES_FIXED_BY_SQL = [
    DoctorCase(
        problem="input_unlockable",
        provoking_sql="CREATE TABLE reporting.parted (n integer) PARTITION BY LIST (n);"
        " CREATE TABLE reporting.part PARTITION OF reporting.parted DEFAULT;"
        " CREATE MATERIALIZED VIEW reporting.a AS SELECT n FROM reporting.parted;"
        f" ALTER MATERIALIZED VIEW reporting.a OWNER TO {ROLE};"
        + manifest("reporting.a", "SELECT n FROM reporting.parted"),
        subject="reporting.parted",
    ),
    DoctorCase(
        problem="read_only",
        provoking_sql=f"ALTER ROLE {ROLE} SET default_transaction_read_only = on",
        subject="default_transaction_read_only",
    ),
    DoctorCase(
        problem="too_few_connections", provoking_sql=f"ALTER ROLE {ROLE} CONNECTION LIMIT 3", subject=f"role {ROLE}"
    ),
    DoctorCase(
        problem="idle_session_timeout",
        provoking_sql=f"ALTER ROLE {ROLE} SET idle_session_timeout = '5s'",
        subject="idle_session_timeout",
    ),
    DoctorCase(
        problem="column_missing",
        provoking_sql="ALTER TABLE reporting.seeder_run_history DROP COLUMN bytes_processed",
        subject="reporting.seeder_run_history",
    ),
    DoctorCase(
        problem="column_differs",
        provoking_sql="ALTER TABLE reporting.seeder_run_history ALTER COLUMN errors TYPE varchar(9),"
        " ALTER COLUMN errors SET NOT NULL",
        subject="reporting.seeder_run_history",
    ),
    DoctorCase(
        problem="optional_unusable",
        provoking_sql=f"REVOKE UPDATE ON reporting.seeder_circuit_breaker FROM {ROLE}",
        subject="reporting.seeder_circuit_breaker",
    ),
    DoctorCase(
        problem="optional_unusable",
        provoking_sql="ALTER TABLE reporting.seeder_run ALTER COLUMN workers TYPE bigint",
        subject="reporting.seeder_run",
    ),
    DoctorCase(
        problem="table_forbidden",
        provoking_sql=f"REVOKE SELECT ON reporting.seeder_canned_report FROM {ROLE}",
        subject="reporting.seeder_canned_report",
    ),
    DoctorCase(
        problem="table_forbidden",
        provoking_sql=f"REVOKE INSERT, UPDATE ON reporting.seeder_job_status FROM {ROLE}",
        subject="reporting.seeder_job_status",
    ),
    DoctorCase(
        problem="table_forbidden",
        provoking_sql=f"REVOKE USAGE ON SEQUENCE reporting.seeder_run_history_id_seq FROM {ROLE}",
        subject="reporting.seeder_run_history",
    ),
    DoctorCase(
        problem="schema_forbidden",
        provoking_sql='CREATE SCHEMA "Closed one"; CREATE MATERIALIZED VIEW "Closed one".a AS SELECT 1 AS n;'
        + manifest('"Closed one".a'),
        subject='"Closed one"',
    ),
    DoctorCase(
        problem="create_forbidden",
        provoking_sql=f"REVOKE CREATE ON SCHEMA reporting FROM {ROLE};" + manifest("reporting.a"),
        subject="reporting",
    ),
    DoctorCase(
        problem="view_forbidden",
        provoking_sql=VIEW
        + f"ALTER MATERIALIZED VIEW reporting.a OWNER TO {OWNER}; REVOKE ALL ON reporting.a FROM {ROLE}",
        subject="reporting.a",
    ),
    DoctorCase(
        problem="view_forbidden",
        provoking_sql=VIEW + "ALTER MATERIALIZED VIEW reporting.a OWNER TO CURRENT_USER",
        subject="reporting.a",
    ),
    DoctorCase(
        problem="source_forbidden",
        provoking_sql=VIEW + f"REVOKE SELECT ON reporting.source FROM {ROLE}",
        subject="reporting.a",
    ),
    DoctorCase(
        problem="temp_forbidden",
        provoking_sql="DO $$ BEGIN EXECUTE format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC',"
        " current_database()); END $$",
        subject="reporting.good",
        environment=CONCURRENT_SETTINGS,
    ),
    DoctorCase(
        problem="data_check_unused",
        provoking_sql="INSERT INTO reporting.seeder_check (table_name, check_name, kind)"
        " VALUES ('reporting.misspelt', 'x', 'drift')",
        subject="x of reporting.misspelt",
    ),
    DoctorCase(
        problem="data_check_unreadable",
        provoking_sql="INSERT INTO reporting.seeder_check (table_name, check_name, kind)"
        " VALUES ('reporting.good', 'x', 'range')",
        subject="x of reporting.good",
    ),
    DoctorCase(
        problem="data_check_tolerance_unused",
        provoking_sql="INSERT INTO reporting.seeder_check (table_name, check_name, kind, tolerated_rows)"
        " VALUES ('reporting.good', 'x', 'drift', 5)",
        subject="x of reporting.good",
    ),
    DoctorCase(
        problem="breaker_open",
        provoking_sql="INSERT INTO reporting.seeder_circuit_breaker (database_alias, failures, opened_at)"
        " VALUES ('default', 5, now())",
        subject="default",
    ),
    DoctorCase(
        problem="stats_hidden", provoking_sql="", subject=ROLE, environment={"SEEDER_MAX_DB_ACTIVE_QUERIES": "5"}
    ),
    DoctorCase(problem="schema_missing", provoking_sql=manifest('"No such".a'), subject='"No such"'),
    DoctorCase(
        problem="view_not_populated",
        provoking_sql=VIEW + "REFRESH MATERIALIZED VIEW reporting.a WITH NO DATA",
        subject="reporting.a",
    ),
    DoctorCase(
        problem="definition_drift",
        provoking_sql=VIEW + "UPDATE reporting.seeder_custom_report_manifest SET query ="
        " E'SELECT n, \\'a\\tb%s\\' AS t\\nFROM reporting.source -- the end' WHERE table_name = 'reporting.a'",
        subject="reporting.a",
    ),
    _function_case("function_unqualified", min_server_version=17),
    _function_case("function_upgrade", max_server_version=16),
    DoctorCase(
        problem="index_invalid",
        provoking_sql=VIEW + "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'reporting.a_n'::regclass",
        subject="reporting.a",
    ),
    DoctorCase(
        problem="index_invalid",
        provoking_sql=VIEW + "CREATE INDEX a_n_ccnew ON reporting.a (n);"
        " UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'reporting.a_n_ccnew'::regclass",
        subject="reporting.a",
    ),
    DoctorCase(
        problem="pg_stat_statements_missing",
        provoking_sql="DROP EXTENSION pg_stat_statements",
        subject="pg_stat_statements",
    ),
    DoctorCase(
        problem="pg_stat_statements_outdated",
        provoking_sql="DROP EXTENSION pg_stat_statements; CREATE EXTENSION pg_stat_statements VERSION '1.7'",
        subject="pg_stat_statements",
    ),
    DoctorCase(
        problem="pg_stat_statements_forbidden",
        provoking_sql="REVOKE SELECT ON pg_stat_statements FROM PUBLIC; REVOKE SELECT ON pg_stat_statements FROM"
        f" {ROLE}",
        subject="pg_stat_statements",
    ),
]

# Problems without a statement as a fix: the SQL that causes each, and the settings.
CASES_WITHOUT_FIX: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "bad_name": (manifest("a.b.c"), {}),
    "report_missing": (
        "INSERT INTO reporting.seeder_canned_report_manifest VALUES (1, 1, 'demo', 7)",
        {},
    ),
    "not_materialized_view": ("CREATE VIEW reporting.a AS SELECT 1 AS n;" + manifest("reporting.a"), {}),
    "dependencies_unknown": (
        "CREATE FUNCTION reporting.opaque() RETURNS integer LANGUAGE sql AS 'SELECT 1';"
        " CREATE MATERIALIZED VIEW reporting.a AS SELECT reporting.opaque() AS n;"
        + manifest("reporting.a", "SELECT reporting.opaque() AS n"),
        {},
    ),
    "declared_dependency_missing": (manifest("reporting.a", "-- depends_on: nosuch\nSELECT 1 AS n"), {}),
    "query_refused": (manifest("reporting.a", "SELECT nonsense"), {}),
    "concurrent_refused": (
        VIEW + "DROP INDEX reporting.a_n",
        {**CONCURRENT_SETTINGS, "SEEDER_CONCURRENT_FALLBACK": "false"},
    ),
    "concurrent_falls_back": (VIEW + "DROP INDEX reporting.a_n", CONCURRENT_SETTINGS),
    "concurrent_unready": (VIEW + "DROP INDEX reporting.a_n", {}),
    "view_without_manifest": ("CREATE MATERIALIZED VIEW reporting.a AS SELECT 1 AS n", {}),
    "lock_timeout_low": ("", {"SEEDER_LOCK_TIMEOUT_MS": "500"}),
    "setting_wrong": ("", {"SEEDER_AGENCY_SCOPE": "nowhere.scope"}),
    "variable_ignored": ("", {"SEEDER_MAX_WORKER": "2"}),
    "role_superuser": ("", {"DB_USER": "postgres"}),
    "queue_blocked": (
        "INSERT INTO django_q_schedule (name, func, args, schedule_type, repeats) VALUES ('x', 'x', '(', 'O', 1)",
        {},
    ),
    "check_failed": (f"REVOKE SELECT ON reporting.seeder_canned_report FROM {ROLE}", {}),
}

# Problems that installing the schema fixes, with the SQL that causes each.
CASES_FIXED_BY_INSTALL = {
    "table_missing": "DROP TABLE reporting.seeder_job_status",
    "optional_missing": "DROP TABLE reporting.seeder_view_definition",
    "queue_missing": "DROP TABLE reporting.seeder_queued_refresh",
}

# Problems with a test of their own here, and in the tests of private servers and of the checks.
PROBLEMS_WITH_OWN_TEST = {
    "sessions_pooled",
    "view_missing",
    "drift_unknown",
    "queue_fault",
    "queue_risk",
    "database_unmapped",
    "database_unreachable",
}
PROBLEMS_OF_REFRESH_COSTS = {
    "key_has_nulls",
    "view_bloated",
    "rows_unordered",
}  # tests/integration/test_doctor_refresh_costs.py
PROBLEMS_OF_NOTIFICATIONS = {  # tests/integration/notifications
    "notifications_unusable",
    "notifications_overdue",
    "channel_disabled",
    "channel_unknown",
}
PROBLEMS_TESTED_ELSEWHERE = {
    "server_unsupported",
    "server_unpatched",
    "pg_stat_statements_unloaded",
    *PROBLEMS_OF_REFRESH_COSTS,
    *PROBLEMS_OF_NOTIFICATIONS,
    "group_refused",  # tests/integration/groups
}
PROBLEMS_OF_LOADS = {  # tests/integration/data_pipeline/test_doctor_of_loads.py
    "migrations_missing",
    "load_tables_forbidden",
    "audit_unprotected",
    "loads_stuck",
    "loads_failed",
    "refreshes_undispatched",
    "requests_waiting",
    "rejects_open",
    "dialect_invalid",
    "target_missing",
    "target_without_key",
    "target_forbidden",
}
