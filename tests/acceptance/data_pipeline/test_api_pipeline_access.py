"""Access to every endpoint of the API of loads without a login and without permissions, and the root and the schema."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.urls import URLPattern, get_resolver
from django.urls.resolvers import URLResolver

from tests.acceptance import api_clients
from tests.acceptance.data_pipeline import api_scene
from tests.acceptance.data_pipeline.api_scene import ROOT, answer

pytestmark = pytest.mark.usefixtures("api_loads")
MOUNT = "api/pipeline/v1/"
READ, WRITE = "GET", "POST"
# The methods of each endpoint that need a permission. A new endpoint fails the test until it is listed here.
PROTECTED = {
    "loads/": [READ],
    "loads/<int:id>/": [READ],
    "loads/<int:id>/rejects/": [READ],
    "loads/<int:id>/replay/": [WRITE],
    "loads/<int:id>/undo/": [WRITE],
    "loads/<int:id>/verify/": [WRITE],
    "loads/<int:id>/dismiss/": [WRITE],
    "requests/": [READ],
    "requests/<int:id>/": [READ],
    "ingest/": [WRITE],
    "ingest/dry-run/": [WRITE],
    "ingest/records/": [WRITE],
    "upload/": [WRITE],
    "tables/<str:name>/lineage/": [READ],
    "views/<str:name>/as-of/": [READ],
    "stats/<str:name>/": [READ],
    "score/": [WRITE],
}
ANY_LOGIN = {"", "schema/", "docs/"}
OTHERS = {r"^[\s\S]*/$", r"^[\s\S]+$"}
CALLS = [(path, method) for path, methods in PROTECTED.items() for method in methods]


def routes(patterns: list[Any], before: str = "") -> Iterator[str]:
    for pattern in patterns:
        route = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, route)
        elif isinstance(pattern, URLPattern) and route.startswith(MOUNT):
            yield route.removeprefix(MOUNT)


def url(path: str) -> str:
    return ROOT + path.replace("<int:id>", "1").replace("<str:name>", "orders")


def test_access_table_lists_every_url() -> None:
    assert sorted(routes(get_resolver().url_patterns)) == sorted({*PROTECTED} | ANY_LOGIN | OTHERS)


def test_every_endpoint_requires_login_and_permission() -> None:
    anonymous, stranger = api_clients.api_client(), api_scene.client("stranger")
    statuses = {
        (path, method): tuple(caller.generic(method, url(path)).status_code for caller in (anonymous, stranger))
        for path, method in CALLS
    }
    assert {call: found for call, found in statuses.items() if found != (401, 403)} == {}


def test_no_endpoint_has_other_methods() -> None:
    caller = api_scene.client("operator", *api_scene.OPERATOR, "view_stats")
    others = [(path, method) for path in PROTECTED for method in (READ, WRITE, "PUT", "DELETE", "OPTIONS")]
    statuses = {call: caller.generic(call[1], url(call[0])).status_code for call in others if call not in CALLS}
    assert {call: status for call, status in statuses.items() if status != 405} == {}


def test_root_links_to_lists_and_schema() -> None:
    caller = api_scene.client("stranger")
    links = answer(caller.get(ROOT))["links"]
    assert links["loads"] == f"http://testserver{ROOT}loads/"
    assert {"requests", "ingest", "upload", "records", "schema"} <= links.keys()
    schema = answer(caller.get(links["schema"]))
    assert schema["info"]["title"] == "data-pipeline"
    assert all(path.startswith(ROOT) for path in schema["paths"])


def test_page_of_schema_requires_login() -> None:
    assert api_clients.api_client().get(f"{ROOT}docs/").status_code == 302
    caller = api_clients.api_client()
    caller.force_login(api_clients.create_user("reader"))
    page = caller.get(f"{ROOT}docs/").content.decode()
    assert "<title>data-pipeline</title>" in page
