"""The pages of data checks in Chromium: width, accessibility, a strict CSP, and no need of scripts."""

from collections.abc import Iterator
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Route, expect

from seeder.domain.outcomes import Outcome
from seeder.models import DataCheck, DataCheckWaiver
from tests.browser.conftest import LONGEST_WORDS, OPERATOR_PERMISSIONS, READER_PERMISSIONS, Site, create_user
from tests.browser.monitoring_pages import AXE, accessibility_violations
from tests.conftest import create_custom_manifest, sql
from tests.integration.data_checks.checked_view import add_check, create_view, refresh

pytestmark = pytest.mark.slow

LIST = "/admin/seeder/datacheck/"
RESULTS = f"/admin/seeder/monitoring/view/checks/?{urlencode({'table': 'reporting.a'})}"
LONG_NAME = "reporting.hate_crimes_by_month_and_borough"


@pytest.fixture(autouse=True)
def held_view(site: Site) -> Iterator[None]:
    create_user("keeper", *OPERATOR_PERMISSIONS, "view_datacheck", "edit_checks", "waive_checks")
    create_user("analyst", *READER_PERMISSIONS, "view_datacheck")
    create_view()
    create_custom_manifest(LONG_NAME, "SELECT 1 AS n")
    add_check("accepted_values", view=LONG_NAME, arguments={"column": "n", "values": [1]}, source="checks.yaml")
    add_check("row_count", arguments={"max_drop": 0.05})
    add_check("not_null", name="every arrest has a status", arguments={"column": "status"}, tolerated_share=0.001)
    add_check("condition", arguments={"expression": "amount > 0\nAND id > 0"}, severity="warn", source="checks.yaml")
    refresh()
    sql("DELETE FROM reporting.source WHERE id > 900")
    sql("UPDATE reporting.source SET status = NULL WHERE id < 40")
    assert refresh()["a"].outcome is Outcome.HELD
    yield
    sql("DROP TABLE reporting.source CASCADE")


def page_urls() -> dict[str, str]:
    names = {row.check_name: f"{LIST}{row.pk}/change/" for row in DataCheck.objects.all()}
    added = {
        kind: f"{LIST}add/?{urlencode({'view': 'reporting.a', 'kind': kind})}"
        for kind in ("row_count", "unique", "accepted_values", "query", "drift")
    }
    decision = RESULTS.replace("checks/?", "checks/decide/?")
    return {
        "list": LIST,
        "results": RESULTS,
        "results of a long name": RESULTS.replace("reporting.a", LONG_NAME),
        "publish": f"{decision}&decision=publish_once",
        "accept": f"{decision}&decision=accept",
        "new": f"{LIST}add/",
        **names,
        **added,
    }


@pytest.mark.parametrize(("scheme", "width", "language"), [("light", 1280, "en"), ("dark", 400, LONGEST_WORDS)])
def test_check_pages_fit_viewport_and_are_accessible(site: Site, width: int, scheme: str, language: str) -> None:
    page = site.logged_in_page("keeper", width=width, scheme=scheme, language=language)
    for name, url in page_urls().items():
        page.goto(url)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name
        if name != "list":  # Django's
            page.evaluate(AXE)
            assert accessibility_violations(page) == [], name
        elif width == 1280:
            assert page.evaluate("(e => e.scrollWidth <= e.clientWidth)(document.querySelector('.results'))")
    reader = site.logged_in_page("analyst", width=width, scheme=scheme)
    reader.goto(RESULTS)
    expect(reader.get_by_text("require seeder.view_errors").first).to_be_visible()
    expect(reader.get_by_role("button", name="Publish anyway…")).to_have_count(0)


def test_held_view_is_published_with_strict_csp_and_without_scripts(site: Site) -> None:
    def add_strict_csp(route: Route) -> None:
        response = route.fetch(max_redirects=0)
        route.fulfill(response=response, headers={**response.headers, "content-security-policy": "default-src 'self'"})

    page = site.logged_in_page("keeper", scripts=False)
    page.route("**/admin/seeder/**", add_strict_csp)
    page.goto(RESULTS)
    page.get_by_role("button", name="Publish anyway…").click()
    page.get_by_label("Reason").fill("month end")
    page.get_by_role("button", name="Publish anyway").click()
    expect(page.get_by_text("The next refresh of reporting.a is published")).to_be_visible()
    assert set(DataCheckWaiver.objects.values_list("check_name", "granted_by", "reason")) == {
        ("row_count", "keeper", "month end"),
        ("every arrest has a status", "keeper", "month end"),
    }
    page.get_by_role("link", name="Add a data check").click()
    page.get_by_label("The check passes if").select_option("accepted_values")
    page.get_by_role("button", name="Next").click()
    page.get_by_label("Name", exact=True).fill("statuses")
    page.get_by_label("Column").select_option("status")
    page.get_by_label("Accepted values").fill("open\ndone")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("is stored.")).to_be_visible()
    assert DataCheck.objects.get(check_name="statuses").arguments == {"column": "status", "values": ["open", "done"]}
