"""The lists of the admin and the page of a view in a browser."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission, User
from django.db.models import F

from seeder.domain.refresh_requests import AllReports
from seeder.models import DataCheck, Notification, Run, RunHistory
from seeder.services.run import orchestrator
from seeder.services.snapshots import release_snapshots
from tests.browser.conftest import LONGEST_WORDS, Site
from tests.browser.monitoring_pages import AXE, accessibility_violations
from tests.conftest import create_canned_report, create_custom_manifest, sql

pytestmark = [pytest.mark.slow]

NAME = "reporting.monthly_totals_of_incidents_by_precinct_and_officer"
LISTS = (
    "runhistory",
    "jobstatus",
    "run",
    "releasesnapshot",
    "customreportmanifest",
    "cannedreport",
    "cannedreportmanifest",
    "datacheck",
    "notification",
)
# The right edge of the rightmost cell, and of the element that scrolls.
CLIPPED = """() => {
    const edge = element => element.getBoundingClientRect().right;
    const cells = [...document.querySelectorAll("#result_list :is(th, td)")];
    return Math.max(...cells.map(edge)) - edge(document.querySelector("#changelist .results"));
}"""


@pytest.fixture(autouse=True)
def reports(site: Site) -> Iterator[None]:
    sql("CREATE TABLE reporting.source AS SELECT 1 AS n")
    create_custom_manifest(NAME, "SELECT n AS number_of_incidents FROM reporting.source", agency="harbor")
    create_custom_manifest("reporting.reader", f"SELECT number_of_incidents / 0 AS n FROM {NAME}")
    create_canned_report("reporting.shared", f"SELECT * FROM {NAME}", agencies=("demo", "metro"))
    orchestrator.execute_run(AllReports(), requested_by="operator@example.org")
    Run.objects.update(finished_at=F("started_at") + timedelta(hours=1, minutes=23), stopped_by="signal SIGTERM")
    RunHistory.objects.update(finish_time=F("start_time") + timedelta(minutes=12, seconds=34), records_processed=10**9)
    sql(f"CREATE UNIQUE INDEX ON {NAME} (number_of_incidents)")
    release_snapshots.capture_release_snapshot(NAME, "2026.11.0-rc.1", release_version="4.12.0")
    release_snapshots.capture_release_snapshot(NAME, "2026.11.0-rc.2", release_version="4.12.0")
    DataCheck.objects.create(table_name=NAME, check_name="incidents_are_positive", kind="condition", source="a.yaml")
    error = "https://hooks.example.org/services/reporting did not answer within 10 seconds"
    Notification.objects.create(
        channel="webhook-operations", event="view_recovered", subject=f"default:{NAME}", facts={}, error=error
    )
    User.objects.get(username="operator").user_permissions.set(
        Permission.objects.filter(content_type__app_label="seeder")
    )
    yield
    sql("DROP TABLE reporting.source CASCADE")


def test_no_column_of_a_list_is_cut_off(site: Site) -> None:
    page = site.logged_in_page("operator", language=LONGEST_WORDS)
    for name in LISTS:
        page.goto(f"/admin/seeder/{name}/")
        assert page.locator("#result_list tbody tr").count(), name
        assert page.evaluate(CLIPPED) <= 0, name
        assert page.evaluate("document.documentElement.scrollWidth") <= 1280, name


@pytest.mark.parametrize("width", [400, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_view_page_fits_and_is_accessible(site: Site, width: int, scheme: str) -> None:
    page = site.logged_in_page("operator", width=width, scheme=scheme, language=LONGEST_WORDS if width == 400 else "en")
    for query in ("", "&range=1y"):
        page.goto(f"/admin/seeder/monitoring/view/?table={NAME}{query}")
        for summary in page.locator("details:not([open]) > summary").all():
            summary.click()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.evaluate(AXE)
        assert accessibility_violations(page) == []


def test_lineage_works_without_javascript_and_by_keyboard(site: Site) -> None:
    page = site.logged_in_page("operator", scripts=False)
    page.goto(f"/admin/seeder/monitoring/view/?table={NAME}")
    boxes = page.locator("svg.lineage g.box")
    assert boxes.count() == 3  # the table, the view and one reader: the other one could not be created
    page.locator("svg.lineage a").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**table=reporting.shared")
