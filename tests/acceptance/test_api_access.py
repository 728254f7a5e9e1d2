"""Access to every endpoint of the API by every role with every method."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.urls import URLPattern, URLResolver, get_resolver
from pytest_django import Settings
from rest_framework.test import APIClient

from seeder.domain.refresh_requests import AgencyReports
from seeder.models import Run
from seeder.services.queue import enqueue
from tests.acceptance import api_clients
from tests.conftest import create_custom_manifest

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")
MOUNT = "api/seeder/"
LIST, ONE, START, END = "a list", "one thing", "starts something", "ends something"
SUMMARY = "totals of the visible agencies"
EDIT = "edits something, which is off by default"
ADD, CHANGE, REMOVE, DECIDE = "adds something", "changes something", "removes something", "decides on something"
ANY_LOGIN, OTHER_PATH, NO_SLASH = "requires only a login", "unknown path", "redirects to the path with a slash"
# The kind of each endpoint. A new endpoint fails the test until it is listed here.
ENDPOINTS: Mapping[str, Mapping[str, str]] = {
    "jobs/": {"GET": LIST},
    "jobs/<str:reportType>/<int:id>/": {"GET": ONE},
    "jobs/<str:reportType>/<int:id>/history/": {"GET": ONE},
    "jobs/<str:reportType>/<int:id>/refresh/": {"POST": START},
    "agencies/": {"GET": LIST},
    "agencies/<str:slug>/": {"GET": ONE},
    "agencies/<str:slug>/refresh/": {"POST": START},
    "manifests/": {"GET": LIST, "POST": EDIT},
    "manifests/validate/": {"POST": EDIT},
    "manifests/<str:reportType>/<int:id>/": {"GET": ONE, "PATCH": EDIT, "DELETE": EDIT},
    "queue/": {"GET": LIST},
    "queue/<str:requestId>/": {"GET": ONE},
    "queue/<str:requestId>/cancel/": {"POST": END},
    "runs/": {"GET": LIST},
    "runs/<str:runId>/": {"GET": ONE},
    "runs/<str:runId>/cancel/": {"POST": END},
    "runs/<str:runId>/history/": {"GET": ONE},
    "runs/<str:runId>/retry/": {"POST": START},
    "snapshots/": {"GET": LIST, "POST": START},
    "snapshots/compare/": {"GET": ONE},
    "snapshots/<int:id>/": {"GET": ONE},
    "totals/": {"GET": SUMMARY},
    "views/<str:name>/explanation/": {"GET": ONE},
    "views/<str:name>/checks/": {"GET": ONE, "POST": ADD},
    "views/<str:name>/checks/<str:check>/waive/": {"POST": DECIDE},
    "views/<str:name>/checks/<str:check>/accept/": {"POST": DECIDE},
    "views/<str:name>/checks/<str:check>/": {"GET": ONE, "PATCH": CHANGE, "DELETE": REMOVE},
    "views/<str:name>/check-results/": {"GET": ONE},
    "views/<str:name>/changed-rows/": {"GET": ONE},
    "": {"GET": ANY_LOGIN},
    "schema/": {"GET": ANY_LOGIN},
    "docs/": {"GET": ANY_LOGIN},
    r"^[\s\S]*/$": dict.fromkeys(METHODS, OTHER_PATH),
    r"^[\s\S]+$": {**dict.fromkeys(METHODS, OTHER_PATH), "GET": NO_SLASH},
}
# test_health.py and test_metrics_access.py test these.
PROBES = {"health/alive", "health/ready", "metrics"}
SIGNED = {f"freshness/<str:token>/{name}" for name in ("badge.svg", "fragment.html", "frame.html")}
KINDS = (LIST, ONE, START, END, SUMMARY, EDIT, ADD, CHANGE, REMOVE, DECIDE, ANY_LOGIN, OTHER_PATH, NO_SLASH)
_ALLOWED = {
    **dict.fromkeys((SUMMARY, LIST, ONE, END, CHANGE, DECIDE, ANY_LOGIN), 200),
    ADD: 201,
    START: 202,
    REMOVE: 204,
    EDIT: 403,
    OTHER_PATH: 404,
    NO_SLASH: 301,
}
# The status of each role for each kind.
ROLES: Mapping[str, Mapping[str, int]] = {
    "anonymous": dict.fromkeys(KINDS, 401),
    "stranger": {**dict.fromkeys(KINDS, 403), ANY_LOGIN: 200, OTHER_PATH: 404, NO_SLASH: 301},
    "wrong agency": {**dict.fromkeys(KINDS, 404), SUMMARY: 200, LIST: 200, EDIT: 403, ANY_LOGIN: 200, NO_SLASH: 301},
    "reader": {
        **dict.fromkeys(KINDS, 403),
        SUMMARY: 200,
        LIST: 200,
        ONE: 200,
        ANY_LOGIN: 200,
        OTHER_PATH: 404,
        NO_SLASH: 301,
    },
    "operator": _ALLOWED,
    "superuser": _ALLOWED,
}


@pytest.fixture(autouse=True)
def scoped(contract_tables: None, settings: Settings) -> Iterator[None]:
    settings.SEEDER = {
        "AGENCY_SCOPE": "tests.acceptance.api_clients.scope_by_last_name",
        "API_WRITE_RATE": "1000/min",
    }
    cache.clear()
    yield
    api_clients.delete_users()


@pytest.fixture
def facts(scoped: None) -> Mapping[str, str]:
    """Return a value for each placeholder, all of agency demo."""
    api_clients.create_reports()
    base, other = api_clients.capture_two_snapshots()
    version = api_clients.create_held_check()
    request_id = enqueue.enqueue_refresh(AgencyReports(slug="demo"), requested_by="a test").request_id
    Run.objects.update(cancel_requested_by="ada", stopped_by="cancelled by ada")  # so it can be cancelled again
    return {
        "<str:reportType>": "custom",
        "jobs/custom/<int:id>": "jobs/custom/1",
        "manifests/custom/<int:id>": "manifests/custom/1",
        "snapshots/<int:id>": f"snapshots/{base}",
        "<str:slug>": "demo",
        "<str:name>": "reporting.good",
        "<str:check>": "rows",
        "version": version,
        "<str:requestId>": str(request_id),
        "<str:runId>": Run.objects.get().run_id,
        r"^[\s\S]*/$": "anything/else/",
        r"^[\s\S]+$": "anything/else",
        "compare/": f"compare/?base={base}&compare={other}",
    }


def mounted_routes(patterns: list[Any], before: str = "") -> Iterator[str]:
    for pattern in patterns:
        route = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from mounted_routes(pattern.url_patterns, route)
        elif isinstance(pattern, URLPattern) and route.startswith(MOUNT):
            yield route.removeprefix(MOUNT)


def user(role: str) -> User | None:
    match role:
        case "anonymous":
            return None
        case "superuser":
            return User.objects.create_superuser(role)
        case "stranger":
            return api_clients.create_user(role)
        case "reader":
            return api_clients.create_user(role, *api_clients.READER_PERMISSIONS)
        case "wrong agency":
            return api_clients.create_user("wrong", *api_clients.OPERATOR_PERMISSIONS, agencies="harbor")
        case _:
            return api_clients.create_user(role, *api_clients.OPERATOR_PERMISSIONS)


def call(caller: APIClient, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
    return caller.generic(method, api_clients.ROOT + path, data=json.dumps(body or {}), content_type="application/json")


def body_of(method: str, path: str, facts: Mapping[str, str]) -> Mapping[str, Any] | None:
    """Return a valid body for a method that needs one."""
    decision = {"runId": facts["<str:runId>"], "reason": "r"}
    bodies: Mapping[str, Mapping[str, Any]] = {
        "POST snapshots/": {"tableName": "reporting.good", "releaseTag": "v3"},
        "POST views/reporting.good/checks/": {"name": "new", "kind": "drift", "arguments": {}},
        "PATCH views/reporting.good/checks/rows/": {"version": facts["version"], "severity": "warn"},
        "POST views/reporting.good/checks/rows/waive/": decision,
        "POST views/reporting.good/checks/rows/accept/": decision,
    }
    return bodies.get(f"{method} {path}")


def expected(role: str, method: str, endpoint: str) -> int:
    does = ENDPOINTS[endpoint].get("GET" if method == "HEAD" else method)
    if endpoint == "docs/":  # redirects to the login
        other = 405 if does is None else 200
        return 302 if role == "anonymous" else other
    if does is None:
        return 401 if role == "anonymous" else 405
    return ROLES[role][does]


def test_endpoint_access_table_lists_every_url() -> None:
    listed = PROBES | SIGNED | {f"v1/{endpoint}" for endpoint in ENDPOINTS}
    assert sorted(mounted_routes(get_resolver().url_patterns)) == sorted(listed)


@pytest.mark.parametrize("role", ROLES)
def test_endpoint_answers_each_role_and_method_as_listed(role: str, facts: Mapping[str, str]) -> None:
    caller_user = user(role)
    caller = api_clients.api_client(caller_user)
    statuses = {}
    for endpoint in ENDPOINTS:
        if endpoint == "docs/" and caller_user is not None:
            caller = APIClient()
            caller.force_login(caller_user)
        path = endpoint
        for placeholder, fact in facts.items():
            path = path.replace(placeholder, fact)
        for method in METHODS:
            answer = call(caller, method, path, body_of(method, path, facts))
            statuses[method, endpoint] = answer.status_code
            if role == "wrong agency" and method == "GET" and ENDPOINTS[endpoint].get("GET") == LIST:
                assert answer.json()["results"] == []
    wanted = {key: expected(role, *key) for key in statuses}
    assert {key: (statuses[key], code) for key, code in wanted.items() if statuses[key] != code} == {}


def test_shared_caches_keep_no_response(facts: Mapping[str, str]) -> None:
    caller = api_clients.api_client(user("reader"))
    for path in ("jobs/", "schema/"):
        answer = call(caller, "GET", path)
        assert answer["Cache-Control"] == "private, no-cache"
        assert answer["Vary"] == "Authorization, Cookie, Accept-Language"  # the last one by Django's middleware
    assert "no-store" in call(caller, "GET", "queue/none/")["Cache-Control"]


def test_totals_exclude_hidden_agencies(facts: Mapping[str, str]) -> None:
    caller = api_clients.api_client(api_clients.create_user("demo", *api_clients.READER_PERMISSIONS, agencies="demo"))
    jobs = caller.get(f"{api_clients.ROOT}jobs/").json()
    assert (jobs["count"], {job["agencySlug"] for job in jobs["results"]}) == (2, {"demo"})
    [run] = caller.get(f"{api_clients.ROOT}runs/").json()["results"]
    assert (run["manifests"], run["succeeded"], run["failed"]) == (2, 2, 0)
    assert caller.get(f"{api_clients.ROOT}jobs/", {"agency": "metro"}).json()["count"] == 0
    assert caller.get(f"{api_clients.ROOT}runs/", {"agency": "metro"}).json()["results"] == []
    rows = caller.get(f"{api_clients.ROOT}runs/{run['runId']}/history/").json()["results"]
    assert {row["agencySlug"] for row in rows} == {"demo"}


def test_unknown_agency_answers_like_hidden_agency() -> None:
    create_custom_manifest("reporting.good", "SELECT 1 AS n")
    caller = api_clients.api_client(
        api_clients.create_user("operator", *api_clients.OPERATOR_PERMISSIONS, agencies="harbor lost")
    )
    answers = [caller.post(f"{api_clients.ROOT}agencies/{slug}/refresh/") for slug in ("demo", "lost", "unknown")]
    assert {answer.status_code for answer in answers} == {404}
    assert len({(answer.json()["code"], answer.json()["detail"]) for answer in answers}) == 1


def test_session_without_csrf_token_is_rejected() -> None:
    create_custom_manifest("reporting.good", "SELECT 1 AS n")
    api_clients.create_user("operator", *api_clients.OPERATOR_PERMISSIONS)
    caller = APIClient(enforce_csrf_checks=True)
    assert caller.login(username="operator", password="secret")
    assert caller.get(f"{api_clients.ROOT}jobs/").status_code == 200
    refused = caller.post(f"{api_clients.ROOT}agencies/demo/refresh/")
    assert (refused.status_code, "CSRF" in refused.json()["detail"]) == (403, True)
    token = "x" * 32
    caller.cookies["csrftoken"] = token
    assert caller.post(f"{api_clients.ROOT}agencies/demo/refresh/", HTTP_X_CSRFTOKEN=token).status_code == 202


def test_invalid_token_is_rejected() -> None:
    caller = APIClient()
    for token in ("unknown", "\0", "ü"):
        caller.credentials(HTTP_AUTHORIZATION=f"Token {token}")
        answer = caller.get(f"{api_clients.ROOT}jobs/")
        assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Token")


def test_inactive_user_is_rejected() -> None:
    inactive = api_clients.create_user("gone", *api_clients.READER_PERMISSIONS)
    caller = api_clients.api_client(inactive)
    User.objects.filter(pk=inactive.pk).update(is_active=False)
    assert caller.get(f"{api_clients.ROOT}jobs/").status_code == 401


def test_writes_are_throttled_and_reads_are_not(settings: Settings) -> None:
    settings.SEEDER = {**settings.SEEDER, "API_WRITE_RATE": "2/hour"}
    create_custom_manifest("reporting.good", "SELECT 1 AS n")
    caller = api_clients.api_client(api_clients.create_user("operator", *api_clients.OPERATOR_PERMISSIONS))
    path = f"{api_clients.ROOT}agencies/demo/refresh/"
    assert [caller.post(path).status_code for _ in range(3)] == [202, 202, 429]
    assert 0 < int(caller.post(path)["Retry-After"]) <= 3600
    assert {caller.get(f"{api_clients.ROOT}jobs/").status_code for _ in range(3)} == {200}
    assert (
        api_clients.api_client(api_clients.create_user("another", *api_clients.OPERATOR_PERMISSIONS))
        .post(path)
        .status_code
        == 202
    )
