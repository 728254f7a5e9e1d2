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
