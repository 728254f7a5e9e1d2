"""Pages that update themselves, and say how old they are."""

import pytest
from playwright.sync_api import expect

from seeder.domain.refresh_requests import SingleView
from seeder.domain.view_names import ViewName
from seeder.models import JobStatus, Run
from seeder.services.run import orchestrator
from seeder.services.run.run_liveness_lock import RunLock
from tests.acceptance import queue_clusters
from tests.browser.conftest import PASSWORD, Site
from tests.browser.monitoring_pages import (
    MONITORING,
)
from tests.conftest import sql

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("reports")]


def test_zoom_and_focus_survive_updates_of_a_running_run(site: Site) -> None:
    sql("UPDATE reporting.seeder_run SET started_at = now() - interval '100 s', finished_at = NULL")
    sql("UPDATE reporting.seeder_run_history SET (start_time, finish_time) = (now() - interval '90 s', now())")
    run_id = Run.objects.get().run_id
    with RunLock(run_id):  # as if its process lived
        page = site.logged_in_page("operator")
        page.goto(f"{MONITORING}run/{run_id}/?start=0&end=50")
        page.locator("#whole-run").focus()
        expect(page.locator("svg.plot .flag")).to_have_count(1)
        sql("UPDATE reporting.seeder_run_history SET status = 'error' WHERE table_name = 'reporting.good'")
        expect(page.locator("svg.plot .flag")).to_have_count(2)
        assert page.locator("figure").get_attribute("data-end") == "50.000000"
        assert page.evaluate("document.activeElement.id") == "whole-run"


def test_refresh_button_queues_and_row_updates_itself(site: Site) -> None:
    page = site.logged_in_page("operator")
    page.goto(MONITORING)
    before = JobStatus.objects.get(table_name="reporting.good").last_run_id
    page.get_by_role("link", name="Refresh reporting.good").click()
    page.get_by_role("button", name="Refresh").click()
    expect(page.get_by_text("The view reporting.good is queued.")).to_be_visible()
    expect(page.locator(".now")).to_contain_text("1 waiting")
    page.locator("#q").fill("half a wo")
    page.locator("#q").focus()
    page.evaluate("window.before = document.getElementById('q')")
    queue_clusters.start()
    row = page.locator("table.run-grid tbody tr").filter(has_text="reporting.good")
    expect(row.get_by_role("img")).to_have_count(2)
    expect(row.get_by_role("img").last).to_have_attribute("aria-label", "refreshed")
    expect(page.locator(".now")).to_contain_text("Queue empty")
    # Focus and typed text survive the updates.
    assert page.evaluate("document.activeElement === window.before && window.before.value") == "half a wo"
    assert JobStatus.objects.get(table_name="reporting.good").last_run_id != before
    # The page polls seldom when nothing runs.
    assert page.evaluate("document.getElementById('seeder-live').dataset.live") == "idle"


def test_idle_page_shows_a_run_that_starts(site: Site) -> None:
    page = site.logged_in_page("operator")
    page.clock.install()
    page.goto(MONITORING)
    state, updated = page.get_by_role("status"), page.locator("#seeder-updated")
    expect(state).to_have_text("live")
    before = updated.get_attribute("datetime")
    orchestrator.execute_run(SingleView(name=ViewName.parse("reporting.good")), requested_by="operator")
    page.clock.fast_forward(31_000)
    expect(page.locator("thead .column")).to_have_count(2)
    expect(updated).not_to_have_attribute("datetime", before or "")
    assert state.evaluate("element => element.textContent") == "live", "a screen reader hears only changes"


def test_idle_page_of_a_view_shows_a_run_that_starts(site: Site) -> None:
    page = site.logged_in_page("operator")
    page.clock.install()
    page.goto(f"{MONITORING}view/?table=reporting.good")
    expect(page.locator("table.recent tbody tr")).to_have_count(1)
    orchestrator.execute_run(SingleView(name=ViewName.parse("reporting.good")), requested_by="operator")
    page.clock.fast_forward(31_000)
    expect(page.locator("table.recent tbody tr")).to_have_count(2)


def test_page_of_a_lost_server_reconnects(site: Site) -> None:
    page = site.logged_in_page("operator")
    page.clock.install()
    page.goto(MONITORING)
    state, top = page.get_by_role("status"), "document.getElementById('seeder-live').getBoundingClientRect().top"
    expect(state).to_have_text("live")
    place = page.evaluate(top)
    page.route(f"**{MONITORING}", lambda route: route.abort())
    page.clock.fast_forward(31_000)
    expect(state).to_have_text("reconnecting")
    assert page.evaluate(top) == place, "the layout does not shift"
    expect(page.locator("table.run-grid tbody tr")).to_have_count(4)
    page.unroute(f"**{MONITORING}")
    page.route(f"**{MONITORING}", lambda route: route.fulfill(status=502, body="Bad gateway"))
    page.clock.fast_forward(2_100)
    page.clock.fast_forward(4_100)
    expect(state).to_have_text("reconnecting")
    page.unroute(f"**{MONITORING}")
    page.clock.fast_forward(60_100)
    expect(state).to_have_text("live")
    site.browser_errors.clear()  # of the requests that failed


def test_page_of_an_expired_session_links_to_the_login(site: Site) -> None:
    page = site.logged_in_page("operator")
    page.clock.install()
    page.goto(f"{MONITORING}?q=good")
    expect(page.get_by_role("link", name="Log in")).to_be_hidden()
    page.context.clear_cookies()
    page.clock.fast_forward(31_000)
    expect(page.get_by_role("status")).to_have_text("logged out")
    page.get_by_role("link", name="Log in").click()
    page.fill("#id_username", "operator")
    page.fill("#id_password", PASSWORD)
    page.click("[type=submit]")
    expect(page.locator("table.run-grid tbody tr")).to_have_count(1)
    assert page.url.endswith(f"{MONITORING}?q=good")
