"""Every page of both apps: width, theme, appearance, accessibility, and a strict CSP."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Browser, Page, Route, expect

from seeder.models import Run
from seeder.services.run.run_liveness_lock import RunLock
from tests.browser.conftest import LONGEST_WORDS, PASSWORD, Site, running_server
from tests.browser.every_page import create_rows, pattern_names, public_urls, urls_by_pattern
from tests.browser.monitoring_pages import AXE
from tests.conftest import sql

pytestmark = pytest.mark.slow
soak = pytest.mark.skipif(
    "SEEDER_EVERY_PAGE" not in os.environ, reason="takes minutes; `make soak` sets SEEDER_EVERY_PAGE"
)

THEMES: Sequence[Literal["light", "dark"]] = ("light", "dark")
ALL_RULES = ("wcag2a", "wcag2aa", "wcag21aa", "best-practice")
CONTRAST = ("color-contrast",)
OWN_PARTS = ".seeder, .seeder-freshness"
# "light dark" means both, and "normal" is light.
COLOR_SCHEME = (
    "getComputedStyle(document.querySelector('.seeder') ?? document.body).colorScheme.replace('normal', 'light')"
)
OPEN_ALL = "document.querySelectorAll('.seeder details').forEach(one => { one.open = true; })"
TOO_WIDE = """() => document.documentElement.scrollWidth <= innerWidth ? [] : [...document.querySelectorAll("body *")]
    .filter(one => one.getBoundingClientRect().right > innerWidth && !one.closest(".scrolled, .results"))
    .map(one => `too wide: ${one.outerHTML.slice(0, 100)}`).slice(0, 5)"""


# Records moves of our parts while a page is loaded. Without its sidebar, which the admin adds by a script.
RECORD_MOVES = """
    try { localStorage.setItem("django.admin.navSidebarIsOpen", "false") } catch {}
    window.moved = []
    const isOurs = node => (node?.closest ? node : node?.parentElement)?.closest(".seeder")
    new PerformanceObserver(list => window.moved.push(...list.getEntries()
        .filter(one => one.value > 0.001 && !one.hadRecentInput).flatMap(one => one.sources.map(from => from.node))
        .filter(isOurs).map(node => `moved: ${(node.outerHTML ?? node.textContent).slice(0, 100)}`)
    )).observe({type: "layout-shift", buffered: true})"""
TWO_FRAMES = (
    "new Promise(resolve => requestAnimationFrame(() => requestAnimationFrame(() => resolve(window.moved ?? []))))"
)
# Collects our controls until they get the focus, and those that do not show it. A bar of a chart is left out if another
# link of the page leads to the same place.
WATCH_FOCUS = """() => {
    const controls = "a[href], button, input, select, textarea, summary, [tabindex='0']"
    const shown = [...document.querySelectorAll(".seeder")].flatMap(part => [...part.querySelectorAll(controls)])
        .filter(one => one.checkVisibility({visibilityProperty: true}) && !one.disabled && one.type !== "hidden")
        .filter(one => one.type !== "radio" || one.checked)
    const linked = new Set(shown.filter(one => one.tabIndex >= 0).map(one => one.getAttribute("href")))
    window.unreached = new Set(shown.filter(one => one.tabIndex >= 0 || !linked.has(one.getAttribute("href"))))
    window.unmarked = new Set()
    document.addEventListener("focusin", ({target}) => {
        window.unreached.delete(target)
        const {outlineStyle, boxShadow} = getComputedStyle(target)
        if (target.closest(".seeder") && outlineStyle === "none" && boxShadow === "none") window.unmarked.add(target)
    })
    const [first] = window.unreached
    first?.focus({focusVisible: true})
    return window.unreached.size
}"""
UNREACHED = """() => [...window.unreached].map(one => `no focus: ${one.outerHTML.slice(0, 100)}`).concat(
    [...window.unmarked].map(one => `unmarked: ${one.outerHTML.slice(0, 100)}`)).slice(0, 5)"""


@pytest.fixture(autouse=True)
def rows(site: Site, load_tables: None, tmp_path: Path) -> Iterator[None]:
    User.objects.create_superuser("admin", password=PASSWORD)
    create_rows(tmp_path)
    with RunLock(Run.objects.latest("started_at").run_id):  # as if its process lived
        yield
    sql("DROP SCHEMA landing CASCADE; DROP TABLE reporting.source CASCADE")


def admin_urls() -> Sequence[str]:
    return list(dict.fromkeys(url for urls in urls_by_pattern().values() for url in urls))


def test_every_other_url_is_refused(site: Site) -> None:
    """An object's history is Django's page, and empty."""
    client = Client()
    client.force_login(User.objects.get(username="admin"))
    for name in pattern_names() - urls_by_pattern().keys():
        action = name.rpartition("_")[2]
        assert action in {"add", "delete", "history"}, f"a page without a test: {name}"
        if action != "history":
            url = reverse(f"admin:{name}", args=["1"] if action == "delete" else [])
            assert client.get(url).status_code in {302, 403}, f"a page without a test: {name}"


@soak
@pytest.mark.parametrize("width", [400, 1280])
@pytest.mark.parametrize("skin", ["stock", "unfold", "jazzmin"])
def test_every_page_fits_and_is_accessible(site: Site, chromium: Browser, skin: str, width: int) -> None:
    if skin == "stock":
        check_pages(site, width, ALL_RULES)
        return
    settings = {"ADMIN_SKIN": skin, "TIME_ZONE": "UTC", "DJANGO_SETTINGS_MODULE": "skin_settings"}
    with running_server(**settings, SEEDER_ALLOW_MANIFEST_EDITING="true") as address:
        check_pages(Site(address=address, browser=chromium, contexts=site.contexts), width, CONTRAST)


def check_pages(site: Site, width: int, rules: Sequence[str]) -> None:
    """Check all pages with both themes: one of them with these rules, and the other for its contrast."""
    page = site.logged_in_page("admin", width=width, language="en" if width == 1280 else LONGEST_WORDS)
    if rules == ALL_RULES:  # the scripts of other skins move parts
        page.add_init_script(RECORD_MOVES)
    problems: list[str] = []
    for theme, applied in zip(THEMES, (rules, CONTRAST), strict=True):
        page.emulate_media(color_scheme=theme)  # before the page is loaded, as scripts of other skins require
        for url in (*admin_urls(), *public_urls()):
            response = page.goto(url)
            assert response
            assert response.ok, url
            found = list(page.evaluate(TWO_FRAMES))
            page.evaluate(OPEN_ALL)
            found += page.evaluate(TOO_WIDE)
            if page.locator(OWN_PARTS).count():
                found += violations(page, applied)
                has_theme = not url.endswith("/fragment.html")  # which takes that of the page around it
                if has_theme and theme not in page.evaluate(COLOR_SCHEME):
                    found.append("wrong theme")
            problems += [f"{url} {theme}: {problem}" for problem in found]
    assert problems == [], "\n".join(problems)


def violations(page: Page, rules: Sequence[str]) -> Sequence[str]:
    """Return accessibility problems of our parts of the page. The lists are Django's."""
    page.evaluate(AXE)
    found: Any = page.evaluate(f"rules => axe.run('{OWN_PARTS}', {{runOnly: rules}})", list(rules))
    return [
        f"{one['id']}: {node['html'][:120]} {node['failureSummary'][:200]}"
        for one in found["violations"]
        for node in one["nodes"]
    ]


def test_every_page_works_without_scripts(site: Site) -> None:
    page = site.logged_in_page("admin", scripts=False)
    for url in admin_urls():
        response = page.goto(url)
        assert response
        assert response.ok, url
        assert page.locator("h1").last.is_visible(), url


@soak
def test_every_control_of_every_page_is_reached_by_keyboard(site: Site) -> None:
    page = site.logged_in_page("admin")
    problems: list[str] = []
    for url in admin_urls():
        page.goto(url)
        page.evaluate(OPEN_ALL)
        # A date has several parts, and controls of the admin come between ours.
        for _ in range(page.evaluate(WATCH_FOCUS) + 40):
            page.keyboard.press("Tab")
        problems += [f"{url}: {problem}" for problem in page.evaluate(UNREACHED)]
    assert problems == [], "\n".join(problems)


def test_every_page_works_with_strict_csp(site: Site) -> None:
    def add_strict_csp(route: Route) -> None:
        response = route.fetch(max_redirects=0)
        route.fulfill(response=response, headers={**response.headers, "content-security-policy": "default-src 'self'"})

    page = site.logged_in_page("admin")
    page.route(lambda url: "/static/" not in url, add_strict_csp)
    for url in admin_urls():
        page.goto(url)
        assert site.browser_errors == [], url


def test_every_page_that_updates_itself_shows_a_lost_server_and_an_ended_session(site: Site) -> None:
    page = site.logged_in_page("admin")
    page.clock.install()
    state, updating = page.locator("#seeder-connection"), []
    for name, urls in urls_by_pattern().items():
        page.goto(urls[-1])
        if not page.locator("#seeder-live[data-live]").count():
            continue
        updating.append(name)
        expect(state).to_have_text("live")
        page.route("**/admin/**", lambda route: route.abort())
        page.clock.fast_forward(31_000)
        expect(state).to_have_text("reconnecting")
        page.unroute("**/admin/**")
        page.clock.fast_forward(2_100)
        expect(state).to_have_text("live")
        cookies = page.context.cookies()
        page.context.clear_cookies()
        page.clock.fast_forward(31_000)
        expect(state).to_have_text("logged out")
        expect(page.get_by_role("link", name="Log in")).to_be_visible()
        page.context.add_cookies(cookies)  # type: ignore[arg-type]  # the same dictionaries
    assert {"seeder_monitoring", "seeder_monitoring_agency", "seeder_run_timeline", "seeder_view"} <= {*updating}
    site.browser_errors.clear()  # of the requests that failed
