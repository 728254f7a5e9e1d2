"""What somebody sees of the API's description."""

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import Site

pytestmark = [pytest.mark.slow, pytest.mark.versions]

DOCS = "/api/seeder/v1/docs/"


def strictly(page: Page) -> None:
    """As a host that takes nothing but files of its own."""

    def answered(route: Route) -> None:
        answer = route.fetch()
        policy = "default-src 'self'; img-src 'self' data:"
        route.fulfill(response=answer, headers={**answer.headers, "content-security-policy": policy})

    page.route(f"**{DOCS}**", answered)


def test_the_page_shows_every_operation_under_a_strict_content_security_policy(site: Site) -> None:
    page = site.logged_in_page("reader")
    strictly(page)
    page.goto(DOCS)
    described = page.request.get("/api/seeder/v1/schema/").json()["paths"]
    operations = page.locator(".opblock")
    expect(operations).to_have_count(sum(map(len, described.values())))
    operations.filter(has_text="/api/seeder/v1/jobs/").first.click()
    expect(page.get_by_role("button", name="Try it out")).to_be_visible()
