"""The API for a front end of another origin, with the documented settings of django-cors-headers."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.test import override_settings
from rest_framework.test import APIClient

from tests.acceptance import api_clients
from tests.acceptance.api_clients import OPERATOR_PERMISSIONS, ROOT
from tests.conftest import CHECKOUT, create_custom_manifest

ORIGIN = "https://reports.example.org"
REFRESH = f"{ROOT}jobs/custom/1/refresh/"


def documented_settings() -> dict[str, Any]:
    """Return the settings of the host after the block of the page."""
    page = (CHECKOUT / "docs" / "reference" / "rest-api.md").read_text()
    [block] = re.findall(r"```python\n(from corsheaders.*?)```", page, re.DOTALL)
    host: dict[str, Any] = {"INSTALLED_APPS": [*settings.INSTALLED_APPS], "MIDDLEWARE": [*settings.MIDDLEWARE]}
    exec(block, host)  # noqa: S102  # our own page
    return {name: value for name, value in host.items() if name.isupper()}


@pytest.fixture
def front_end(contract_tables: None, empty_queue: None) -> Iterator[APIClient]:
    """Return a client with a token, in a host with the documented settings."""
    create_custom_manifest("reporting.good", "SELECT 1 AS n")
    with override_settings(**documented_settings()):
        yield api_clients.api_client(api_clients.create_user("operator", *OPERATOR_PERMISSIONS))
    api_clients.delete_users()


def words(header: str) -> set[str]:
    return set(header.lower().split(", "))


def preflight(origin: str, path: str = REFRESH) -> Any:
    """Send what a browser sends, without a token, before it starts something."""
    headers = {
        "Origin": origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type,idempotency-key,x-request-id",
    }
    return APIClient().options(path, headers=headers)


def test_preflight_of_documented_origin_is_allowed(front_end: APIClient) -> None:
    answer = preflight(ORIGIN)
    assert (answer.status_code, answer["Access-Control-Allow-Origin"]) == (200, ORIGIN)
    assert {"get", "post", "patch", "delete"} <= words(answer["Access-Control-Allow-Methods"])
    allowed = words(answer["Access-Control-Allow-Headers"])
    assert {"authorization", "content-type", "idempotency-key", "if-none-match", "x-request-id"} <= allowed


def test_call_of_documented_origin_sees_exposed_headers(front_end: APIClient) -> None:
    started = front_end.post(REFRESH, HTTP_ORIGIN=ORIGIN, HTTP_IDEMPOTENCY_KEY="once")
    assert (started.status_code, started["Access-Control-Allow-Origin"]) == (202, ORIGIN)
    listed = front_end.get(f"{ROOT}jobs/", HTTP_ORIGIN=ORIGIN)
    refused = front_end.get(f"{ROOT}jobs/unknown/", HTTP_ORIGIN=ORIGIN)
    assert [one["Access-Control-Allow-Origin"] for one in (listed, refused)] == [ORIGIN, ORIGIN]
    exposed = words(started["Access-Control-Expose-Headers"])
    sent = {name.lower() for answer in (started, listed, refused) for name in answer.headers}
    own = sent - words("allow, cache-control, content-language, content-length, content-type, expires, vary")
    assert {name for name in own if not name.startswith(("access-control-", "cross-origin-"))} <= exposed | {
        "referrer-policy",
        "x-content-type-options",
        "x-frame-options",
    }
    assert {"etag", "location", "x-request-id", "ratelimit"} <= own


@pytest.mark.parametrize("path", ["/stats/roi", "/score", "/upload", "/ingest/dry-run"])
@pytest.mark.usefixtures("front_end")
def test_preflight_of_short_path_is_allowed(path: str) -> None:
    assert preflight(ORIGIN, path).status_code == 200


@pytest.mark.parametrize(("origin", "path"), [("https://other.example.org", REFRESH), (ORIGIN, "/admin/login/")])
def test_other_origins_and_pages_get_no_permission(front_end: APIClient, origin: str, path: str) -> None:
    assert "Access-Control-Allow-Origin" not in preflight(origin, path)
    assert "Access-Control-Allow-Origin" not in front_end.get(path, HTTP_ORIGIN=origin)
