"""Actions on loads over the API, run by a worker."""

from typing import Any

import pytest
from django_q.models import OrmQ
from rest_framework.test import APIClient

from data_pipeline import tasks
from data_pipeline.models import LoadEvent, LoadLog, LoadRequest
from tests.acceptance.data_pipeline import api_scene
from tests.acceptance.data_pipeline.api_scene import DAMAGED, FEES, HEADLESS, ORDERS, ROOT, answer
from tests.conftest import sql

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("api_loads")]


@pytest.fixture
def operator() -> APIClient:
    return api_scene.client("operator", *api_scene.OPERATOR)


def post(caller: APIClient, action: str, load_id: int = ORDERS, body: Any = None, *, status: int = 202) -> Any:
    return answer(caller.post(f"{ROOT}loads/{load_id}/{action}/", body, format="json"), status)


def run(caller: APIClient, queued: Any) -> Any:
    """Run a queued request as a worker does. Return its state."""
    OrmQ.objects.exclude(pk=OrmQ.objects.latest("pk").pk).delete()  # messages of refreshes
    api_scene.run_queued()
    return answer(caller.get(queued["url"]))


def open_records(load_id: int = DAMAGED) -> list[int]:
    return [
        number
        for (number,) in sql(
            "SELECT record_no FROM load_reject WHERE load_id = %s AND state = 'open' ORDER BY 1", load_id
        )
    ]


def test_undo_is_queued_and_its_state_is_at_the_location(operator: APIClient) -> None:
    response = operator.post(f"{ROOT}loads/{ORDERS}/undo/")
    queued = answer(response, 202)
    assert response["Location"] == queued["url"] == f"http://testserver{ROOT}requests/{queued['requestId']}/"
    assert queued["status"] == "queued"
    assert run(operator, queued)["status"] == "done"
    assert sql("SELECT id FROM landing.orders") == [(6,)]
    assert LoadEvent.objects.filter(load_id=ORDERS, event="undone", actor="operator").exists()
    load = answer(operator.get(f"{ROOT}loads/{ORDERS}/"))
    assert (load["status"], load["errorCode"], load["undoneAt"] is not None) == ("failed", "undone", True)


def test_undo_of_failed_load_conflicts(operator: APIClient) -> None:
    assert post(operator, "undo", HEADLESS, status=409)["code"] == "undo_refused"
    assert not LoadRequest.objects.exists()


def test_verification_becomes_an_event_of_the_load(operator: APIClient) -> None:
    assert run(operator, post(operator, "verify"))["status"] == "done"
    [event] = [one for one in answer(operator.get(f"{ROOT}loads/{ORDERS}/"))["events"] if one["event"] == "verified"]
    assert event["actor"] == "operator"
    assert post(operator, "verify", HEADLESS, status=409)["code"] == "not_verifiable"


def test_replay_becomes_a_new_load(operator: APIClient) -> None:
    sql("TRUNCATE landing.orders")
    state = run(operator, post(operator, "replay"))
    load = answer(operator.get(f"{ROOT}loads/{state['loadId']}/"))
    assert (load["ofLoad"], load["rowsInserted"], load["status"]) == (ORDERS, 3, "success")


def test_repeated_key_of_an_action_returns_its_request_also_after_its_end(operator: APIClient) -> None:
    def undo(key: str) -> Any:
        return operator.post(f"{ROOT}loads/{ORDERS}/undo/", HTTP_IDEMPOTENCY_KEY=key)

    first = answer(undo("first"), 202)
    run(operator, first)
    again = answer(undo("first"), 202)
    assert (again["requestId"], again["repeated"], again["status"]) == (first["requestId"], True, "done")
    assert answer(undo("second"), 409)["code"] == "undo_refused"
    assert LoadRequest.objects.count() == 1


def test_key_of_a_correction_belongs_to_its_values(operator: APIClient) -> None:
    def correct(price: str, status: int = 202) -> Any:
        body = {"corrections": [{"recordNo": 1, "values": {"price": price}}]}
        url = f"{ROOT}loads/{DAMAGED}/replay/"
        return answer(operator.post(url, body, format="json", HTTP_IDEMPOTENCY_KEY="a correction"), status)

    first = correct("12.5")
    assert correct("9", 409)["code"] == "idempotency_key_taken"
    run(operator, first)
    again = correct("12.5")
    assert (again["requestId"], again["repeated"]) == (first["requestId"], True)
    assert correct("9", 409)["code"] == "idempotency_key_taken"


def test_corrected_reject_is_loaded_and_others_stay_open(operator: APIClient) -> None:
    body = {"corrections": [{"recordNo": 1, "values": {"price": "12.5"}}]}
    queued = post(operator, "replay", DAMAGED, body)
    state = run(operator, queued)
    assert (state["action"], state["status"], state["errorMessage"]) == ("replay_rejects", "done", None)
    assert sql("SELECT name, price::text FROM landing.orders WHERE id = 4") == [("Delta", "12.5")]
    assert open_records() == [2, 4]
    correction = LoadLog.objects.latest("id")
    assert (state["loadId"], correction.payload_meta["of_load"]) == (correction.pk, DAMAGED)
    detail = answer(operator.get(f"{ROOT}loads/{DAMAGED}/"))
    assert (detail["replayedBy"], detail["rejectCounts"]["replayed"]) == ([correction.pk], 1)


def test_correction_of_record_that_is_replayed_meanwhile_fails(operator: APIClient) -> None:
    bodies = [{"corrections": [{"recordNo": 1, "values": {"price": price}}]} for price in ("13.5", "12.5")]
    late, early = (post(operator, "replay", DAMAGED, body) for body in bodies)
    assert run(operator, early)["status"] == "done"
    tasks.import_file(late["requestId"])
    state = answer(operator.get(late["url"]))
    assert (state["status"], state["errorCode"]) == ("failed", "rejects_changed")
    assert sql("SELECT price::text FROM landing.orders WHERE id = 4") == [("12.5",)]


def test_retry_of_correction_that_was_loaded_is_done(operator: APIClient) -> None:
    body = {"corrections": [{"recordNo": 1, "values": {"price": "12.5"}}]}
    queued = post(operator, "replay", DAMAGED, body)
    before = LoadRequest.objects.values("state", "options", "load_id", "attempts", "worker", "finished_at").get()
    run(operator, queued)
    LoadRequest.objects.update(**{**before, "attempts": 1})  # as if the worker was killed after its commit
    tasks.import_file(queued["requestId"])
    assert answer(operator.get(queued["url"]))["status"] == "done"
    assert sql("SELECT count(*) FROM landing.orders WHERE id = 4") == [(1,)]


def test_null_and_empty_text_of_correction_stay_distinct(operator: APIClient) -> None:
    body = {"corrections": [{"recordNo": 1, "values": {"name": "", "price": None}}]}
    assert run(operator, post(operator, "replay", DAMAGED, body))["status"] == "done"
    assert sql("SELECT name, price FROM landing.orders WHERE id = 4") == [("", None)]


def test_correction_that_is_still_bad_fails_with_its_reason(operator: APIClient) -> None:
    body = {"corrections": [{"recordNo": 1, "values": {"price": "cheap"}}]}
    state = run(operator, post(operator, "replay", DAMAGED, body))
    assert state["status"] == "failed"
    assert 'Record 1: invalid input syntax for type numeric: "cheap"' in state["errorMessage"]
    assert open_records() == [1, 2, 4]


def test_corrected_values_are_deleted_when_the_request_ends(operator: APIClient) -> None:
    body = {"corrections": [{"recordNo": 1, "values": {"price": "12.5"}}]}
    queued = post(operator, "replay", DAMAGED, body)
    assert LoadRequest.objects.get().options["corrections"] == {"1": {"price": "12.5"}}
    run(operator, queued)
    assert LoadRequest.objects.get().options.keys() == {"digest"}


def test_open_rejects_are_loaded_as_they_are(operator: APIClient) -> None:
    sql("ALTER TABLE landing.orders ALTER price TYPE text")
    assert run(operator, post(operator, "replay", DAMAGED, {"rejectsAsIs": True}))["status"] == "done"
    assert sql("SELECT price FROM landing.orders WHERE id = 4") == [("12.x",)]
    assert open_records() == [4]


@pytest.mark.parametrize(
    ("correction", "problem"),
    [
        ({"recordNo": 3, "values": {}}, "record 3: it is no open reject"),
        ({"recordNo": 1, "values": {"prize": "1"}}, "record 1: the file has no column 'prize'"),
        ({"recordNo": 4, "values": {"name": "Eta"}}, "record 4: its values are incomplete or malformed"),
    ],
)
def test_unusable_correction_is_refused_at_once(operator: APIClient, correction: Any, problem: str) -> None:
    refused = post(operator, "replay", DAMAGED, {"corrections": [correction]}, status=422)
    assert refused["code"] == "bad_corrections"
    assert problem in refused["detail"]
    assert not LoadRequest.objects.exists()


@pytest.mark.parametrize(
    "body",
    [
        {"corrections": []},
        {"corrections": [{"recordNo": 1}]},
        {"corrections": [{"recordNo": 0, "values": {}}]},
        {"corrections": [{"recordNo": 1, "values": {"price": ["1"]}}]},
        {"corrections": [{"recordNo": 1, "values": {}}, {"recordNo": 1, "values": {}}]},
        {"corrections": [{"recordNo": 1, "values": {}}], "rejectsAsIs": True},
        {"correction": []},
        {"rejectsAsIs": 1},
        [],
    ],
)
def test_invalid_body_of_replay_is_refused(operator: APIClient, body: Any) -> None:
    assert post(operator, "replay", DAMAGED, body, status=400)["code"] == "validation_error"


def test_unstorable_value_of_correction_is_refused(operator: APIClient) -> None:
    body = r'{"corrections": [{"recordNo": 1, "values": {"price": "\ud800"}}]}'
    response = operator.generic("POST", f"{ROOT}loads/{DAMAGED}/replay/", body, content_type="application/json")
    assert answer(response, 400)["code"] == "validation_error"


def test_dismissal_closes_rejects_and_failure(operator: APIClient) -> None:
    assert post(operator, "dismiss", DAMAGED, status=200) == {"loadId": DAMAGED, "dismissed": 3, "wasFailing": False}
    assert post(operator, "dismiss", HEADLESS, status=200) == {"loadId": HEADLESS, "dismissed": 0, "wasFailing": True}
    assert answer(operator.get(f"{ROOT}loads/{HEADLESS}/"))["failing"] is False


@pytest.mark.parametrize("action", ["replay", "undo", "verify", "dismiss"])
def test_action_on_load_of_another_agency_is_not_found(operator: APIClient, action: str) -> None:
    assert post(operator, action, FEES, status=404)["code"] == "not_found"


@pytest.mark.parametrize(("action", "permission"), [("replay", "undo"), ("undo", "load"), ("dismiss", "undo")])
def test_action_without_its_permission_is_forbidden(action: str, permission: str) -> None:
    post(api_scene.client("stranger", *api_scene.READER, permission), action, status=403)
