"""What all endpoints share: problem details, request ids, entity tags, rate limits and the root."""

import re
from pathlib import Path

import pytest
from rest_framework.test import APIClient

from seeder.services.documents.error_documents import ERRORS_PAGE
from tests.acceptance import api_clients
from tests.acceptance.api_clients import ROOT
from tests.conftest import CHECKOUT, create_custom_manifest


def test_problem_names_code_documentation_path_and_request(reader: APIClient) -> None:
    answer = reader.get(f"{ROOT}runs/unknown/", HTTP_X_REQUEST_ID="ticket-7")
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json() == {
        "type": f"{ERRORS_PAGE}#not_found",
        "title": "Not found",
        "status": 404,
        "code": "not_found",
        "detail": "Not found.",
        "instance": f"{ROOT}runs/unknown/",
        "requestId": "ticket-7",
    }


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("GET", "jobs/?status=great", "validation_error"),
        ("POST", "jobs/", "method_not_allowed"),
        ("GET", "anything/", "not_found"),
        ("POST", "agencies/demo/refresh/", "permission_denied"),
    ],
)
def test_problem_has_documented_code(reader: APIClient, method: str, path: str, code: str) -> None:
    answer = reader.generic(method, ROOT + path)
    assert answer.json()["code"] == code
    assert f'<a id="{code}"></a>' in Path(CHECKOUT, "docs/reference/errors.md").read_text()


@pytest.mark.parametrize("given", ["7f3c", "x" * 128])
def test_request_id_of_caller_is_echoed(reader: APIClient, given: str) -> None:
    assert reader.get(f"{ROOT}jobs/", HTTP_X_REQUEST_ID=given)["X-Request-ID"] == given


@pytest.mark.parametrize("given", ["", "x" * 129, "a b", "\u00e9"])
def test_invalid_request_id_is_replaced(reader: APIClient, given: str) -> None:
    assert re.fullmatch("[0-9a-f]{32}", reader.get(f"{ROOT}jobs/", HTTP_X_REQUEST_ID=given)["X-Request-ID"])


@pytest.mark.parametrize("path", ["jobs/", "jobs/custom/1/", "runs/", "schema/", ""])
def test_unchanged_document_answers_304(reader: APIClient, path: str) -> None:
    api_clients.create_reports()
    first = reader.get(ROOT + path)
    again = reader.get(ROOT + path, HTTP_IF_NONE_MATCH=first["ETag"])
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", first["ETag"])
    assert again["X-Request-ID"]
    assert reader.get(ROOT + path, HTTP_IF_NONE_MATCH='"other"').status_code == 200


def test_changed_document_has_another_etag(reader: APIClient) -> None:
    create_custom_manifest("reporting.good", "SELECT 1 AS n")
    before = reader.get(f"{ROOT}jobs/")
    create_custom_manifest("reporting.better", "SELECT 1 AS n")
    after = reader.get(f"{ROOT}jobs/", HTTP_IF_NONE_MATCH=before["ETag"])
    assert (after.status_code, after["ETag"] != before["ETag"]) == (200, True)
