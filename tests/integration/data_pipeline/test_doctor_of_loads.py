"""The doctor's checks of loads: the tables of the lane, unfinished loads, and targets."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from pytest_django import Settings

from data_pipeline import compute_idempotency_key, process_once
from data_pipeline.services.reject_listing import dismiss_load
from seeder.domain import lock_keys
from seeder.domain.refresh_requests import AllReports
from seeder.models import QueuedRefresh
from seeder.services.doctor.check_types import Diagnosis
from seeder.services.doctor.run_checks import run_checks
from seeder.services.queue.enqueue import enqueue_refresh
from tests.conftest import another_session, create_custom_manifest, sql

pytestmark = pytest.mark.usefixtures("load_tables")
ROLE = "test_loader"


def found(name: str) -> list[Diagnosis]:
    report = run_checks(compare_queries=False)
    return [one for one in report.diagnoses if one.problem.name == name and one.database == "default"]


def found_areas() -> list[str]:
    return [one.problem.name for one in run_checks(compare_queries=False).diagnoses if one.problem.area == "loads"]


def load(name: str = "a", *, fail: bool = False, target: str | None = None) -> None:
    with process_once(
        source="files", payload_meta={}, idempotency_key=compute_idempotency_key(payload=name.encode())
    ) as handle:
        assert handle is not None
        handle.target = target
        if fail:
            raise OSError


def apply_fix(diagnosis: Diagnosis) -> None:
    with another_session() as session:
        session.execute(diagnosis.sql.encode())


@pytest.fixture
def loader(load_tables: None) -> Iterator[None]:
    """Run the doctor as a role that owns nothing."""
    sql(f"DROP ROLE IF EXISTS {ROLE}")
    sql(f"CREATE ROLE {ROLE}")
    sql(f"GRANT USAGE ON SCHEMA reporting TO {ROLE}; SET ROLE {ROLE}")
    try:
        yield
    finally:
        sql(f"RESET ROLE; DROP OWNED BY {ROLE}; DROP ROLE {ROLE}")


def write_dialect(folder: Path, text: str, name: str = "orders") -> None:
    (folder / f"{name}.toml").write_text(text)


def test_empty_lane_has_no_problem() -> None:
    assert found_areas() == []


def test_missing_migration_is_one_problem() -> None:
    sql("DELETE FROM django_migrations WHERE app = 'data_pipeline' AND name ~ '^0002'")
    sql("ALTER TABLE load_total RENAME TO gone")
    try:
        assert found_areas() == ["migrations_missing"]
        assert found("migrations_missing")[0].message == "Not applied: 0002_metrics_and_permissions."
    finally:
        sql("ALTER TABLE gone RENAME TO load_total")
        MigrationRecorder(connection).record_applied("data_pipeline", "0002_metrics_and_permissions")


def test_lost_table_is_named() -> None:
    sql("ALTER TABLE load_change RENAME TO gone")
    try:
        assert "load_change" in found("migrations_missing")[0].message
    finally:
        sql("ALTER TABLE gone RENAME TO load_change")


@pytest.mark.usefixtures("loader")
def test_role_without_privileges_gets_grants_that_suffice() -> None:
    diagnoses = found("load_tables_forbidden")
    assert {one.subject for one in diagnoses} >= {"load_log", "load_event", "load_reject"}
    for one in diagnoses:
        apply_fix(one)
    sql("SET ROLE test_loader")
    load()
    assert found("load_tables_forbidden") == []


@pytest.mark.parametrize("damage", ["DISABLE TRIGGER load_event_append_only", "drop"])
def test_audit_without_its_trigger_is_repaired_by_its_fix(damage: str) -> None:
    statement = "DROP TRIGGER load_event_append_only ON load_event" if damage == "drop" else ""
    sql(statement or f"ALTER TABLE load_event {damage}")
    [diagnosis] = found("audit_unprotected")
    apply_fix(diagnosis)
    assert found("audit_unprotected") == []


def test_stuck_load_is_reported_until_it_is_recovered() -> None:
    load()
    sql("UPDATE load_log SET status = 'pending'")
    [diagnosis] = found("loads_stuck")
    assert (diagnosis.subject, diagnosis.message) == ("files", "1 load without a process: 1.")


def test_live_load_is_not_stuck() -> None:
    with process_once(source="files", payload_meta={}, idempotency_key=compute_idempotency_key(payload=b"x")):
        with another_session() as other:
            rows = other.execute("SELECT count(*) FROM load_log WHERE status = 'pending'").fetchall()
        assert (rows, found("loads_stuck")) == ([(1,)], [])


def test_failed_loads_are_reported_by_source() -> None:
    for name in "ab":
        with suppress(OSError):
            load(name, fail=True)
    [diagnosis] = found("loads_failed")
    assert diagnosis.message == "2 failed loads, the last one is 2: OSError."
    for load_id in (1, 2):
        dismiss_load(load_id, actor="test")
    assert found("loads_failed") == []


def test_late_refresh_is_reported_and_recent_one_is_not() -> None:
    load()
    sql("INSERT INTO load_refresh (load_id, relations) VALUES (1, '[]')")
    assert found("refreshes_undispatched") == []
    sql("UPDATE load_refresh SET created_at = now() - interval '6 minutes'")
    assert found("refreshes_undispatched")[0].message == "The refreshes of 1 load, the first one is load 1."


LIVE_WORKER = "SELECT pg_advisory_lock(hashtextextended('{}', 0))"


def test_waiting_request_is_reported_while_no_worker_is_busy() -> None:
    insert = "INSERT INTO load_request (source_uri, requested_by, state) VALUES ('file:///a.csv', 'test', 'queued')"
    sql(f"{insert}, ('file:///b.csv', 'test', 'running')")
    assert found("requests_waiting") == []
    sql("UPDATE load_request SET created_at = now() - interval '6 minutes'")
    [diagnosis] = found("requests_waiting")
    assert diagnosis.message == "1 request, the first one is request 1."
    with another_session() as worker:
        worker.execute(LIVE_WORKER.format("data_pipeline.request 2"))
        assert found("requests_waiting") == []


def test_request_behind_a_refresh_is_not_reported(empty_queue: None) -> None:
    sql(
        "INSERT INTO load_request (source_uri, requested_by, created_at) VALUES ('a', 'test', now() - interval '1 day')"
    )
    create_custom_manifest("reporting.a", "SELECT 1 AS n")
    enqueue_refresh(AllReports(), requested_by="")
    QueuedRefresh.objects.update(state="running", run_ids=["a run"])
    assert len(found("requests_waiting")) == 1
    with another_session() as worker:
        worker.execute(LIVE_WORKER.format(lock_keys.of_run("a run")))
        assert found("requests_waiting") == []


def test_open_rejects_are_counted() -> None:
    load()
    sql(
        "INSERT INTO load_reject (load_id, line_no, record_no, problems, raw) SELECT 1, n, n, '[]', 'x'"
        " FROM generate_series(1, 3) AS n"
    )
    assert found("rejects_open")[0].message == "3 open rejects of 1 load, 3 of them in load 1."


def test_dialects_of_host_are_checked(tmp_path: Path, settings: Settings) -> None:
    settings.DATA_PIPELINE = {"DIALECT_FOLDERS": [str(tmp_path)]}
    sql("CREATE TABLE landing.keyless (n integer); CREATE TABLE landing.keyed (n integer PRIMARY KEY)")
    write_dialect(tmp_path, 'target = "landing.nowhere"')
    write_dialect(tmp_path, 'target = "landing.keyless"\nmode = "upsert"', "keyless")
    write_dialect(tmp_path, 'target = "landing.keyed"\nmode = "upsert"', "keyed")
    write_dialect(tmp_path, "targett = 1", "broken")
    assert [one.subject for one in found("target_missing")] == ["landing.nowhere"]
    assert [one.subject for one in found("target_without_key")] == ["landing.keyless"]
    assert "targett" in found("dialect_invalid")[0].message


def test_loaded_table_without_privileges_gets_grants(loader: None) -> None:
    sql("RESET ROLE; CREATE TABLE landing.numbers (n integer)")
    load(target="landing.numbers")
    sql(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {ROLE}; SET ROLE {ROLE}")
    [diagnosis] = found("target_forbidden")
    assert diagnosis.sql.startswith("GRANT USAGE ON SCHEMA landing")
    apply_fix(diagnosis)
    [diagnosis] = found("target_forbidden")
    apply_fix(diagnosis)
    assert found("target_forbidden") == []
