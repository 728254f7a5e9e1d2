"""Links, permissions, scripts and accessibility of all monitoring pages."""

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from seeder.domain.refresh_requests import AllReports
from seeder.models import Freshness, Run
from seeder.services.run import orchestrator
from tests.browser.conftest import LONGEST_WORDS, Site
from tests.browser.monitoring_pages import (
    AXE,
    MONITORING,
    accessibility_violations,
    capture_two_snapshots,
    names,
    page_urls,
)
from tests.conftest import create_custom_manifest, sql

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("reports")]


def test_links_lead_to_run_view_and_comparison(site: Site) -> None:
    capture_two_snapshots()
    page = site.logged_in_page("operator")
    page.goto(MONITORING)
    page.locator(".night.latest").get_by_role("link", name="Timeline").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Run for every report")
    expect(page.locator("svg.plot")).to_be_visible()
    assert page.locator("svg.plot a .bar").count() == 4
    assert page.locator("svg.plot .failed .flag").count() == 1
    page.locator("table.bars").get_by_role("link", name="Report reporting.good").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Report reporting.good")
    expect(page.locator("figure svg")).to_have_count(2)
    page.get_by_role("button", name="Compare").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Changes from 2026.10 to 2026.11")
    expect(page.locator(".verdict")).to_contain_text("Breaking")
    expect(page.get_by_role("listitem").filter(has_text="type changed integer → text")).to_be_visible()
    page.get_by_role("link", name="Swap before and after").click()
    expect(page.get_by_role("listitem").filter(has_text="rows 20 → 200")).to_be_visible()


def test_timeline_is_zoomed_by_dragging_and_by_keyboard(site: Site) -> None:
    sql("UPDATE reporting.seeder_run SET finished_at = started_at + interval '100 s'")
    page = site.logged_in_page("operator")
    page.goto(f"{MONITORING}run/{Run.objects.get().run_id}/?by=view")
    box = page.locator("svg.plot").bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 5)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 4, box["y"] + 5, steps=3)
    expect(page.locator(".selection")).to_be_visible()
    page.mouse.up()
    expect(page.locator("#whole-run")).to_be_visible()
    shown = [float(page.locator("figure").get_attribute(f"data-{name}") or 0) for name in ("start", "end")]
    assert shown == pytest.approx([25, 50], abs=1)
    assert "by=view" in page.url
    for link in ("zoom-out", "whole-run"):
        page.locator(f"#{link}").focus()
        page.keyboard.press("Enter")
        page.wait_for_load_state()
    expect(page.locator("#whole-run")).to_have_count(0)


def test_reader_sees_no_refresh_button_and_redacted_errors(site: Site) -> None:
    page = site.logged_in_page("reader")
    page.goto(MONITORING)
    assert page.get_by_role("link", name="Refresh reporting").count() == 0
    expect(page.locator(".problem")).to_contain_text("Why invalid_text_representation")
    expect(page.locator(".problem")).to_contain_text("requires seeder.view_errors")
    assert "secret" not in page.content()
    for url in page_urls().values():
        page.goto(url)
        assert "secret" not in page.content()
    site.browser_errors.clear()  # of the 404 page


def test_user_of_one_agency_sees_only_its_views(site: Site) -> None:
    page = site.logged_in_page("metro")
    page.goto(MONITORING)
    assert sorted(names(page)) == ["reporting.bad", "reporting.shared"]
    expect(page.locator(".night.latest")).to_contain_text("1 of 2 views refreshed 1 failed")
    assert page.locator("#agency option").all_inner_texts() == ["All agencies", "metro"]
    assert "demo" not in page.locator("table.run-grid").inner_text()
    pages = page_urls()
    page.goto(pages["run"])
    assert page.locator("table.bars tbody tr").count() == 2
    for url in (pages["view"], pages["drift"]):
        response = page.goto(url)
        assert response
        assert response.status == 404
    site.browser_errors.clear()  # of the 404 pages


def test_view_is_refreshed_without_javascript(site: Site) -> None:
    page = site.logged_in_page("operator", scripts=False)
    page.goto(MONITORING)
    page.get_by_role("link", name="Refresh reporting.good").click()
    page.get_by_role("button", name="Refresh").click()
    expect(page.get_by_text("The view reporting.good is queued.")).to_be_visible()


@pytest.mark.parametrize(("scheme", "width", "language"), [("light", 1280, "en"), ("dark", 400, LONGEST_WORDS)])
def test_page_fits_viewport_and_is_accessible(site: Site, width: int, scheme: str, language: str) -> None:
    create_custom_manifest(f"reporting.long{'_and_long' * 5}", "SELECT 1 AS n")
    Freshness.objects.create(agency_slug="demo", target_lag=timedelta(hours=3))
    orchestrator.execute_run(AllReports(), requested_by="a test")
    page = site.logged_in_page("operator", width=width, scheme=scheme, language=language)
    for name, url in page_urls().items():
        page.goto(url)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name
        page.evaluate(AXE)
        assert accessibility_violations(page) == [], name
    site.browser_errors.clear()  # of the 404 page
