"""Responses of the API: field names, filters, pages and errors."""

import json
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework import serializers
from rest_framework.test import APIClient

from seeder.api import document_serializers, queue_serializers
from seeder.domain.as_of import TableAsOf
from seeder.domain.monitoring.report_jobs import SortKey
from seeder.domain.refresh_requests import AllReports
from seeder.models import Run, RunMetrics
from seeder.services.queue import enqueue
from seeder.services.read_models import view_as_of
from seeder.services.snapshots import release_snapshots
from tests.acceptance import api_clients
from tests.acceptance.api_clients import get
from tests.conftest import sql

JOB = {"id", "reportName", "tableName", "reportType", "status", "durationSeconds", "startTime", "consecutiveFailures"}
JOB |= {"agencyId", "agencyName", "agencySlug"}
HISTORY = {"runId", "status", "startTime", "finishTime", "durationSeconds", "recordsProcessed", "bytesProcessed"}
HISTORY |= {"memoryUsageMb", "cpuPercentage", "errors"}


def names(caller: APIClient, **parameters: str | int) -> list[str]:
    return [job["tableName"] for job in get(caller, "jobs/", **parameters)["results"]]


def test_job_has_field_names_of_contract(reader: APIClient) -> None:
    api_clients.create_reports()
    page = get(reader, "jobs/", ordering="tableName")
    assert (page["count"], page["next"], page["previous"]) == (4, None, None)
    bad, good, *shared = page["results"]
    assert good.keys() >= JOB
    assert (good["status"], good["agencySlug"], good["agencyName"], good["failing"]) == (
        "success",
        "demo",
        "demo",
        False,
    )
    assert (bad["status"], bad["consecutiveFailures"], bad["failing"], bad["stale"]) == ("error", 1, True, True)
    assert {(job["reportType"], job["agencySlug"]) for job in shared} == {("canned", "demo"), ("canned", "metro")}
    assert get(reader, f"jobs/custom/{good['id']}/") == good
    assert get(reader, f"jobs/canned/{shared[0]['id']}/") == shared[0]


def test_job_history_has_field_names_of_contract(reader: APIClient) -> None:
    api_clients.create_reports()
    [row] = get(reader, "jobs/custom/1/history/")["results"]
    assert row.keys() >= HISTORY
    assert (row["runId"], row["status"], row["recordsProcessed"]) == (Run.objects.get().run_id, "success", 1)
    assert (row["mode"], row["modeReason"], row["rowsInserted"], row["rowsDeleted"]) == (None, None, 1, 0)
    assert row["rowsUnchanged"] is None
    RunMetrics.objects.update(mode="concurrent", mode_reason="Concurrent, because …")
    [row] = get(reader, "jobs/custom/1/history/")["results"]
    assert (row["mode"], row["modeReason"], row["rowsUnchanged"]) == ("concurrent", "Concurrent, because …", 0)
    RunMetrics.objects.update(rows_inserted=0)
    [row] = get(reader, "jobs/custom/1/history/")["results"]
    assert row["rowsUnchanged"] == 1


def test_run_has_totals_holds_and_history_rows(reader: APIClient) -> None:
    api_clients.create_reports()
    [run] = get(reader, "runs/")["results"]
    assert (run["status"], run["manifests"], run["succeeded"], run["failed"]) == ("error", 4, 3, 1)
    hold = {"database": "default", "reason": "server_busy", "from": "2026-01-01T00:00:00+00:00", "until": None}
    Run.objects.update(holds=[hold])
    [held] = get(reader, f"runs/{run['runId']}/")["holds"]
    assert held == {
        "database": "default",
        "reason": "server_busy",
        "startTime": "2026-01-01T00:00:00+00:00",
        "finishTime": None,
    }
    rows = get(reader, f"runs/{run['runId']}/history/")["results"]
    assert sorted(row["tableName"] for row in rows) == ["reporting.bad", "reporting.good", *2 * ["reporting.shared"]]


def test_snapshots_are_listed_shown_and_compared(reader: APIClient) -> None:
    api_clients.create_reports()
    base, other = api_clients.capture_two_snapshots()
    rows = get(reader, "snapshots/", tableName="REPORTING.good")["results"]
    assert [row["releaseTag"] for row in rows] == ["v2", "v1"]
    assert [row["id"] for row in get(reader, "snapshots/", releaseTag="v1")["results"]] == [base]
    one = get(reader, f"snapshots/{base}/")
    assert (one["tableName"], one["rowCount"], one["columns"][0]["name"]) == ("reporting.good", 1, "n")
    compared = get(reader, "snapshots/compare/", base=base, compare=other)
    assert (compared["base"]["id"], compared["severity"], compared["findings"]) == (base, "none", [])


def field_names(serializer: Any) -> Any:
    """Return the described fields, with those of nested objects."""
    if isinstance(serializer, serializers.ListSerializer):
        return field_names(serializer.child)
    if isinstance(serializer, serializers.Serializer):
        return {name: field_names(field) for name, field in serializer.fields.items()}
    return None


def document_fields(document: Any, described: Any) -> Any:
    """Return the fields of a document in the shape of `field_names`."""
    if described is None or document is None:
        return None
    if isinstance(document, list):
        assert document, "an empty list shows no fields"
        [shape] = {json.dumps(document_fields(item, described), sort_keys=True): item for item in document}.values()
        return document_fields(shape, described)
    return {name: document_fields(value, described.get(name)) for name, value in document.items()}


@pytest.mark.parametrize(
    ("path", "described"),
    [
        ("jobs/", document_serializers.JobSerializer),
        ("jobs/custom/1/history/", document_serializers.HistorySerializer),
        ("runs/", document_serializers.RunSerializer),
        ("runs/{run}/", document_serializers.RunDetailSerializer),
        ("runs/{run}/history/", document_serializers.HistorySerializer),
        ("snapshots/", document_serializers.SnapshotSummarySerializer),
        ("snapshots/1/", document_serializers.SnapshotSerializer),
        ("snapshots/compare/?base=1&compare=2", document_serializers.ComparisonSerializer),
        ("queue/{request}/", queue_serializers.RequestStatusSerializer),
    ],
)
def test_document_has_exactly_the_described_fields(
    reader: APIClient, path: str, described: type[serializers.Serializer[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    as_of = TableAsOf(table="sales.orders", load_id=1, loaded_at=None, newer_loads=0, by_times=False)
    monkeypatch.setattr(view_as_of, "loads_in_views", lambda jobs, _: {job.table_name: [as_of] for job in jobs})
    api_clients.create_reports()
    hold = {"database": "default", "reason": "server_busy", "from": "2026-01-01T00:00:00+00:00", "until": None}
    Run.objects.update(holds=[hold])
    RunMetrics.objects.update(consistent_group="month")
    release_snapshots.capture_release_snapshot("reporting.good", "v1", top_values_columns=("n",))
    sql("DROP MATERIALIZED VIEW reporting.good; CREATE MATERIALIZED VIEW reporting.good AS SELECT 1::bigint AS n")
    release_snapshots.capture_release_snapshot("reporting.good", "v2", top_values_columns=("n",))
    request_id = enqueue.enqueue_refresh(AllReports(), requested_by="a test").request_id
    document = get(reader, path.format(run=Run.objects.get().run_id, request=request_id))
    expected = field_names(described())
    assert document_fields(document.get("results", document), expected) == expected


def test_jobs_are_filtered_and_sorted(reader: APIClient) -> None:
    api_clients.create_reports()
    assert names(reader, agency="metro") == ["reporting.bad", "reporting.shared"]
    assert names(reader, reportType="custom") == ["reporting.bad", "reporting.good"]
    assert names(reader, status="error") == names(reader, failing="true") == names(reader, stale="true")
    assert names(reader, longRunning="true") == names(reader, agency="unknown") == []
    assert names(reader, search="GOO") == ["reporting.good"]
    assert names(reader, ordering="-tableName")[-1] == names(reader, ordering="tableName")[0] == "reporting.bad"
    assert names(reader)[0] == names(reader, ordering="-attention")[-1] == "reporting.bad"
    for order in SortKey:
        assert len(names(reader, ordering=order)) == len(names(reader, ordering=f"-{order}")) == 4


@pytest.mark.parametrize("path", ["jobs/", "jobs/custom/1/history/", "runs/", "runs/run 1/history/", "snapshots/"])
@pytest.mark.parametrize("rows", [4, 5])
def test_cursor_pages_together_have_every_row_once(reader: APIClient, path: str, rows: int) -> None:
    api_clients.insert_many_rows(rows)
    all_rows = get(reader, path)
    assert (all_rows["next"], all_rows["previous"]) == (None, None)
    pages = [get(reader, path, pageSize=2)]
    while pages[-1]["next"]:
        pages.append(json.loads(reader.get(pages[-1]["next"]).content))
    assert [row for page in pages for row in page["results"]] == all_rows["results"]
    backward = [pages[-1]]
    while backward[-1]["previous"]:
        backward.append(json.loads(reader.get(backward[-1]["previous"]).content))
    assert [page["results"] for page in reversed(backward)] == [page["results"] for page in pages]
    assert all(page["next"] for page in backward[1:])


@pytest.mark.parametrize(
    "path", ["jobs/", "jobs/custom/1/history/", "runs/", "runs/run 1/history/", "snapshots/", "jobs/?failing=true"]
)
def test_list_query_count_does_not_grow_with_rows(reader: APIClient, path: str) -> None:
    api_clients.insert_many_rows(1)
    few = api_clients.count_statements(lambda: get(reader, path))
    sql("TRUNCATE reporting.seeder_custom_report_manifest, reporting.seeder_job_status, reporting.seeder_run")
    sql("TRUNCATE reporting.seeder_run_history, reporting.seeder_run_metrics RESTART IDENTITY CASCADE")
    sql("ALTER SEQUENCE reporting.seeder_custom_report_manifest_id_seq RESTART")
    sql("ALTER TABLE reporting.seeder_release_snapshot DISABLE TRIGGER USER")
    sql("TRUNCATE reporting.seeder_release_snapshot")
    api_clients.insert_many_rows(50)
    assert len(get(reader, path)["results"]) == 50
    assert few == api_clients.count_statements(lambda: get(reader, path)) <= 13


def test_job_history_is_not_counted_and_uses_index(reader: APIClient) -> None:
    api_clients.insert_many_rows(3)
    with CaptureQueriesContext(connection) as captured:
        get(reader, "jobs/custom/1/history/", pageSize=1)
    [history] = [query["sql"] for query in captured if 'FROM "reporting"."seeder_run_history"' in query["sql"]]
    assert "COUNT" not in history.upper()
    sql("SET enable_seqscan = off")
    plan = "\n".join(line for (line,) in sql(f"EXPLAIN {history}"))
    sql("RESET enable_seqscan")
    assert "seeder_run_history_manifest" in plan
