"""The monitoring pages in a browser."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from playwright.sync_api import Page, Route, expect

from seeder.domain.refresh_requests import AllReports, SingleView
from seeder.domain.view_names import ViewName
from seeder.models import Freshness, JobStatus, ReleaseSnapshot, Run
from seeder.services.run import orchestrator
from seeder.services.snapshots import release_snapshots
from tests.acceptance import queue_clusters
from tests.browser.conftest import LONGEST_WORDS, PASSWORD, Site
from tests.conftest import create_canned_report, create_custom_manifest, sql

pytestmark = [pytest.mark.slow]

AXE = (Path(__file__).parent / "vendor" / "axe.min.js").read_text(encoding="utf-8")
MONITORING = "/admin/seeder/monitoring/"
IS_LEFT_TO_RIGHT = """name => {  // true if the text after it runs from left to right
    const text = name.nextSibling, range = document.createRange();
    const left = at => {
        range.setStart(text, at);
        range.setEnd(text, at + 1);
        return range.getBoundingClientRect().left;
    };
    return left(3) < left(8);
}"""


@pytest.fixture(autouse=True)
def reports(site: Site) -> Iterator[None]:
    create_custom_manifest("reporting.good", "SELECT n FROM generate_series(1, 200) AS n")
    create_custom_manifest(
        "reporting.bad", "SELECT ('secret ' || n)::integer AS n FROM generate_series(1, 2) AS n", agency="metro"
    )
    create_canned_report("reporting.shared", "SELECT 2 AS n", agencies=("demo", "metro"))
    create_custom_manifest('"Gotham PD"."Use of Force / 100%"', "SELECT 1 AS n", agency="harbor")
    sql('CREATE SCHEMA "Gotham PD"')
    orchestrator.execute_run(AllReports(), requested_by="a test")
    yield
    sql('DROP SCHEMA "Gotham PD" CASCADE')


def capture_two_snapshots() -> None:
    release_snapshots.capture_release_snapshot("reporting.good", "2026.10")
    sql("DROP MATERIALIZED VIEW reporting.good")
    sql("CREATE MATERIALIZED VIEW reporting.good AS SELECT n::text FROM generate_series(1, 20) AS n")
    release_snapshots.capture_release_snapshot("reporting.good", "2026.11")


def page_urls() -> dict[str, str]:
    capture_two_snapshots()
    base, other = ReleaseSnapshot.objects.order_by("id").values_list("id", flat=True)
    return {
        "monitoring": MONITORING,
        "agency": f"{MONITORING}agency/demo/",
        "refresh": f"{MONITORING}refresh/?table=reporting.good",
        "run": f"{MONITORING}run/{Run.objects.latest('started_at').run_id}/",
        "run by view": f"{MONITORING}run/{Run.objects.latest('started_at').run_id}/?by=view&start=0&end=0.2",
        "retry": f"{MONITORING}run/{Run.objects.latest('started_at').run_id}/retry/",
        "view": f"{MONITORING}view/?table=reporting.good",
        "failing view": f"{MONITORING}view/?table=reporting.bad",
        "explanation": f"{MONITORING}view/explanation/?table=reporting.good",
        "drift": f"{MONITORING}drift/?base={base}&compare={other}",
        "contracts": f"{MONITORING}freshness/",
        "not there": f"{MONITORING}run/no-such-run/",
    }


def names(page: Page) -> list[str]:
    return page.locator("table.run-grid tbody th a").all_inner_texts()


def test_monitoring_page_from_index_lists_failing_view_first(site: Site) -> None:
    page = site.logged_in_page("operator")
    page.get_by_role("link", name="Monitoring").last.click()
    expect(page.locator(".night.latest")).to_contain_text("3 of 4 views refreshed, 1 failed")
    expect(page.locator(".problem")).to_contain_text('invalid input syntax for type integer: "secret 1"')
    assert names(page)[0] == "Report reporting.bad"
    row = page.locator("table.run-grid tbody tr").first
    expect(row).to_contain_text("failing")
    expect(row.get_by_role("img")).to_have_attribute("aria-label", "failed")
    assert row.bounding_box()["height"] <= 44  # type: ignore[index]  # it is visible


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


def test_zoom_and_focus_survive_updates_of_a_running_run(site: Site) -> None:
    sql("UPDATE reporting.seeder_run SET started_at = now() - interval '100 s', finished_at = NULL")
    sql("UPDATE reporting.seeder_run_history SET (start_time, finish_time) = (now() - interval '90 s', now())")
    page = site.logged_in_page("operator")
    page.goto(f"{MONITORING}run/{Run.objects.get().run_id}/?start=0&end=50")
    page.locator("#whole-run").focus()
    expect(page.locator("svg.plot .flag")).to_have_count(1)
    sql("UPDATE reporting.seeder_run_history SET status = 'error' WHERE table_name = 'reporting.good'")
    expect(page.locator("svg.plot .flag")).to_have_count(2)
    assert page.locator("figure").get_attribute("data-end") == "50.000000"
    assert page.evaluate("document.activeElement.id") == "whole-run"


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
    name = page.locator("table.run-grid tbody .name")
    assert name.evaluate(IS_LEFT_TO_RIGHT)
    page.goto(f"{MONITORING}run/{Run.objects.latest('started_at').run_id}/")
    expect(page.locator("figure svg text", has_text="turn\ufffded").first).to_be_visible()
    assert "\u202e" not in page.locator("figure").first.inner_text()


def test_refresh_button_queues_and_row_updates_itself(site: Site) -> None:
    page = site.logged_in_page("operator")
    page.goto(MONITORING)
    before = JobStatus.objects.get(table_name="reporting.good").last_run_id
    page.get_by_role("link", name="Refresh Report reporting.good").click()
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


def test_reader_sees_no_refresh_button_and_redacted_errors(site: Site) -> None:
    page = site.logged_in_page("reader")
    page.goto(MONITORING)
    assert page.get_by_role("link", name="Refresh Report").count() == 0
    expect(page.locator(".problem")).to_contain_text("reason invalid_text_representation")
    expect(page.locator(".problem")).to_contain_text("requires seeder.view_errors")
    assert "secret" not in page.content()
    for url in page_urls().values():
        page.goto(url)
        assert "secret" not in page.content()
    site.browser_errors.clear()  # of the 404 page


def test_user_of_one_agency_sees_only_its_views(site: Site) -> None:
    page = site.logged_in_page("metro")
    page.goto(MONITORING)
    assert sorted(names(page)) == ["Canned reporting.shared", "Report reporting.bad"]
    expect(page.locator(".night.latest")).to_contain_text("1 of 2 views refreshed, 1 failed")
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


def test_pages_work_without_javascript(site: Site) -> None:
    page = site.logged_in_page("operator", scripts=False)
    for name, url in page_urls().items():
        page.goto(url)
        assert page.get_by_role("heading", level=1).is_visible(), name
    page.goto(MONITORING)
    page.get_by_role("link", name="Refresh Report reporting.good").click()
    page.get_by_role("button", name="Refresh").click()
    expect(page.get_by_text("The view reporting.good is queued.")).to_be_visible()
    site.browser_errors.clear()  # of the 404 page


def test_pages_work_with_strict_csp(site: Site) -> None:
    def add_strict_csp(route: Route) -> None:
        response = route.fetch()
        route.fulfill(response=response, headers={**response.headers, "content-security-policy": "default-src 'self'"})

    page = site.logged_in_page("operator")
    page.route(f"**{MONITORING}**", add_strict_csp)
    pages = page_urls()
    for name in ("monitoring", "run", "view", "drift"):
        page.goto(pages[name])
    page.goto(pages["run"])
    expect(page.locator("figure svg a rect").first).to_be_visible()


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


def accessibility_violations(page: Page) -> list[str]:
    """Return accessibility problems of the content, without Django's header and navigation."""
    found: Any = page.evaluate(
        "axe.run('#content-start', {runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'best-practice']})"
    )
    return [
        f"{violation['id']}: {node['html'][:120]} {node['failureSummary'][:300]}"
        for violation in found["violations"]
        for node in violation["nodes"]
    ]


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
