"""Who may do what: every address of the API, by every role, with every method."""

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
LIST, ONE, START = "a list", "one thing", "starts something"
ANYBODY, NOWHERE = "for whoever has logged in", "anything else"
# What stands behind each address. A new one fails the test until it is listed here.
ADDRESSES: Mapping[str, Mapping[str, str]] = {
    "jobs/": {"GET": LIST},
    "jobs/<str:reportType>/<int:id>/": {"GET": ONE},
    "jobs/<str:reportType>/<int:id>/history/": {"GET": ONE},
    "jobs/<str:reportType>/<int:id>/refresh/": {"POST": START},
    "agencies/<str:slug>/refresh/": {"POST": START},
    "queue/<str:requestId>/": {"GET": ONE},
    "runs/": {"GET": LIST},
    "runs/<str:runId>/": {"GET": ONE},
    "runs/<str:runId>/history/": {"GET": ONE},
    "snapshots/": {"GET": LIST, "POST": START},
    "snapshots/compare/": {"GET": ONE},
    "snapshots/<int:id>/": {"GET": ONE},
    "schema/": {"GET": ANYBODY},
    "docs/": {"GET": ANYBODY},
    r"^[\s\S]*/$": dict.fromkeys(METHODS, NOWHERE),
}
# For programs, and not the API's: test_health.py and test_metrics.py hold them.
PROBES = {"health/alive", "health/ready", "metrics"}
# What each role is answered to each of these.
ROLES: Mapping[str, Mapping[str, int]] = {
    "anonymous": {LIST: 401, ONE: 401, START: 401, ANYBODY: 401, NOWHERE: 401},
    "stranger": {LIST: 403, ONE: 403, START: 403, ANYBODY: 200, NOWHERE: 404},
    "wrong agency": {LIST: 200, ONE: 404, START: 404, ANYBODY: 200, NOWHERE: 404},
    "reader": {LIST: 200, ONE: 200, START: 403, ANYBODY: 200, NOWHERE: 404},
    "operator": {LIST: 200, ONE: 200, START: 202, ANYBODY: 200, NOWHERE: 404},
    "superuser": {LIST: 200, ONE: 200, START: 202, ANYBODY: 200, NOWHERE: 404},
}


@pytest.fixture(autouse=True)
def scoped(contract_tables: None, settings: Settings) -> Iterator[None]:
    settings.SEEDER = {"AGENCY_SCOPE": "tests.acceptance.api_clients.scope_by_last_name"}
    cache.clear()
    yield
    api_clients.delete_users()


@pytest.fixture
def facts(scoped: None) -> Mapping[str, str]:
    """What the addresses are filled with: all of it the agency demo's."""
    api_clients.create_reports()
    base, other = api_clients.capture_two_snapshots()
    request_id = enqueue.enqueue_refresh(AgencyReports(slug="demo"), requested_by="a test").request_id
    return {
        "<str:reportType>": "custom",
        "jobs/custom/<int:id>": "jobs/custom/1",
        "snapshots/<int:id>": f"snapshots/{base}",
        "<str:slug>": "demo",
        "<str:requestId>": str(request_id),
        "<str:runId>": Run.objects.get().run_id,
        r"^[\s\S]*/$": "anything/else/",
        "compare/": f"compare/?base={base}&compare={other}",
    }


def walked(patterns: list[Any], before: str = "") -> Iterator[str]:
    for pattern in patterns:
        route = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from walked(pattern.url_patterns, route)
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


def call(caller: APIClient, method: str, path: str) -> Any:
    body = {"tableName": "reporting.good", "releaseTag": "v3"} if path == "snapshots/" and method == "POST" else {}
    return caller.generic(
        method, api_clients.ROOT + path, data=str(body).replace("'", '"'), content_type="application/json"
    )


def expected(role: str, method: str, address: str) -> int:
    does = ADDRESSES[address].get("GET" if method == "HEAD" else method)
    if address == "docs/":  # a page for people, who are sent to the login
        does_not = 405 if does is None else 200
        return 302 if role == "anonymous" else does_not
    if does is None:
        return 401 if role == "anonymous" else 405
    return ROLES[role][does]


def test_every_address_is_listed() -> None:
    listed = PROBES | {f"v1/{address}" for address in ADDRESSES}
    assert sorted(walked(get_resolver().url_patterns)) == sorted(listed)


@pytest.mark.parametrize("role", ROLES)
def test_every_address_by_every_method(role: str, facts: Mapping[str, str]) -> None:
    who = user(role)
    caller = api_clients.api_client(who)
    seen = {}
    for address in ADDRESSES:
        if address == "docs/" and who is not None:
            caller = APIClient()
            caller.force_login(who)
        path = address
        for placeholder, fact in facts.items():
            path = path.replace(placeholder, fact)
        for method in METHODS:
            answer = call(caller, method, path)
            seen[method, address] = answer.status_code
            if role == "wrong agency" and method == "GET" and ADDRESSES[address].get("GET") == LIST:
                assert answer.json()["results"] == []
    wanted = {key: expected(role, *key) for key in seen}
    assert {key: (seen[key], code) for key, code in wanted.items() if seen[key] != code} == {}


def test_no_answer_is_kept_for_somebody_else(facts: Mapping[str, str]) -> None:
    caller = api_clients.api_client(user("reader"))
    for path in ("jobs/", "queue/none/", "schema/"):
        assert "no-store" in call(caller, "GET", path)["Cache-Control"]


def test_the_counts_of_others_are_not_told(facts: Mapping[str, str]) -> None:
    caller = api_clients.api_client(api_clients.create_user("demo", *api_clients.READER_PERMISSIONS, agencies="demo"))
    jobs = caller.get(f"{api_clients.ROOT}jobs/").json()
    assert (jobs["count"], {job["agencySlug"] for job in jobs["results"]}) == (2, {"demo"})
    [run] = caller.get(f"{api_clients.ROOT}runs/").json()["results"]
    assert (run["manifests"], run["succeeded"], run["failed"]) == (2, 2, 0)
    assert caller.get(f"{api_clients.ROOT}jobs/", {"agency": "metro"}).json()["count"] == 0
    assert caller.get(f"{api_clients.ROOT}runs/", {"agency": "metro"}).json()["results"] == []
    rows = caller.get(f"{api_clients.ROOT}runs/{run['runId']}/history/").json()["results"]
    assert {row["agencySlug"] for row in rows} == {"demo"}


def test_an_agency_that_nobody_knows_looks_like_one_of_others() -> None:
    create_custom_manifest("reporting.good", "SELECT 1 AS n")
    caller = api_clients.api_client(
        api_clients.create_user("operator", *api_clients.OPERATOR_PERMISSIONS, agencies="harbor lost")
    )
    answers = [caller.post(f"{api_clients.ROOT}agencies/{slug}/refresh/") for slug in ("demo", "lost", "nobody's")]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1


def test_a_session_takes_the_csrf_check() -> None:
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


def test_a_wrong_token_is_nobody() -> None:
    caller = APIClient()
    for token in ("nobody's", "\0", "ü"):
        caller.credentials(HTTP_AUTHORIZATION=f"Token {token}")
        answer = caller.get(f"{api_clients.ROOT}jobs/")
        assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Token")


def test_a_user_who_was_locked_out_stays_out() -> None:
    who = api_clients.create_user("gone", *api_clients.READER_PERMISSIONS)
    caller = api_clients.api_client(who)
    User.objects.filter(pk=who.pk).update(is_active=False)
    assert caller.get(f"{api_clients.ROOT}jobs/").status_code == 401


def test_calls_that_start_something_are_throttled_and_reads_are_not(settings: Settings) -> None:
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
