"""The page that explains the state of a view."""

import pytest
from pytest_django import Settings

from seeder.domain.refresh_requests import AllReports
from seeder.services.run import orchestrator
from tests.conftest import create_custom_manifest
from tests.integration.admin.admin_clients import READER_PERMISSIONS, client_with, get_page

PAGE = "monitoring/view/explanation/"


def test_page_shows_past_outlook_and_relations() -> None:
    create_custom_manifest("reporting.sums", "SELECT n FROM reporting.good")
    orchestrator.execute_run(AllReports())
    reader = client_with(*READER_PERMISSIONS)
    link = 'href="/admin/seeder/monitoring/view/explanation/?table=reporting.sums"'
    assert link in get_page(reader, "monitoring/view/", table="reporting.sums")
    page = get_page(reader, PAGE, table="REPORTING.SUMS")
    assert "Its data are as of" in page
    assert "A refresh now would run" in page
    assert "The plan of a run of it and of the views that it needs" in page
    assert 'href="?table=reporting.good"' in page
    assert "What reads it" in get_page(reader, PAGE, table="reporting.good")


def test_messages_need_the_permission_to_see_errors() -> None:
    reader = client_with(*READER_PERMISSIONS)
    assert "secret" not in get_page(reader, PAGE, table="reporting.bad")
    operator = client_with(*READER_PERMISSIONS, "view_errors", name="operator")
    assert "secret" in get_page(operator, PAGE, table="reporting.bad")


@pytest.mark.parametrize("table", ["reporting.bad", "reporting.unknown", "", "a.b.c", "x\0y"])
def test_hidden_unknown_or_invalid_name_is_not_found(settings: Settings, table: str) -> None:
    settings.SEEDER = {"AGENCY_SCOPE": "tests.integration.admin.admin_clients.scope_by_name"}
    demo = client_with(*READER_PERMISSIONS, name="demo")
    assert demo.get(f"/admin/seeder/{PAGE}", {"table": table}).status_code == 404
    assert "metro" not in get_page(demo, PAGE, table="reporting.shared")
