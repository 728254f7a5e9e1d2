"""The changed rows on the page of a view in Chromium: width and accessibility."""

from urllib.parse import urlencode

import pytest
from playwright.sync_api import expect

from seeder.domain.refresh_requests import SingleView
from seeder.domain.view_names import ViewName
from seeder.services.run import orchestrator
from tests.browser.conftest import Site
from tests.browser.monitoring_pages import AXE, accessibility_violations
from tests.conftest import create_custom_manifest, sql

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 400)])
def test_changed_rows_fit_viewport_and_are_accessible(site: Site, width: int, scheme: str) -> None:
    sql(
        "CREATE TABLE reporting.source AS SELECT i AS arrest_id, 'harbor' AS district, 'open' AS status,"
        " NULL::date AS closed_at, repeat('long text ', 30) AS report FROM generate_series(1, 40) AS i"
    )
    query = "SELECT * FROM reporting.source"
    sql(f"CREATE MATERIALIZED VIEW reporting.a AS {query}; CREATE UNIQUE INDEX ON reporting.a (district, arrest_id)")
    create_custom_manifest("reporting.a", query)
    sql("UPDATE reporting.source SET status = 'closed', closed_at = '2026-11-30' WHERE arrest_id < 9")
    sql("DELETE FROM reporting.source WHERE arrest_id = 40; INSERT INTO reporting.source VALUES (41, 'harbor', '')")
    view = SingleView(name=ViewName.parse("reporting.a"), max_changed_rows=2)
    assert orchestrator.execute_run(view, requested_by="ada").failed == 0
    page = site.logged_in_page("operator", width=width, scheme=scheme)
    page.goto(f"/admin/seeder/monitoring/view/?{urlencode({'table': 'reporting.a'})}")
    expect(page.get_by_text("8 updated, 1 inserted, 1 deleted")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.evaluate(AXE)
    assert accessibility_violations(page) == []
    sql("DROP TABLE reporting.source CASCADE")
