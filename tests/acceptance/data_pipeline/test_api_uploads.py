"""Uploads over the API: stored once, queued, and loaded by a worker."""

import io
from hashlib import blake2b
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from pytest_django import Settings
from rest_framework.test import APIClient

from data_pipeline.models import LoadLog, LoadRequest
from tests.acceptance.data_pipeline import api_scene
from tests.acceptance.data_pipeline.api_scene import ROOT, answer, run_queued
from tests.conftest import sql

pytestmark = pytest.mark.usefixtures("api_loads")
CONTENT = b"id,amount\n7,1\n8,2\n"
CSV = "text/csv"


@pytest.fixture(autouse=True)
def uploads(api_loads: Path, settings: Settings) -> Path:
    """The folder of uploads."""
    folder = api_loads / "uploads"
    folder.mkdir()
    settings.DATA_PIPELINE = {**settings.DATA_PIPELINE, "UPLOAD_ROOT": str(folder)}
    return folder


@pytest.fixture
def caller() -> APIClient:
    return api_scene.client("loader", "load", "view_loadrequest", "see_raw", agencies="harbor")


def send(caller: APIClient, content: bytes = CONTENT, *, path: str = "/upload", key: str | None = None) -> Any:
    """Upload the body of a request. Return the response."""
    headers = {"Idempotency-Key": key} if key else {}
    return caller.post(f"{path}?table=landing.fees", content, content_type=CSV, headers=headers)


def send_form(caller: APIClient, content: bytes = CONTENT, name: str = "fees.csv", **fields: str) -> Any:
    """Upload a form. Return the response."""
    return caller.post("/upload", {"file": SimpleUploadedFile(name, content), **fields}, format="multipart")


def send_part(caller: APIClient, query: str, body: bytes, media: str = CSV, **extra: Any) -> Any:
    """Send a body with another length or other headers. Return the response."""
    stream: dict[str, Any] = {"wsgi.input": io.BytesIO(body), **extra}
    return caller.generic("POST", f"/upload?{query}", content_type=media, **stream)


def stored(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def ids() -> list[int]:
    return [number for (number,) in sql("SELECT id FROM landing.fees ORDER BY id")]


def test_uploaded_body_is_stored_by_its_hash_and_loaded(caller: APIClient, uploads: Path) -> None:
    response = send(caller)
    queued = answer(response, 202)
    name = blake2b(CONTENT, digest_size=32).hexdigest()
    assert stored(uploads) == [name]
    assert (uploads / name).read_bytes() == CONTENT
    assert (uploads / name).stat().st_mode & 0o777 == 0o600
    assert response["Location"] == queued["url"]
    assert (queued["loadId"], queued["repeated"], ids()) == (None, False, [1])
    assert run_queued()["result"] == "success"
    state = answer(caller.get(queued["url"]))
    assert (state["status"], state["loadId"], ids()) == ("done", LoadLog.objects.latest("id").pk, [1, 7, 8])


def test_uploaded_form_keeps_the_cleaned_name_as_a_label_only(caller: APIClient, uploads: Path) -> None:
    answer(send_form(caller, name="..\\\\fo\x00lder/fees\n.csv", table="landing.fees", max_rejects="3"), 202)
    assert stored(uploads) == [blake2b(CONTENT, digest_size=32).hexdigest()]
    run_queued()
    options = LoadLog.objects.latest("id").payload_meta["options"]
    assert (options["label"], options["max_rejects"]) == ("fees.csv", 3)


def test_equal_content_is_one_file_and_is_loaded_once(caller: APIClient, uploads: Path) -> None:
    answer(send(caller), 202)
    assert run_queued()["result"] == "success"
    answer(send_form(caller, table="landing.fees"), 202)
    assert run_queued()["result"] == "skipped"
    assert len(stored(uploads)) == 1
    assert ids() == [1, 7, 8]


def test_session_needs_the_csrf_token_in_a_header(uploads: Path) -> None:
    api_scene.client("loader", "load", agencies="harbor")
    browser = Client(enforce_csrf_checks=True)
    browser.login(username="loader", password="secret")
    browser.cookies["csrftoken"] = "a" * 32
    form = {"file": SimpleUploadedFile("fees.csv", CONTENT), "table": "landing.fees", "csrfmiddlewaretoken": "a" * 32}
    assert browser.post("/upload", form).status_code == 403
    del form["csrfmiddlewaretoken"]
    form["file"] = SimpleUploadedFile("fees.csv", CONTENT)
    assert browser.post("/upload", form, headers={"X-CSRFToken": "a" * 32}).status_code == 202
    assert len(stored(uploads)) == 1


def test_repeated_idempotency_key_returns_the_same_request(caller: APIClient) -> None:
    first, again = (answer(send(caller, key="k1"), 202) for _ in range(2))
    assert (first["repeated"], again["repeated"]) == (False, True)
    assert first["requestId"] == again["requestId"]
    assert LoadRequest.objects.count() == 1
    run_queued()
    assert answer(send(caller, key="k1"), 202)["loadId"] == LoadLog.objects.latest("id").pk


def test_idempotency_key_of_other_content_or_option_conflicts(caller: APIClient, uploads: Path) -> None:
    answer(send(caller, key="k1"), 202)
    other = send(caller, b"id,amount\n9,1\n", key="k1")
    assert answer(other, 409)["code"] == "idempotency_key_taken"
    assert "uploads" not in other.json()["detail"]
    path, headers = "/upload?table=landing.fees&mode=replace", {"Idempotency-Key": "k1"}
    with_mode = caller.post(path, CONTENT, content_type=CSV, headers=headers)
    assert answer(with_mode, 409)["code"] == "idempotency_key_taken"
    assert (LoadRequest.objects.count(), len(stored(uploads))) == (1, 1)


def test_idempotency_keys_of_two_users_are_independent(caller: APIClient) -> None:
    other = api_scene.client("other", "load", agencies="harbor")
    answers = [answer(send(one, key="k1"), 202) for one in (caller, other)]
    assert len({one["requestId"] for one in answers}) == 2


def test_too_large_upload_is_refused_before_and_while_reading(
    caller: APIClient, uploads: Path, settings: Settings
) -> None:
    settings.DATA_PIPELINE = {**settings.DATA_PIPELINE, "MAX_UPLOAD_MB": 1}
    body = bytes(1 << 20) + b"x"
    assert answer(send(caller, body), 413)["code"] == "upload_too_large"
    assert answer(send_form(caller, body, table="landing.fees"), 413)["code"] == "upload_too_large"
    assert stored(uploads) == []


def test_aborted_uploads_leave_nothing(caller: APIClient, uploads: Path) -> None:
    table, media = "table=landing.fees", "multipart/form-data; boundary=b"
    assert answer(send_part(caller, table, CONTENT, CONTENT_LENGTH="500"), 400)["code"] == "bad_request"
    form = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n' + CONTENT
    for body, length in ((form, 500), (form, len(form)), (b"--b\r\n", 5), (b"nothing", 7)):
        response = send_part(caller, table, body, media, CONTENT_LENGTH=str(length))
        assert answer(response, 400)["code"] == "bad_request"
    assert (stored(uploads), LoadRequest.objects.count()) == ([], 0)


def test_upload_without_length_or_content_is_refused(caller: APIClient, uploads: Path) -> None:
    assert (
        answer(send_part(caller, "table=landing.fees", CONTENT, HTTP_TRANSFER_ENCODING="chunked"), 411)["code"]
        == "length_missing"
    )
    assert answer(send(caller, b""), 422)["code"] == "unprocessable_entity"
    assert answer(send_form(caller, b"", table="landing.fees"), 422)["code"] == "unprocessable_entity"
    assert stored(uploads) == []


@pytest.mark.parametrize("content", [b"%PDF-1.7", b"%PDF-1.7" + bytes(3_000_000), b"<html><body>"])
def test_unsupported_format_is_refused_at_once(caller: APIClient, uploads: Path, content: bytes) -> None:
    for response in (send(caller, content), send_form(caller, content, table="landing.fees")):
        assert answer(response, 415)["code"] == "unsupported_file_format"
    assert stored(uploads) == []


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("", 422, "unprocessable_entity"),
        ("table=landing.nothing", 404, "not_found"),
        ("table=landing.orders", 404, "not_found"),
        ("table=landing.fees&dialect=nothing", 422, "unknown_dialect"),
        ("table=landing.fees&dialect=/etc/passwd.toml", 400, "validation_error"),
        ("table=landing.fees&mode=delete", 400, "validation_error"),
        ("table=landing.fees&key=1", 400, "validation_error"),
        ("table=landing.fees&max_rejects=-1", 400, "validation_error"),
        ("table=landing.fees&max_reject_ratio=1.1", 400, "validation_error"),
        ("table=landing.fees&tables=1", 400, "validation_error"),
        ("table=landing.fees&table=landing.fees", 400, "validation_error"),
        ("table=a.b.c", 400, "bad_name"),
    ],
)
def test_invalid_options_are_refused_before_the_body_is_read(
    caller: APIClient, uploads: Path, query: str, status: int, code: str
) -> None:
    response = send_part(caller, query, b"1", CONTENT_LENGTH="500")
    assert (response.status_code, response.json()["code"]) == (status, code)
    assert stored(uploads) == []


def test_options_in_query_and_form_are_refused(caller: APIClient) -> None:
    form = {"file": SimpleUploadedFile("a.csv", CONTENT), "mode": "append"}
    response = caller.post("/upload?table=landing.fees", form, format="multipart")
    assert answer(response, 400)["fields"].keys() == {"mode"}


def test_form_with_two_files_is_refused(caller: APIClient, uploads: Path) -> None:
    form = {"a": io.BytesIO(CONTENT), "b": io.BytesIO(CONTENT)}
    assert answer(caller.post("/upload", form, format="multipart"), 400)["code"] == "bad_request"
    assert stored(uploads) == []


def test_uploads_need_the_permission_and_a_place(caller: APIClient, settings: Settings, uploads: Path) -> None:
    assert send(api_scene.client("reader", *api_scene.READER)).status_code == 403
    assert send(APIClient()).status_code == 401
    uploads.rmdir()
    assert answer(send(caller), 503)["code"] == "unavailable"
    settings.DATA_PIPELINE = {**settings.DATA_PIPELINE, "UPLOAD_ROOT": ""}
    assert answer(send(caller), 503)["code"] == "unavailable"
    staff = api_scene.client("staff", "load", agencies="harbor", is_staff=True)
    assert answer(send(staff), 503)["code"] == "uploads_off"


def test_failed_load_of_an_upload_is_shown_with_its_code(caller: APIClient) -> None:
    queued = answer(send(caller, b"id,amount\n7,x\n"), 202)
    run_queued()
    state = answer(caller.get(queued["url"]))
    assert (state["status"], state["errorCode"]) == ("failed", "too_many_rejects")
    assert state["errorMessage"].startswith("1 of 1 records were rejected")
    assert state["loadId"] == LoadLog.objects.latest("id").pk


def test_versioned_paths_are_the_same_views(caller: APIClient) -> None:
    for path in ("/ingest", "/ingest/", "/upload/", f"{ROOT}ingest/", f"{ROOT}upload/"):
        assert send(caller, path=path).status_code == 202
