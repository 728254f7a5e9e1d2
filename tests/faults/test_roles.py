"""The roles in docs/how-to/security.md have exactly the privileges that they need."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import Error
from django.test import Client

from seeder import conf
from seeder.domain.outcomes import Outcome
from seeder.domain.refresh_requests import AllReports
from seeder.postgres import contract
from seeder.postgres.contract import OptionalTables
from seeder.postgres.sqlstates import INSUFFICIENT_PRIVILEGE, sqlstate
from seeder.services.doctor.check_types import Level
from seeder.services.doctor.run_checks import run_checks
from seeder.services.documents.doctor_documents import doctor_document
from seeder.services.queue import enqueue, part_execution, rescue, schedules
from seeder.services.run import orphan_recovery, preconditions
from seeder.services.snapshots import release_snapshots
from tests.architecture.markdown import code_blocks, page_text
from tests.conftest import create_custom_manifest, server_major_version, sql
from tests.faults.conftest import DATABASE
from tests.faults.gated_views import refresh_everything
from tests.faults.private_server import PrivateServer, default_database

ROLES, TABLES, DJANGO, LOADS, SOURCES, FROM_17, BEFORE_17 = code_blocks(page_text("how-to/security.md"), "sql")

ONLY_THE_OWNER_MAY = (
    "UPDATE reporting.seeder_custom_report_manifest SET query = 'SELECT 2 AS n'",
    "DELETE FROM reporting.seeder_run_history",
    "UPDATE reporting.seeder_release_snapshot SET row_count = 0",
    "DELETE FROM reporting.seeder_release_snapshot",
    "TRUNCATE reporting.seeder_release_snapshot",
    "ALTER TABLE reporting.seeder_release_snapshot DISABLE TRIGGER ALL",
    "UPDATE load_event SET actor = 'another'",
    "SET session_replication_role = replica",
    "SELECT pg_read_file('postgresql.conf')",
)
# Allowed to members of the view's owner, which the role has to be before PostgreSQL 17.
NOT_BY_MAINTAIN = ("DROP MATERIALIZED VIEW reporting.of_others",)
NOT_OF_THE_WEB = (
    "REFRESH MATERIALIZED VIEW reporting.of_others",
    "SELECT * FROM source.numbers",
    "CREATE TABLE reporting.mine (n integer)",
    "UPDATE reporting.seeder_run_history SET status = 'success'",
    "INSERT INTO django_q_schedule (func) VALUES ('os.system')",
)


def execute_scripts(*scripts: str) -> None:
    for script in scripts:
        sql(script.replace("warehouse", DATABASE))


def create_roles_and_views(views: str) -> None:
    """Follow the page, with a source and a view of another role."""
    execute_scripts(ROLES)
    sql("SET ROLE reporting_owner")
    contract.install("default")
    call_command("migrate", verbosity=0)
    sql("RESET ROLE")
    sql("CREATE SCHEMA source; CREATE TABLE source.numbers AS SELECT 1 AS n")
    sql("CREATE MATERIALIZED VIEW reporting.of_others AS SELECT n FROM source.numbers")
    sql("CREATE UNIQUE INDEX ON reporting.of_others (n)")
    sql("ALTER MATERIALIZED VIEW reporting.of_others OWNER TO reporting_views")
    execute_scripts(TABLES, DJANGO, LOADS, SOURCES, views)
    sql("INSERT INTO load_log (source, idempotency_key, status) VALUES ('test', repeat('0', 64), 'success')")
    create_custom_manifest("reporting.of_others", "SELECT n FROM source.numbers")
    create_custom_manifest("reporting.of_ours", "SELECT n + 1 AS n FROM reporting.of_others")
    sql("UPDATE source.numbers SET n = 2")


def is_refused(statement: str) -> bool:
    try:
        sql(statement)
    except Error as error:
        return sqlstate(error) == INSUFFICIENT_PRIVILEGE
    return False


def assert_refreshing_works() -> None:
    """Do what commands and workers do."""
    results = refresh_everything()
    assert {name: result.outcome for name, result in results.items()} == {
        "of_others": Outcome.REFRESHED,
        "of_ours": Outcome.CREATED,
    }
    assert sql("SELECT n FROM reporting.of_ours") == [(3,)]
    assert not [
        *preconditions.missing_features(
            conf.Settings(max_db_active_queries=1), ["default"], OptionalTables.read("default")
        )
    ]
    assert not orphan_recovery.recover_orphaned_runs()
    report = run_checks()
    assert all(diagnosis.problem.level < Level.WARNING for diagnosis in report.diagnoses), doctor_document(report)
    assert release_snapshots.capture_release_snapshot("reporting.of_ours", "1").statistics.row_count == 1
    assert schedules.sync_schedules()
    [part] = enqueue.enqueue_refresh(AllReports(), requested_by="a test").parts
    assert part_execution.run_part(part.id).result == "done"
    assert not rescue.rescue_stalled_parts().dispatched


def assert_web_works() -> None:
    """Do what web processes do."""
    client, api = Client(), "/api/seeder/v1/"
    client.force_login(User.objects.get(username="root"))
    page = client.get("/admin/seeder/monitoring/")
    assert b"of_ours" in page.content
    [job, _] = client.get(f"{api}jobs/").json()["results"]
    health = client.get("/api/seeder/health/ready")
    assert (health.status_code, health.json()["checks"]["breaker"]) == (200, "closed"), health.content
    assert job["lastRunId"].encode() in client.get("/admin/seeder/run/").content
    for address in (
        f"/admin/seeder/monitoring/run/{job['lastRunId']}/",
        "/admin/seeder/monitoring/view/?table=reporting.of_ours",
        "/admin/seeder/monitoring/view/checks/?table=reporting.of_ours",
        "/admin/seeder/datacheck/",
        "/admin/seeder/releasesnapshot/",
        f"{api}runs/{job['lastRunId']}/history/",
        f"{api}snapshots/",
        f"{api}views/reporting.of_ours/checks/",
        f"{api}views/reporting.of_ours/check-results/",
        f"{api}views/reporting.of_ours/changed-rows/",
    ):
        assert client.get(address).status_code == 200, address
    refresh = f"{api}jobs/{job['reportType']}/{job['id']}/refresh/"
    response: Any = client.post(refresh, {"changedRows": 5}, content_type="application/json")
    assert response.status_code == 202, response.content
    assert b"queued as" in client.post("/admin/data_pipeline/loadlog/1/verify/", follow=True).content
    capture = {"tableName": "reporting.of_ours", "releaseTag": "2"}
    assert client.post(f"{api}snapshots/", capture, content_type="application/json").status_code == 202


def assert_privileges(server: Any, views: str, *also_refused: str) -> None:
    create_roles_and_views(views)
    User.objects.create_superuser("root")
    with default_database(server.django_settings(DATABASE, user="seeder_refresh")):
        assert_refreshing_works()
        assert [statement for statement in (*ONLY_THE_OWNER_MAY, *also_refused) if not is_refused(statement)] == []
    with default_database(server.django_settings(DATABASE, user="seeder_web")):
        assert_web_works()
        assert [
            statement
            for statement in (*ONLY_THE_OWNER_MAY, *NOT_BY_MAINTAIN, *NOT_OF_THE_WEB)
            if not is_refused(statement)
        ] == []


@pytest.mark.usefixtures("bare_database")
@pytest.mark.slow
def test_each_role_has_exactly_the_privileges_it_needs(server: PrivateServer) -> None:
    """Before PostgreSQL 17, refreshing a view requires membership in its owner."""
    if server_major_version() >= 17:
        assert_privileges(server, FROM_17, *NOT_BY_MAINTAIN)
    else:
        assert_privileges(server, BEFORE_17)
