"""The monitoring page in a browser."""

import pytest
from django.contrib.auth.models import Permission
from playwright.sync_api import expect

from seeder.domain.refresh_requests import AllReports
from seeder.models import ReleaseSnapshot, Run
from seeder.services.run import orchestrator
from tests.acceptance import queue_clusters
from tests.browser.conftest import Site
from tests.browser.monitoring_pages import (
    MONITORING,
    names,
)
from tests.conftest import create_custom_manifest, sql

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("reports")]
IS_LEFT_TO_RIGHT = """name => {  // true if the text after it runs from left to right
    const text = name.nextElementSibling.firstElementChild.firstChild, range = document.createRange();
    const left = at => {
        range.setStart(text, at);
        range.setEnd(text, at + 1);
        return range.getBoundingClientRect().left;
    };
    return left(0) < left(2);
}"""


def test_monitoring_page_from_index_lists_failing_view_first(site: Site) -> None:
    page = site.logged_in_page("operator")
    page.get_by_role("link", name="Monitoring").last.click()
    expect(page.locator(".night.latest")).to_contain_text("3 of 4 views refreshed 1 failed (reporting.bad)")
    expect(page.locator(".problem")).to_contain_text('invalid input syntax for type integer: "secret 1"')
    assert names(page)[0] == "reporting.bad"
    row = page.locator("table.run-grid tbody tr").first
    expect(row).to_contain_text("failing")
    expect(row.get_by_role("img")).to_have_attribute("aria-label", "failed")
    assert row.bounding_box()["height"] <= 44  # type: ignore[index]  # it is visible


def test_view_with_odd_name_has_page(site: Site) -> None:
    page = site.logged_in_page("operator")
    page.goto(f"{MONITORING}?q=force")
    page.locator("table.run-grid tbody th a").click()
    expect(page.locator("dd.name").first).to_have_text('"Gotham PD"."Use of Force / 100%"')


def test_bidi_control_in_name_does_not_reverse_other_text(site: Site) -> None:
    create_custom_manifest('reporting."turn\u202eed"', "SELECT 1 AS n")
    orchestrator.execute_run(AllReports(), requested_by="a test")
    # Only wide bars show a name: give this one 10 s.
    sql("UPDATE reporting.seeder_run_history SET finish_time = start_time + interval '10 s' WHERE table_name ~ 'turn'")
    sql("UPDATE reporting.seeder_run SET finished_at = started_at + interval '12 s'")
    page = site.logged_in_page("operator")
    page.goto(f"{MONITORING}?q=turn")
    name = page.locator("table.run-grid tbody .view a")
    assert name.evaluate(IS_LEFT_TO_RIGHT)
    page.goto(f"{MONITORING}run/{Run.objects.latest('started_at').run_id}/")
    expect(page.locator("figure svg text", has_text="turn\ufffded").first).to_be_visible()
    assert "\u202e" not in page.locator("figure").first.inner_text()


def test_monitoring_page_works_with_keyboard_only(site: Site) -> None:
    page = site.logged_in_page("operator")
    page.goto(MONITORING)
    page.locator("#q").focus()
    page.keyboard.type("good")
    page.keyboard.press("Enter")
    expect(page.locator("table.run-grid tbody tr")).to_have_count(1)
    page.locator("#type").focus()
    visited = []
    for _ in range(5):
        page.keyboard.press("Tab")
        visited.append(page.evaluate("document.activeElement.id || document.activeElement.innerText").partition("-")[0])
    assert visited == ["Show", "Show all", "column", "view", "refresh"]
    assert page.evaluate("getComputedStyle(document.activeElement).opacity") == "1"
    page.keyboard.press("Enter")
    page.locator("#confirm").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("The view reporting.good is queued.")).to_be_visible()
    assert page.url.endswith("show=&q=good&agency=&type=")


def test_capture_action_of_job_status_list_takes_snapshot(site: Site) -> None:
    page = site.logged_in_page("operator")
    page.goto("/admin/seeder/jobstatus/")
    page.get_by_role("row").filter(has_text="reporting.good").get_by_role("checkbox").check()
    page.select_option("select[name=action]", "capture")
    page.get_by_role("button", name="Run").or_(page.get_by_role("button", name="Go")).first.click()
    page.get_by_label("Release tag").fill("2026.12")
    page.get_by_role("button", name="Capture").click()
    expect(page.get_by_text("The capture of reporting.good at 2026.12 is queued.")).to_be_visible()
    queue_clusters.start()
    queue_clusters.wait_until(lambda: ReleaseSnapshot.objects.filter(release_tag="2026.12").exists())
    assert Permission.objects.filter(codename="view_monitoring").count() == 0
