"""Data checks over REST: list, changes with their errors, results, and decisions on a held view."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from pytest_django import Settings
from rest_framework.test import APIClient

from seeder.api.check_serializers import CheckDecisionSerializer, CheckedRefreshSerializer, CheckSerializer
from seeder.models import DataCheck, DataCheckResult, DataCheckWaiver, RunHistory
from tests.acceptance import api_clients
from tests.acceptance.api_clients import ROOT, get
from tests.acceptance.test_api_answers import document_fields, field_names
from tests.conftest import create_custom_manifest, sql

SCOPE = "tests.acceptance.api_clients.scope_by_last_name"
CHECKS = "views/reporting.good/checks/"
NEW = {"name": "new", "kind": "accepted_values", "arguments": {"column": "n", "values": [1, "two"]}}


@pytest.fixture(autouse=True)
def held_view(contract_tables: None, settings: Settings) -> Iterator[None]:
    """A view of demo that a check holds."""
    settings.SEEDER = {"AGENCY_SCOPE": SCOPE, "API_WRITE_RATE": "1000/min"}
    cache.clear()
    api_clients.create_reports()
    api_clients.create_held_check()
    yield
    api_clients.delete_users()


@pytest.fixture
def keeper(held_view: None) -> APIClient:
    """Return a client of demo and metro that may change checks and decide, but not see data."""
    return api_clients.api_client(api_clients.create_user("ada", *api_clients.OPERATOR_PERMISSIONS))


def send(caller: APIClient, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    data = "" if body is None else json.dumps(body)
    answer = caller.generic(method.upper(), f"{ROOT}{path}", data=data, content_type="application/json")
    return answer.status_code, answer.json() if answer.content else None


def problem(caller: APIClient, method: str, path: str, body: Any = None) -> tuple[int, str]:
    """Return the status and the code of a refused request."""
    status, document = send(caller, method, path, body)
    return status, document["code"]


def seen() -> dict[str, str]:
    run_id = RunHistory.objects.filter(table_name="reporting.good").earliest("pk").run_id
    return {"runId": run_id, "reason": "month end"}


def test_documents_have_the_described_fields(keeper: APIClient) -> None:
    page = get(keeper, "views/Reporting.Good/checks/")
    described = field_names(CheckSerializer())
    for document in (page["results"][0], get(keeper, f"{CHECKS}rows/")):
        shape = document_fields(document, described)
        assert (shape.keys(), shape["lastResult"].keys()) == (described.keys(), described["lastResult"].keys())
        assert document["arguments"] == {"maxDrop": 0.2}
    [refresh] = get(keeper, "views/good/check-results/")["results"]
    assert document_fields(refresh, field_names(CheckedRefreshSerializer())).keys() == refresh.keys()
    assert (refresh["held"], refresh["results"][0]["text"]) == (True, "1 row, expected at least 8 (last accepted: 10)")
    decision = send(keeper, "post", f"{CHECKS}rows/waive/", seen())[1]
    assert decision.keys() == CheckDecisionSerializer().fields.keys()


def test_bad_rows_require_the_permission_to_see_data(keeper: APIClient) -> None:
    trusted = api_clients.api_client(api_clients.create_user("trusted", *api_clients.READER_PERMISSIONS, "view_errors"))
    for path in (f"{CHECKS}rows/", "views/reporting.good/check-results/"):
        assert ('{\\"n\\": 1}' in str(keeper.get(ROOT + path).content.decode())) is False
        assert '{\\"n\\": 1}' in trusted.get(ROOT + path).content.decode()


def test_lists_page_both_ways(keeper: APIClient) -> None:
    for number in range(3):
        DataCheck.objects.create(table_name="good", check_name=f"c{number}", kind="drift")
    first = get(keeper, CHECKS, pageSize=3)
    assert [row["name"] for row in first["results"]] == ["rows", "c0", "c1"]
    second = keeper.get(first["next"]).json()
    assert [row["name"] for row in second["results"]] == ["c2"]
    assert keeper.get(second["previous"]).json()["results"] == first["results"]


def test_checked_refreshes_page_both_ways_latest_first(keeper: APIClient) -> None:
    history, result = RunHistory.objects.get(table_name="reporting.good"), DataCheckResult.objects.get()
    for number in range(3):
        history.pk = None
        history.run_id = f"run {number}"
        history.save(force_insert=True)
        for name in ("rows", "nulls"):
            result.pk = (history.pk, name)
            result.run_id = history.run_id
            result.save(force_insert=True)
    path = "views/reporting.good/check-results/"
    first = get(keeper, path, pageSize=2)
    assert [row["runId"] for row in first["results"]] == ["run 2", "run 1"]
    assert [len(row["results"]) for row in first["results"]] == [2, 2]
    second = keeper.get(first["next"]).json()
    assert [row["runId"] for row in second["results"]] == ["run 0", seen()["runId"]]
    assert keeper.get(second["previous"]).json()["results"] == first["results"]


def test_created_check_is_changed_by_its_version_and_removed(keeper: APIClient) -> None:
    answer = keeper.post(f"{ROOT}{CHECKS}", NEW, format="json")
    created = answer.json()
    assert (answer.status_code, answer["Location"]) == (201, f"http://testserver{ROOT}{CHECKS}new/")
    assert (created["updatedBy"], created["enabled"], created["lastResult"]) == ("ada", True, None)
    assert DataCheck.objects.get(check_name="new").arguments == {"column": "n", "values": [1, "two"]}
    assert problem(keeper, "post", CHECKS, NEW) == (409, "check_exists")
    changes = {"version": created["version"], "severity": "warn", "toleratedShare": 0.5}
    status, changed = send(keeper, "patch", f"{CHECKS}new/", changes)
    assert (status, changed) == (200, get(keeper, f"{CHECKS}new/"))
    assert (changed["severity"], changed["toleratedShare"], changed["arguments"]) == ("warn", 0.5, NEW["arguments"])
    assert problem(keeper, "patch", f"{CHECKS}new/", changes) == (409, "check_changed")
    assert send(keeper, "delete", f"{CHECKS}new/") == (204, None)
    assert problem(keeper, "get", f"{CHECKS}new/") == (404, "not_found")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"kind": "rows"}, "validation_error"),
        ({"kind": "row_count"}, "bad_check"),
        ({"arguments": {"column": "n"}}, "bad_check"),
        ({"arguments": {"column": "n", "values": [True]}}, "validation_error"),
        ({"arguments": {"column": "n", "values": [10**400]}}, "bad_check"),
        ({"arguments": {"column": "n", "values": ["\ud800"]}}, "bad_check"),
        ({"arguments": {"column": "n", "values": ["a"], "max_drop": 1}}, "validation_error"),
        ({"arguments": {"column": "n", "values": ["a"], "maxDrop": 1}}, "bad_check"),
        ({"arguments": []}, "validation_error"),
        ({"name": "a/b"}, "bad_check"),
        ({"kind": "row_count", "arguments": {"min": 1}, "toleratedRows": 1}, "bad_check"),
        ({"toleratedRows": "1"}, "validation_error"),
        ({"toleratedRows": 10**16}, "validation_error"),
        ({"toleratedShare": 1.5}, "validation_error"),
        ({"enabled": 1}, "validation_error"),
        ({"severity": "warning"}, "validation_error"),
        ({"source": "checks.yaml"}, "validation_error"),
    ],
)
def test_invalid_check_is_refused(keeper: APIClient, changes: dict[str, Any], code: str) -> None:
    assert problem(keeper, "post", CHECKS, {**NEW, **changes}) == (400, code)
    assert DataCheck.objects.count() == 1


def test_sql_needs_the_setting(keeper: APIClient, settings: Settings) -> None:
    body = {"name": "sql", "kind": "condition", "arguments": {"expression": "n > 0"}}
    assert problem(keeper, "post", CHECKS, body) == (403, "sql_checks_off")
    settings.SEEDER = {**settings.SEEDER, "ALLOW_MANIFEST_EDITING": True}
    created = send(keeper, "post", CHECKS, body)[1]
    settings.SEEDER = {"AGENCY_SCOPE": SCOPE}
    changes = {"version": created["version"], "arguments": {"expression": "n > 1"}}
    assert problem(keeper, "patch", f"{CHECKS}sql/", changes) == (403, "sql_checks_off")
    assert send(keeper, "patch", f"{CHECKS}sql/", {"version": created["version"], "enabled": False})[0] == 200


def test_check_of_a_file_is_not_changed(keeper: APIClient) -> None:
    DataCheck.objects.update(source="checks.yaml")
    version = get(keeper, f"{CHECKS}rows/")["version"]
    assert problem(keeper, "patch", f"{CHECKS}rows/", {"version": version, "enabled": False}) == (409, "check_of_file")
    assert problem(keeper, "delete", f"{CHECKS}rows/") == (409, "check_of_file")


def test_repeated_waiver_permits_one_publication(keeper: APIClient) -> None:
    for _ in range(2):
        assert send(keeper, "post", f"{CHECKS}rows/waive/", {**seen(), "hours": 2})[0] == 200
    assert DataCheckWaiver.objects.filter(granted_by="ada", used_at=None).count() == 2
    assert sql("SELECT count(*) FROM reporting.seeder_check_waiver WHERE expires_at > now()") == [(1,)]
    assert send(keeper, "post", f"{CHECKS}rows/accept/", seen())[1]["expiresAt"] is None


def test_decision_needs_a_held_check_of_the_run_that_was_seen(keeper: APIClient) -> None:
    for path in (f"{CHECKS}rows/waive/", f"{CHECKS}rows/accept/"):
        assert problem(keeper, "post", path, {**seen(), "runId": "another"}) == (409, "held_again")
        assert problem(keeper, "post", path, {"runId": "another"}) == (400, "validation_error")
        assert problem(keeper, "post", path, {**seen(), "reason": " "}) == (400, "validation_error")
        assert problem(keeper, "post", path.replace("rows", "new"), seen()) == (409, "not_held")
    sql("UPDATE reporting.seeder_check_result SET figures = '{}'")
    assert problem(keeper, "post", f"{CHECKS}rows/accept/", seen()) == (409, "no_baseline")


def test_view_that_other_agencies_share_is_not_changed(keeper: APIClient) -> None:
    demo = api_clients.api_client(api_clients.create_user("demo", *api_clients.OPERATOR_PERMISSIONS, agencies="demo"))
    path = "views/reporting.shared/checks/"
    assert problem(demo, "post", path, NEW) == (403, "view_shared")
    assert problem(demo, "post", f"{path}rows/waive/", seen()) == (403, "view_shared")
    assert problem(demo, "post", "views/reporting.bad/checks/", NEW) == (404, "not_found")
    assert send(keeper, "post", path, NEW)[0] == 201
    assert [row["name"] for row in get(demo, path)["results"]] == ["new"]


def test_database_selects_one_of_several_views(keeper: APIClient, settings: Settings) -> None:
    settings.SEEDER = {**settings.SEEDER, "DATABASES": {1: "default", 2: "archive"}}
    row = create_custom_manifest("reporting.good", "SELECT 1 AS n")
    row.database_id = 2
    row.save()
    answer = keeper.post(f"{ROOT}{CHECKS}?database=archive", NEW, format="json")
    assert answer["Location"].endswith("new/?database=archive")
    assert DataCheck.objects.get(check_name="new").database_alias == "archive"
    assert [row["name"] for row in get(keeper, CHECKS, database="default")["results"]] == ["rows"]
    assert problem(keeper, "get", f"{CHECKS}new/?database=default") == (404, "not_found")
    assert problem(keeper, "get", f"{CHECKS}?database=none") == (404, "not_found")


def test_missing_table_answers_503(keeper: APIClient) -> None:
    sql("DROP TABLE reporting.seeder_check")
    for method in ("get", "post"):
        assert problem(keeper, method, CHECKS, NEW if method == "post" else None) == (503, "unavailable")
