"""Manifests over REST: list, validation, and changes with their errors."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from pytest_django import Settings
from rest_framework.test import APIClient

from seeder.api.manifest_serializers import ManifestSerializer, QueryTrialSerializer
from seeder.models import CannedReport, CannedReportManifest, CustomReportManifest
from tests.acceptance import api_clients
from tests.acceptance.api_clients import ROOT, get
from tests.conftest import sql

EDITOR = ("view_manifests", "edit_manifests")
SCOPE = "tests.acceptance.api_clients.scope_by_last_name"
NEW = {
    "reportType": "custom",
    "agencySlug": "demo",
    "tableName": "reporting.new",
    "reportName": "New",
    "query": "SELECT 1 AS n",
    "databaseId": 1,
}
QUERY = {name: NEW[name] for name in ("tableName", "query", "databaseId")}


@pytest.fixture(autouse=True)
def editing(contract_tables: None, settings: Settings) -> Iterator[None]:
    settings.SEEDER = {"AGENCY_SCOPE": SCOPE, "ALLOW_MANIFEST_EDITING": True, "API_WRITE_RATE": "1000/min"}
    cache.clear()
    api_clients.create_reports()
    yield
    api_clients.delete_users()


@pytest.fixture
def editor(editing: None) -> APIClient:
    """Return a client of demo and metro."""
    return api_clients.api_client(api_clients.create_user("ada", *EDITOR))


def send(caller: APIClient, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    answer = getattr(caller, method)(f"{ROOT}manifests/{path}", body, format="json")
    return answer.status_code, answer.json() if answer.content else None


def problem(caller: APIClient, method: str, path: str, body: Any = None) -> tuple[int, str]:
    """Return the status and the code of a refused request."""
    status, document = send(caller, method, path, body)
    return status, document["code"]


def test_list_has_queries_and_drift_and_pages_both_ways(editor: APIClient) -> None:
    CustomReportManifest.objects.filter(table_name="reporting.good").update(query="SELECT 2 AS n")
    page = get(editor, "manifests/")
    assert [(row["reportType"], row["tableName"], row["drift"]["state"]) for row in page["results"]] == [
        ("custom", "reporting.good", "different"),
        ("custom", "reporting.bad", "missing"),
        ("canned", "reporting.shared", "none"),
        ("canned", "reporting.shared", "none"),
    ]
    assert page["results"][0].keys() == ManifestSerializer().fields.keys()
    assert page["results"][0]["query"] == "SELECT 2 AS n"
    first = get(editor, "manifests/", pageSize=3)
    second = editor.get(first["next"]).json()
    assert first["results"] + second["results"] == page["results"]
    assert editor.get(second["previous"]).json()["results"] == first["results"]
    found = get(editor, "manifests/", agency="metro,harbor", reportType="canned")["results"]
    assert [row["agencySlug"] for row in found] == ["metro"]
    assert len(get(editor, "manifests/", reportType="custom,canned")["results"]) == 4


def test_manifests_of_other_agencies_are_not_found(editor: APIClient) -> None:
    demo = api_clients.api_client(api_clients.create_user("demo", *EDITOR, agencies="demo"))
    bad = CustomReportManifest.objects.get(table_name="reporting.bad")
    assert {row["agencySlug"] for row in get(demo, "manifests/")["results"]} == {"demo"}
    changes = {"version": "x", "enabled": False}
    for method, body in (("get", None), ("patch", changes)):
        assert problem(demo, method, f"custom/{bad.pk}/", body) == (404, "not_found")
        assert problem(demo, method, "none/1/", body) == (404, "not_found")
    assert problem(demo, "post", "", {**NEW, "agencySlug": "metro"}) == (400, "bad_manifest")
    assert problem(demo, "post", "", {**NEW, "tableName": "reporting.bad"}) == (409, "view_taken")
    assert problem(demo, "post", "validate/", {**QUERY, "tableName": "reporting.bad"}) == (409, "view_taken")
    subscription = CannedReportManifest.objects.get(agency_slug="demo")
    found = get(demo, f"manifests/canned/{subscription.pk}/")
    changes = {"version": found["version"], "query": "SELECT 3 AS n"}
    assert problem(demo, "patch", f"canned/{subscription.pk}/", changes) == (403, "report_shared")
    assert send(editor, "patch", f"canned/{subscription.pk}/", changes)[0] == 200


def test_editing_needs_the_setting(editor: APIClient, settings: Settings) -> None:
    settings.SEEDER = {"AGENCY_SCOPE": SCOPE}
    for method, path in (("post", ""), ("post", "validate/"), ("patch", "custom/1/"), ("delete", "canned/1/")):
        assert problem(editor, method, path, {}) == (403, "editing_off")
    assert get(editor, "manifests/")["results"]


def test_created_manifest_is_changed_by_its_version(editor: APIClient) -> None:
    status, created = send(editor, "post", "", NEW)
    assert (status, created["agencyId"], created["enabled"], created["drift"]["state"]) == (201, 1, True, "missing")
    path = f"custom/{created['id']}/"
    changes = {"version": created["version"], "query": "SELECT 2 AS n", "enabled": False}
    status, changed = send(editor, "patch", path, changes)
    assert (status, changed["query"], changed["enabled"]) == (200, "SELECT 2 AS n", False)
    assert changed == get(editor, f"manifests/{path}")
    assert problem(editor, "patch", path, {**changes, "query": "SELECT 3 AS n"}) == (409, "manifest_changed")
    assert CustomReportManifest.objects.get(pk=created["id"]).query == "SELECT 2 AS n"
    assert problem(editor, "delete", path) == (405, "method_not_allowed")


def test_repeated_creation_is_refused(editor: APIClient) -> None:
    assert send(editor, "post", "", NEW)[0] == 201
    assert problem(editor, "post", "", NEW) == (409, "manifest_exists")
    assert send(editor, "post", "", {**NEW, "agencySlug": "metro"})[0] == 201
    canned = {**NEW, "reportType": "canned", "tableName": "reporting.canned"}
    assert send(editor, "post", "", canned)[0] == 201
    assert problem(editor, "post", "", {**canned, "agencySlug": "metro"}) == (409, "report_exists")


def test_agency_is_subscribed_to_new_and_existing_reports(editor: APIClient) -> None:
    status, created = send(editor, "post", "", {**NEW, "reportType": "canned"})
    assert (status, created["reportType"], created["agencySlug"]) == (201, "canned", "demo")
    body = {"reportType": "canned", "agencySlug": "metro", "cannedReportId": created["cannedReportId"]}
    assert send(editor, "post", "", body)[0] == 201
    assert problem(editor, "post", "", body) == (409, "already_subscribed")
    assert send(editor, "delete", f"canned/{created['id']}/") == (204, None)
    assert problem(editor, "get", f"canned/{created['id']}/") == (404, "not_found")
    assert CannedReport.objects.filter(pk=created["cannedReportId"]).exists()


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"query": "SELECT 1; DROP TABLE reporting.seeder_run_history"}, "query_refused"),
        ({"query": ""}, "validation_error"),
        ({"query": "SELECT 1\0"}, "validation_error"),
        ({"query": "x" * 50_001}, "validation_error"),
        ({"tableName": "a.b.c"}, "bad_name"),
        ({"databaseId": "1"}, "validation_error"),
        ({"databaseId": 2**31}, "validation_error"),
        ({"enabled": "yes"}, "validation_error"),
        ({"unknown": 1}, "validation_error"),
        ({"cannedReportId": 1}, "validation_error"),
        ({"reportName": "two\nlines"}, "bad_manifest"),
        ({"agencyId": 9}, "bad_manifest"),
    ],
)
def test_invalid_manifest_is_refused(editor: APIClient, changes: dict[str, Any], code: str) -> None:
    assert problem(editor, "post", "", {**NEW, **changes}) == (400, code)
    assert not CustomReportManifest.objects.filter(table_name="reporting.new").exists()


def test_validation_answers_plan_columns_and_position_of_errors(editor: APIClient) -> None:
    sql("CREATE TABLE reporting.source AS SELECT 'hidden value' AS word")
    query = "SELECT word, 1 AS n FROM reporting.source"
    status, trial = send(editor, "post", "validate/", {**QUERY, "query": query})
    assert (status, trial["problem"], trial["firstRows"], trial["warnings"]) == (200, None, None, [])
    assert trial.keys() == QueryTrialSerializer().fields.keys()
    assert trial["columns"] == [{"name": "word", "type": "text"}, {"name": "n", "type": "integer"}]
    assert trial["relations"] == [{"name": "reporting.source", "canSelect": True}]
    trusted = api_clients.api_client(api_clients.create_user("trusted", *EDITOR, "view_errors"))
    rows = send(trusted, "post", "validate/", {**QUERY, "query": query})[1]["firstRows"]
    assert rows == {"columnNames": ["word", "n"], "rows": [["hidden value", "1"]], "hasMore": False}
    refused = send(editor, "post", "validate/", {**QUERY, "query": "SELECT 1,\n missing"})[1]["problem"]
    assert (refused["sqlstate"], refused["line"], refused["column"]) == ("42703", 2, 2)


def test_role_that_may_not_write_answers_503(editor: APIClient) -> None:
    sql("CREATE ROLE web_of_api")
    try:
        sql("GRANT USAGE ON SCHEMA reporting, public TO web_of_api")
        sql("GRANT SELECT ON ALL TABLES IN SCHEMA reporting, public TO web_of_api")
        sql("SET ROLE web_of_api")
        assert problem(editor, "post", "", NEW) == (503, "unavailable")
    finally:
        sql("RESET ROLE")
        sql("DROP OWNED BY web_of_api; DROP ROLE web_of_api")
