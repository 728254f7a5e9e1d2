"""Actions of the admin that workers of the queue do, and the list of their requests."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django_q.models import OrmQ

from data_pipeline import tasks
from data_pipeline.models import LoadEvent, LoadLog, LoadRequest
from tests.conftest import CompletedCommand, another_session, sql
from tests.integration.data_pipeline.admin_scene import client_with, create_loads

LOADS, REQUESTS = "/admin/data_pipeline/loadlog/", "/admin/data_pipeline/loadrequest/"
PERMISSIONS = ("data_pipeline.view_loadlog", "data_pipeline.load", "data_pipeline.undo")
VIEW = "data_pipeline.view_loadrequest"
Manage = Callable[..., CompletedCommand]


@pytest.fixture(autouse=True)
def loads(load_tables: None, empty_queue: None, tmp_path: Path) -> Iterator[None]:
    User.objects.all().delete()
    create_loads(tmp_path)
    OrmQ.objects.all().delete()
    yield
    User.objects.all().delete()


def post_action(client: Client, action: str, load_id: int = 1) -> str:
    """Confirm an action. Return the page of the load."""
    return str(client.post(f"{LOADS}{load_id}/{action}/", follow=True).content.decode())


def run_queued() -> dict[str, object]:
    """Run the task of the only message as a worker does. Return its result."""
    message = OrmQ.objects.get()
    assert message.task["func"] == "data_pipeline.tasks.import_file"
    message.delete()
    return dict(tasks.import_file(*message.task["args"]))


def request() -> LoadRequest:
    return LoadRequest.objects.get()


def test_confirmed_undo_is_queued_with_a_link_and_done_by_a_worker() -> None:
    client = client_with(*PERMISSIONS, VIEW, name="anna")
    assert "A worker of the queue does it." in client.get(f"{LOADS}1/undo/").content.decode()
    page = post_action(client, "undo")
    assert f'Undo of load 1 is queued as <a href="{REQUESTS}1/change/">request 1</a>.' in page
    assert sql("SELECT count(*) FROM landing.orders") == [(4,)]
    assert run_queued()["result"] == "undone"
    assert sql("SELECT id FROM landing.orders") == [(7,)]
    assert (request().state, request().load_id, request().error_message) == ("ended", 1, None)
    assert LoadEvent.objects.filter(load_id=1, event="undone", actor="anna").exists()


def test_queued_replay_becomes_a_new_load_once() -> None:
    sql("TRUNCATE landing.orders")
    page = post_action(client_with(*PERMISSIONS), "replay")
    assert "Replay of load 1 is queued as request 1." in page
    assert run_queued()["result"] == "success"
    load = LoadLog.objects.latest("id")
    assert (request().load_id, load.payload_meta["of_load"]) == (load.pk, 1)
    sql("UPDATE load_request SET state = 'queued'")  # the message is delivered twice, before the request has ended
    assert tasks.import_file(request().pk)["result"] == "skipped"
    assert sql("SELECT count(*) FROM landing.orders") == [(3,)]


def test_queued_verification_appears_on_the_page_of_the_load() -> None:
    client = client_with(*PERMISSIONS)
    sql("UPDATE landing.orders SET price = 0 WHERE id = 1")
    post_action(client, "verify")
    assert run_queued()["result"] == "verified: artefact equal, rows changed"
    page = client.get(f"{LOADS}1/change/").content.decode()
    assert '<th scope="row">verified' in page


def test_undo_that_a_killed_worker_has_committed_is_not_refused() -> None:
    post_action(client_with(*PERMISSIONS), "undo")
    assert run_queued()["result"] == "undone"
    sql("UPDATE load_request SET state = 'running', attempts = 1")
    assert tasks.import_file(request().pk)["result"] == "undone"
    assert LoadEvent.objects.filter(event="undone").count() == 1


def test_refused_undo_ends_its_request_with_the_reason() -> None:
    post_action(client_with(*PERMISSIONS), "undo")
    sql("UPDATE landing.orders SET price = 0 WHERE id = 1")
    assert str(run_queued()["result"]).startswith("failed: Load 1 cannot be undone")
    assert (request().state, request().load_id) == ("ended", 1)
    assert LoadLog.objects.get(pk=1).undone_at is None


def test_verification_of_a_deleted_load_ends_its_request() -> None:
    post_action(client_with(*PERMISSIONS), "verify")
    sql("UPDATE load_request SET load_id = NULL")
    assert run_queued()["result"] == "failed: its load was deleted meanwhile"


def test_replay_of_a_vanished_file_is_refused_at_once(tmp_path: Path) -> None:
    (tmp_path / "orders.csv").unlink()
    assert "There is no file" in post_action(client_with(*PERMISSIONS), "replay")
    assert not LoadRequest.objects.exists()


def create_requests() -> None:
    """Requests in every state: queued, running, lost, failed and done, with the ids 1 to 5."""
    for state, error, load_id in (
        ("queued", None, None),
        ("running", None, None),
        ("running", None, None),
        ("ended", 'bad value "Delta"', 2),
        ("ended", None, 1),
    ):
        LoadRequest.objects.create(
            source_uri="file:///in/orders%20x.csv",
            requested_by="load_file",
            state=state,
            error_message=error,
            load_id=load_id,
            worker="host:1",
        )
    sql("UPDATE load_request SET finished_at = now() WHERE state = 'ended'")


LIVE_WORKER = "SELECT pg_advisory_lock(hashtextextended('data_pipeline.request 2', 0))"


def test_list_shows_states_and_links_to_loads() -> None:
    create_requests()
    with another_session() as worker:
        worker.execute(LIVE_WORKER)
        page = client_with(VIEW).get(REQUESTS).content.decode()
    states = ["queued", "running", "lost", "failed", "done"]
    assert [page.count(f'<td class="field-state">{state}</td>') for state in states] == [1] * 5
    assert f'<a href="{LOADS}2/change/">2</a>' in page
    assert "orders x.csv" in page


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"state": "queued"}, [1]),
        ({"state": "running"}, [3, 2]),
        ({"state": "failed"}, [4]),
        ({"state": "done"}, [5]),
        ({"action": "undo"}, []),
        ({"q": "4"}, [4]),
        ({"q": "orders"}, []),
    ],
)
def test_list_of_requests_is_filtered(parameters: dict[str, str], expected: list[int]) -> None:
    create_requests()
    answer = client_with(VIEW).get(REQUESTS, parameters)
    assert [row.pk for row in answer.context["cl"].result_list] == expected


def test_number_of_queries_does_not_grow_with_the_requests() -> None:
    client = client_with(VIEW)
    client.get(REQUESTS)
    with CaptureQueriesContext(connection) as few:
        client.get(REQUESTS)
    for _ in range(9):
        create_requests()
    with CaptureQueriesContext(connection) as many:
        client.get(REQUESTS)
    assert len(many) <= len(few)


def test_page_of_a_request_hides_quoted_values_and_is_read_only() -> None:
    create_requests()
    reader, owner = client_with(VIEW), client_with(VIEW, "data_pipeline.see_raw", name="owner")
    path = f"{REQUESTS}4/change/"
    shown, hidden = owner.get(path).content.decode(), reader.get(path).content.decode()
    assert ("Delta" in shown, "Delta" in hidden) == (True, False)
    assert reader.post(path, {"requested_by": "x"}).status_code == 403
    assert client_with("data_pipeline.view_loadlog", name="other").get(path).status_code == 403


def test_load_status_shows_unfinished_and_failed_requests(manage: Manage) -> None:
    create_requests()
    with another_session() as worker:
        worker.execute(LIVE_WORKER)
        document = manage("load_status", "--json").document["queued"]
        lines = manage("load_status").lines
    assert (document["unfinished"], document["failed"]) == (3, 1)
    statuses = [(one["requestId"], one["status"]) for one in document["requests"]]
    assert statuses == [(1, "queued"), (2, "running"), (3, "lost"), (4, "failed")]
    assert "requests: 3 unfinished, 1 failed in the last day" in lines
    [failed] = [line for line in lines if line.startswith("request 4 ")]
    assert failed.startswith("request 4 (load): orders x.csv, failed, ")
    assert failed.endswith('requested by load_file: bad value "Delta"')
    assert manage("load_status", "--json", "--table", "landing.orders").document["queued"] is None


def test_load_status_without_requests_says_nothing_about_them(manage: Manage) -> None:
    assert not any(line.startswith("request") for line in manage("load_status").lines)
