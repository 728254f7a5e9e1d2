"""What somebody sees and does on the monitoring page and behind it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from playwright.sync_api import Page, Route, expect

from seeder.domain.refresh_requests import AllReports
from seeder.models import JobStatus, ReleaseSnapshot, Run
from seeder.services.run import orchestrator
from seeder.services.snapshots import release_snapshots
from tests.acceptance import queue_clusters
from tests.browser.conftest import Site
from tests.conftest import create_canned_report, create_custom_manifest, sql

pytestmark = [pytest.mark.slow, pytest.mark.versions]

AXE = (Path(__file__).parent / "vendor" / "axe.min.js").read_text(encoding="utf-8")
MONITORING = "/admin/seeder/monitoring/"
READS_ON = """name => {  // whether the text after it goes from left to right
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


def two_snapshots() -> None:
    release_snapshots.capture_release_snapshot("reporting.good", "2026.10")
    sql("DROP MATERIALIZED VIEW reporting.good")
    sql("CREATE MATERIALIZED VIEW reporting.good AS SELECT n::text FROM generate_series(1, 20) AS n")
    release_snapshots.capture_release_snapshot("reporting.good", "2026.11")


def the_pages() -> dict[str, str]:
    two_snapshots()
    base, other = ReleaseSnapshot.objects.order_by("id").values_list("id", flat=True)
    return {
        "monitoring": MONITORING,
        "run": f"{MONITORING}run/{Run.objects.get().run_id}/",
        "view": f"{MONITORING}view/?table=reporting.good",
        "failing view": f"{MONITORING}view/?table=reporting.bad",
        "drift": f"{MONITORING}drift/?base={base}&compare={other}",
        "not there": f"{MONITORING}run/no-such-run/",
    }


def names(page: Page) -> list[str]:
    return page.locator("table.views tbody th a").all_inner_texts()


def test_the_page_is_found_from_the_index_and_what_fails_is_first(site: Site) -> None:
    page = site.logged_in_page("operator")
    page.get_by_role("link", name="Monitoring").last.click()
    expect(page.get_by_role("status")).to_contain_text("4 views: 3 fresh, 1 failing, 0 running, 1 late. Queue: idle.")
    assert names(page)[0] == "Report reporting.bad"
    row = page.locator("table.views tbody tr").first
    expect(row).to_contain_text("failed")
    expect(row).to_contain_text('invalid input syntax for type integer: "secret 1"')
    expect(row.get_by_role("img")).to_have_attribute("aria-label", "Last 1 run: 1 failed; latest: failed")


def test_links_lead_to_a_run_its_views_and_their_snapshots(site: Site) -> None:
    two_snapshots()
    page = site.logged_in_page("operator")
    page.goto(MONITORING)
    page.locator("table.runs tbody a").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Run for every report")
    expect(page.locator("figure svg")).to_be_visible()
    assert page.locator("[data-chart] a").count() == 4
    page.locator("table.bars").get_by_role("link", name="Report reporting.good").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Report reporting.good")
    expect(page.locator("figure svg")).to_have_count(2)
    page.get_by_role("button", name="Compare").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Changes from 2026.10 to 2026.11")
    expect(page.locator(".verdict")).to_contain_text("Breaking")
    expect(page.get_by_role("listitem").filter(has_text="type changed integer → text")).to_be_visible()
    page.get_by_role("link", name="Swap before and after").click()
    expect(page.get_by_role("listitem").filter(has_text="rows 20 → 200")).to_be_visible()


def test_a_name_with_anything_in_it_has_a_page(site: Site) -> None:
    page = site.logged_in_page("operator")
    page.goto(f"{MONITORING}?q=force")
    page.locator("table.views tbody th a").click()
    expect(page.locator("dd.name")).to_have_text('"Gotham PD"."Use of Force / 100%"')


def test_a_name_turns_no_text_round_but_its_own(site: Site) -> None:
    create_custom_manifest('reporting."turn\u202eed"', "SELECT 1 AS n")
    orchestrator.execute_run(AllReports(), requested_by="a test")
    # A bar has its name in it only if it is wide enough, whatever else the machine did meanwhile.
    sql("UPDATE reporting.seeder_run_history SET finish_time = start_time + interval '10 s' WHERE table_name ~ 'turn'")
    sql("UPDATE reporting.seeder_run SET finished_at = started_at + interval '12 s'")
    page = site.logged_in_page("operator")
    page.goto(f"{MONITORING}?q=turn")
    beside = page.locator("table.views tbody .name")
    assert beside.evaluate(READS_ON)
    page.goto(f"{MONITORING}run/{Run.objects.latest('started_at').run_id}/")
    expect(page.locator("figure svg text", has_text="turn\ufffded").first).to_be_visible()
    assert "\u202e" not in page.locator("figure").first.inner_text()


def test_refresh_is_pressed_and_the_row_changes_by_itself(site: Site) -> None:
    page = site.logged_in_page("operator")
    page.goto(MONITORING)
    before = JobStatus.objects.get(table_name="reporting.good").last_run_id
    page.get_by_role("button", name="Refresh Report reporting.good").click()
    expect(page.get_by_text("The view reporting.good is queued.")).to_be_visible()
    expect(page.get_by_role("status")).to_contain_text("1 waiting")
    page.locator("#q").fill("half a wo")
    page.locator("#q").focus()
    page.evaluate("window.before = document.getElementById('q')")
    queue_clusters.start()
    row = page.locator("table.views tbody tr").filter(has_text="reporting.good")
    expect(row.get_by_role("img")).to_have_attribute(
        "aria-label", "Last 2 runs: 2 succeeded; latest: succeeded", timeout=60_000
    )
    expect(page.get_by_role("status")).to_contain_text("Queue: idle.", timeout=60_000)
    # Whatever somebody was doing meanwhile, they still are.
    assert page.evaluate("document.activeElement === window.before && window.before.value") == "half a wo"
    assert JobStatus.objects.get(table_name="reporting.good").last_run_id != before
    # And once nothing runs, nobody asks any more.
    assert page.evaluate("document.getElementById('seeder-live').dataset.live") is None


def test_who_may_only_read_has_no_button_and_sees_no_data_in_errors(site: Site) -> None:
    page = site.logged_in_page("reader")
    page.goto(MONITORING)
    assert page.get_by_role("button", name="Refresh").count() == 0
    expect(page.locator("table.views")).to_contain_text("The refresh failed: invalid_text_representation")
    assert "secret" not in page.content()
    for place in the_pages().values():
        page.goto(place)
        assert "secret" not in page.content()
    site.browser_errors.clear()  # of the page that is not there


def test_nobody_sees_what_belongs_to_other_agencies(site: Site) -> None:
    page = site.logged_in_page("metro")
    page.goto(MONITORING)
    assert sorted(names(page)) == ["Canned reporting.shared", "Report reporting.bad"]
    expect(page.get_by_role("status")).to_contain_text("2 views: 1 fresh, 1 failing")
    assert page.locator("#agency option").all_inner_texts() == ["any", "metro"]
    assert "demo" not in page.locator("table.views").inner_text()
    pages = the_pages()
    page.goto(pages["run"])
    assert page.locator("table.bars tbody tr").count() == 2
    for place in (pages["view"], pages["drift"]):
        answer = page.goto(place)
        assert answer
        assert answer.status == 404
    site.browser_errors.clear()  # a browser says on its console that it was told so


def test_everything_can_be_reached_and_done_with_a_keyboard(site: Site) -> None:
    page = site.logged_in_page("operator")
    page.goto(MONITORING)
    page.locator("#q").focus()
    page.keyboard.type("good")
    page.keyboard.press("Enter")
    expect(page.locator("table.views tbody tr")).to_have_count(1)
    page.locator("#show").focus()
    visited = []
    for _ in range(5):
        page.keyboard.press("Tab")
        visited.append(page.evaluate("document.activeElement.id || document.activeElement.innerText").partition("-")[0])
    assert visited == ["Show", "Show all", "view", "run", "refresh"]
    page.keyboard.press("Enter")
    expect(page.get_by_text("The view reporting.good is queued.")).to_be_visible()
    assert page.url.endswith("q=good&agency=&type=&show=")


def test_it_is_a_plain_page_without_javascript(site: Site) -> None:
    page = site.logged_in_page("operator", scripts=False)
    for name, place in the_pages().items():
        page.goto(place)
        assert page.get_by_role("heading", level=1).is_visible(), name
    page.goto(MONITORING)
    page.get_by_role("button", name="Refresh Report reporting.good").click()
    expect(page.get_by_text("The view reporting.good is queued.")).to_be_visible()
    site.browser_errors.clear()  # of the page that is not there


def test_a_strict_content_security_policy_takes_nothing_away(site: Site) -> None:
    def strictly(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, headers={**answer.headers, "content-security-policy": "default-src 'self'"})

    page = site.logged_in_page("operator")
    page.route(f"**{MONITORING}**", strictly)
    pages = the_pages()
    for name in ("monitoring", "run", "view", "drift"):
        page.goto(pages[name])
    page.goto(pages["run"])
    expect(page.locator("figure svg a rect").first).to_be_visible()


@pytest.mark.parametrize("width", [1280, 400])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_fits_and_can_be_read_by_anybody(site: Site, width: int, scheme: str) -> None:
    page = site.logged_in_page("operator", width=width, scheme=scheme)
    for name, place in the_pages().items():
        page.goto(place)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name
        page.evaluate(AXE)
        assert found_by_axe(page) == [], name
    site.browser_errors.clear()  # of the page that is not there


def found_by_axe(page: Page) -> list[str]:
    """What is ours to answer for: what stands around it is Django's admin."""
    found: Any = page.evaluate(
        "axe.run('#content-start', {runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'best-practice']})"
    )
    return [
        f"{violation['id']}: {node['html'][:120]} {node['failureSummary'][:300]}"
        for violation in found["violations"]
        for node in violation["nodes"]
    ]


def test_a_capture_is_asked_for_in_the_list_of_states_and_taken(site: Site) -> None:
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
