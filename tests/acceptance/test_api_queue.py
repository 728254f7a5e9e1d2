"""The queue in the API: requests listed, cancelled, and retried."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.db.models.functions import Now
from pytest_django import Settings
from rest_framework.test import APIClient

from seeder.domain import lock_keys
from seeder.domain.refresh_requests import AgencyReports, AllReports
from seeder.models import QueuedRefresh, Run, RunHistory
from seeder.services.queue import part_rows
from seeder.services.queue.enqueue import enqueue_refresh
from seeder.services.queue.part_execution import run_part
from seeder.services.run import orchestrator
from tests.acceptance import api_clients
from tests.acceptance.api_clients import ROOT, get
from tests.conftest import another_session, create_custom_manifest, sql

AGENCY = {"demo": {"manifests": 1}}
DEMO, METRO = AgencyReports(slug="demo"), AgencyReports(slug="metro")


@pytest.fixture
def operator(empty_queue: None, settings: Settings) -> Iterator[APIClient]:
    settings.SEEDER = {"AGENCY_SCOPE": "tests.acceptance.api_clients.scope_by_last_name"}
    cache.clear()
    create_custom_manifest("reporting.a", "SELECT 1 AS n")
    create_custom_manifest("reporting.b", "SELECT 1 / 0 AS n")
    create_custom_manifest("reporting.c", "SELECT 1 / 0 AS n", agency="metro")
    create_custom_manifest("reporting.d", "SELECT 1 / 0 AS n", agency="harbor")
    yield api_clients.api_client(api_clients.create_user("operator", *api_clients.OPERATOR_PERMISSIONS))
    api_clients.delete_users()


def enqueue(request: AgencyReports | AllReports) -> str:
    return str(enqueue_refresh(request, requested_by="a test").request_id)


def listed(caller: APIClient, **parameters: str | int) -> list[tuple[str, str]]:
    return [(one["description"], one["status"]) for one in get(caller, "queue/", **parameters)["results"]]


def test_requests_are_listed_and_filtered_by_state_and_agency(operator: APIClient) -> None:
    run_part(QueuedRefresh.objects.get(request_id=enqueue(DEMO)).pk)
    operator.post(f"{ROOT}queue/{enqueue(METRO)}/cancel/")
    enqueue(DEMO)
    enqueue(AgencyReports(slug="harbor"))
    demo, metro = "the agency 'demo'", "the agency 'metro'"
    assert listed(operator) == [(demo, "queued"), (metro, "cancelled"), (demo, "ended")]
    assert listed(operator, status="queued,ended") == [(demo, "queued"), (demo, "ended")]
    assert listed(operator, status="running") == []
    assert listed(operator, agency="metro,harbor") == [(metro, "cancelled")]
    assert listed(operator, agency="harbor") == []
    assert operator.get(f"{ROOT}queue/", {"status": "lost"}).status_code == 400


def test_state_of_listed_request_follows_its_visible_parts(operator: APIClient) -> None:
    request_id = enqueue(AllReports())
    hidden, *parts = sorted(QueuedRefresh.objects.all(), key=lambda part: part.agencies != ["harbor"])
    assert [part["agencies"] for part in get(operator, "queue/")["results"][0]["parts"]] != [["harbor"]]
    part_rows.claim(hidden, run_id="r", worker="host:1")
    assert listed(operator, status="queued") == [("every report", "queued")]
    for part in parts:
        assert listed(operator, status="running") == ([] if part is parts[0] else [("every report", "running")])
        run_part(part.pk)
    assert listed(operator, status="ended") == [("every report", "ended")]
    QueuedRefresh.objects.filter(pk=parts[0].pk).update(state="cancelled")
    assert listed(operator, status="cancelled") == listed(operator) == [("every report", "cancelled")]
    assert get(operator, f"queue/{request_id}/")["status"] == "cancelled"


def insert_requests(count: int) -> None:
    """Insert requests of two parts: one queued, one running, the others ended."""
    sql(
        "INSERT INTO reporting.seeder_queued_refresh (request_id, part, parts, description, requested_by, manifests,"
        " views, agencies, state, requested_at, finished_at)"
        " SELECT 'r' || n, part, 2, 'r' || n, 'a test', '[]', '[]', '[\"demo\"]',"
        " CASE n WHEN 1 THEN 'queued' WHEN 2 THEN 'running' ELSE 'ended' END,"
        " now() - (%s - n) * interval '1 minute', CASE WHEN n > 2 THEN now() END"
        " FROM generate_series(1, %s) AS n, generate_series(1, 2) AS part",
        count,
        count,
    )


def test_pages_of_requests_together_have_each_once(operator: APIClient) -> None:
    insert_requests(7)
    first = get(operator, "queue/", pageSize=3)
    pages: list[Any] = [first]
    while pages[-1]["next"]:
        pages.append(operator.get(pages[-1]["next"]).json())
    assert [one["requestId"] for page in pages for one in page["results"]] == [f"r{n}" for n in range(7, 0, -1)]
    assert {len(one["parts"]) for page in pages for one in page["results"]} == {2}
    assert operator.get(pages[1]["previous"]).json() == first


@pytest.mark.parametrize("status", ["", "queued", "running", "queued,running"])
def test_list_of_many_requests_reads_few_rows(operator: APIClient, status: str) -> None:
    insert_requests(5000)
    sql("ANALYZE reporting.seeder_queued_refresh")
    statements = api_clients.count_statements(lambda: listed(operator, **({"status": status} if status else {})))
    assert statements <= 12
    assert api_clients.read_rows(lambda: listed(operator, **({"status": status} if status else {}))) < 1500


def test_queued_request_is_cancelled_at_once(operator: APIClient) -> None:
    request_id = enqueue(DEMO)
    for _ in range(2):
        answer = operator.post(f"{ROOT}queue/{request_id}/cancel/")
        assert answer.status_code == 200
        document = answer.json()
        assert (document["status"], document["url"]) == ("cancelled", f"http://testserver{ROOT}queue/{request_id}/")
        [part] = document["parts"]
        assert (part["status"], part["cancelRequestedBy"], part["succeeded"]) == ("cancelled", "operator", 0)
    assert operator.get(document["url"]).json()["status"] == "cancelled"


def test_cancel_of_running_request_is_accepted(operator: APIClient) -> None:
    request_id = enqueue(DEMO)
    part_rows.claim(QueuedRefresh.objects.get(), run_id="r", worker="host:1")
    for _ in range(2):
        answer = operator.post(f"{ROOT}queue/{request_id}/cancel/")
        assert (answer.status_code, answer["Location"]) == (202, answer.json()["url"])
        assert answer["Retry-After"]
        assert answer.json()["status"] == "running"


def test_cancel_of_ended_request_is_a_conflict(operator: APIClient) -> None:
    request_id = enqueue(DEMO)
    run_part(QueuedRefresh.objects.get().pk)
    answer = operator.post(f"{ROOT}queue/{request_id}/cancel/")
    assert (answer.status_code, answer.json()["code"]) == (409, "request_ended")


def test_cancel_requires_all_agencies_of_the_request(operator: APIClient) -> None:
    shared, hidden = enqueue(AllReports()), "unknown"
    answer = operator.post(f"{ROOT}queue/{shared}/cancel/")
    assert (answer.status_code, answer.json()["code"]) == (403, "request_shared")
    assert operator.post(f"{ROOT}queue/{hidden}/cancel/").status_code == 404
    assert not QueuedRefresh.objects.exclude(state="queued").exists()


def test_retry_queues_exactly_the_visible_failures(operator: APIClient) -> None:
    orchestrator.execute_run(AllReports(), requested_by="a test")
    run_id = Run.objects.get().run_id
    answer = operator.post(f"{ROOT}runs/{run_id}/retry/", HTTP_IDEMPOTENCY_KEY="k")
    assert (answer.status_code, answer["Location"]) == (202, answer.json()["url"])
    part = QueuedRefresh.objects.get()
    assert [name for _, name in part.views] == ["reporting.b", "reporting.c"]
    assert part.description == f"what failed in the run {run_id}"
    again = operator.post(f"{ROOT}runs/{run_id}/retry/", HTTP_IDEMPOTENCY_KEY="k").json()
    assert (again["requestId"], again["repeated"]) == (part.request_id, True)
    joined = operator.post(f"{ROOT}runs/{run_id}/retry/").json()
    assert (joined["requestId"], joined["joined"]) == (part.request_id, True)


def test_retry_includes_interrupted_views(operator: APIClient) -> None:
    orchestrator.execute_run(DEMO, requested_by="a test")
    RunHistory.objects.filter(table_name="reporting.a").update(status="error", errors="interrupted: SIGTERM")
    operator.post(f"{ROOT}runs/{Run.objects.get().run_id}/retry/")
    assert sorted(name for _, name in QueuedRefresh.objects.get().views) == ["reporting.a", "reporting.b"]


def test_retry_without_failures_queues_nothing(operator: APIClient) -> None:
    sql("UPDATE reporting.seeder_custom_report_manifest SET query = 'SELECT 1 AS n'")
    orchestrator.execute_run(DEMO, requested_by="a test")
    answer = operator.post(f"{ROOT}runs/{Run.objects.get().run_id}/retry/")
    assert (answer.status_code, answer.json()["requestId"], answer.json()["url"]) == (202, None, None)
    assert operator.post(f"{ROOT}runs/unknown/retry/").status_code == 404
    assert not QueuedRefresh.objects.exists()


def test_run_outside_the_queue_is_cancelled(operator: APIClient) -> None:
    Run.objects.create(run_id="r", description="all reports", started_at=Now(), workers=1, manifests=1, agencies=AGENCY)
    with another_session() as run:
        run.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", [lock_keys.of_run("r")])
        for _ in range(2):
            answer = operator.post(f"{ROOT}runs/r/cancel/")
            assert (answer.status_code, answer["Location"]) == (202, answer.json()["url"])
            assert (answer.json()["status"], answer.json()["url"]) == ("running", f"http://testserver{ROOT}runs/r/")
        assert Run.objects.get().cancel_requested_by == "operator"
        assert operator.post(f"{ROOT}runs/r/cancel/", {"force": True}, format="json").status_code == 400
    Run.objects.update(finished_at=Now(), stopped_by="cancelled by operator")
    answer = operator.post(f"{ROOT}runs/r/cancel/")
    assert (answer.status_code, answer.json()["stoppedBy"]) == (200, "cancelled by operator")
    Run.objects.update(stopped_by=None)
    answer = operator.post(f"{ROOT}runs/r/cancel/")
    assert (answer.status_code, answer.json()["code"]) == (409, "request_ended")


def test_run_of_the_queue_is_cancelled_with_its_request(operator: APIClient) -> None:
    enqueue(DEMO)
    part_rows.claim(QueuedRefresh.objects.get(), run_id="r", worker="host:1")
    Run.objects.create(run_id="r", description="demo", started_at=Now(), workers=1, manifests=1, agencies=AGENCY)
    assert operator.post(f"{ROOT}runs/r/cancel/").status_code == 202
    assert QueuedRefresh.objects.get().cancel_requested_by == "operator"


def test_cancel_requires_all_agencies_of_the_run(operator: APIClient) -> None:
    slugs = {"demo": AGENCY["demo"], "harbor": AGENCY["demo"]}
    Run.objects.create(run_id="r", description="all reports", started_at=Now(), workers=1, manifests=2, agencies=slugs)
    with another_session() as run:
        run.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", [lock_keys.of_run("r")])
        answer = operator.post(f"{ROOT}runs/r/cancel/")
        assert (answer.status_code, answer.json()["code"]) == (403, "request_shared")
        Run.objects.update(agencies={"harbor": AGENCY["demo"]})
        assert operator.post(f"{ROOT}runs/r/cancel/").status_code == 404
        reader = api_clients.api_client(api_clients.create_user("reader", *api_clients.READER_PERMISSIONS))
        assert reader.post(f"{ROOT}runs/r/cancel/").status_code == 403
    assert Run.objects.get().cancel_requested_by is None
