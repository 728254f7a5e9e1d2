"""The list of notifications, and the page that mutes a view."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings

from seeder.models import JobStatus, Mute, Notification
from tests.conftest import sql
from tests.integration.admin.admin_clients import READER_PERMISSIONS, client_with, get_page

MUTE, VIEW = "monitoring/view/mute/", "/admin/seeder/monitoring/view/mute/?table=reporting.good"


@pytest.fixture(autouse=True)
def _clean(reports: None) -> Iterator[None]:
    yield
    sql("DELETE FROM reporting.seeder_mute; DELETE FROM reporting.seeder_notification")


def test_view_is_muted_with_a_reason_until_a_time_and_unmuted() -> None:
    operator = client_with(*READER_PERMISSIONS, "mute_notifications", name="ada")
    assert f'href="{VIEW}"' in get_page(operator, "monitoring/view/", table="reporting.good")
    assert "<form" in get_page(operator, MUTE, table="REPORTING.Good")
    for refused in ({"reason": " ", "hours": "3"}, {"reason": "x", "hours": "0"}, {"reason": "a\0", "hours": "3"}):
        assert operator.post(VIEW, {"mute": "1", **refused}).status_code == 200
    assert not Mute.objects.exists()
    operator.post(VIEW, {"mute": "1", "reason": "known & accepted", "hours": "3"})
    mute = Mute.objects.get()
    assert (mute.table_name, mute.database_alias, mute.muted_by) == ("reporting.good", "default", "ada")
    assert timedelta(hours=2) < mute.ends_at - timezone.now() < timedelta(hours=4)
    assert "known &amp; accepted" in get_page(operator, MUTE, table="reporting.good")
    operator.post(VIEW, {"end": "1"})
    assert not Mute.objects.filter(ends_at__gt=timezone.now()).exists()
    assert "<form" in get_page(operator, MUTE, table="reporting.good")


def test_muting_needs_its_permission_and_all_agencies_of_the_view(settings: Settings) -> None:
    reader = client_with(*READER_PERMISSIONS)
    assert "view/mute" not in get_page(reader, "monitoring/view/", table="reporting.good")
    assert reader.post(VIEW, {"mute": "1", "reason": "x", "hours": "3"}).status_code == 403
    settings.SEEDER = {"AGENCY_SCOPE": "tests.integration.admin.admin_clients.scope_by_name"}
    demo = client_with("mute_notifications", name="demo")
    for table in ("reporting.bad", "reporting.unknown"):
        assert demo.get(f"/admin/seeder/{MUTE}", {"table": table}).status_code == 404
    shared = VIEW.replace("good", "shared")
    assert b"agencies that you may not see" in demo.post(shared, {"mute": "1", "reason": "x", "hours": "3"}).content
    assert not Mute.objects.exists()


def test_list_has_state_and_error_of_the_agencies_of_the_user(settings: Settings) -> None:
    for agency in ("demo", "metro"):
        Notification.objects.create(
            channel="pager",
            event="view_failed",
            subject=f"default:reporting.{agency}",
            facts={"agencies": [agency]},
            error=f"HTTP status 503 for {agency}",
        )
    settings.SEEDER = {"AGENCY_SCOPE": "tests.integration.admin.admin_clients.scope_by_name"}
    page = get_page(client_with("view_notification", name="demo"), "notification/", state="pending")
    assert "HTTP status 503 for demo" in page
    assert "metro" not in page
    operator = client_with("view_notification", name="operator")
    assert "for metro" in get_page(operator, "notification/", q="reporting.metro")
    JobStatus.objects.create(
        table_name="reporting.metro",
        manifest_id=1,
        report_name="",
        report_type="custom",
        agency_id=2,
        agency_slug="metro",
        status="error",
    )
    page = get_page(operator, "notification/", q="ETR")
    assert "for metro" in page
    assert "for demo" not in page
    assert "HTTP status" not in get_page(operator, "notification/", state="sent")
