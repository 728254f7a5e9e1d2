"""Responses of the API: field names, filters, pages and errors."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings
from rest_framework import serializers
from rest_framework.test import APIClient

from seeder.api import document_serializers
from seeder.domain.monitoring.report_jobs import SortKey
from seeder.domain.refresh_requests import AllReports
from seeder.models import Run, RunHistory
from seeder.services.queue import enqueue
from seeder.services.snapshots import release_snapshots
from tests.acceptance import api_clients
from tests.conftest import sql

JOB = {"id", "reportName", "tableName", "reportType", "status", "durationSeconds", "startTime", "consecutiveFailures"}
JOB |= {"agencyId", "agencyName", "agencySlug"}
HISTORY = {"runId", "status", "startTime", "finishTime", "durationSeconds", "recordsProcessed", "bytesProcessed"}
HISTORY |= {"memoryUsageMb", "cpuPercentage", "errors"}


@pytest.fixture
def reader(contract_tables: None, settings: Settings) -> Iterator[APIClient]:
    settings.SEEDER = {"AGENCY_SCOPE": "tests.acceptance.api_clients.scope_by_last_name"}
    yield api_clients.api_client(api_clients.create_user("reader", *api_clients.READER_PERMISSIONS))
    api_clients.delete_users()


def get(caller: APIClient, path: str, **parameters: str | int) -> Any:
    answer = caller.get(api_clients.ROOT + path, parameters)
    assert answer.status_code == 200, answer.content
    return json.loads(answer.content)


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
        ("queue/{request}/", document_serializers.RequestStatusSerializer),
    ],
)
def test_document_has_exactly_the_described_fields(
    reader: APIClient, path: str, described: type[serializers.Serializer[Any]]
) -> None:
    api_clients.create_reports()
    hold = {"database": "default", "reason": "server_busy", "from": "2026-01-01T00:00:00+00:00", "until": None}
    Run.objects.update(holds=[hold])
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


def test_numbered_pages_link_to_each_other(reader: APIClient) -> None:
    api_clients.insert_many_rows(5)
    first = get(reader, "jobs/", pageSize=2, ordering="tableName")
    second = json.loads(reader.get(first["next"]).content)
    last = json.loads(reader.get(second["next"]).content)
    assert [len(page["results"]) for page in (first, second, last)] == [2, 2, 1]
    assert (first["count"], last["next"]) == (5, None)
    assert json.loads(reader.get(second["previous"]).content) == first
    assert reader.get(api_clients.ROOT + "jobs/", {"page": 4, "pageSize": 2}).status_code == 404


@pytest.mark.parametrize("path", ["jobs/custom/1/history/", "runs/", "runs/run 1/history/", "snapshots/"])
def test_cursor_pages_together_have_every_row_once(reader: APIClient, path: str) -> None:
    api_clients.insert_many_rows(5)
    all_rows = get(reader, path)
    assert all_rows["next"] is None
    collected, page = [], get(reader, path, pageSize=2)
    while page["next"]:
        collected += page["results"]
        page = json.loads(reader.get(page["next"]).content)
    assert collected + page["results"] == all_rows["results"]


@pytest.mark.parametrize(
    "path", ["jobs/", "jobs/custom/1/history/", "runs/", "runs/run 1/history/", "snapshots/", "jobs/?failing=true"]
)
def test_list_query_count_does_not_grow_with_rows(reader: APIClient, path: str) -> None:
    api_clients.insert_many_rows(1)
    few = api_clients.count_statements(lambda: get(reader, path))
    sql("TRUNCATE reporting.seeder_custom_report_manifest, reporting.seeder_job_status, reporting.seeder_run")
    sql("TRUNCATE reporting.seeder_run_history, reporting.seeder_run_metrics RESTART IDENTITY")
    sql("ALTER SEQUENCE reporting.seeder_custom_report_manifest_id_seq RESTART")
    sql("ALTER TABLE reporting.seeder_release_snapshot DISABLE TRIGGER USER")
    sql("TRUNCATE reporting.seeder_release_snapshot")
    api_clients.insert_many_rows(50)
    assert len(get(reader, path)["results"]) == 50
    assert few == api_clients.count_statements(lambda: get(reader, path)) <= 12


def test_job_history_is_not_counted_and_uses_index(reader: APIClient) -> None:
    api_clients.insert_many_rows(3)
    with CaptureQueriesContext(connection) as captured:
        get(reader, "jobs/custom/1/history/", pageSize=1)
    [history] = [query["sql"] for query in captured if 'FROM "reporting"."seeder_run_history"' in query["sql"]]
    assert "COUNT" not in history.upper()
    sql("SET enable_seqscan = off")
    plan = "\n".join(line for (line,) in sql(f"EXPLAIN {history}"))
    sql("RESET enable_seqscan")
    assert "seeder_run_history_latest" in plan


@pytest.mark.parametrize(
    ("path", "parameters", "parameter"),
    [
        ("jobs/", {"status": "great"}, "status"),
        ("jobs/", {"reportType": "own"}, "reportType"),
        ("jobs/", {"failing": "perhaps"}, "failing"),
        ("jobs/", {"ordering": "query"}, "ordering"),
        ("jobs/", {"sort": "tableName"}, "sort"),
        ("jobs/", {"pageSize": "201"}, "pageSize"),
        ("jobs/", {"page": "0"}, "page"),
        ("jobs/", {"page": "9223372036854775808"}, "page"),
        ("jobs/", {"page": "9" * 2000}, "page"),
        ("jobs/", {"search": "\0"}, "search"),
        ("jobs/", {"search": "x" * 20_000}, "search"),
        ("jobs/", {"agency": "\0"}, "agency"),
        ("runs/", {"after": "nowhere"}, "after"),
        ("runs/", {"after": "MjAyNi0wMS0wMVQwMDowMDowMCAx"}, "after"),  # without a time zone
        ("runs/", {"after": "MDAwMS0wMS0wMVQwMDowMDowMCsyMzo1OSAx"}, "after"),  # before year 1
        ("jobs/", {"agency": ["demo", "metro"]}, "agency"),
        ("snapshots/", {"tableName": "a.b.c"}, "tableName"),
        ("snapshots/compare/", {}, "base"),
        ("snapshots/compare/", {"base": "9223372036854775808", "compare": 1}, "base"),
    ],
)
def test_invalid_parameter_is_rejected_by_name(
    reader: APIClient, path: str, parameters: dict[str, str], parameter: str
) -> None:
    answer = reader.get(api_clients.ROOT + path, parameters)
    assert (answer.status_code, answer["Content-Type"]) == (400, "application/json")
    assert parameter in answer.json()["fields"]
    assert parameter in answer.json()["detail"]


@pytest.mark.parametrize(
    "path",
    [
        "jobs/custom/99/",
        "jobs/own/1/",
        "jobs/custom/2147483648/",
        "jobs/custom/%00/",
        "jobs/custom/99/history/",
        "runs/unknown/",
        "runs/%00/",
        "runs/%ED%A0%80/",
        f"runs/{'x' * 3000}/history/",
        "snapshots/99/",
        "snapshots/9223372036854775808/",
        f"snapshots/{'9' * 5000}/",
        "snapshots/compare/?base=1&compare=2",
        "queue/unknown/",
        "queue/%00/",
        "jobs/?page=1000000",
    ],
)
def test_unknown_object_is_not_found(reader: APIClient, path: str) -> None:
    assert reader.get(api_clients.ROOT + path).status_code == 404


def test_errors_are_redacted_without_permission(reader: APIClient) -> None:
    api_clients.create_reports()
    trusted = api_clients.api_client(api_clients.create_user("trusted", *api_clients.READER_PERMISSIONS, "view_errors"))
    run_id = Run.objects.get().run_id
    for path in ("jobs/?failing=true", f"runs/{run_id}/history/"):
        [whole] = [row for row in get(trusted, path)["results"] if row["status"] == "error"]
        [hidden] = [row for row in get(reader, path)["results"] if row["status"] == "error"]
        assert "secret-123" in whole["errors"]
        assert "secret-123" not in json.dumps(hidden)
        assert "invalid_text_representation (SQLSTATE 22P02)" in hidden["errors"]
        assert hidden["reason"] == whole["reason"] == "invalid_text_representation"
    RunHistory.objects.filter(table_name="reporting.good").update(errors="reads reporting.bad")
    good = f"jobs/custom/{RunHistory.objects.get(table_name='reporting.good').manifest_id}/history/"
    assert get(trusted, good)["results"][0]["errors"] == "reads reporting.bad"
    assert get(reader, good)["results"][0]["errors"] is None


def test_errors_without_metrics_table_stay_redacted(reader: APIClient) -> None:
    api_clients.create_reports()
    sql("DROP TABLE reporting.seeder_run_metrics")
    [bad] = get(reader, "jobs/", failing="true")["results"]
    assert bad["reason"] is None
    assert bad["errors"].startswith("The refresh failed. ")


def test_missing_table_is_named_only_to_staff(reader: APIClient) -> None:
    sql("DROP TABLE reporting.seeder_run")
    answer = reader.get(api_clients.ROOT + "runs/")
    assert (answer.status_code, "seeder_run" in answer.json()["detail"]) == (503, False)
    staff = api_clients.api_client(api_clients.create_user("staff", *api_clients.READER_PERMISSIONS, is_staff=True))
    answer = staff.get(api_clients.ROOT + "runs/")
    assert (answer.status_code, "seeder_run" in answer.json()["detail"]) == (503, True)


def test_invalid_setting_answers_503(reader: APIClient, settings: Settings) -> None:
    settings.SEEDER = {"AGENCY_SCOPE": "nowhere.scope"}
    assert reader.get(api_clients.ROOT + "jobs/").status_code == 503
