"""The lists and pages of manifests in the admin: access, check, save, actions."""

import re

import pytest
from django.contrib.admin.models import LogEntry
from django.http import HttpResponse
from django.test import Client
from pytest_django import Settings

from seeder.models import CannedReport, CannedReportManifest, CustomReportManifest
from tests.conftest import create_custom_manifest, sql
from tests.integration.admin.admin_clients import client_with, get_page

EDITOR = ("view_manifests", "edit_manifests", "view_jobstatus")
SCOPE = "tests.integration.admin.admin_clients.scope_by_name"
VALUES = {
    "report_name": "New",
    "agency_slug": "demo",
    "table_name": "reporting.new",
    "database_id": "1",
    "enabled": "on",
    "query": "SELECT 1 AS n\r\nFROM reporting.source",
}


@pytest.fixture(autouse=True)
def editing(settings: Settings, reports: None) -> None:
    settings.SEEDER = {"ALLOW_MANIFEST_EDITING": True}
    sql("CREATE TABLE IF NOT EXISTS reporting.source AS SELECT 'hidden value' AS word")


def post(client: Client, path: str, **values: str) -> HttpResponse:
    response = client.post(f"/admin/seeder/{path}", values)
    assert isinstance(response, HttpResponse)
    return response


def form_of(client: Client, path: str) -> dict[str, str]:
    """Return the version of the form of a page."""
    version = re.search(r'name="version" value="(\w+)"', get_page(client, path))
    assert version
    return {"version": version[1]}


def good() -> CustomReportManifest:
    return CustomReportManifest.objects.get(table_name="reporting.good")


def test_lists_show_agency_status_and_drift() -> None:
    CustomReportManifest.objects.filter(table_name="reporting.good").update(query="SELECT 2 AS n")
    reader = client_with("view_manifests")
    page = get_page(reader, "customreportmanifest/")
    for text in ("other query", "no view yet", "succeeded", "failed", "metro"):
        assert text in page
    assert "Report reporting.good" in get_page(reader, "customreportmanifest/", q="GOOD")
    assert "Report reporting.bad" not in get_page(reader, "customreportmanifest/", q="GOOD")
    assert "Canned reporting.shared" in get_page(reader, "cannedreport/")
    assert '<span class="query" title="SELECT 2 AS n">SELECT 2 AS n</span>' in page
    assert "SELECT 2 AS n" in get_page(reader, "cannedreport/")
    assert get_page(reader, "cannedreportmanifest/").count(">SELECT 2 AS n</span>") == 2
    assert get_page(reader, "cannedreportmanifest/").count("Canned reporting.shared") == 2


def test_manifest_pages_need_the_permission() -> None:
    stranger = client_with("view_jobstatus")
    for path in ("customreportmanifest/", f"customreportmanifest/{good().pk}/change/", "cannedreport/add/"):
        assert stranger.get(f"/admin/seeder/{path}").status_code == 403


@pytest.mark.parametrize(
    ("permissions", "setting", "reason"),
    [
        (("view_manifests",), "on", "that needs the permission seeder.edit_manifests"),
        (EDITOR, "off", "SEEDER_ALLOW_MANIFEST_EDITING=true"),
    ],
)
def test_page_without_editing_is_read_only_and_says_why(
    permissions: tuple[str, ...], setting: str, reason: str, settings: Settings
) -> None:
    settings.SEEDER = {"ALLOW_MANIFEST_EDITING": setting}
    client, path = client_with(*permissions), f"customreportmanifest/{good().pk}/change/"
    page = get_page(client, path)
    assert (reason in page, "<textarea" in page, "SELECT 1 AS n" in page) == (True, False, True)
    assert reason in get_page(client, "customreportmanifest/")
    assert 'value="disable"' not in get_page(client, "customreportmanifest/")
    assert post(client, path, **VALUES).status_code == 403
    assert post(client, path, **VALUES, _check="1").status_code == 403
    assert client.get("/admin/seeder/customreportmanifest/add/").status_code == 403
    assert good().query == "SELECT 1 AS n"


def test_role_that_may_not_write_is_named_in_one_line() -> None:
    sql("CREATE ROLE web_reader")
    try:
        sql("GRANT USAGE ON SCHEMA reporting, public TO web_reader")
        sql("GRANT SELECT ON ALL TABLES IN SCHEMA reporting, public TO web_reader")
        sql("GRANT UPDATE ON public.django_session, public.auth_user TO web_reader")
        client = client_with(*EDITOR)
        sql("SET ROLE web_reader")
        page = get_page(client, "cannedreport/")
        assert "GRANT INSERT, UPDATE ON reporting.seeder_canned_report TO web_reader;" in page
    finally:
        sql("RESET ROLE")
        sql("DROP OWNED BY web_reader; DROP ROLE web_reader")


def test_check_shows_the_query_and_stores_nothing() -> None:
    client = client_with(*EDITOR)
    page = post(client, "customreportmanifest/add/", **VALUES, _check="1").content.decode()
    assert "PostgreSQL accepts the query." in page
    for text in ("Seq Scan on source", ">integer<", "reporting.source"):
        assert text in page
    assert "First rows" not in page  # needs view_errors
    assert "SELECT 1 AS n\nFROM reporting.source</textarea>" in page.replace("\r", "")
    assert not CustomReportManifest.objects.filter(table_name="reporting.new").exists()
    assert not LogEntry.objects.exists()


def test_first_rows_need_the_permission_to_see_data() -> None:
    trusted = client_with(*EDITOR, "view_errors")
    values = {**VALUES, "query": "SELECT word FROM reporting.source", "_check": "1"}
    assert "hidden value" in post(trusted, "customreportmanifest/add/", **values).content.decode()


def test_refused_query_is_marked_at_its_position() -> None:
    values = {**VALUES, "query": "SELECT 1 AS n,\r\n  missing\r\nFROM reporting.source"}
    client = client_with(*EDITOR)
    page = post(client, "customreportmanifest/add/", **values, _check="1").content.decode()
    assert "(line 2, column 3)" in page
    assert "<mark>m</mark>issing" in page
    saved = post(client, "customreportmanifest/add/", **values).content.decode()
    assert "PostgreSQL refuses the query at line 2, column 3" in saved
    assert not CustomReportManifest.objects.filter(table_name="reporting.new").exists()


def test_saved_manifest_is_stored_with_line_ends_of_files() -> None:
    client = client_with(*EDITOR)
    response = post(client, "customreportmanifest/add/", **VALUES)
    row = CustomReportManifest.objects.get(table_name="reporting.new")
    assert response["Location"] == f"/admin/seeder/customreportmanifest/{row.pk}/change/"
    assert (row.query, row.agency_id, row.enabled) == ("SELECT 1 AS n\nFROM reporting.source", 1, True)
    assert LogEntry.objects.get().user.username == "user"
    assert "New of demo is stored." in get_page(client, f"customreportmanifest/{row.pk}/change/")
    assert "Added." in get_page(client, f"customreportmanifest/{row.pk}/history/")


def test_form_of_an_outdated_version_stores_nothing() -> None:
    client, path = client_with(*EDITOR), f"customreportmanifest/{good().pk}/change/"
    opened = form_of(client, path)
    CustomReportManifest.objects.filter(pk=good().pk).update(query="SELECT 7 AS n")
    values = {**VALUES, **opened, "query": "SELECT 8 AS n", "table_name": "reporting.good"}
    page = post(client, path, **values).content.decode()
    assert "was changed after you opened it" in page
    assert good().query == "SELECT 7 AS n"
    assert post(client, path, **{**values, "version": ""}).status_code == 200
    assert good().query == "SELECT 7 AS n"
    post(client, path, **{**values, **form_of(client, path)})
    assert good().query == "SELECT 8 AS n"


def test_scoped_editor_sees_and_edits_only_own_agencies(settings: Settings) -> None:
    settings.SEEDER = {"ALLOW_MANIFEST_EDITING": True, "AGENCY_SCOPE": SCOPE}
    demo = client_with(*EDITOR, name="demo")
    bad = CustomReportManifest.objects.get(table_name="reporting.bad")
    assert "reporting.bad" not in get_page(demo, "customreportmanifest/")
    assert demo.get(f"/admin/seeder/customreportmanifest/{bad.pk}/change/").status_code == 404
    assert post(demo, f"customreportmanifest/{bad.pk}/change/", **VALUES).status_code == 404
    post(demo, "customreportmanifest/", action="disable", _selected_action=str(bad.pk), confirmed="1")
    assert CustomReportManifest.objects.get(pk=bad.pk).enabled
    assert (
        "none of your agencies"
        in post(demo, "customreportmanifest/add/", **{**VALUES, "agency_slug": "metro"}).content.decode()
    )
    taken = {**VALUES, "table_name": "reporting.bad", "_check": "1"}
    assert "Another agency" in post(demo, "customreportmanifest/add/", **taken).content.decode()
    report = CannedReport.objects.get()
    path = f"cannedreport/{report.pk}/change/"
    page = get_page(demo, path)
    assert "metro" not in page
    values = {**form_of(demo, path), "report_name": "X", "table_name": "reporting.shared", "database_id": "1"}
    assert "subscribers that you may not see" in post(demo, path, **values, query="SELECT 2 AS n").content.decode()
    assert CannedReport.objects.get().query == "SELECT 2 AS n" == report.query


def test_manifests_are_disabled_after_confirmation() -> None:
    client, row = client_with(*EDITOR), good()
    selected = {"action": "disable", "_selected_action": str(row.pk)}
    page = post(client, "customreportmanifest/", **selected).content.decode()
    assert "Disable these manifests?" in page
    assert good().enabled
    post(client, "customreportmanifest/", **selected, confirmed="1")
    assert not good().enabled
    assert LogEntry.objects.get().change_message == '[{"changed": {"fields": ["enabled"]}}]'


def test_agency_is_subscribed_and_removed() -> None:
    client, report = client_with(*EDITOR), CannedReport.objects.get()
    create_custom_manifest("reporting.other", "SELECT 1 AS n", agency="harbor")
    assert f'value="{report.pk}" selected' in get_page(client, "cannedreportmanifest/add/", report=str(report.pk))
    values = {"report": str(report.pk), "agency_slug": "harbor"}
    assert post(client, "cannedreportmanifest/add/", **values).status_code == 302
    assert "already subscribes" in post(client, "cannedreportmanifest/add/", **values).content.decode()
    row = CannedReportManifest.objects.get(agency_slug="harbor")
    assert "Remove subscription" in get_page(client, f"cannedreportmanifest/{row.pk}/change/")
    selected = {"action": "remove", "_selected_action": str(row.pk)}
    assert "Remove these subscriptions?" in post(client, "cannedreportmanifest/", **selected).content.decode()
    post(client, "cannedreportmanifest/", **selected, confirmed="1")
    assert not CannedReportManifest.objects.filter(agency_slug="harbor").exists()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("query", "SELECT 1\0 AS n"),
        ("query", "x" * 2_000_000),
        ("table_name", "a.b.c"),
        ("database_id", "99999999999999999999"),
        ("agency_id", "-1"),
        ("report_name", ""),
    ],
)
def test_invalid_value_is_shown_at_its_field(name: str, value: str) -> None:
    client = client_with(*EDITOR)
    for button in ("_check", "_save"):
        page = post(client, "customreportmanifest/add/", **{**VALUES, name: value, button: "1"}).content.decode()
        assert f'class="field {name} invalid"' in page
