"""The pages of manifests in Chromium: width, accessibility, a strict CSP, and no need of scripts."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, Route, expect

from seeder.domain.refresh_requests import AllReports
from seeder.models import CannedReport, CannedReportManifest, CustomReportManifest
from seeder.services.run import orchestrator
from tests.browser.conftest import OPERATOR_PERMISSIONS, READER_PERMISSIONS, Site, create_user
from tests.browser.monitoring_pages import AXE, accessibility_violations
from tests.conftest import create_canned_report, create_custom_manifest, sql

pytestmark = pytest.mark.slow

LIST = "/admin/seeder/customreportmanifest/"
QUERY = """SELECT officer, count(*) AS arrests, max(word) AS longest_description_of_all_arrests_of_the_officer
FROM reporting.arrests
GROUP BY officer"""
REFUSED = "SELECT officer,\n  missing\nFROM reporting.arrests"


@pytest.fixture(autouse=True)
def manifests(site: Site) -> Iterator[None]:
    create_user("editor", *OPERATOR_PERMISSIONS, "view_manifests", "edit_manifests")
    create_user("analyst", *READER_PERMISSIONS, "view_manifests")
    sql(
        "CREATE TABLE reporting.arrests AS"
        " SELECT n % 7 AS officer, 'A description ' || repeat('of an arrest ', n) AS word"
        " FROM generate_series(1, 30) AS n"
    )
    create_custom_manifest("reporting.arrests_by_officer", "SELECT officer, 1 AS old FROM reporting.arrests")
    create_custom_manifest("reporting.bad", "SELECT 'x'::integer AS n", agency="metro")
    create_canned_report("reporting.shared", "SELECT 2 AS n", agencies=("demo", "metro"))
    orchestrator.execute_run(AllReports(), requested_by="a test")
    sql("CREATE UNIQUE INDEX by_old ON reporting.arrests_by_officer (officer, old) WHERE officer < 0")
    yield
    sql("DROP TABLE reporting.arrests CASCADE")


def page_urls() -> dict[str, str]:
    row = CustomReportManifest.objects.get(table_name="reporting.arrests_by_officer")
    return {
        "manifest": f"{LIST}{row.pk}/change/",
        "new manifest": f"{LIST}add/",
        "report": f"/admin/seeder/cannedreport/{CannedReport.objects.get().pk}/change/",
        "subscription": f"/admin/seeder/cannedreportmanifest/{CannedReportManifest.objects.first().pk}/change/",  # type: ignore[union-attr]  # there are two
        "new subscription": "/admin/seeder/cannedreportmanifest/add/",
    }


def check(page: Page, query: str) -> None:
    page.get_by_label("Query").fill(query)
    page.get_by_role("button", name="Check").click()
    expect(page.get_by_role("heading", name="Check", exact=True)).to_be_visible()


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 400)])
def test_manifest_pages_fit_viewport_and_are_accessible(site: Site, width: int, scheme: str) -> None:
    page = site.logged_in_page("editor", width=width, scheme=scheme)

    def assert_fits(name: str) -> None:
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name
        page.evaluate(AXE)
        assert accessibility_violations(page) == [], name

    for name, url in page_urls().items():
        page.goto(url)
        assert_fits(name)
    page.goto(page_urls()["manifest"])
    for name, query in {"checked": QUERY, "refused": REFUSED}.items():
        check(page, query)
        assert_fits(name)
    reader = site.logged_in_page("analyst", width=width, scheme=scheme)
    reader.goto(page_urls()["manifest"])
    expect(reader.get_by_text("that needs the permission seeder.edit_manifests")).to_be_visible()
    assert reader.evaluate("document.documentElement.scrollWidth") <= width


def test_manifest_is_checked_and_saved_with_strict_csp_and_without_scripts(site: Site) -> None:
    def add_strict_csp(route: Route) -> None:
        response = route.fetch(max_redirects=0)
        route.fulfill(response=response, headers={**response.headers, "content-security-policy": "default-src 'self'"})

    page = site.logged_in_page("editor", scripts=False)
    page.route("**/admin/seeder/**", add_strict_csp)
    page.goto(page_urls()["manifest"])
    check(page, REFUSED)
    expect(page.locator("#excerpt mark")).to_have_text("m")
    check(page, QUERY)
    for text in ("PostgreSQL accepts the query, with 2 warnings", "HashAggregate", "A description of an arrest"):
        expect(page.get_by_text(text).first).to_be_visible()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("is stored.")).to_be_visible()
    assert CustomReportManifest.objects.get(table_name="reporting.arrests_by_officer").query == QUERY
    page.goto(LIST)
    expect(page.get_by_role("row").filter(has_text="arrests_by_officer")).to_contain_text("other query")
