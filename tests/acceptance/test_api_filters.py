"""Filters and orders of the lists of the API."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from seeder.api.cursor_text import encode_values
from seeder.domain.monitoring.report_jobs import SortKey
from seeder.models import JobStatus, Run, RunHistory
from seeder.services.run.run_liveness_lock import RunLock
from tests.acceptance import api_clients
from tests.acceptance.api_clients import ROOT, get
from tests.conftest import create_custom_manifest, sql

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def values(caller: APIClient, path: str, name: str, **parameters: str | int) -> list[Any]:
    return [row[name] for row in get(caller, path, **parameters)["results"]]


@pytest.fixture
def runs(reader: APIClient) -> Iterator[None]:
    """Runs on three days: running, failed for metro, and successful."""
    for number, (finished, failed, stopped) in enumerate([(False, None, None), (True, 1, None), (True, 0, None)]):
        Run.objects.create(
            run_id=f"r{number}",
            description="every report",
            requested_by="night" if number else "operator",
            started_at=NOON - timedelta(days=number),
            finished_at=NOON if finished else None,
            stopped_by=stopped,
            workers=1,
            manifests=2,
            succeeded=None if failed is None else 2 - failed,
            failed=failed,
            agencies={
                "demo": {"manifests": 1, **({} if failed is None else {"succeeded": 1, "failed": 0})},
                "metro": {"manifests": 1, **({} if failed is None else {"succeeded": 1 - failed, "failed": failed})},
            },
        )
    with RunLock("r0"):
        yield


@pytest.mark.usefixtures("runs")
@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"status": "running"}, ["r0"]),
        ({"status": "error"}, ["r1"]),
        ({"status": "success"}, ["r2"]),
        ({"status": "success,running"}, ["r0", "r2"]),
        ({"status": "error", "agency": "demo"}, []),
        ({"status": "success", "agency": "demo"}, ["r1", "r2"]),
        ({"status": "error", "agency": "demo,metro"}, ["r1"]),
        ({"agency": "harbor"}, []),
        ({"requestedBy": "night"}, ["r1", "r2"]),
        ({"dateFrom": "2026-11-20"}, ["r0", "r1"]),
        ({"dateTo": "2026-11-21T12:00:00Z"}, ["r1", "r2"]),
        ({"dateFrom": "2026-11-21T13:00:00+01:00"}, ["r0"]),
        ({"dateFrom": "2026-11-19", "dateTo": "2026-11-20"}, ["r2"]),
    ],
)
@pytest.mark.parametrize("sees_all", [False, True])
def test_runs_are_filtered(
    reader: APIClient, parameters: dict[str, str], expected: list[str], *, sees_all: bool
) -> None:
    if sees_all:
        reader.force_authenticate(api_clients.create_user("all", is_superuser=True))
    assert values(reader, "runs/", "runId", **parameters) == expected


@pytest.mark.usefixtures("runs")
def test_filtered_status_of_runs_is_the_shown_one(reader: APIClient) -> None:
    Run.objects.filter(run_id="r2").update(stopped_by="SIGTERM")
    for status in ("running", "success", "error"):
        assert set(values(reader, "runs/", "status", status=status)) <= {status}
    assert values(reader, "runs/", "runId", status="error") == ["r1", "r2"]


@pytest.mark.parametrize("path", ["runs/", "runs/run 1/history/", "jobs/custom/1/history/"])
@pytest.mark.parametrize(
    "period",
    [
        {"dateFrom": "2026-11-21T12:00:00"},
        {"dateFrom": "21.11.2026"},
        {"dateTo": "0001-01-01T00:00:00+14:00"},
        {"dateTo": ""},
        {"dateFrom": "2026-11-21", "dateTo": "2026-11-21"},
    ],
)
def test_invalid_period_is_rejected(reader: APIClient, path: str, period: dict[str, str]) -> None:
    api_clients.insert_many_rows(1)
    answer = reader.get(ROOT + path, period)
    assert (answer.status_code, answer.json()["fields"].keys() <= period.keys()) == (400, True)


def test_histories_are_filtered(reader: APIClient) -> None:
    api_clients.create_reports()
    run_id = Run.objects.get().run_id
    assert values(reader, f"runs/{run_id}/history/", "tableName", status="error,pending") == ["reporting.bad"]
    assert len(values(reader, f"runs/{run_id}/history/", "tableName", reportType="canned")) == 2
    assert len(values(reader, f"runs/{run_id}/history/", "tableName", agency="metro,harbor")) == 2
    assert values(reader, f"runs/{run_id}/history/", "tableName", agency="harbor") == []
    assert values(reader, f"runs/{run_id}/history/", "tableName", dateTo="2026-01-01") == []
    assert len(values(reader, "jobs/custom/1/history/", "runId", status="success", dateFrom="2026-01-01")) == 1
    assert values(reader, "jobs/custom/1/history/", "runId", status="error") == []
    assert reader.get(f"{ROOT}jobs/custom/1/history/", {"agency": "demo"}).status_code == 400


def test_jobs_are_filtered_by_several_values(reader: APIClient) -> None:
    api_clients.create_reports()
    assert len(values(reader, "jobs/", "id", agency="demo,metro")) == 4
    assert values(reader, "jobs/", "tableName", agency="metro,harbor", reportType="custom") == ["reporting.bad"]
    assert len(values(reader, "jobs/", "id", status="error,success")) == 4
    assert len(values(reader, "jobs/", "id", reportType="custom,canned")) == 4
    assert len(reader.get(f"{ROOT}jobs/?status=error&status=success").json()["results"]) == 4
    assert reader.get(f"{ROOT}jobs/?search=a&search=b").status_code == 400
    assert reader.get(f"{ROOT}jobs/", {"status": "error,great"}).status_code == 400
    assert reader.get(f"{ROOT}jobs/", {"page": 1}).status_code == 400


@pytest.fixture
def jobs_with_ties(reader: APIClient) -> None:
    """Jobs with equal, different and no values of each sort key."""
    for number in range(9):
        create_custom_manifest(f"reporting.v{number}", "SELECT 1 AS n", agency="demo" if number % 2 else "metro")
        if number % 3:
            JobStatus.objects.create(
                table_name=f"reporting.v{number}",
                manifest_id=number,
                report_name="r",
                report_type="custom",
                agency_id=1,
                agency_slug="demo",
                status="error" if number % 2 else "success",
                duration_seconds=None if number == 4 else number // 3,
                start_time=None if number == 5 else NOON + timedelta(microseconds=number // 2),
                consecutive_failures=number % 2,
            )


@pytest.mark.usefixtures("jobs_with_ties")
@pytest.mark.parametrize("ordering", [sign + order for order in SortKey for sign in ("", "-")])
def test_pages_of_jobs_follow_each_order(reader: APIClient, ordering: str) -> None:
    everything = get(reader, "jobs/", ordering=ordering)
    assert (everything["count"], len(everything["results"]), everything["next"]) == (9, 9, None)
    pages = [get(reader, "jobs/", ordering=ordering, pageSize=2)]
    while pages[-1]["next"]:
        pages.append(json.loads(reader.get(pages[-1]["next"]).content))
    assert [row for page in pages for row in page["results"]] == everything["results"]
    backward = [pages[-1]]
    while backward[-1]["previous"]:
        backward.append(json.loads(reader.get(backward[-1]["previous"]).content))
    assert [page["results"] for page in reversed(backward)] == [page["results"] for page in pages]
    assert {page["count"] for page in pages} == {9}


@pytest.mark.usefixtures("jobs_with_ties")
def test_page_of_jobs_continues_after_a_removed_job(reader: APIClient) -> None:
    first = get(reader, "jobs/", ordering="tableName", pageSize=3)
    sql("DELETE FROM reporting.seeder_custom_report_manifest WHERE table_name < 'reporting.v3'")
    second = json.loads(reader.get(first["next"]).content)
    assert [job["tableName"] for job in second["results"]] == [f"reporting.v{n}" for n in (3, 4, 5)]
    sql("DELETE FROM reporting.seeder_custom_report_manifest WHERE table_name > 'reporting.v5'")
    last = json.loads(reader.get(second["next"]).content)
    assert (last["count"], last["results"], last["next"]) == (3, [], None)


def cursor_of(ordering: str, *values: str | int | None) -> str:
    return encode_values(ordering, False, *values)  # noqa: FBT003  # a value of JSON


@pytest.mark.usefixtures("jobs_with_ties")
@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "",
        cursor_of("tableName", "x", "t", "custom", 1),
        cursor_of("startTime", "yesterday", "t", "custom", 1),
        cursor_of("startTime", "2026-01-01", "t", "custom", 1),
        cursor_of("startTime", None, "t", "other", 1),
        cursor_of("startTime", None, "t", "custom", 2**31),
        cursor_of("startTime", None, "\0", "custom", 1),
        encode_values("startTime", None, None),
    ],
)
def test_invalid_cursor_of_jobs_is_rejected(reader: APIClient, cursor: str) -> None:
    answer = reader.get(f"{ROOT}jobs/", {"cursor": cursor, "ordering": "startTime"})
    assert (answer.status_code, [*answer.json()["fields"]]) == (400, ["cursor"])


@pytest.mark.parametrize(
    ("path", "index"),
    [
        ("jobs/custom/1/history/?dateFrom=2026-11-21&dateTo=2026-11-22", "seeder_run_history_manifest"),
        ("runs/?dateFrom=2020-11-21&dateTo=2020-11-22&status=success", "seeder_run_started_at"),
        ("runs/?status=error", "seeder_run_failed"),
        ("runs/?requestedBy=unknown", "seeder_run_requested_by"),
    ],
)
def test_filter_uses_an_index(reader: APIClient, path: str, index: str) -> None:
    api_clients.insert_many_rows(2000)
    Run.objects.update(finished_at=NOON)
    sql("ANALYZE reporting.seeder_run, reporting.seeder_run_history")
    table = Run if path.startswith("runs/?") else RunHistory
    with CaptureQueriesContext(connection) as captured:
        assert reader.get(ROOT + path).status_code == 200
    query = next(one["sql"] for one in reversed(list(captured)) if f"FROM {table._meta.db_table}" in one["sql"])
    assert index in "\n".join(line for (line,) in sql(f"EXPLAIN {query}"))
