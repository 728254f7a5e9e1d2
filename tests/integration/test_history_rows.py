"""Rows of the history and of job status, written by runs."""

import pytest
from django.db.transaction import atomic

from seeder.domain.outcomes import Outcome, RefreshResult
from seeder.domain.refresh_requests import AgencyReports, AllReports, SingleView
from seeder.domain.view_names import ViewName
from seeder.errors import RunLockLost
from seeder.models import CustomReportManifest, JobStatus, RunHistory
from seeder.postgres import sessions
from seeder.postgres.row_counts import ViewBeforeRefresh
from seeder.services import history_rows
from seeder.services.history_rows import RunHistoryWriter
from seeder.services.run import orchestrator
from tests.conftest import create_canned_report, create_custom_manifest, sql

pytestmark = pytest.mark.usefixtures("contract_tables")


def test_history_row_has_the_facts_of_the_refresh() -> None:
    manifest = create_custom_manifest("reporting.a", "SELECT generate_series(1, 3) AS n")
    summary = orchestrator.execute_run(AllReports())
    row, [result] = RunHistory.objects.get(), summary.results.values()
    assert (row.run_id, row.manifest_id, row.table_name) == (summary.run_id, manifest.pk, "reporting.a")
    assert (row.report_name, row.agency_id, row.agency_slug) == (manifest.report_name, 1, "demo")
    assert (row.report_type, row.status, row.errors) == ("custom", "success", None)
    assert (row.start_time, row.finish_time) == (result.started_at, result.finished_at)
    assert (row.records_processed, row.bytes_processed) == (3, result.size_bytes)
    memory, cpu = result.cost.peak_memory_bytes, result.cost.cpu_time
    assert row.memory_usage_mb == (None if memory is None else round(memory / 2**20)), "unknown values are null"
    assert row.cpu_percentage == (None if cpu is None else round(100 * (cpu / result.duration)))


def test_only_selected_subscriptions_are_recorded() -> None:
    create_canned_report("reporting.shared", "SELECT 1 AS n", agencies=("demo", "metro"))
    orchestrator.execute_run(AgencyReports(slug="metro"))
    assert list(RunHistory.objects.values_list("agency_slug", flat=True)) == ["metro"]
    orchestrator.execute_run(SingleView(name=ViewName.parse("shared")))
    assert RunHistory.objects.count() == 3


def test_consecutive_failures_are_counted_until_a_success() -> None:
    sql("CREATE TABLE reporting.source AS SELECT 0 AS n")
    create_custom_manifest("reporting.a", "SELECT 1 / n AS n FROM reporting.source")
    for _ in range(2):
        orchestrator.execute_run(AllReports())
    assert JobStatus.objects.get().consecutive_failures == 2
    sql("UPDATE reporting.source SET n = 1")
    orchestrator.execute_run(AllReports())
    assert JobStatus.objects.get().consecutive_failures == 0
    assert JobStatus.objects.get().last_errors is None
    assert list(RunHistory.objects.order_by("id").values_list("consecutive_failures", flat=True)) == [1, 2, 0]


def test_duration_is_rounded_to_seconds_in_both_tables() -> None:
    create_custom_manifest("reporting.a", "SELECT 1 AS n FROM pg_sleep(0.6)")
    orchestrator.execute_run(AllReports())
    assert RunHistory.objects.get().duration_seconds == JobStatus.objects.get().duration_seconds == 1


def test_status_row_follows_its_manifest_and_latest_run() -> None:
    create_canned_report("reporting.a", "SELECT 1 AS n", agencies=("metro", "harbor"))
    orchestrator.execute_run(AllReports())
    assert JobStatus.objects.get().agency_slug == "metro"
    manifest = create_custom_manifest("reporting.a", "SELECT 1 AS n")
    CustomReportManifest.objects.update(report_name="Renamed")
    last = orchestrator.execute_run(AllReports())
    status = JobStatus.objects.get()
    assert (status.report_name, status.report_type, status.manifest_id) == ("Renamed", "custom", manifest.pk)
    assert (status.agency_id, status.agency_slug, status.last_run_id) == (1, "demo", last.run_id)


def test_row_that_has_ended_cannot_be_ended_again() -> None:
    create_custom_manifest("reporting.a", "SELECT 1 AS n")
    create_custom_manifest("reporting.b", "SELECT 1 AS n")
    plan = orchestrator.preview(AllReports())
    record = RunHistoryWriter("r1")
    record.insert_pending(plan)
    now = sessions.server_time("default")
    result = RefreshResult(outcome=Outcome.REFRESHED, started_at=now, finished_at=now)
    record.record_result(plan.views[0].spec, result)
    with pytest.raises(RunLockLost, match="another run closed its rows while it refreshed reporting.a"):
        record.record_result(plan.views[0].spec, result)
    sql("CREATE MATERIALIZED VIEW reporting.a AS SELECT 1 AS n")
    before = ViewBeforeRefresh(exists=True, can_count=True, inserted=0, deleted=0)
    with pytest.raises(RunLockLost):
        record.record_success(plan.views[0].spec, result, before=before)
    record.mark_running([plan.views[0].spec])
    record.mark_interrupted("test")
    rows = dict(RunHistory.objects.values_list("table_name", "status"))
    assert rows == {"reporting.a": "success", "reporting.b": "error"}
    assert RunHistory.objects.get(table_name="reporting.a").start_time == now


def test_rejected_report_of_many_subscriptions_counts_one_failure() -> None:
    create_canned_report("a.b.c", "SELECT 1", agencies=("demo", "metro", "harbor"))
    orchestrator.execute_run(AllReports())
    assert JobStatus.objects.get().consecutive_failures == 1
    assert list(RunHistory.objects.values_list("status", "consecutive_failures")) == [("error", 1)] * 3


def test_stopped_run_does_not_change_the_status_of_a_later_run() -> None:
    create_custom_manifest("reporting.a", "SELECT 1 AS n")
    record = RunHistoryWriter("earlier")
    record.insert_pending(orchestrator.preview(AllReports()))
    later = orchestrator.execute_run(AllReports())
    record.mark_interrupted("SIGTERM")
    status = JobStatus.objects.get()
    assert (status.status, status.last_run_id) == ("success", later.run_id)
    assert RunHistory.objects.get(run_id="earlier").status == "error"


def test_view_with_rows_closed_by_recovery_is_not_shown_running() -> None:
    create_custom_manifest("reporting.a", "SELECT 1 AS n")
    plan, record = orchestrator.preview(AllReports()), RunHistoryWriter("r1")
    record.insert_pending(plan)
    with atomic(durable=True):
        assert history_rows.close_open_rows("r1", reason="killed") == 1
    record.mark_running([plan.views[0].spec])
    assert (RunHistory.objects.get().status, JobStatus.objects.get().status) == ("error", "error")
