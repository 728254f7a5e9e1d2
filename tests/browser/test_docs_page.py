"""The docs page of the API in a browser."""

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import Site

pytestmark = [pytest.mark.slow]

DOCS = "/api/seeder/v1/docs/"


def add_strict_csp(page: Page) -> None:
    """Serve the page with a Content-Security-Policy that allows only own files."""

    def fulfill(route: Route) -> None:
        response = route.fetch()
        policy = "default-src 'self'; img-src 'self' data:"
        route.fulfill(response=response, headers={**response.headers, "content-security-policy": policy})

    page.route(f"**{DOCS}**", fulfill)


def test_docs_page_with_strict_csp_shows_every_operation(site: Site) -> None:
    page = site.logged_in_page("reader")
    add_strict_csp(page)
    page.goto(DOCS)
    paths = page.request.get("/api/seeder/v1/schema/").json()["paths"]
    operations = page.locator(".opblock")
    expect(operations).to_have_count(sum(map(len, paths.values())))
    operations.filter(has_text="/api/seeder/v1/jobs/").first.click()
    expect(page.get_by_role("button", name="Try it out")).to_be_visible()
