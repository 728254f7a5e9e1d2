"""The monitoring pages, and the check of their accessibility."""

from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from seeder.models import ReleaseSnapshot, Run
from seeder.services.snapshots import release_snapshots
from tests.conftest import sql

AXE = (Path(__file__).parent / "vendor" / "axe.min.js").read_text(encoding="utf-8")
MONITORING = "/admin/seeder/monitoring/"


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


def names(page: Page) -> list[str]:
    """Return the names of the listed views."""
    return page.locator("table.run-grid tbody th a").all_inner_texts()
