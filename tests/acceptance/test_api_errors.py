"""Errors of the API: rejected parameters, unknown objects, and the errors of failed refreshes."""

import json

import pytest
from pytest_django import Settings
from rest_framework.test import APIClient

from seeder.models import Run, RunHistory
from tests.acceptance import api_clients
from tests.acceptance.api_clients import get
from tests.conftest import sql


@pytest.mark.parametrize(
    ("path", "parameters", "parameter"),
    [
        ("jobs/", {"status": "great"}, "status"),
        ("jobs/", {"reportType": "own"}, "reportType"),
        ("jobs/", {"failing": "perhaps"}, "failing"),
        ("jobs/", {"ordering": "query"}, "ordering"),
        ("jobs/", {"sort": "tableName"}, "sort"),
        ("jobs/", {"pageSize": "201"}, "pageSize"),
        ("agencies/demo/", {"status": "error"}, "status"),
        ("", {"jobs": "1"}, "jobs"),
        ("jobs/", {"page": "0"}, "page"),
        ("jobs/", {"page": "9223372036854775808"}, "page"),
        ("jobs/", {"page": "9" * 2000}, "page"),
        ("jobs/", {"search": "\0"}, "search"),
        ("jobs/", {"search": "x" * 20_000}, "search"),
        ("jobs/", {"agency": "\0"}, "agency"),
        ("runs/", {"cursor": "nowhere"}, "cursor"),
        ("runs/", {"cursor": "MjAyNi0wMS0wMVQwMDowMDowMCAx"}, "cursor"),  # without a time zone
        ("runs/", {"cursor": "MDAwMS0wMS0wMVQwMDowMDowMCsyMzo1OSAx"}, "cursor"),  # before year 1
        ("jobs/", {"search": ["demo", "metro"]}, "search"),
        ("jobs/", {"status": ",".join(["error"] * 101)}, "status"),
        ("snapshots/", {"tableName": "a.b.c"}, "tableName"),
        ("snapshots/compare/", {}, "base"),
        ("snapshots/compare/", {"base": "9223372036854775808", "compare": 1}, "base"),
        ("snapshots/compare/", {"base": "1_0", "compare": 1}, "base"),
        ("jobs/", {"page": "\uff14"}, "page"),
        ("jobs/", {"pageSize": "+4"}, "pageSize"),
        ("runs/", {"pageSize": "4.0"}, "pageSize"),
    ],
)
def test_invalid_parameter_is_rejected_by_name(
    reader: APIClient, path: str, parameters: dict[str, str], parameter: str
) -> None:
    answer = reader.get(api_clients.ROOT + path, parameters)
    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")
    assert parameter in answer.json()["fields"]
    assert parameter in answer.json()["detail"]


@pytest.mark.parametrize("size", [70_000, 3_000_000])  # beyond this API's limit, and Django's
@pytest.mark.usefixtures("reader")
def test_too_large_body_is_refused(size: int) -> None:
    caller = api_clients.api_client(api_clients.create_user("writer", "capture_releasesnapshot"))
    answer = caller.post(f"{api_clients.ROOT}snapshots/", {"tableName": "x" * size}, format="json")
    assert (answer.status_code, answer["Content-Type"]) == (413, "application/problem+json")
    assert answer.json()["code"] == "body_too_large"


@pytest.mark.parametrize("action", ["runs/x/retry/", "runs/x/cancel/", "queue/x/cancel/"])
@pytest.mark.usefixtures("reader")
def test_body_of_operation_without_one_is_refused(action: str) -> None:
    caller = api_clients.api_client(api_clients.create_user("operator", *api_clients.OPERATOR_PERMISSIONS))
    problem = caller.post(api_clients.ROOT + action, {"dryRun": True}, format="json").json()
    assert (problem["code"], problem["detail"]) == ("validation_error", "The operation takes no body.")
    assert caller.post(api_clients.ROOT + action, {}, format="json").json().get("code") != "validation_error"


@pytest.mark.usefixtures("reader")
def test_body_that_is_no_object_is_refused_without_a_field() -> None:
    caller = api_clients.api_client(api_clients.create_user("writer", "capture_releasesnapshot"))
    problem = caller.post(f"{api_clients.ROOT}snapshots/", [], format="json").json()
    assert (problem["code"], problem["detail"]) == (
        "validation_error",
        "Invalid data. Expected a dictionary, but got list.",
    )
    assert "fields" not in problem


@pytest.mark.parametrize(
    "path",
    [
        "/api/pipeline/nope/",
        "/api/pipeline/v2/loads/",
        "/api/seeder/v2/",
        "/stats",
        "/upload/x",
        "/score/x/",
        "/ingest/x",
    ],
)
def test_path_outside_of_both_apis_is_a_problem(reader: APIClient, path: str) -> None:
    answer = reader.get(path)
    assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")


@pytest.mark.parametrize("path", ["/api/seeder/v1/jobs/custom/1/refresh", "/api/pipeline/v1/upload", "/api/seeder/v2"])
def test_write_without_last_slash_is_a_problem(reader: APIClient, settings: Settings, path: str) -> None:
    settings.DEBUG = True  # Django's middleware would raise an error
    answer = reader.post(path)
    assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")
    assert f"{path}/" in answer.json()["detail"]


@pytest.mark.parametrize("path", ["/api/seeder/v1/jobs", "/api/pipeline/v1/loads", "/api/seeder/v1"])
def test_read_without_last_slash_is_redirected_with_its_query(reader: APIClient, path: str) -> None:
    answer = reader.get(f"{path}?pageSize=2")
    assert (answer.status_code, answer["Location"]) == (301, f"{path}/?pageSize=2")


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
