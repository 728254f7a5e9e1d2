"""Users of the API, and reports and runs for them to see."""

import json
from collections.abc import Callable
from typing import Any

from django.contrib.auth.models import Permission, User
from django.contrib.sessions.models import Session
from django.db import connection
from django.utils import timezone
from django_q.models import OrmQ
from rest_framework.authtoken.models import Token
from rest_framework.test import APIClient

from seeder.domain.refresh_requests import AllReports
from seeder.models import DataCheck, DataCheckResult, ReleaseSnapshot, RunHistory
from seeder.services.data_checks.check_rows import version_of_row
from seeder.services.run import orchestrator
from seeder.services.snapshots import release_snapshots
from tests.conftest import create_canned_report, create_custom_manifest, need_statements, sql

ROOT = "/api/seeder/v1/"
_APPS = ("seeder", "data_pipeline")
READER_PERMISSIONS = (
    *("view_jobstatus", "view_runhistory", "view_run", "view_releasesnapshot", "view_queuedrefresh"),
    *("view_manifests", "view_datacheck"),
)
OPERATOR_PERMISSIONS = (
    *READER_PERMISSIONS,
    *("refresh_views", "capture_releasesnapshot", "edit_checks", "waive_checks"),
)


def scope_by_last_name(user: Any) -> list[str] | None:
    """Return the agencies in the user's last name, or None for a superuser."""
    return None if user.is_superuser else str(user.last_name).split()


def scope_outside_of_transactions(user: Any) -> list[str] | None:
    assert not connection.in_atomic_block
    return scope_by_last_name(user)


def create_user(name: str, *permissions: str, agencies: str = "demo metro", **facts: Any) -> User:
    user = User.objects.create_user(name, last_name=agencies, password="secret", **facts)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions, content_type__app_label__in=_APPS))
    return user


def api_client(user: User | None = None) -> APIClient:
    """Return a client with the token of the user, or an anonymous client."""
    caller = APIClient()
    if user is not None:
        token, _ = Token.objects.get_or_create(user=user)
        caller.credentials(HTTP_AUTHORIZATION=f"Token {token.key}")
    return caller


def get(caller: APIClient, path: str, **parameters: str | int) -> Any:
    """Return the JSON of a successful answer."""
    answer = caller.get(ROOT + path, parameters)
    assert answer.status_code == 200, answer.content
    return json.loads(answer.content)


def delete_users() -> None:
    for table in (User, Session, OrmQ):
        table.objects.all().delete()


def create_reports() -> None:
    """Create a good, a failing and a shared view of two agencies, and run them."""
    create_custom_manifest("reporting.good", "SELECT 1 AS n")
    create_custom_manifest("reporting.bad", "SELECT 'secret-123'::integer AS n", agency="metro")
    create_canned_report("reporting.shared", "SELECT 2 AS n", agencies=("demo", "metro"))
    orchestrator.execute_run(AllReports(), requested_by="a test")


def create_held_check() -> str:
    """Create a check `rows` that holds reporting.good by its results. Return its version."""
    row = DataCheck.objects.create(
        table_name="reporting.good", check_name="rows", kind="row_count", arguments={"max_drop": 0.2}
    )
    history = RunHistory.objects.get(table_name="reporting.good")
    DataCheckResult.objects.create(
        history=history,
        run_id=history.run_id,
        database_alias="default",
        table_name="reporting.good",
        check_name="rows",
        kind="row_count",
        arguments={"max_drop": 0.2},
        severity="error",
        outcome="failed",
        figures={"rows": 1, "minimum": 8, "maximum": None, "last_accepted": 10},
        samples=['{"n": 1}'],
    )
    return version_of_row(DataCheck.objects.get(pk=row.pk))


def capture_two_snapshots() -> tuple[int, int]:
    """Capture one view twice and return the ids."""
    snapshot_ids = [release_snapshots.capture_release_snapshot("reporting.good", tag).id for tag in ("v1", "v2")]
    assert snapshot_ids[0] is not None
    assert snapshot_ids[1] is not None
    return snapshot_ids[0], snapshot_ids[1]


def insert_many_rows(row_count: int) -> None:
    """Insert `row_count` rows into each listed table."""
    sql(
        "INSERT INTO reporting.seeder_custom_report_manifest"
        " (table_name, report_name, agency_id, agency_slug, query, database_id, enabled)"
        " SELECT 'reporting.v' || n, 'Report ' || n, 1, 'demo', 'SELECT 1', 1, true FROM generate_series(1, %s) AS n",
        row_count,
    )
    sql(
        "INSERT INTO reporting.seeder_job_status (table_name, manifest_id, report_name, report_type, agency_id,"
        " agency_slug, status, consecutive_failures, last_errors, start_time)"
        " SELECT table_name, id, report_name, 'custom', 1, 'demo', 'error', 1, 'no', now()"
        " FROM reporting.seeder_custom_report_manifest"
    )
    sql(
        "INSERT INTO reporting.seeder_run (run_id, description, requested_by, started_at, workers, manifests, agencies)"
        " SELECT 'run ' || n, 'every report', 'a test', now() - n * interval '1 hour', 1, 1, '{\"demo\": {}}'"
        " FROM generate_series(1, %s) AS n",
        row_count,
    )
    for identity in ("'run 1', id, table_name", "'run ' || id, 1, 'reporting.v1'"):
        sql(
            "INSERT INTO reporting.seeder_run_history"
            " (run_id, manifest_id, table_name, report_name, agency_id, agency_slug, report_type, status, errors)"
            f" SELECT {identity}, report_name, 1, 'demo', 'custom', 'error', 'no'"
            " FROM reporting.seeder_custom_report_manifest"
        )
    ReleaseSnapshot.objects.bulk_create(
        ReleaseSnapshot(
            table_name="reporting.v1",
            release_tag=f"v{n}",
            captured_at=timezone.now(),
            schema_hash="0" * 64,
            definition_hash="0" * 64,
            server_version=180000,
            exact=True,
            row_count=1,
            column_count=1,
            columns=[{"name": "n", "type": "integer", "nullable": True}],
            column_statistics={"n": {"nulls": 0}},
        )
        for n in range(row_count)
    )


def count_statements(action: Callable[[], object]) -> int:
    """Return how many statements the server runs, including those that bypass Django."""
    need_statements()
    sql("CREATE EXTENSION IF NOT EXISTS pg_stat_statements SCHEMA public")
    before = _statement_calls()
    action()
    return _statement_calls() - before - 1


def _statement_calls() -> int:
    [(calls,)] = sql(
        "SELECT sum(calls)::bigint FROM pg_stat_statements JOIN pg_database ON oid = dbid"
        " WHERE datname = current_database()"
    )
    return int(calls)


def read_rows(action: Callable[[], object]) -> int:
    """Return how many rows of the reporting tables an action reads, of tables and by indexes."""
    sql("SELECT pg_stat_force_next_flush()")
    before = _rows_read()
    action()
    sql("SELECT pg_stat_force_next_flush()")
    return _rows_read() - before


def _rows_read() -> int:
    [(rows,)] = sql(
        "SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0))::bigint FROM pg_stat_user_tables"
        " WHERE schemaname = 'reporting'"
    )
    return int(rows)


def insert_many_rows_of_agencies(count: int) -> None:
    """Insert manifests of visible agencies, failing views of them, and unfinished runs with queued parts."""
    sql(
        "INSERT INTO reporting.seeder_custom_report_manifest"
        " (table_name, report_name, agency_id, agency_slug, query, database_id)"
        " SELECT 'reporting.w' || n, 'W', 1 + n %% 2, (ARRAY['demo', 'metro'])[1 + n %% 2], 'SELECT 1', 1"
        " FROM generate_series(1, %s) AS n",
        count,
    )
    sql(
        "INSERT INTO reporting.seeder_run (run_id, description, requested_by, started_at, workers, manifests, agencies)"
        " SELECT 'many ' || n, 'every report', 'a test', now(), 1, 1, '{\"demo\": {}}'"
        " FROM generate_series(1, %s) AS n",
        count,
    )
