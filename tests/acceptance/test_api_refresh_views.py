"""A refresh and a capture asked for by the API: queued once, found again, and really done."""

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
from seeder.models import QueuedRefresh, ReleaseSnapshot
from tests.acceptance import api_clients
from tests.conftest import create_canned_report, create_custom_manifest, sql

JOB = f"{api_clients.ROOT}jobs/custom/1/refresh/"
AGENCY = f"{api_clients.ROOT}agencies/demo/refresh/"


@pytest.fixture
def operator(contract_tables: None, settings: Settings) -> Iterator[APIClient]:
    settings.SEEDER = {"AGENCY_SCOPE": "tests.acceptance.api_clients.scope_by_last_name"}
    cache.clear()
    create_custom_manifest("reporting.good", "SELECT 1 AS n")
    create_canned_report("reporting.shared", "SELECT 2 AS n", agencies=("demo", "harbor"))
    yield api_clients.api_client(api_clients.create_user("operator", *api_clients.OPERATOR_PERMISSIONS))
    api_clients.delete_users()


def work_off() -> None:
    """What a worker does."""
    for task in OrmQ.objects.order_by("id"):
        told: Any = task.task
        assert told["func"].startswith("seeder.tasks.")
        getattr(tasks, told["func"].rpartition(".")[2])(*told["args"], **told["kwargs"])
        task.delete()


def test_a_refresh_is_queued_found_and_done(operator: APIClient) -> None:
    answer = operator.post(JOB)
    asked = answer.json()
    assert (answer.status_code, answer["Location"], asked["joined"]) == (202, asked["url"], False)
    assert (asked["description"], asked["parts"][0]["agencies"]) == ("the view reporting.good", ["demo"])
    queued = operator.get(asked["url"]).json()
    assert (queued["requestId"], queued["state"], queued["requestedBy"]) == (asked["requestId"], "queued", "operator")
    work_off()
    done = operator.get(asked["url"]).json()
    assert (done["state"], done["parts"][0]["succeeded"], done["parts"][0]["failed"]) == ("ended", 1, 0)
    [run_id] = done["parts"][0]["runIds"]
    assert operator.get(f"{api_clients.ROOT}runs/{run_id}/").json()["status"] == "success"
    assert operator.get(f"{api_clients.ROOT}jobs/custom/1/").json()["lastRunId"] == run_id


def test_who_asks_for_a_queued_view_joins_that_request(operator: APIClient) -> None:
    first = operator.post(AGENCY).json()
    second = operator.post(JOB).json()
    assert (second["requestId"], second["joined"], second["repeated"]) == (first["requestId"], True, False)
    assert QueuedRefresh.objects.count() == OrmQ.objects.count() == 1


def test_a_key_gives_the_same_answer_again_also_when_the_refresh_is_done(operator: APIClient) -> None:
    first = operator.post(JOB, HTTP_IDEMPOTENCY_KEY="k").json()
    work_off()
    again = operator.post(JOB, HTTP_IDEMPOTENCY_KEY="k").json()
    assert (again["requestId"], again["repeated"]) == (first["requestId"], True)
    assert operator.post(JOB).json()["requestId"] != first["requestId"]


def test_a_key_that_was_used_for_something_else_is_refused(operator: APIClient) -> None:
    operator.post(JOB, HTTP_IDEMPOTENCY_KEY="k")
    answer = operator.post(AGENCY, HTTP_IDEMPOTENCY_KEY="k")
    assert answer.status_code == 409
    assert answer.json()["detail"].startswith("This idempotency key was already used for")


def test_two_users_may_think_of_the_same_key(operator: APIClient) -> None:
    operator.post(JOB, HTTP_IDEMPOTENCY_KEY="k")
    another = api_clients.api_client(api_clients.create_user("another", *api_clients.OPERATOR_PERMISSIONS))
    assert another.post(AGENCY, HTTP_IDEMPOTENCY_KEY="k").status_code == 202


@pytest.mark.parametrize("key", ["", "x" * 101, "\0"])
def test_a_key_that_cannot_be_kept_is_refused(operator: APIClient, key: str) -> None:
    assert operator.post(JOB, HTTP_IDEMPOTENCY_KEY=key).status_code == 400


def test_what_of_a_request_is_others_is_not_told(operator: APIClient) -> None:
    asked = operator.post(f"{api_clients.ROOT}jobs/canned/1/refresh/").json()
    assert asked["parts"][0]["agencies"] == ["demo"]
    work_off()
    [part] = operator.get(asked["url"]).json()["parts"]
    assert (part["state"], part["agencies"], part["succeeded"]) == ("ended", ["demo"], None)


def test_why_a_part_ended_early_is_for_those_who_may_see_errors(operator: APIClient) -> None:
    url = operator.post(JOB).json()["url"]
    QueuedRefresh.objects.update(state="ended", error="secret-123")
    assert "secret" not in str(operator.get(url).json())
    trusted = api_clients.api_client(
        api_clients.create_user("trusted", *api_clients.OPERATOR_PERMISSIONS, "view_errors")
    )
    assert trusted.get(url).json()["parts"][0]["error"] == "secret-123"


def test_an_agency_without_anything_to_refresh_is_told_so(operator: APIClient) -> None:
    create_custom_manifest("reporting.off", "SELECT 1 AS n", agency="metro", enabled=False)
    answer = operator.post(f"{api_clients.ROOT}agencies/metro/refresh/")
    assert (answer.status_code, answer.json()["requestId"], answer.json()["url"]) == (202, None, None)
    assert "Location" not in answer.headers


def test_nothing_is_queued_in_a_transaction_also_where_the_host_wants_one_around_each_request(
    operator: APIClient, settings: Settings
) -> None:
    settings.SEEDER = {"AGENCY_SCOPE": "tests.acceptance.api_clients.scope_outside_of_transactions"}
    connection.settings_dict["ATOMIC_REQUESTS"] = True
    try:
        assert operator.post(JOB).status_code == 202
    finally:
        connection.settings_dict["ATOMIC_REQUESTS"] = False
    assert OrmQ.objects.count() == 1


def test_without_its_table_nothing_is_queued(operator: APIClient) -> None:
    sql("DROP TABLE reporting.seeder_queued_refresh")
    assert operator.post(JOB).status_code == 503
    assert operator.get(f"{api_clients.ROOT}queue/any/").status_code == 503


def test_a_capture_is_queued_and_found_where_the_answer_says(operator: APIClient) -> None:
    operator.post(JOB)
    work_off()
    wanted = {"tableName": "REPORTING.good", "releaseTag": "2026.11", "topValuesColumns": ["n"]}
    answer = operator.post(f"{api_clients.ROOT}snapshots/", wanted, format="json")
    assert (answer.status_code, answer["Location"]) == (202, answer.json()["url"])
    assert operator.get(answer["Location"]).json()["results"] == []
    assert operator.post(f"{api_clients.ROOT}snapshots/", wanted, format="json").status_code == 202
    work_off()
    [row] = operator.get(answer["Location"]).json()["results"]
    assert (row["tableName"], row["releaseTag"]) == ("reporting.good", "2026.11")
    assert operator.post(f"{api_clients.ROOT}snapshots/", wanted, format="json").status_code == 409
    assert ReleaseSnapshot.objects.count() == 1


@pytest.mark.parametrize(
    ("wanted", "status"),
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
def test_a_capture_that_makes_no_sense_is_refused(operator: APIClient, wanted: Any, status: int) -> None:
    body = json.dumps(wanted)
    answer = operator.generic("POST", f"{api_clients.ROOT}snapshots/", body, content_type="application/json")
    assert answer.status_code == status
    assert OrmQ.objects.count() == 0


def test_a_capture_with_columns_that_the_view_lacks_is_refused_when_it_is_asked_for(operator: APIClient) -> None:
    wanted = {"tableName": "reporting.good", "releaseTag": "v1", "topValuesColumns": ["n", "m"]}
    missing = operator.post(f"{api_clients.ROOT}snapshots/", wanted, format="json")
    assert (missing.status_code, "reporting.good does not exist" in missing.json()["detail"]) == (400, True)
    operator.post(JOB)
    work_off()
    answer = operator.post(f"{api_clients.ROOT}snapshots/", wanted, format="json")
    said = "reporting.good has no column 'm'. The nearest it has is 'n'."
    assert (answer.status_code, answer.json()) == (400, {"detail": said})
    assert OrmQ.objects.count() == 0


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        ("[" * 100_000, "application/json", 400),
        ("[" * 5_000, "application/json", 400),
        ("{", "application/json", 400),
        ("NaN", "application/json", 400),
        (b"\xff", "application/json", 400),
        ("a=b", "application/x-www-form-urlencoded", 415),
        ("a", "text/plain", 415),
    ],
)
def test_a_body_that_is_no_json_is_refused(operator: APIClient, body: Any, kind: str, status: int) -> None:
    answer = operator.generic("POST", f"{api_clients.ROOT}snapshots/", body, content_type=kind)
    assert (answer.status_code, answer["Content-Type"]) == (status, "application/json")
