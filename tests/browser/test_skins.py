"""The pages in all appearances of the admin: Django's, django-unfold and django-jazzmin."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Literal

import pytest
from django.db.models import F
from playwright.sync_api import Browser, Page

from seeder.models import CustomReportManifest, JobStatus, Run, RunHistory
from tests.browser.conftest import Site, running_server
from tests.browser.monitoring_pages import AXE, MONITORING
from tests.morning_scene import MAX_FAILURES, create_morning, morning_zone

pytestmark = pytest.mark.slow

WINDOWS: Sequence[tuple[int, Literal["light", "dark"]]] = ((400, "dark"), (1280, "light"))
TOO_WIDE = """width => document.documentElement.scrollWidth <= width ? [] : [...document.querySelectorAll(".seeder *")]
    .filter(element => element.getBoundingClientRect().right > width).map(element => element.outerHTML.slice(0, 100))"""
CUT_OFF = """() => [...document.querySelectorAll(".run-grid :is(.view, .state, .success-at)")]
    .filter(cell => cell.scrollWidth > cell.clientWidth).map(cell => cell.textContent)
    .concat([...document.querySelectorAll(".run-grid .view bdi")].filter(agency =>
        agency.getBoundingClientRect().right > agency.closest("th").getBoundingClientRect().right)
        .map(agency => agency.textContent))"""
ANSWERS = (
    ("is the page up to date?", ".seeder-age", "updated"),
    ("did the night finish, and when?", ".night.latest", "finished today 02:41"),
    ("what runs?", ".now", "paused"),
    ("are queue and workers healthy?", ".now", "Queue empty Workers ready"),
    ("what runs next?", ".now", "Next run tomorrow 02:00 every report"),
    (
        "why does nothing run?",
        "[id^=pause-]",
        "circuit breaker since today 06:01 1 failed view (limit 1)",
    ),
    (
        "what happens next?",
        "[id^=pause-]",
        "tomorrow 02:00 tries one view, probably reporting.bronx_arrests_by_day_0;",
    ),
    ("what failed, and since when?", "[id^=failing-]", "manhattan_complaints_by_type_31 manhattan since today 06:00"),
    ("why did it fail?", "[id^=failing-]", 'relation "records.precinct_areas" does not exist'),
    (
        "what is late, and since when?",
        ".problem.late",
        "overtime_by_day_47 staten-island since yesterday 04:22",
    ),
    ("is the data of an agency from today?", "nav.agencies", "Data from today, oldest at manhattan 02:01, 1 failing"),
)
IS_DARK = "getComputedStyle(document.querySelector('.seeder')).colorScheme.startsWith('dark')"


@pytest.mark.parametrize("skin", ["unfold", "jazzmin"])
def test_pages_are_readable_in_other_skins(site: Site, chromium: Browser, skin: str) -> None:
    create_morning()
    evening = F("start_time") - timedelta(hours=5)  # "yesterday" is the longest word
    JobStatus.objects.filter(consecutive_failures=0).update(start_time=evening)
    CustomReportManifest.objects.update(report_name="Complaints by hour of day against last year")
    urls = {
        "monitoring": f"{MONITORING}agency/manhattan/",
        "run": f"{MONITORING}run/{Run.objects.latest('started_at').run_id}/",
        "runs": "/admin/seeder/run/",
        "history": "/admin/seeder/runhistory/",
        "view": f"{MONITORING}view/?table={RunHistory.objects.latest('pk').table_name}",
    }
    zone = morning_zone().key
    variables = {"SEEDER_MAX_FAILURES": str(MAX_FAILURES), "DJANGO_SETTINGS_MODULE": "skin_settings"}
    with running_server(ADMIN_SKIN=skin, TIME_ZONE=zone, **variables) as address:
        skinned = Site(address=address, browser=chromium, contexts=site.contexts)
        page = skinned.logged_in_page("operator")
        for width, scheme in WINDOWS:
            page.set_viewport_size({"width": width, "height": 900})
            page.emulate_media(color_scheme=scheme)
            for name, url in urls.items():
                page.goto(url)
                where = f"{name} at {width} px, {scheme}"
                assert page.evaluate(IS_DARK) == (scheme == "dark"), where
                assert page.evaluate(TOO_WIDE, width) == [], where
                assert page.evaluate(CUT_OFF) == [], where
                assert unreadable_texts(page) == [], where


@pytest.mark.parametrize("skin", ["", "unfold", "jazzmin"])
def test_first_screen_answers_the_questions_of_a_morning(site: Site, chromium: Browser, skin: str) -> None:
    create_morning()
    zone = morning_zone().key
    variables = {"SEEDER_MAX_FAILURES": str(MAX_FAILURES), "DJANGO_SETTINGS_MODULE": "skin_settings"}
    with running_server(ADMIN_SKIN=skin, TIME_ZONE=zone, **variables) as address:
        page = Site(address=address, browser=chromium, contexts=site.contexts).logged_in_page("operator")
        page.goto(MONITORING)
        for question, place, answer in ANSWERS:
            found = page.locator(place).filter(visible=True).first
            assert answer in " ".join(found.inner_text().replace("·", " ").split()), question
            box = found.bounding_box()
            assert box, question
            assert box["y"] + box["height"] <= 900, question


def unreadable_texts(page: Page) -> list[str]:
    """Return the texts of our part of the page with too little contrast."""
    page.evaluate(AXE)
    found: Any = page.evaluate("axe.run('.seeder', {runOnly: ['color-contrast']})")
    return [node["html"][:120] + node["failureSummary"][:200] for one in found["violations"] for node in one["nodes"]]
