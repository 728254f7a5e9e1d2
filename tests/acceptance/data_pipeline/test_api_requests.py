"""The API of the requests to workers."""

import pytest

from data_pipeline.domain.load_requests import RequestAction
from data_pipeline.services.load_requests import enqueue_action
from tests.acceptance.data_pipeline import api_scene
from tests.acceptance.data_pipeline.api_scene import ROOT, answer
from tests.conftest import sql

pytestmark = pytest.mark.usefixtures("api_loads")


def enqueue(load_id: int = api_scene.ORDERS, *, requested_by: str = "other") -> str:
    """Queue an undo. Return the URL of the request."""
    queued = enqueue_action(load_id, RequestAction.UNDO, requested_by=requested_by)
    return f"{ROOT}requests/{queued.request_id}/"


def test_request_shows_its_state_and_its_load() -> None:
    url, caller = enqueue(), api_scene.client("reader", *api_scene.READER)
    before = answer(caller.get(url))
    assert (before["status"], before["action"], before["loadId"], before["finishedAt"]) == ("queued", "undo", 1, None)
    assert before["sourceUri"].endswith("/orders.csv")
    api_scene.run_queued()
    after = answer(caller.get(url))
    assert (after["status"], after["errorMessage"], after["attempts"]) == ("done", None, 1)
    assert after["finishedAt"].endswith("+00:00")


def test_error_of_request_is_hidden_without_see_raw() -> None:
    url = enqueue()
    sql("UPDATE load_request SET state = 'ended', error_message = 'secret-123 is no number'")
    texts = [
        answer(api_scene.client(name, *permissions).get(url))["errorMessage"]
        for name, permissions in (("reader", api_scene.READER), ("operator", api_scene.OPERATOR))
    ]
    assert texts[0].startswith("The request failed.")
    assert texts[1] == "secret-123 is no number"


def test_request_of_another_agency_is_not_found_unless_own() -> None:
    others, own = enqueue(api_scene.FEES), enqueue(api_scene.FEES, requested_by="reader")
    caller = api_scene.client("reader", *api_scene.READER)
    assert [caller.get(url).status_code for url in (others, own, f"{ROOT}requests/99/")] == [404, 200, 404]


def test_request_without_permission_is_forbidden() -> None:
    assert api_scene.client("stranger", "view_loadlog").get(enqueue()).status_code == 403


def test_list_shows_own_requests_and_those_of_own_tables() -> None:
    for load_id, user in ((api_scene.ORDERS, "other"), (api_scene.FEES, "other"), (api_scene.FEES, "reader")):
        enqueue(load_id, requested_by=user)
    caller = api_scene.client("reader", *api_scene.READER)
    first = answer(caller.get(f"{ROOT}requests/?pageSize=1"))
    assert [one["requestId"] for one in first["results"]] == [3]
    second = answer(caller.get(first["next"]))
    assert ([one["requestId"] for one in second["results"]], second["next"]) == ([1], None)
    assert answer(caller.get(second["previous"]))["results"] == first["results"]


def test_list_of_requests_is_filtered_by_status_and_action() -> None:
    enqueue()
    enqueue()
    sql("UPDATE load_request SET state = 'ended', error_message = 'no' WHERE id = 1")
    caller = api_scene.client("reader", *api_scene.READER)
    queries = ("status=failed", "status=failed,queued", "status=done", "action=undo", "action=load")
    pages = [answer(caller.get(f"{ROOT}requests/?{query}"))["results"] for query in queries]
    assert [[one["requestId"] for one in page] for page in pages] == [[1], [2, 1], [], [2, 1], []]
