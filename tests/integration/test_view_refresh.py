"""Runs through the service layer: refreshed views and their rows."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from django.db import DatabaseError, connection
from django.db.models import F
from pytest_django import Settings

from seeder.domain.outcomes import Outcome, RefreshResult
from seeder.domain.refresh_requests import AllReports
from seeder.domain.run_events import RunEnded, RunStarted, ViewEnded, ViewStarted
from seeder.models import CustomReportManifest, JobStatus, RunHistory
from seeder.services.history_rows import RunHistoryWriter
from seeder.services.run import orchestrator
from tests.conftest import create_canned_report, create_custom_manifest, sql
from tests.polling import eventually

pytestmark = pytest.mark.usefixtures("contract_tables")


def results(summary: Any) -> Mapping[str, RefreshResult]:
    return {view.key.name.name: result for view, result in summary.results.items()}


def statuses() -> dict[str, str]:
    return dict(JobStatus.objects.values_list("table_name", "status"))


def test_missing_view_is_created_and_then_refreshed() -> None:
    sql("CREATE TABLE reporting.source AS SELECT generate_series(1, 1000) AS n")
    create_custom_manifest("reporting.a", "SELECT n FROM reporting.source")
    first = results(orchestrator.execute_run(AllReports()))["a"]
    sql("INSERT INTO reporting.source SELECT generate_series(1, 234)")
    [(oid,)] = sql("SELECT 'reporting.a'::regclass::oid")
    second = results(orchestrator.execute_run(AllReports()))["a"]
    assert (first.outcome, first.rows) == (Outcome.CREATED, 1000)
    assert (second.outcome, second.rows) == (Outcome.REFRESHED, 1234)
    assert second.size_bytes == sql("SELECT pg_total_relation_size('reporting.a')")[0][0]
    assert sql("SELECT 'reporting.a'::regclass::oid, count(*) FROM reporting.a") == [(oid, 1234)]


def test_view_that_cannot_be_filled_is_not_created() -> None:
    create_custom_manifest("reporting.a", "SELECT 1 / 0 AS n")
    assert results(orchestrator.execute_run(AllReports()))["a"].failure.sqlstate == "22012"  # type: ignore[union-attr]
    assert sql("SELECT to_regclass('reporting.a')") == [(None,)]


def test_failed_refresh_keeps_the_old_rows() -> None:
    sql("CREATE TABLE reporting.source AS SELECT 1 AS n")
    create_custom_manifest("reporting.a", "SELECT 1 / n AS n FROM reporting.source")
    orchestrator.execute_run(AllReports())
    sql("UPDATE reporting.source SET n = 0")
    assert results(orchestrator.execute_run(AllReports()))["a"].outcome is Outcome.FAILED
    assert sql("SELECT n FROM reporting.a") == [(1,)]


def test_dependent_views_are_refreshed_in_order() -> None:
    create_custom_manifest("reporting.last", "SELECT n + 1 AS n FROM reporting.middle")
    create_custom_manifest("reporting.middle", "SELECT n + 1 AS n FROM reporting.first")
    create_custom_manifest("reporting.first", "SELECT n FROM reporting.source")
    sql("CREATE TABLE reporting.source AS SELECT 1 AS n")
    assert orchestrator.execute_run(AllReports()).failed == 0
    sql("UPDATE reporting.source SET n = 10")
    assert [view.key.name.name for view in orchestrator.execute_run(AllReports()).results] == [
        "first",
        "middle",
        "last",
    ]
    assert sql("SELECT n FROM reporting.last") == [(12,)]


def test_event_follows_each_status_of_a_row() -> None:
    create_custom_manifest("reporting.a", "SELECT 1 AS n FROM pg_sleep(1)")
    log: list[tuple[str, str, str]] = []

    def on_event(event: object) -> None:
        row = RunHistory.objects.get()
        log.append((type(event).__name__, row.status, JobStatus.objects.get().status))

    class ObservedWriter(RunHistoryWriter):
        def record_success(self, *args: Any, **kwargs: Any) -> RefreshResult:
            log.append(("refreshed", RunHistory.objects.get().status, JobStatus.objects.get().status))
            return super().record_success(*args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(orchestrator, "RunHistoryWriter", ObservedWriter)
        orchestrator.execute_run(AllReports(), on_event=on_event)
    assert log == [
        (RunStarted.__name__, "pending", "pending"),
        (ViewStarted.__name__, "pending", "pending"),
        ("refreshed", "running", "running"),
        (ViewEnded.__name__, "success", "success"),
        (RunEnded.__name__, "success", "success"),
    ]


def test_refresh_and_its_record_commit_together(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    settings.SEEDER = {"SHARED_REFRESH_MS": 0}
    sql("CREATE TABLE reporting.source AS SELECT 1 AS n")
    create_custom_manifest("reporting.a", "SELECT n FROM reporting.source")
    orchestrator.execute_run(AllReports())
    sql("UPDATE reporting.source SET n = 2")
    original = RunHistoryWriter.record_success

    def fails_once(history: RunHistoryWriter, spec: Any, result: RefreshResult, **kwargs: Any) -> None:
        original(history, spec, result, **kwargs)
        monkeypatch.setattr(RunHistoryWriter, "record_success", original)
        raise DatabaseError

    monkeypatch.setattr(RunHistoryWriter, "record_success", fails_once)
    assert results(orchestrator.execute_run(AllReports()))["a"].outcome is Outcome.FAILED
    assert sql("SELECT n FROM reporting.a") == [(1,)]
    assert statuses() == {"reporting.a": "error"}


def test_shared_view_is_refreshed_once_and_recorded_per_manifest() -> None:
    create_canned_report("reporting.shared", "SELECT 1 AS n", agencies=("demo", "metro", "harbor"))
    create_custom_manifest("REPORTING.Shared", "SELECT 2 AS n", agency="metro")
    summary = orchestrator.execute_run(AllReports())
    assert len(summary.results) == 1
    assert sql("SELECT n FROM reporting.shared") == [(2,)], "the custom manifest defines the view"
    rows = RunHistory.objects.order_by("report_type", "agency_slug").values_list("report_type", "agency_slug", "status")
    assert list(rows) == [
        ("canned", "demo", "success"),
        ("canned", "harbor", "success"),
        ("canned", "metro", "success"),
        ("custom", "metro", "success"),
    ]
    assert statuses() == {"reporting.shared": "success", "REPORTING.Shared": "success"}


def test_rejected_manifest_ends_in_error_and_others_succeed() -> None:
    bad = create_custom_manifest("a.b.c", "SELECT 1")
    create_custom_manifest("reporting.good", "SELECT 1 AS n")
    create_canned_report("reporting.gone", "SELECT 1", agencies=("metro",))
    sql("DELETE FROM reporting.seeder_canned_report")
    summary = orchestrator.execute_run(AllReports())
    assert (summary.succeeded, summary.failed) == (1, 2)
    assert statuses() == {"a.b.c": "error", "canned report 1": "error", "reporting.good": "success"}
    row = RunHistory.objects.get(manifest_id=bad.pk, report_type="custom")
    assert "'a.b.c' is not a view's name: it has 3 parts" in (row.errors or "")
    assert row.finish_time is not None


def test_interrupted_run_leaves_no_row_open() -> None:
    for name in "abc":
        create_custom_manifest(f"reporting.{name}", "SELECT 1 AS n")

    def interrupt(event: object) -> None:
        if isinstance(event, ViewEnded):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        orchestrator.execute_run(AllReports(), on_event=interrupt)
    assert RunHistory.objects.filter(status__in=("pending", "running")).count() == 0
    assert RunHistory.objects.filter(status="success").count() >= 1
    for row in RunHistory.objects.filter(status="error"):
        assert (row.errors or "").startswith("interrupted: KeyboardInterrupt")


def test_concurrent_runs_create_a_missing_view_once() -> None:
    for name in "abcd":
        create_custom_manifest(f"reporting.{name}", "SELECT 1 AS n FROM pg_sleep(0.1)")
    both_planned = Barrier(2, timeout=20)

    def on_event(event: object) -> None:
        if isinstance(event, RunStarted):
            both_planned.wait()

    def execute() -> list[Outcome]:
        try:
            return [
                result.outcome for result in orchestrator.execute_run(AllReports(), on_event=on_event).results.values()
            ]
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as threads:
        first, second = threads.submit(execute), threads.submit(execute)
        outcomes = sorted(first.result(30) + second.result(30))
    assert outcomes == [Outcome.CREATED] * 4 + [Outcome.REFRESHED] * 4


def test_every_worker_closes_its_connection() -> None:
    for name in "abcdefgh":
        create_custom_manifest(f"reporting.{name}", "SELECT 1 AS n")
    orchestrator.execute_run(AllReports())
    other_connections = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    other_connections += " AND backend_type = 'client backend'"
    eventually(lambda: sql(other_connections) == [(0,)])  # a backend ends shortly after its client


def test_usual_duration_orders_the_next_plan() -> None:
    create_custom_manifest("reporting.short", "SELECT 1 AS n")
    create_custom_manifest("reporting.long", "SELECT 1 AS n FROM pg_sleep(0.2)")
    orchestrator.execute_run(AllReports())
    plan = orchestrator.preview(AllReports())
    assert [view.key.name.name for view in plan.views] == ["long", "short"]
    assert 0.2 <= plan.views[0].expected_duration.total_seconds() < 5  # type: ignore[union-attr]
    CustomReportManifest.objects.filter(table_name="reporting.long").update(enabled=False)
    RunHistory.objects.filter(table_name="reporting.short").update(start_time=F("finish_time") - timedelta(hours=1))
    orchestrator.execute_run(AllReports())
    [short] = orchestrator.preview(AllReports()).views
    assert short.expected_duration
    assert short.expected_duration < timedelta(hours=1), "the latest refresh counts, not an earlier one"
