"""The pages of loads and rejects in a browser: both themes and widths, without scripts, with a strict policy."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.contrib.auth.models import Permission, User
from playwright.sync_api import Page, Route, expect

from data_pipeline.domain.load_requests import RequestAction
from data_pipeline.services.load_requests import enqueue_action
from tests.browser.conftest import PASSWORD, Site
from tests.browser.monitoring_pages import AXE, accessibility_violations
from tests.conftest import create_custom_manifest, sql
from tests.integration.data_pipeline.admin_scene import create_loads

pytestmark = [pytest.mark.slow]

LOADS, REJECTS = "/admin/data_pipeline/loadlog/", "/admin/data_pipeline/loadreject/"
REQUESTS = "/admin/data_pipeline/loadrequest/"
PAGES = {
    "load": f"{LOADS}2/change/",
    "failed load": f"{LOADS}3/change/",
    "confirmation": f"{LOADS}1/undo/",
    "reject": f"{REJECTS}1/change/",
}
LETTERS = "/admin/data_pipeline/loaddeadletter/"
LISTS = {"loads": LOADS, "rejects": REJECTS, "requests": REQUESTS, "dead letters": LETTERS}
LONG_VIEW = "reporting.share_of_orders_by_month_and_borough"
PERMISSIONS = (
    "view_loadlog",
    "view_loadreject",
    "view_loadrequest",
    "view_loaddeadletter",
    "load",
    "undo",
    "see_raw",
    "view_jobstatus",
)


@pytest.fixture(autouse=True)
def loads(site: Site, load_tables: None, tmp_path: Path) -> Iterator[None]:
    create_loads(tmp_path)
    user = User.objects.create_user("loader", password=PASSWORD, is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=PERMISSIONS))
    yield
    sql("DROP SCHEMA landing CASCADE")


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (400, "dark")])
def test_pages_are_accessible_and_fit_the_width(site: Site, width: int, scheme: str) -> None:
    page = site.logged_in_page("loader", width=width, scheme=scheme, language="de")  # the longest words
    enqueue_action(1, RequestAction.VERIFY, requested_by="an administrator")
    query = "SELECT count(*) AS n FROM landing.orders"
    create_custom_manifest(LONG_VIEW, query)
    sql(f"CREATE MATERIALIZED VIEW {LONG_VIEW} AS {query}")
    for name, url in {**PAGES, **LISTS}.items():
        page.goto(url)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name
        if name == "load":
            figure = page.locator("figure.chart")
            assert width == 400 or figure.evaluate("one => one.scrollWidth - one.clientWidth") <= 0
        if name in LISTS:
            overflow = page.locator(".results").evaluate("list => list.scrollWidth - list.clientWidth")
            assert width == 400 or overflow <= 0, name
        page.evaluate(AXE)
        if name in PAGES:  # the lists are Django's
            assert accessibility_violations(page) == [], name


def test_lineage_leads_to_the_page_of_a_view(site: Site) -> None:
    def add_strict_csp(route: Route) -> None:
        response = route.fetch()
        route.fulfill(response=response, headers={**response.headers, "content-security-policy": "default-src 'self'"})

    page = site.logged_in_page("loader", scripts=False)
    page.route(f"**{LOADS}**", add_strict_csp)
    page.goto(LOADS)
    page.get_by_role("link", name="2", exact=True).click()
    lefts = lefts_of_boxes(page)
    assert lefts["order_count"] == lefts["orders_by_name"]
    assert list(dict.fromkeys(lefts.values())) == sorted(set(lefts.values()))
    assert list(lefts) == ["file", "load", "table", "order_count", "orders_by_name", "top_orders"]
    page.locator("svg.lineage a", has_text="top_orders").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Report reporting.top_orders")


def lefts_of_boxes(page: Page) -> dict[str, float]:
    """Return the left sides of the boxes in the drawing by kind, those of views by name."""
    found = {}
    for box in page.locator("svg.lineage g").all():
        kind, name = box.locator("text").all_text_contents()
        bounds = box.bounding_box()
        assert bounds is not None
        found[name if kind.startswith("view") else kind.split()[0]] = bounds["x"]
    return found


def test_undo_without_scripts_leads_to_its_request(site: Site) -> None:
    page = site.logged_in_page("loader", scripts=False)
    page.goto(f"{LOADS}1/change/")
    page.get_by_role("link", name="Undo…").click()
    page.get_by_role("button", name="Undo load 1").click()
    expect(page.locator(".messagelist")).to_contain_text("Undo of load 1 is queued as request 1.")
    page.get_by_role("link", name="request 1").click()
    expect(page.locator(".field-state_shown")).to_contain_text("queued")
    expect(page.locator(".field-load_link").get_by_role("link", name="1")).to_be_visible()


def test_selected_dead_letter_is_replayed_by_a_request(site: Site) -> None:
    page = site.logged_in_page("loader", scripts=False)
    page.goto(LETTERS)
    page.get_by_role("checkbox").last.check()
    page.locator("select[name=action]").select_option(label="Replay the selected dead letters")
    page.locator("button[name=index]").click()
    expect(page.locator(".messagelist")).to_contain_text("Replay of load 3 is queued as request 1.")
