"""The doctor finds each problem, and its fix works."""

from pathlib import Path

import pytest

from docs_reference.checks_page import doctor_problems
from tests.acceptance.doctor_cases import (
    CASES_FIXED_BY_INSTALL,
    CASES_FIXED_BY_SQL,
    CASES_WITHOUT_FIX,
    PROBLEMS_OF_LOADS,
    PROBLEMS_TESTED_ELSEWHERE,
    PROBLEMS_WITH_OWN_TEST,
    DoctorCase,
)
from tests.acceptance.doctor_database import (
    ROLE,
    Doctor,
    Manage,
    execute_as_owner,
    manifest,
    names,
    only,
    settings_module,
)
from tests.conftest import need_statements, server_major_version, sql
from tests.pgbouncer import pgbouncer

pytestmark = pytest.mark.usefixtures("healthy_database")


@pytest.mark.parametrize("case", CASES_FIXED_BY_SQL, ids=lambda case: f"{case.problem} {case.subject}")
def test_problem_is_found_and_gone_after_its_statement(case: DoctorCase, doctor: Doctor) -> None:
    if not case.min_server_version <= server_major_version() <= case.max_server_version:
        pytest.skip(f"only PostgreSQL {case.min_server_version} to {case.max_server_version} has this problem")
    if case.problem.startswith("pg_stat_statements_"):
        need_statements()
    if case.provoking_sql:
        execute_as_owner(case.provoking_sql)
    found = only(doctor(**case.environment), case.problem)
    assert (found["subject"], found["database"]) == (case.subject, "default")
    execute_as_owner(found["sql"])
    assert case.problem not in names(doctor(**case.environment))


@pytest.mark.parametrize("problem", CASES_WITHOUT_FIX)
def test_problem_without_a_statement_says_what_to_do(problem: str, doctor: Doctor) -> None:
    provoking_sql, environment = CASES_WITHOUT_FIX[problem]
    if provoking_sql:
        execute_as_owner(provoking_sql)
    found = only(doctor(**environment), problem)
    assert found["message"]
    assert found["fix"]
    assert found["sql"] is None


@pytest.mark.parametrize("problem", CASES_FIXED_BY_INSTALL)
def test_missing_table_is_found_until_it_is_installed(problem: str, doctor: Doctor, manage: Manage) -> None:
    execute_as_owner(CASES_FIXED_BY_INSTALL[problem])
    assert "`manage.py install_schema`" in only(doctor(), problem)["fix"]
    assert manage("install_schema").exit_code == 0
    execute_as_owner(f"GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA reporting TO {ROLE}")
    assert problem not in names(doctor())


def test_missing_view_is_created_by_the_named_command(doctor: Doctor, manage: Manage) -> None:
    execute_as_owner(manifest("reporting.a"))
    assert "`manage.py refresh_table`" in only(doctor(), "view_missing")["fix"]
    assert only(doctor("--without-drift"), "view_missing")["subject"] == "reporting.a"
    assert manage("refresh_table", "reporting.a", DB_USER=ROLE).exit_code == 0
    assert "view_missing" not in names(doctor())


@pytest.mark.slow
def test_queue_settings_are_checked(doctor: Doctor, tmp_path: Path) -> None:
    host = settings_module(tmp_path, "Q_CLUSTER = {**Q_CLUSTER, 'catch_up': True}")
    found = doctor(**host, SEEDER_STATEMENT_TIMEOUT_MS="60000")
    assert "(seeder.E009)" in only(found, "queue_fault")["message"]
    assert "(seeder.W011)" in only(found, "queue_risk")["message"]
    host = settings_module(tmp_path, "SEEDER = {'NIGHTLY_CRON': 'nonsense'}")
    assert only(doctor(**host), "queue_fault")["subject"] == "SEEDER_NIGHTLY_CRON"


@pytest.mark.slow
def test_mapped_databases_are_checked(doctor: Doctor, tmp_path: Path) -> None:
    sql("CREATE SCHEMA reporting", using="archive")
    sql("CREATE MATERIALIZED VIEW reporting.a AS SELECT 1 AS n; CREATE SCHEMA other", using="archive")
    sql("CREATE UNIQUE INDEX ON reporting.a (n)", using="archive")
    execute_as_owner(manifest("reporting.a") + manifest("reporting.b"))
    execute_as_owner(
        "UPDATE reporting.seeder_custom_report_manifest SET database_id = 2 WHERE table_name = 'reporting.a'"
    )
    execute_as_owner(
        "UPDATE reporting.seeder_custom_report_manifest SET database_id = 3 WHERE table_name = 'reporting.b'"
    )
    host = settings_module(tmp_path, "SEEDER = {'DATABASES': {1: 'default', 2: 'archive'}}")
    found = doctor(**host)
    assert only(found, "schema_forbidden")["database"] == "archive"
    forbidden = only(found, "view_forbidden")
    assert (forbidden["database"], forbidden["subject"]) == ("archive", "reporting.a")
    assert only(found, "database_unmapped")["subject"] == "custom manifest 3 of demo"


@pytest.mark.slow
def test_unreachable_database_does_not_stop_the_other_checks(doctor: Doctor, tmp_path: Path) -> None:
    execute_as_owner(manifest("a.b.c"))
    host = settings_module(
        tmp_path, "SEEDER = {'DATABASES': {1: 'default', 2: 'archive'}}\nDATABASES['archive']['NAME'] = 'nowhere'"
    )
    found = doctor(**host)
    assert only(found, "database_unreachable")["database"] == "archive"
    assert only(found, "bad_name")["database"] == "default"


def test_proxy_that_pools_transactions_is_found(doctor: Doctor) -> None:
    with pgbouncer("transaction", login=ROLE) as address:
        assert only(doctor(**address), "sessions_pooled")["fix"]
    with pgbouncer("session", login=ROLE) as address:
        assert "sessions_pooled" not in names(doctor(**address))


def test_every_problem_has_a_test() -> None:
    tested = (
        {case.problem for case in CASES_FIXED_BY_SQL}
        | CASES_WITHOUT_FIX.keys()
        | CASES_FIXED_BY_INSTALL.keys()
        | PROBLEMS_WITH_OWN_TEST
        | PROBLEMS_TESTED_ELSEWHERE
        | PROBLEMS_OF_LOADS
    )
    assert tested == {problem.name for problem in doctor_problems()}
