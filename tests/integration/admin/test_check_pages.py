"""The list, the forms and the results of data checks in the admin, and decisions on held views."""

import re
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.test import Client
from pytest_django import Settings

from seeder.domain.outcomes import Outcome
from seeder.models import DataCheck, DataCheckResult, DataCheckWaiver
from tests.conftest import create_canned_report, create_custom_manifest, sql
from tests.integration.admin.admin_clients import client_with, get_page
from tests.integration.data_checks.checked_view import add_check, create_view, refresh

EDITOR = ("view_datacheck", "edit_checks", "waive_checks")
RESULTS, DECISION = "monitoring/view/checks/", "monitoring/view/checks/decide/"
VIEW = {"table": "reporting.a"}


@pytest.fixture(autouse=True)
def reports(contract_tables: None) -> Iterator[None]:
    """A view that is held because of 3 nulls and a drop to 900 rows, instead of the reports of other tests."""
    User.objects.all().delete()
    create_view()
    add_check("row_count", arguments={"max_drop": 0.05})
    add_check("not_null", arguments={"column": "status"})
    refresh()
    sql("DELETE FROM reporting.source WHERE id > 900")
    sql("UPDATE reporting.source SET status = NULL WHERE id < 4")
    assert refresh()["a"].outcome is Outcome.HELD
    yield
    User.objects.all().delete()


def check(name: str) -> DataCheck:
    return DataCheck.objects.get(check_name=name)


def post(client: Client, path: str, values: dict[str, str | list[str]], **parameters: str) -> HttpResponse:
    response = client.post(f"/admin/seeder/{path}?{urlencode(parameters)}", values)
    assert isinstance(response, HttpResponse)
    return response


def page_of(response: HttpResponse) -> str:
    return str(response.content.decode())


def opened(client: Client, name: str) -> dict[str, str | list[str]]:
    """Return the version of the form of a check."""
    version = re.search(r'name="version" value="(\w+)"', get_page(client, f"datacheck/{check(name).pk}/change/"))
    assert version
    return {"version": version[1]}


def add(client: Client, kind: str, **values: str | list[str]) -> HttpResponse:
    common = {"severity": "error", "enabled": "on", "tolerated_rows": "0", "tolerated_share": "0"}
    return post(client, "datacheck/add/", {"check_name": kind, **common, **values}, view="a", kind=kind)


def test_list_shows_last_results_and_finds_views_and_kinds() -> None:
    create_custom_manifest("reporting.b", "SELECT 1 AS n", agency="metro")
    add_check("unique", view="reporting.b", arguments={"columns": ["n"]}, severity="warn", enabled=False)
    client = client_with("view_datacheck")
    page = get_page(client, "datacheck/")
    assert page.count(">failed</a>") == 2
    assert "never run" in page
    for parameters in ({"q": "NG.B"}, {"kind": "unique"}, {"severity": "warn"}, {"enabled__exact": "0"}):
        found = get_page(client, "datacheck/", **parameters)
        assert ("reporting.b" in found, ">failed</a>" in found) == (True, False)
    assert client_with("view_jobstatus", name="stranger").get("/admin/seeder/datacheck/").status_code == 403


@pytest.mark.parametrize(
    ("kind", "values", "arguments"),
    [
        ("row_count", {"min": "1", "max_growth": "0.5"}, {"min": 1, "max_growth": 0.5}),
        ("not_null", {"column": "id"}, {"column": "id"}),
        ("unique", {"columns": ["id", "at"]}, {"columns": ["id", "at"]}),
        (
            "accepted_values",
            {"column": "status", "values": "open\r\n\r\ndone "},
            {"column": "status", "values": ["open", "done"]},
        ),
        ("range", {"column": "amount", "max": "1000"}, {"column": "amount", "max": "1000"}),
        ("freshness", {"column": "at", "max_age_hours": "1.5"}, {"column": "at", "max_age_hours": 1.5}),
        ("condition", {"expression": "id > 0\r\nAND true"}, {"expression": "id > 0\nAND true"}),
        ("query", {"query": "SELECT 1"}, {"query": "SELECT 1"}),
        ("drift", {"from_severity": "notice"}, {"from_severity": "notice"}),
    ],
)
def test_check_of_each_kind_is_added(
    kind: str, values: dict[str, str | list[str]], arguments: dict[str, object], settings: Settings
) -> None:
    settings.SEEDER = {"ALLOW_MANIFEST_EDITING": True}
    DataCheck.objects.all().delete()
    assert add(client_with(*EDITOR), kind, **values).status_code == 302
    row = check(kind)
    assert (row.table_name, row.kind, row.arguments, row.updated_by) == ("reporting.a", kind, arguments, "user")
    assert refresh()["a"].checks[0].message is None


def test_invalid_values_are_shown_at_their_fields() -> None:
    client = client_with(*EDITOR)
    page = page_of(add(client, "row_count", check_name="new"))
    assert "row_count needs one of min, max, max_drop, max_growth" in page
    page = page_of(add(client, "row_count", check_name="a/b", min="1"))
    assert re.search(r'class="field check_name invalid">.*and no slash', page, re.DOTALL)
    page = page_of(add(client, "row_count", min="1"))
    assert "already has a data check row_count" in page
    page = page_of(add(client, "not_null", check_name="new", column="missing"))
    assert "missing is not one of the available choices" in page
    assert "No manifest names the table" in get_page(client, "datacheck/add/", view="reporting.x", kind="drift")
    assert DataCheck.objects.count() == 2


def test_sql_needs_the_setting_and_other_fields_do_not(settings: Settings) -> None:
    client = client_with(*EDITOR)
    assert "SEEDER_ALLOW_MANIFEST_EDITING=true" in page_of(add(client, "query", query="SELECT 1"))
    add_check("condition", arguments={"expression": "true"})
    values = {**opened(client, "condition"), "severity": "warn", "tolerated_rows": "0", "tolerated_share": "0"}
    path = f"datacheck/{check('condition').pk}/change/"
    assert post(client, path, {**values, "expression": "pg_sleep(9) IS NULL"}).status_code == 302
    assert (check("condition").arguments, check("condition").severity) == ({"expression": "true"}, "warn")


def test_outdated_form_stores_nothing() -> None:
    client, path = client_with(*EDITOR), f"datacheck/{check('row_count').pk}/change/"
    values = {**opened(client, "row_count"), "severity": "error", "enabled": "on"}
    DataCheck.objects.update(severity="warn")
    assert "was changed after you opened it" in page_of(post(client, path, {**values, "min": "7"}))
    assert post(client, path, {**values, **opened(client, "row_count"), "min": "7"}).status_code == 302
    assert (check("row_count").arguments, check("row_count").severity) == ({"min": 7}, "error")
    assert LogEntry.objects.get().change_message == '[{"changed": {"fields": ["arguments", "severity"]}}]'


@pytest.mark.parametrize(
    ("permissions", "source", "reason"),
    [
        (("view_datacheck",), None, "that needs the permission seeder.edit_checks"),
        (EDITOR, "checks.yaml", "is kept in the file checks.yaml"),
    ],
)
def test_page_without_editing_is_read_only_and_says_why(
    permissions: tuple[str, ...], source: str | None, reason: str
) -> None:
    DataCheck.objects.update(source=source)
    client, row = client_with(*permissions), check("row_count")
    path = f"datacheck/{row.pk}/change/"
    page = get_page(client, path)
    assert (reason in page, "<select" in page, "max_drop" in page) == (True, False, True)
    assert post(client, path, {"min": "1", "severity": "warn"}).status_code == 403
    post(client, "datacheck/", {"action": "remove", "_selected_action": str(row.pk), "confirmed": "1"})
    assert check("row_count") == row


def test_checks_are_disabled_and_removed_after_confirmation() -> None:
    client, row = client_with(*EDITOR), check("row_count")
    DataCheck.objects.filter(pk=row.pk).update(kind="unreadable")
    assert "cannot be read: the kind" in get_page(client, "datacheck/")
    for action in ("disable", "remove"):
        selected: dict[str, str | list[str]] = {"action": action, "_selected_action": str(row.pk)}
        assert "these data checks?" in page_of(post(client, "datacheck/", selected))
        assert check("row_count").enabled
        post(client, "datacheck/", {**selected, "confirmed": "1"})
        assert not DataCheck.objects.filter(pk=row.pk, enabled=True).exists()
        DataCheck.objects.filter(pk=row.pk).update(enabled=True)
    assert not DataCheck.objects.filter(pk=row.pk).exists()


def test_bad_rows_are_shown_only_with_the_permission_to_see_data() -> None:
    reader, trusted = client_with("view_datacheck"), client_with("view_datacheck", "view_errors", name="trusted")
    hidden, shown = get_page(reader, RESULTS, **VIEW), get_page(trusted, RESULTS, **VIEW)
    for page in (hidden, shown):
        assert "900 rows, expected at least 950 (last accepted: 1,000)" in page
        assert "Publish anyway" not in page
    assert ("<td>null</td>" in hidden, "<td>null</td>" in shown) == (False, True)
    assert "require seeder.view_errors" in hidden
    assert reader.get(f"/admin/seeder/{DECISION}", VIEW).status_code == 403


def test_check_of_an_unknown_database_can_be_removed() -> None:
    client, row = client_with(*EDITOR), check("not_null")
    for name in ("reporting.a", "a.b.c"):
        DataCheck.objects.filter(pk=row.pk).update(database_alias="nowhere", table_name=name)
        assert "never run" in get_page(client, f"datacheck/{row.pk}/change/")
    post(client, "datacheck/", {"action": "remove", "_selected_action": str(row.pk), "confirmed": "1"})
    assert not DataCheck.objects.filter(pk=row.pk).exists()


def test_result_is_described_by_the_rule_that_judged_it() -> None:
    client = client_with(*EDITOR)
    values = {**opened(client, "not_null"), "column": "id", "severity": "error"}
    post(client, f"datacheck/{check('not_null').pk}/change/", {**values, "tolerated_rows": "0", "tolerated_share": "0"})
    text = "3 of 900 rows with a null in column &quot;status&quot;"
    assert text in get_page(client, RESULTS, **VIEW)
    assert text in get_page(client, f"datacheck/{check('not_null').pk}/change/")
    DataCheckResult.objects.update(arguments={})  # as before results had them
    assert "rows 900, bad_rows 3, tolerated 0" in get_page(client, RESULTS, **VIEW)


def test_held_view_is_published_anyway_after_confirmation() -> None:
    client = client_with(*EDITOR, "view_jobstatus")
    assert "<title>reporting.a: held, data of " in get_page(client, "monitoring/view/", **VIEW)
    page = get_page(client, DECISION, **VIEW, decision="publish_once")
    [run] = re.findall(r'name="run" value="([^"]+)"', page)
    values: dict[str, str | list[str]] = {"checks": ["row_count", "not_null"], "hours": "3", "run": run}
    assert "This field is required" in page_of(post(client, DECISION, values, **VIEW, decision="publish_once"))
    assert not DataCheckWaiver.objects.exists()
    post(client, DECISION, {**values, "reason": "month end"}, **VIEW, decision="publish_once")
    assert set(DataCheckWaiver.objects.values_list("decision", "granted_by")) == {("publish_once", "user")}
    assert "Unused waivers" in get_page(client, RESULTS, **VIEW)
    assert refresh()["a"].outcome is Outcome.REFRESHED


def test_only_a_comparison_with_accepted_rows_becomes_the_baseline() -> None:
    client = client_with(*EDITOR)
    page = get_page(client, DECISION, **VIEW, decision="accept")
    assert "1 other data check also holds the view" in page
    [run] = re.findall(r'name="run" value="([^"]+)"', page)
    refresh()
    values: dict[str, str | list[str]] = {"checks": "row_count", "run": run, "reason": "fewer agencies"}
    outdated = page_of(post(client, DECISION, values, **VIEW, decision="accept"))
    assert "was held again since run" in outdated
    [run] = re.findall(r'name="run" value="([^"]+)"', get_page(client, DECISION, **VIEW, decision="accept"))
    assert post(client, DECISION, {**values, "run": run}, **VIEW, decision="accept").status_code == 302
    assert [row.decision for row in DataCheckWaiver.objects.all()] == ["accept"]


def test_user_of_one_agency_decides_only_on_its_own_views(settings: Settings) -> None:
    settings.SEEDER = {"AGENCY_SCOPE": "tests.integration.admin.admin_clients.scope_by_name"}
    create_custom_manifest("reporting.b", "SELECT 1 AS n", agency="metro")
    hidden = add_check("drift", view="reporting.b")
    create_canned_report("reporting.c", "SELECT 1 AS n", agencies=("demo", "metro"))
    shared = add_check("drift", view="reporting.c", name="shared")
    demo = client_with(*EDITOR, name="demo")
    page = get_page(demo, "datacheck/")
    assert ("reporting.b" in page, "reporting.c" in page) == (False, True)
    assert demo.get(f"/admin/seeder/datacheck/{hidden.pk}/change/").status_code == 404
    assert demo.get(f"/admin/seeder/{RESULTS}", {"table": "reporting.b"}).status_code == 404
    values = {**opened(demo, "shared"), "from_severity": "notice", "severity": "warn"}
    page = page_of(post(demo, f"datacheck/{shared.pk}/change/", values))
    assert "also belongs to agencies that you may not see" in page
    assert check("shared").severity == "error"
