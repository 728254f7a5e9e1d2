"""Agencies and totals in the API."""

import json
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from seeder.api import totals_serializers
from seeder.domain.refresh_requests import AgencyReports
from seeder.models import CircuitBreaker, JobStatus, QueuedRefresh, Run, RunHistory
from seeder.services.queue import part_rows
from seeder.services.queue.enqueue import enqueue_refresh
from seeder.services.run import orchestrator
from seeder.services.run.run_liveness_lock import RunLock
from tests.acceptance import api_clients
from tests.acceptance.api_clients import ROOT, get
from tests.acceptance.test_api_answers import document_fields, field_names
from tests.conftest import create_custom_manifest, sql

HOLD = {"database": "default", "reason": "server_busy", "from": "2026-01-01T00:00:00+00:00", "until": None}


def seen_by(name: str, *permissions: str, agencies: str = "demo metro", **facts: Any) -> APIClient:
    return api_clients.api_client(api_clients.create_user(name, *permissions, agencies=agencies, **facts))


def test_agencies_have_the_totals_of_their_jobs(reader: APIClient) -> None:
    api_clients.create_reports()
    create_custom_manifest("reporting.new", "SELECT 1 AS n", agency="metro")
    create_custom_manifest("reporting.off", "SELECT 1 AS n", agency="harbor", enabled=False)
    page = get(reader, "agencies/")
    assert (page["count"], page["next"], page["previous"]) == (2, None, None)
    demo, metro = page["results"]
    success = JobStatus.objects.get(table_name="reporting.shared").start_time
    assert metro == {
        "slug": "metro",
        "id": 2,
        "name": "metro",
        "manifests": 3,
        "views": 3,
        "failing": 1,
        "stale": 2,
        "longRunning": 0,
        "lastSuccess": success and success.isoformat(),
        "statuses": {"pending": 0, "running": 0, "success": 1, "error": 1, "neverRun": 1},
    }
    assert (demo["slug"], demo["manifests"], demo["failing"]) == ("demo", 2, 0)
    assert get(reader, "agencies/metro/") == metro
    assert reader.get(f"{ROOT}agencies/harbor/").status_code == 404
    harbor = get(seen_by("other", "view_jobstatus", agencies="harbor"), "agencies/harbor/")
    assert (harbor["manifests"], harbor["lastSuccess"]) == (0, None)


def test_last_success_of_a_failing_view_is_in_the_history(reader: APIClient) -> None:
    create_custom_manifest("reporting.a", "SELECT 1 AS n")
    orchestrator.execute_run(AgencyReports(slug="demo"), requested_by="a test")
    success = RunHistory.objects.get().start_time
    JobStatus.objects.update(status="error", consecutive_failures=1, start_time=timezone.now())
    assert get(reader, "agencies/demo/")["lastSuccess"] == success.isoformat()


def test_pages_of_agencies_follow_their_slugs(settings: Settings, reader: APIClient) -> None:
    slugs = sorted(f"a{number}" for number in range(5))
    settings.SEEDER = {}
    for slug in reversed(slugs):
        sql(
            "INSERT INTO reporting.seeder_custom_report_manifest"
            " (table_name, report_name, agency_id, agency_slug, query, database_id) VALUES ('v', 'v', 7, %s, '', 1)",
            slug,
        )
    everything = get(reader, "agencies/")["results"]
    assert [(one["slug"], one["name"]) for one in everything] == [(slug, slug) for slug in slugs]
    pages = [get(reader, "agencies/", pageSize=2)]
    while pages[-1]["next"]:
        pages.append(json.loads(reader.get(pages[-1]["next"]).content))
    assert [one for page in pages for one in page["results"]] == everything
    backward = [pages[-1]]
    while backward[-1]["previous"]:
        backward.append(json.loads(reader.get(backward[-1]["previous"]).content))
    assert [page["results"] for page in reversed(backward)] == [page["results"] for page in pages]


@pytest.mark.parametrize("path", ["agencies/", "agencies/demo/", "totals/"])
def test_totals_take_a_constant_number_of_statements(reader: APIClient, path: str) -> None:
    api_clients.insert_many_rows(2)
    few = api_clients.count_statements(lambda: get(reader, path))
    api_clients.insert_many_rows_of_agencies(40)
    assert api_clients.count_statements(lambda: get(reader, path)) == few <= 26


def test_totals_count_jobs_runs_and_queue(empty_queue: None, reader: APIClient) -> None:
    api_clients.create_reports()
    enqueue_refresh(AgencyReports(slug="demo"), requested_by="a test")
    enqueue_refresh(AgencyReports(slug="metro"), requested_by="a test")
    part_rows.claim(QueuedRefresh.objects.latest("pk"), run_id="r", worker="host:1")
    totals = get(reader, "totals/")
    assert (totals["jobs"]["manifests"], totals["jobs"]["views"], totals["jobs"]["failing"]) == (4, 3, 1)
    assert totals["jobs"]["statuses"] == {"pending": 0, "running": 0, "success": 3, "error": 1, "neverRun": 0}
    assert (totals["runs"]["running"], totals["runs"]["last"]["status"]) == (0, "error")
    queue = totals["queue"]
    assert (queue["status"], queue["queuedParts"], queue["runningParts"], queue["waitingTasks"]) == ("ok", 1, 1, None)
    assert queue["oldestRequest"] == QueuedRefresh.objects.earliest("pk").requested_at.isoformat()
    assert totals["paused"] == []
    everything = get(seen_by("all", is_superuser=True), "totals/")
    assert everything["queue"]["waitingTasks"] == 2


def test_totals_name_open_breakers_and_throttles_of_living_runs(reader: APIClient) -> None:
    api_clients.create_reports()
    CircuitBreaker.objects.update(opened_at="2026-01-02T00:00:00Z", causes={"secret.view": "x"})
    Run.objects.update(holds=[HOLD, {**HOLD, "until": HOLD["from"]}], finished_at=None)
    killed = get(reader, "totals/")
    assert [one["reason"] for one in killed["paused"]] == ["circuit_open"]
    with RunLock(Run.objects.latest("started_at").run_id):
        totals = get(reader, "totals/")
    assert totals["paused"] == [
        {"database": "default", "reason": "circuit_open", "since": "2026-01-02T00:00:00+00:00"},
        {"database": "default", "reason": "server_busy", "since": "2026-01-01T00:00:00+00:00"},
    ]
    assert totals["runs"]["running"] == 1
    expected = field_names(totals_serializers.TotalsSerializer())
    assert document_fields(totals, expected) == expected
    assert "secret" not in str(totals)


def test_totals_are_limited_by_agencies_and_permissions(empty_queue: None, reader: APIClient) -> None:
    api_clients.create_reports()
    enqueue_refresh(AgencyReports(slug="demo"), requested_by="a test")
    harbor = get(seen_by("harbor", *api_clients.READER_PERMISSIONS, agencies="harbor"), "totals/")
    assert (harbor["jobs"]["manifests"], harbor["jobs"]["lastSuccess"], harbor["runs"]["last"]) == (0, None, None)
    assert (harbor["queue"]["queuedParts"], harbor["queue"]["oldestRequest"]) == (0, None)
    jobs_only = get(seen_by("jobs", "view_jobstatus"), "totals/")
    assert (jobs_only["jobs"]["manifests"], jobs_only["runs"], jobs_only["queue"]) == (4, None, None)


def test_unchanged_totals_answer_304(empty_queue: None, reader: APIClient) -> None:
    api_clients.create_reports()
    enqueue_refresh(AgencyReports(slug="demo"), requested_by="a test")
    tag = reader.get(f"{ROOT}totals/")["ETag"]
    assert reader.get(f"{ROOT}totals/", HTTP_IF_NONE_MATCH=tag).status_code == 304


@pytest.mark.parametrize("table", ["seeder_run", "seeder_queued_refresh", "seeder_circuit_breaker"])
def test_totals_work_without_optional_table(reader: APIClient, table: str) -> None:
    sql(f"DROP TABLE reporting.{table}")
    totals = get(reader, "totals/")
    assert (totals["runs"] is None) == (table == "seeder_run")
    assert totals["queue"]["status"] == ("absent" if table == "seeder_queued_refresh" else "ok")
