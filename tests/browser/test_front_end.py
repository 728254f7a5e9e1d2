"""A front end of another team, in a browser: from an upload to corrected statistics."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.contrib.auth.models import Permission, User
from playwright.sync_api import Page, Route, expect

from seeder.domain.refresh_requests import AllReports
from seeder.services.run import orchestrator
from tests.acceptance import queue_clusters
from tests.browser.conftest import PASSWORD, Site
from tests.conftest import create_custom_manifest, sql

pytestmark = pytest.mark.slow

FOLDER = Path(__file__).with_name("front_end")
PERMISSIONS = ("load", "see_raw", "view_loadlog", "view_loadreject", "view_loadrequest", "view_stats")
QUERY = "SELECT sku, sum(units) AS units FROM landing.returns GROUP BY sku"


@pytest.fixture(autouse=True)
def running_lane(site: Site, load_tables: None, upload_root: str) -> Iterator[None]:
    """An empty table of returns, the view of its statistics, a user with permissions to load, and a cluster."""
    sql("CREATE TABLE landing.returns (sku text NOT NULL, units integer NOT NULL)")
    create_custom_manifest("reporting.mat_v_roi_full", QUERY)
    orchestrator.execute_run(AllReports())
    user = User.objects.create_user("loader", password=PASSWORD, is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=PERMISSIONS))
    queue_clusters.start(DATA_PIPELINE_UPLOAD_ROOT=upload_root)
    yield
    queue_clusters.kill_all()
    sql("DROP SCHEMA landing CASCADE")


def open_front_end(page: Page) -> None:
    """Open the front end. The browser takes its files from here, and everything else from the server."""

    def fulfill(route: Route) -> None:
        route.fulfill(path=FOLDER / (route.request.url.rpartition("/")[2] or "index.html"))

    page.route("**/front-end/*", fulfill)
    page.goto("/front-end/")


def instant(page: Page) -> str:
    return page.locator("#as-of").get_attribute("datetime") or ""


def test_corrected_reject_changes_statistics_and_their_age(site: Site, tmp_path: Path) -> None:
    page = site.logged_in_page("loader")
    open_front_end(page)
    progress, units = page.get_by_role("status"), page.get_by_role("table", name="Statistics")
    expect(progress).to_have_text("Up to date")
    before = instant(page)

    (tmp_path / "returns.csv").write_text("sku,units\nLAMP,1\nLAMP,two\nDESK,3\n")
    page.get_by_label("File").set_input_files(tmp_path / "returns.csv")
    page.get_by_role("button", name="Upload").click()
    expect(progress).to_have_text("Up to date")
    expect(units.get_by_role("row", name="LAMP 1")).to_be_visible()
    expect(page.locator("#newest-load")).to_have_text("1")
    loaded = instant(page)
    assert before < loaded

    page.get_by_label("units in line 3").fill("2")
    page.get_by_role("button", name="Replay").click()
    expect(units.get_by_role("row", name="LAMP 3")).to_be_visible()
    expect(progress).to_have_text("Up to date")
    expect(page.get_by_role("button", name="Replay")).to_have_count(0)
    expect(page.locator("#newest-load")).to_have_text("2")
    assert loaded < instant(page)
    assert site.browser_errors == []


def test_problem_of_an_upload_is_shown(site: Site, tmp_path: Path) -> None:
    page = site.logged_in_page("loader")
    open_front_end(page)
    (tmp_path / "returns.pdf").write_bytes(b"%PDF-1.7\n")
    page.get_by_label("File").set_input_files(tmp_path / "returns.pdf")
    page.get_by_role("button", name="Upload").click()
    expect(page.get_by_role("status")).to_contain_text("unsupported_file_format: ")
    [message] = site.browser_errors
    assert "415" in message
    site.browser_errors.clear()
