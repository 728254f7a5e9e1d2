"""Freshness contracts and the age of data on the pages of the admin."""

from datetime import timedelta

from pytest_django import Settings

from seeder.models import Freshness
from seeder.services.freshness_links import create_link
from tests.conftest import sql
from tests.integration.admin.admin_clients import READER_PERMISSIONS, client_with, get_page


def test_pages_show_contracts_that_are_not_fresh() -> None:
    reader = client_with(*READER_PERMISSIONS)
    view = "monitoring/view/?table=reporting.good"
    assert "contract" not in get_page(reader, "monitoring/")
    assert "Data as of" in get_page(reader, view)
    Freshness.objects.create(table_name="reporting.good", target_lag=timedelta(hours=2))
    assert "contract fresh" not in get_page(reader, "monitoring/")
    assert 'at most 2 h 00 min old <span class="mark good">fresh</span>' in get_page(reader, view)
    sql("UPDATE reporting.seeder_view_state SET data_as_of = data_as_of - interval '3 hours'")
    assert 'href="/admin/seeder/monitoring/freshness/"' in get_page(reader, "monitoring/")
    page = get_page(reader, "monitoring/freshness/")
    assert "1 late." in page
    assert "a view that it reads has old data" in page
    mark = 'class="mark bad" title="at most 2 h 00 min old: a view that it reads has old data">contract late</span>'
    assert mark in get_page(reader, "monitoring/")
    assert '<span class="mark bad">late</span>' in get_page(reader, view)
    Freshness.objects.update(severity="warn")
    assert 'class="mark" title="at most' in get_page(reader, "monitoring/")
    sql("REFRESH MATERIALIZED VIEW reporting.good")
    assert "contract unknown" in get_page(reader, "monitoring/")
    assert "unknown: not refreshed by seeder" in get_page(reader, view)


def test_contracts_of_other_agencies_are_hidden(settings: Settings) -> None:
    settings.SEEDER = {"AGENCY_SCOPE": "tests.integration.admin.admin_clients.scope_by_name"}
    demo = client_with(*READER_PERMISSIONS, name="demo")
    for agency, hours in (("demo", 2), ("metro", 3)):
        Freshness.objects.create(agency_slug=agency, target_lag=timedelta(hours=hours))
    page = get_page(demo, "monitoring/view/?table=reporting.shared")
    assert "at most 2 h 00 min old" in page
    assert "at most 3 h 00 min old" not in page
    page = get_page(demo, "monitoring/freshness/")
    assert "at most 2 h 00 min old" in page
    assert "at most 3 h 00 min old" not in page
    assert "reporting.bad" not in page
    all_agencies = get_page(client_with(*READER_PERMISSIONS, name="all"), "monitoring/view/?table=reporting.shared")
    assert "at most 3 h 00 min old" in all_agencies


def test_page_without_contracts_or_their_table_says_so() -> None:
    reader = client_with(*READER_PERMISSIONS)
    assert "There are no contracts." in get_page(reader, "monitoring/freshness/")
    Freshness.objects.create(table_name="a.b.c", target_lag=timedelta(hours=2))
    assert "cannot be read" in get_page(reader, "monitoring/freshness/")
    sql("DROP TABLE reporting.seeder_freshness")
    assert "seeder_freshness is missing" in get_page(reader, "monitoring/freshness/")


def test_badge_of_an_agency_needs_its_permission_and_the_scope(settings: Settings) -> None:
    settings.SEEDER = {"AGENCY_SCOPE": "tests.integration.admin.admin_clients.scope_by_name"}
    path = "monitoring/freshness/link/"
    reader = client_with(*READER_PERMISSIONS, name="all")
    assert path not in get_page(reader, "monitoring/freshness/")
    assert reader.get(f"/admin/seeder/{path}").status_code == 403
    demo = client_with(*READER_PERMISSIONS, "share_freshness", name="demo")
    assert path in get_page(demo, "monitoring/freshness/")
    assert "metro" not in get_page(demo, path)
    page = get_page(demo, path, agency="demo", days="7")
    assert f'<img src="http://testserver{create_link("demo").badge[:40]}' in page
    assert "Valid until <time" in page
    assert demo.get(f"/admin/seeder/{path}", {"agency": "metro"}).status_code == 404
    assert "<img" not in get_page(demo, path, agency="demo", days="0")
