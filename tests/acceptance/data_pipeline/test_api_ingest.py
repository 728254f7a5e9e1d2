"""Files at addresses, records and dry runs over the API."""

import json
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings
from rest_framework.test import APIClient

from data_pipeline.models import LoadLog, LoadReject, LoadRequest
from tests.acceptance.data_pipeline import api_scene
from tests.acceptance.data_pipeline.api_scene import answer, run_queued
from tests.conftest import sql

pytestmark = pytest.mark.usefixtures("api_loads")
CONTENT = b"id,amount\n7,1\n8,2\n"
JSON, NDJSON = "application/json", "application/x-ndjson"


@pytest.fixture(autouse=True)
def inbox(api_loads: Path, settings: Settings) -> Path:
    """The folder that the API may load from, beside the one of uploads."""
    for name in ("inbox", "uploads"):
        (api_loads / name).mkdir()
    (api_loads / "inbox" / "fees.csv").write_bytes(CONTENT)
    settings.DATA_PIPELINE = {
        **settings.DATA_PIPELINE,
        "INGEST_ROOTS": [str(api_loads / "inbox")],
        "INGEST_BUCKETS": ["bronze"],
        "ALLOWED_HOSTS": "files.example.com",
        "UPLOAD_ROOT": str(api_loads / "uploads"),
    }
    return api_loads / "inbox"


@pytest.fixture
def caller() -> APIClient:
    return api_scene.client("loader", "load", "view_loadrequest", "see_raw", agencies="harbor")


def ingest(caller: APIClient, source_uri: object, *, path: str = "/ingest", **options: object) -> Any:
    """Name a file. Return the response."""
    document = {"source_uri": str(source_uri), "table": "landing.fees", **options}
    return caller.post(path, document, format="json")


def send_records(caller: APIClient, body: object, media: str = JSON, query: str = "") -> Any:
    """Upload records. Return the response."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return caller.post(f"/ingest/records?table=landing.fees{query}", content, content_type=media)


def fees() -> list[tuple[Any, ...]]:
    return sql("SELECT id, amount::text FROM landing.fees ORDER BY id")


def state_of(caller: APIClient, response: Any) -> Any:
    """Run the queued request. Return its state."""
    run_queued()
    return answer(caller.get(answer(response, 202)["url"]))


def test_file_in_an_allowed_folder_is_queued_and_loaded(caller: APIClient, inbox: Path) -> None:
    response = ingest(caller, inbox / "fees.csv", mode="append", max_rejects=2, max_reject_ratio=0.5)
    assert fees() == [(1, "5")]
    assert state_of(caller, response)["status"] == "done"
    assert fees() == [(1, "5"), (7, "1"), (8, "2")]
    assert LoadRequest.objects.get().options == {
        "table": "landing.fees", "mode": "append", "max_rejects": 2, "max_reject_ratio": 0.5,
    }  # fmt: skip


@pytest.mark.parametrize(
    "source_uri",
    [
        "{api_loads}/orders.csv",  # exists
        "{api_loads}/missing.csv",
        "{api_loads}/inbox/../orders.csv",
        "{api_loads}/inbox/link",
        "{api_loads}/uploads/0",
        "file:///etc/passwd",
        "s3://gold/orders.csv",
        "https://example.com/orders.csv",
        "http://files.example.com/orders.csv",
        "https://user:secret@files.example.com/orders.csv",
        "https://169.254.169.254/latest/meta-data",
    ],
)
def test_address_outside_of_the_settings_is_refused_alike(caller: APIClient, api_loads: Path, source_uri: str) -> None:
    (api_loads / "inbox" / "link").symlink_to(api_loads / "orders.csv")
    document = answer(ingest(caller, source_uri.format(api_loads=api_loads)), 403)
    assert document["code"] == "address_not_accepted"
    assert str(api_loads) not in json.dumps(document)
    assert "secret" not in json.dumps(document)


def test_upload_of_another_user_has_no_address(caller: APIClient, api_loads: Path, settings: Settings) -> None:
    settings.DATA_PIPELINE = {**settings.DATA_PIPELINE, "INGEST_ROOTS": [str(api_loads)]}
    (api_loads / "uploads" / ("0" * 64)).write_bytes(CONTENT)
    assert answer(ingest(caller, api_loads / "uploads" / ("0" * 64)), 403)["code"] == "address_not_accepted"


@pytest.mark.parametrize("source_uri", ["s3://bronze/missing.csv", "https://files.example.com/missing.csv?a=1"])
def test_buckets_and_hosts_are_left_to_the_worker(caller: APIClient, source_uri: str) -> None:
    answer(ingest(caller, source_uri), 202)
    assert LoadRequest.objects.get().source_uri == source_uri


@pytest.mark.parametrize(
    ("source_uri", "code"),
    [
        ("{inbox}/missing.csv", "artefact_missing"),
        ("{inbox}", "not_regular_file"),
        ("s3://bronze", "bad_address"),
        ("https://files.example.com/a?X-Amz-Signature=secret-123", "bad_address"),
        ("https://[", "bad_address"),
    ],
)
def test_allowed_address_without_a_file_is_refused(caller: APIClient, inbox: Path, source_uri: str, code: str) -> None:
    document = answer(ingest(caller, source_uri.format(inbox=inbox)), 422)
    assert document["code"] == code
    assert "secret-123" not in json.dumps(document)


def test_without_settings_the_api_accepts_no_address(caller: APIClient, settings: Settings, inbox: Path) -> None:
    kept = {name: value for name, value in settings.DATA_PIPELINE.items() if name == "UPLOAD_ROOT"}
    settings.DATA_PIPELINE = kept
    for source_uri in (inbox / "fees.csv", "s3://bronze/fees.csv", "https://files.example.com/fees.csv"):
        assert answer(ingest(caller, source_uri), 403)["code"] == "address_not_accepted"


@pytest.mark.parametrize(
    ("body", "code"),
    [(b"{", "bad_request"), (b"[]", "validation_error"), (b"", "bad_request"), (b"{}", "validation_error")],
)
def test_malformed_documents_are_refused(caller: APIClient, body: bytes, code: str) -> None:
    assert answer(caller.post("/ingest", body, content_type=JSON), 400)["code"] == code


def test_repeated_key_of_an_address_returns_its_request(caller: APIClient, inbox: Path) -> None:
    headers = {"Idempotency-Key": "k"}
    document = {"source_uri": str(inbox / "fees.csv"), "table": "landing.fees"}
    first, again = (answer(caller.post("/ingest", document, format="json", headers=headers), 202) for _ in range(2))
    assert (first["requestId"], first["repeated"]) == (again["requestId"], not again["repeated"])


def test_dry_run_of_a_file_reports_what_would_happen(caller: APIClient, inbox: Path) -> None:
    (inbox / "fees.csv").write_bytes(CONTENT + b"9,x\n")
    before = fees()
    state = state_of(caller, ingest(caller, inbox / "fees.csv", path="/ingest/dry-run", max_rejects=1))
    assert (state["status"], state["action"], state["loadId"]) == ("done", "dry_run", None)
    result = state["result"]
    assert (result["rowsInserted"], result["rowsRejected"], result["rejects"][0]["raw"]) == (2, 1, "9,x")
    assert result["views"][0]["view"] == "reporting.fee_total"
    assert (fees(), LoadLog.objects.count()) == (before, 4)


def test_dry_run_of_an_upload_hides_values_without_see_raw(inbox: Path) -> None:
    caller = api_scene.client("loader", "load", "view_loadrequest", agencies="harbor")
    body = b"id,amount\n9,secret-\x00\n"
    response = caller.post("/ingest/dry-run?table=landing.fees", body, content_type="text/csv")
    state = state_of(caller, response)
    assert state["result"]["refusal"] == "1 of 1 records would be rejected, but the limit is 0"
    assert state["result"]["rejects"][0]["problems"][0].keys() == {"column", "sqlstate"}
    assert "secret" not in json.dumps(state)


def test_dry_run_of_loaded_content_loads_it_again_only_if_forced(caller: APIClient) -> None:
    results = []
    for path in ("/upload?", "/ingest/dry-run?", "/ingest/dry-run?force=true&"):
        response = caller.post(f"{path}table=landing.fees&mode=upsert", CONTENT, content_type="text/csv")
        results.append(state_of(caller, response)["result"])
    assert [one["status"] for one in results[1:]] == ["skipped", "success"]
    assert (results[2]["rowsUnchanged"], results[2]["loadedBeforeAs"]) == (2, None)


def test_failed_dry_run_has_an_error_and_no_result(caller: APIClient, inbox: Path) -> None:
    (inbox / "fees.csv").write_bytes(b"other\n1\n")
    state = state_of(caller, ingest(caller, inbox / "fees.csv", path="/ingest/dry-run"))
    assert (state["status"], state["errorCode"], state["result"]) == ("failed", "header_refused", None)


@pytest.mark.parametrize(
    ("body", "media"),
    [
        ([{"id": 7, "amount": 1.50}, {"amount": None, "id": "8"}], JSON),
        (b'{"id": 7, "amount": 1.50}\n\n{"amount": null, "id": "8"}', NDJSON),
    ],
)
def test_records_are_loaded_by_a_worker(caller: APIClient, body: object, media: str) -> None:
    state = state_of(caller, send_records(caller, body, media))
    assert (state["status"], state["action"]) == ("done", "records")
    assert fees() == [(1, "5"), (7, "1.5" if media == JSON else "1.50"), (8, None)]
    load = LoadLog.objects.get(pk=state["loadId"])
    assert (load.source, load.target, load.rows_inserted) == ("ingest.records", "landing.fees", 2)


def test_bad_records_are_kept_with_their_reasons(caller: APIClient) -> None:
    body = b'[{"id": 7}, {"id": "x"}, {"id": 8, "price": 1}, 5, {"id": 9,}, {"id": "a\nb"}, {"id": NaN}]'
    state = state_of(caller, send_records(caller, body, query="&max_rejects=6"))
    assert (state["status"], fees()) == ("done", [(1, "5"), (7, None)])
    rejects = LoadReject.objects.filter(load_id=state["loadId"]).order_by("record_no")
    assert [(one.record_no, one.problems[0]["column"]) for one in rejects] == [
        (2, "id"), (3, "price"), (4, None), (5, None), (6, None), (7, None),
    ]  # fmt: skip
    reasons = [one.problems[0]["reason"] for one in rejects]
    assert reasons[1:3] == ["the table has no such column", "it is not an object with the names of columns"]
    assert reasons[3].startswith("it is not JSON")
    assert bytes(rejects[2].raw) == b"5"


def test_too_many_bad_records_load_nothing_and_can_be_replayed(caller: APIClient) -> None:
    state = state_of(caller, send_records(caller, b'[{"id": 7}, {"id": "x"}]'))
    assert (state["errorCode"], fees()) == ("too_many_rejects", [(1, "5")])
    assert LoadReject.objects.filter(load_id=state["loadId"]).count() == 1
    sql("ALTER TABLE landing.fees ALTER id TYPE text")
    from data_pipeline.services.load_replay import enqueue_replay

    enqueue_replay(state["loadId"], requested_by="loader")
    assert run_queued()["result"] == "success"
    assert LoadLog.objects.get(pk=state["loadId"]).status == "success"


def test_same_records_are_loaded_once_unless_forced(caller: APIClient) -> None:
    body = b'[{"amount": 1, "id": 7}]'
    results = []
    for query in ("", "&mode=upsert", "&mode=upsert&force=true"):
        answer(send_records(caller, body, query=query), 202)
        results.append(run_queued()["result"])
    assert results == ["success", "skipped", "success"]
    assert fees() == [(1, "5"), (7, "1")]


@pytest.mark.parametrize(
    ("body", "media", "status", "code"),
    [
        (b'{"id": 1}', JSON, 400, "bad_request"),
        (b'[{"id": 1}', JSON, 400, "bad_request"),
        (b"[1,,2]", JSON, 400, "bad_request"),
        (b"[]", JSON, 422, "unprocessable_entity"),
        (b"", NDJSON, 422, "unprocessable_entity"),
        (b"id\n1", "text/csv", 415, "unsupported_media_type"),
    ],
)
def test_bodies_without_records_are_refused_at_once(
    caller: APIClient, body: bytes, media: str, status: int, code: str
) -> None:
    assert answer(send_records(caller, body, media), status)["code"] == code
    assert LoadRequest.objects.count() == 0


def test_large_array_is_split_at_any_piece(caller: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("data_pipeline.api.upload_bodies._PIECE_BYTES", 7)
    records = [{"id": 10 + n, "amount": f"{n}.25"} for n in range(200)]
    assert state_of(caller, send_records(caller, json.dumps(records, indent=1).encode()))["status"] == "done"
    assert len(fees()) == 201


def test_refused_requests_are_counted_and_logged_without_payload(
    caller: APIClient, caplog: pytest.LogCaptureFixture
) -> None:
    from data_pipeline.http.measurements import CALLS

    CALLS.drain()
    ingest(caller, "file:///secret/payload.csv")
    send_records(caller, b"[1,,2]")
    ingest(APIClient(), "file:///secret/payload.csv")
    counted = CALLS.drain()["api"]["ingest_4xx"]  # type: ignore[index]
    assert counted == {"address_not_accepted": 1, "bad_request": 1, "not_authenticated": 1}
    lines = [record.getMessage() for record in caplog.records if "api_ingest_failed" in record.getMessage()]
    assert len(lines) == 3
    assert "user=loader" in lines[0]
    assert "route=" in lines[0]
    assert "secret" not in "".join(lines)
