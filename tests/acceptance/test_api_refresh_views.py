"""Refreshes and captures through the API: queued once, tracked, and run."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django_q.models import OrmQ
from pytest_django import Settings
from rest_framework.test import APIClient

from seeder import tasks
from seeder.api import queue_serializers
from seeder.models import QueuedRefresh, ReleaseSnapshot
from tests.acceptance import api_clients
from tests.conftest import create_canned_report, create_custom_manifest, sql

JOB = f"{api_clients.ROOT}jobs/custom/1/refresh/"
AGENCY = f"{api_clients.ROOT}agencies/demo/refresh/"


@pytest.fixture
def operator(empty_queue: None, settings: Settings) -> Iterator[APIClient]:
    settings.SEEDER = {"AGENCY_SCOPE": "tests.acceptance.api_clients.scope_by_last_name"}
    cache.clear()
    create_custom_manifest("reporting.good", "SELECT 1 AS n")
    create_canned_report("reporting.shared", "SELECT 2 AS n", agencies=("demo", "harbor"))
    yield api_clients.api_client(api_clients.create_user("operator", *api_clients.OPERATOR_PERMISSIONS))
    api_clients.delete_users()


def run_queued_tasks() -> None:
    """Run the queued tasks as a worker would."""
    for task in OrmQ.objects.order_by("id"):
        message: Any = task.task
        assert message["func"].startswith("seeder.tasks.")
        getattr(tasks, message["func"].rpartition(".")[2])(*message["args"], **message["kwargs"])
        task.delete()


def test_refresh_is_queued_tracked_and_run(operator: APIClient) -> None:
    answer = operator.post(JOB)
    accepted = answer.json()
    assert (answer.status_code, answer["Location"], accepted["joined"]) == (202, accepted["url"], False)
    assert (accepted["description"], accepted["parts"][0]["agencies"]) == ("the view reporting.good", ["demo"])
    assert accepted.keys() == queue_serializers.EnqueueResultSerializer().fields.keys()
    assert accepted["parts"][0].keys() == queue_serializers.QueuedPartSerializer().fields.keys()
    queued = operator.get(accepted["url"]).json()
    assert (queued["requestId"], queued["status"], queued["requestedBy"]) == (
        accepted["requestId"],
        "queued",
        "operator",
    )
    run_queued_tasks()
    done = operator.get(accepted["url"]).json()
    assert (done["status"], done["parts"][0]["succeeded"], done["parts"][0]["failed"]) == ("ended", 1, 0)
    [run_id] = done["parts"][0]["runIds"]
    assert operator.get(f"{api_clients.ROOT}runs/{run_id}/").json()["status"] == "success"
    assert operator.get(f"{api_clients.ROOT}jobs/custom/1/").json()["lastRunId"] == run_id


@pytest.mark.parametrize("path", [JOB, AGENCY])
def test_forced_refresh_skips_nothing_and_neither_does_the_joined_one(operator: APIClient, path: str) -> None:
    first = operator.post(AGENCY, {"force": False}, format="json").json()
    assert not QueuedRefresh.objects.get().is_forced
    accepted = operator.post(path, {"force": True}, format="json").json()
    assert (accepted["requestId"], accepted["joined"]) == (first["requestId"], True)
    assert accepted["description"].endswith(", even if unchanged")
    assert QueuedRefresh.objects.get().is_forced
    refused = operator.post(path, {"force": "yes"}, format="json")
    assert (refused.status_code, [*refused.json()["fields"]]) == (400, ["force"])


def test_refresh_of_queued_view_joins_request(operator: APIClient) -> None:
    first = operator.post(AGENCY).json()
    second = operator.post(JOB).json()
    assert (second["requestId"], second["joined"], second["repeated"]) == (first["requestId"], True, False)
    assert QueuedRefresh.objects.count() == OrmQ.objects.count() == 1


def test_idempotency_key_repeats_result_after_refresh(operator: APIClient) -> None:
    first = operator.post(JOB, HTTP_IDEMPOTENCY_KEY="k").json()
    run_queued_tasks()
    again = operator.post(JOB, HTTP_IDEMPOTENCY_KEY="k").json()
    assert (again["requestId"], again["repeated"]) == (first["requestId"], True)
    assert operator.post(JOB).json()["requestId"] != first["requestId"]


def test_idempotency_key_of_other_request_is_rejected(operator: APIClient) -> None:
    operator.post(JOB, HTTP_IDEMPOTENCY_KEY="k")
    answer = operator.post(AGENCY, HTTP_IDEMPOTENCY_KEY="k")
    assert answer.status_code == 409
    assert answer.json()["detail"].startswith("This idempotency key was already used for")


def test_idempotency_key_is_per_user(operator: APIClient) -> None:
    operator.post(JOB, HTTP_IDEMPOTENCY_KEY="k")
    another = api_clients.api_client(api_clients.create_user("another", *api_clients.OPERATOR_PERMISSIONS))
    assert another.post(AGENCY, HTTP_IDEMPOTENCY_KEY="k").status_code == 202


@pytest.mark.parametrize("key", ["", "x" * 101, "\0"])
def test_invalid_idempotency_key_is_rejected(operator: APIClient, key: str) -> None:
    assert operator.post(JOB, HTTP_IDEMPOTENCY_KEY=key).status_code == 400


def test_request_hides_other_agencies(operator: APIClient) -> None:
    accepted = operator.post(f"{api_clients.ROOT}jobs/canned/1/refresh/").json()
    assert accepted["parts"][0]["agencies"] == ["demo"]
    run_queued_tasks()
    [part] = operator.get(accepted["url"]).json()["parts"]
    assert (part["status"], part["agencies"], part["succeeded"]) == ("ended", ["demo"], None)


def test_part_error_is_redacted_without_permission(operator: APIClient) -> None:
    url = operator.post(JOB).json()["url"]
    QueuedRefresh.objects.update(state="ended", error="secret-123")
    assert "secret" not in str(operator.get(url).json())
    trusted = api_clients.api_client(
        api_clients.create_user("trusted", *api_clients.OPERATOR_PERMISSIONS, "view_errors")
    )
    assert trusted.get(url).json()["parts"][0]["error"] == "secret-123"


def test_agency_without_enabled_reports_queues_nothing(operator: APIClient) -> None:
    create_custom_manifest("reporting.off", "SELECT 1 AS n", agency="metro", enabled=False)
    answer = operator.post(f"{api_clients.ROOT}agencies/metro/refresh/")
    assert (answer.status_code, answer.json()["requestId"], answer.json()["url"]) == (202, None, None)
    assert "Location" not in answer.headers


def test_refresh_with_atomic_requests_is_queued_outside_transaction(operator: APIClient, settings: Settings) -> None:
    settings.SEEDER = {"AGENCY_SCOPE": "tests.acceptance.api_clients.scope_outside_of_transactions"}
    connection.settings_dict["ATOMIC_REQUESTS"] = True
    try:
        assert operator.post(JOB).status_code == 202
    finally:
        connection.settings_dict["ATOMIC_REQUESTS"] = False
    assert OrmQ.objects.count() == 1


def test_refresh_without_queue_table_answers_503(operator: APIClient) -> None:
    sql("DROP TABLE reporting.seeder_queued_refresh")
    assert operator.post(JOB).status_code == 503
    assert operator.get(f"{api_clients.ROOT}queue/any/").status_code == 503


def test_capture_is_queued_and_listed_at_returned_url(operator: APIClient) -> None:
    operator.post(JOB)
    run_queued_tasks()
    capture = {"tableName": "REPORTING.good", "releaseTag": "2026.11", "topValuesColumns": ["n"]}
    answer = operator.post(f"{api_clients.ROOT}snapshots/", capture, format="json")
    assert (answer.status_code, answer["Location"]) == (202, answer.json()["url"])
    assert operator.get(answer["Location"]).json()["results"] == []
    assert operator.post(f"{api_clients.ROOT}snapshots/", capture, format="json").status_code == 202
    run_queued_tasks()
    [row] = operator.get(answer["Location"]).json()["results"]
    assert (row["tableName"], row["releaseTag"]) == ("reporting.good", "2026.11")
    assert operator.post(f"{api_clients.ROOT}snapshots/", capture, format="json").status_code == 409
    assert ReleaseSnapshot.objects.count() == 1


@pytest.mark.parametrize(
    ("capture", "status"),
    [
        ({"tableName": "reporting.good"}, 400),
        ({"tableName": "reporting.good", "releaseTag": " "}, 400),
        ({"tableName": "reporting.good", "releaseTag": "a\nb"}, 400),
        ({"tableName": "reporting.good", "releaseTag": "\0"}, 400),
        ({"tableName": "reporting.good", "releaseTag": "\ud800"}, 400),
        ({"tableName": "reporting.good", "releaseTag": "x" * 201}, 400),
        ({"tableName": "reporting.good", "releaseTag": 2026.10}, 400),
        ({"tableName": "a.b.c", "releaseTag": "v1"}, 400),
        ({"tableName": "reporting.good", "releaseTag": "v1", "topValuesColumns": "n"}, 400),
        ({"tableName": "reporting.good", "releaseTag": "v1", "query": "SELECT 1"}, 400),
        ({"tableName": "reporting.good", "releaseTag": "v1", "\ud800": 1}, 400),
        ([], 400),
        (None, 400),
        ({"tableName": "reporting.unknown", "releaseTag": "v1"}, 404),
    ],
)
def test_invalid_capture_request_is_rejected(operator: APIClient, capture: Any, status: int) -> None:
    body = json.dumps(capture)
    answer = operator.generic("POST", f"{api_clients.ROOT}snapshots/", body, content_type="application/json")
    assert answer.status_code == status
    assert OrmQ.objects.count() == 0


def test_capture_of_unknown_column_is_rejected_before_queueing(operator: APIClient) -> None:
    capture = {"tableName": "reporting.good", "releaseTag": "v1", "topValuesColumns": ["n", "nn"]}
    missing = operator.post(f"{api_clients.ROOT}snapshots/", capture, format="json")
    assert (missing.status_code, "reporting.good does not exist" in missing.json()["detail"]) == (400, True)
    operator.post(JOB)
    run_queued_tasks()
    answer = operator.post(f"{api_clients.ROOT}snapshots/", capture, format="json")
    message = "reporting.good has no column 'nn'. The nearest one is 'n'."
    assert (answer.status_code, answer.json()["detail"]) == (400, message)
    assert OrmQ.objects.count() == 0


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        ("[" * 100_000, "application/json", 413),
        ("[" * 5_000, "application/json", 400),
        ("{", "application/json", 400),
        ("NaN", "application/json", 400),
        (b"\xff", "application/json", 400),
        ("a=b", "application/x-www-form-urlencoded", 415),
        ("a", "text/plain", 415),
    ],
)
def test_body_other_than_json_is_rejected(operator: APIClient, body: Any, kind: str, status: int) -> None:
    answer = operator.generic("POST", f"{api_clients.ROOT}snapshots/", body, content_type=kind)
    assert (answer.status_code, answer["Content-Type"]) == (status, "application/problem+json")


def test_accepted_work_says_where_and_when_to_ask(operator: APIClient) -> None:
    answer = operator.post(AGENCY)
    assert (answer.status_code, int(answer["Retry-After"]) > 0) == (202, True)
    assert operator.get(answer["Location"]).json()["requestId"] == answer.json()["requestId"]


def test_writes_have_rate_limit_headers_and_reads_do_not(operator: APIClient, settings: Settings) -> None:
    settings.SEEDER = {"API_WRITE_RATE": "2/hour"}
    answers = [operator.post(AGENCY) for _ in range(3)]
    assert [answer["RateLimit"].partition(";t=")[0] for answer in answers] == [
        '"writes";r=1',
        '"writes";r=0',
        '"writes";r=0',
    ]
    assert {answer["RateLimit-Policy"] for answer in answers} == {'"writes";q=2;w=3600'}
    assert all(3590 <= int(answer["RateLimit"].partition(";t=")[2]) <= 3600 for answer in answers)
    assert "RateLimit" not in operator.get(f"{api_clients.ROOT}jobs/")


def test_refresh_stores_changed_rows_which_are_data(operator: APIClient) -> None:
    sql("CREATE TABLE reporting.source AS SELECT 1 AS id, 'secret' AS t")
    query = "SELECT * FROM reporting.source"
    sql(f"CREATE MATERIALIZED VIEW reporting.changing AS {query}; CREATE UNIQUE INDEX ON reporting.changing (id)")
    job = f"{api_clients.ROOT}jobs/custom/{create_custom_manifest('reporting.changing', query).pk}/refresh/"
    sql("UPDATE reporting.source SET t = 'other'")
    for body in ({"changedRows": 0}, {"changedRows": 101}, {"changedRows": "5"}, {"changed": 5}):
        assert operator.post(job, body, format="json").status_code == 400
    accepted = operator.post(job, {"changedRows": 5}, format="json", HTTP_IDEMPOTENCY_KEY="k")
    assert accepted.json()["description"] == "the view reporting.changing with up to 5 changed rows of each kind"
    other = operator.post(job, {"changedRows": 6}, format="json", HTTP_IDEMPOTENCY_KEY="k")
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_key_taken")
    address = f"{api_clients.ROOT}views/REPORTING.CHANGING/changed-rows/"
    [waiting] = operator.get(address).json()["results"]
    assert (waiting["runId"], waiting["maxRows"], waiting["requestedBy"]) == (None, 5, "operator")
    run_queued_tasks()
    operator.post(job, {"changedRows": 5}, format="json", HTTP_IDEMPOTENCY_KEY="k")  # requests nothing again
    [masked] = operator.get(address).json()["results"]
    assert (masked["updated"], masked["inserted"], masked["deleted"], masked["rows"]) == (1, 0, 0, [])
    trusted = api_clients.api_client(api_clients.create_user("trusted", "view_jobstatus", "view_errors"))
    [sample] = trusted.get(address).json()["results"]
    row = {"kind": "updated", "key": {"id": "1"}, "old": {"t": "secret"}, "new": {"t": "other"}, "omitted": 0}
    assert sample == {**masked, "rows": [row]}
    stranger = api_clients.api_client(api_clients.create_user("stranger", "view_jobstatus", agencies="harbor"))
    assert stranger.get(address).status_code == 404
