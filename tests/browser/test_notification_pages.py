"""The pages of notifications and of badges in Chromium: width, accessibility, a strict CSP, and no need of scripts."""

from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from django.utils import timezone
from playwright.sync_api import Route, expect

from seeder.domain.refresh_requests import AllReports
from seeder.models import Freshness, Mute, Notification
from seeder.services.freshness_links import create_link
from seeder.services.run import orchestrator
from tests.browser.conftest import LONGEST_WORDS, OPERATOR_PERMISSIONS, Site, create_user
from tests.browser.monitoring_pages import AXE, accessibility_violations
from tests.conftest import create_custom_manifest, sql
from tests.scripted_http import answer, serve

pytestmark = pytest.mark.slow

VIEW, MUTED = "reporting.hate_crimes_by_month_and_borough", "reporting.use_of_force"
LIST = "/admin/seeder/notification/"
MONITORING = "/admin/seeder/monitoring"
URLS = {
    "list": LIST,
    "mute": f"{MONITORING}/view/mute/?{urlencode({'table': VIEW})}",
    "muted": f"{MONITORING}/view/mute/?{urlencode({'table': MUTED})}",
    "badges": f"{MONITORING}/freshness/link/",
    "badge": f"{MONITORING}/freshness/link/?agency=demo&days=90",
}


@pytest.fixture(autouse=True)
def notifications(site: Site) -> Iterator[None]:
    create_user("pager", *OPERATOR_PERMISSIONS, "view_notification", "mute_notifications", "share_freshness")
    create_custom_manifest(VIEW, "SELECT 1 AS n")
    create_custom_manifest(MUTED, "SELECT 1 AS n")
    orchestrator.execute_run(AllReports())
    Freshness.objects.create(agency_slug="demo", target_lag=timedelta(hours=26))
    Mute.objects.create(
        database_alias="default",
        table_name=MUTED,
        reason="The source is migrated until Friday, see ticket 4711.",
        muted_by="ada",
        ends_at=timezone.now() + timedelta(days=3),
    )
    states = {
        "sent": None,
        "pending": "TimeoutError: timed out",
        "failed": "HTTP status 503",
        "gone": "HTTP status 410",
    }
    for number, (state, error) in enumerate(states.items()):
        Notification.objects.create(
            channel="on call",
            event="view_failed" if number else "view_recovered",
            subject=f"default:{VIEW}",
            facts={"agencies": ["demo"]},
            state=state,
            attempts=number + 1,
            error=error,
            ended_at=None if state == "pending" else timezone.now(),
        )
    yield
    sql("DELETE FROM reporting.seeder_mute; DELETE FROM reporting.seeder_notification")


@pytest.mark.parametrize(("scheme", "width", "language"), [("light", 1280, "en"), ("dark", 400, LONGEST_WORDS)])
def test_notification_pages_fit_viewport_and_are_accessible(site: Site, width: int, scheme: str, language: str) -> None:
    page = site.logged_in_page("pager", width=width, scheme=scheme, language=language)
    for name, url in URLS.items():
        page.goto(url)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name
        if name != "list":  # Django's
            page.evaluate(AXE)
            assert accessibility_violations(page) == [], name
        elif width == 1280:
            assert page.evaluate("(e => e.scrollWidth <= e.clientWidth)(document.querySelector('.results'))")


def test_badge_is_shown_with_strict_csp_and_without_scripts(site: Site) -> None:
    def add_strict_csp(route: Route) -> None:
        response = route.fetch(max_redirects=0)
        route.fulfill(response=response, headers={**response.headers, "content-security-policy": "default-src 'self'"})

    page = site.logged_in_page("pager", scripts=False)
    page.route("**/admin/seeder/**", add_strict_csp)
    page.goto(URLS["badges"])
    page.get_by_label("Agency").select_option("demo")
    page.get_by_role("button", name="Show").click()
    badge = page.get_by_role("img", name="Freshness of the data")
    expect(badge).to_be_visible()
    box = badge.bounding_box()
    assert box is not None
    assert box["width"] > 2 * box["height"]  # the image was loaded
    assert '<img src="' in page.get_by_label("HTML to paste").input_value()
    page.get_by_role("link", name="Page for a frame").click()
    expect(page.get_by_text("on time")).to_be_visible()


def test_badge_and_fragment_are_embedded_by_a_page_of_another_origin(site: Site) -> None:
    paths = create_link("demo")
    html = (
        f'<img src="{site.address}{paths.badge}" alt="badge">'
        f'<iframe src="{site.address}{paths.frame}" title="freshness"></iframe>'
    )
    context = site.browser.new_context(color_scheme="dark")
    site.contexts.append(context)
    page = context.new_page()
    with serve(answer(200, html.encode(), content_type="text/html")) as portal:
        page.goto(portal.url)
        expect(page.frame_locator("iframe").get_by_text("on time")).to_be_visible(timeout=10_000)
        assert page.evaluate("document.images[0].decode().then(() => document.images[0].naturalHeight)") == 20
        fragment = page.evaluate("url => fetch(url).then(answer => answer.text())", f"{site.address}{paths.fragment}")
    assert 'data-state="on time"' in fragment
    assert context.cookies() == []
