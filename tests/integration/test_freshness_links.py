"""The badge and the fragment that show readers without a login how fresh the data of an agency are."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone, translation
from pytest_django import Settings

from seeder.domain.freshness.agency_freshness import ReaderState
from seeder.domain.refresh_requests import AllReports
from seeder.freshness_errors import BadLinkExpiry
from seeder.models import CustomReportManifest, Freshness
from seeder.services import freshness_links
from seeder.services.freshness_links import create_link
from seeder.services.read_models import agency_freshness
from seeder.services.read_models.agency_freshness import read_freshness
from seeder.services.run import orchestrator
from tests.acceptance.scale.database_time import measure
from tests.conftest import CompletedCommand, create_canned_report, create_custom_manifest, sql

pytestmark = pytest.mark.usefixtures("contract_tables")

HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def _no_cache() -> Iterator[None]:
    agency_freshness._freshness_in.cache_clear()
    yield
    agency_freshness._freshness_in.cache_clear()


@pytest.fixture
def views(contract_tables: None) -> None:
    """A view of `demo` with data three hours old, a newer one that it shares with `metro`."""
    create_custom_manifest("reporting.a", "SELECT 1 AS n")
    create_canned_report("reporting.shared", "SELECT 1 AS n", agencies=("demo", "metro"))
    orchestrator.execute_run(AllReports())
    make_older("a", hours=3)


def make_older(view: str, *, hours: int) -> None:
    sql(
        "UPDATE reporting.seeder_view_state SET data_as_of = data_as_of - make_interval(hours => %s)"
        " WHERE view_name = %s",
        hours,
        view,
    )


def get(address: str, client: Client | None = None, etag: str = "") -> Any:
    agency_freshness._freshness_in.cache_clear()
    return (client or Client()).get(address, headers={"If-None-Match": etag} if etag else {})


@pytest.mark.usefixtures("views")
def test_data_of_an_agency_are_as_old_as_its_oldest_view() -> None:
    [[oldest]] = sql("SELECT data_as_of FROM reporting.seeder_view_state WHERE view_name = 'a'")
    found = read_freshness("demo")
    assert (found.state, found.data_as_of) == (ReaderState.ON_TIME, oldest)
    assert (
        read_freshness("metro").data_as_of
        == sql("SELECT data_as_of FROM reporting.seeder_view_state WHERE view_name = 'shared'")[0][0]
    )
    CustomReportManifest.objects.filter(table_name="reporting.a").update(enabled=False)
    assert read_freshness("demo").data_as_of == read_freshness("metro").data_as_of


@pytest.mark.usefixtures("views")
def test_agency_is_late_with_its_contracts_and_without_them_by_stale_hours(settings: Settings) -> None:
    warning = Freshness.objects.create(agency_slug="demo", target_lag=2 * HOUR, severity="warn")
    assert read_freshness("demo").state is ReaderState.ON_TIME
    warning.severity = "error"
    warning.save()
    assert read_freshness("demo").state is ReaderState.LATE
    assert read_freshness("metro").state is ReaderState.ON_TIME  # the contract is not its own
    Freshness.objects.create(table_name="REPORTING.a", target_lag=4 * HOUR)  # replaces that of the agency
    assert read_freshness("demo").state is ReaderState.ON_TIME
    Freshness.objects.all().delete()
    settings.SEEDER = {"STALE_HOURS": 2}
    assert read_freshness("demo").state is ReaderState.LATE


@pytest.mark.usefixtures("views")
def test_unknown_age_of_one_view_makes_that_of_the_agency_unknown() -> None:
    create_custom_manifest("reporting.new", "SELECT 1 AS n")  # it has no data that could be old
    assert read_freshness("demo").state is ReaderState.ON_TIME
    sql("REFRESH MATERIALIZED VIEW reporting.a")
    found = read_freshness("demo")
    assert (found.state, found.data_as_of) == (ReaderState.UNKNOWN, None)
    sql("DROP MATERIALIZED VIEW reporting.a")
    assert read_freshness("demo").state is ReaderState.UNKNOWN
    sql("DROP TABLE reporting.seeder_view_state")
    assert read_freshness("metro").state is ReaderState.UNKNOWN


def test_agency_without_data_says_so() -> None:
    assert read_freshness("demo").state is ReaderState.NO_DATA
    create_custom_manifest("reporting.a", "SELECT 1 / 0 AS n")
    assert read_freshness("demo").state is ReaderState.NO_DATA
    Freshness.objects.create(agency_slug="demo", target_lag=HOUR)
    orchestrator.execute_run(AllReports())
    assert read_freshness("demo").state is ReaderState.LATE


@pytest.mark.usefixtures("views")
def test_times_are_in_the_zone_of_the_agency(settings: Settings) -> None:
    settings.TIME_ZONE = "Asia/Tokyo"
    assert read_freshness("demo").as_of_text.endswith(" JST")
    Freshness.objects.create(agency_slug="demo", due_at="06:30", due_zone="America/Bogota")
    assert read_freshness("demo").as_of_text.endswith(" -05")


def test_alternative_text_is_in_the_language_of_the_link_page() -> None:
    with translation.override("de"):
        assert ' alt="Aktualität der Daten" ' in create_link("demo").html


@pytest.mark.usefixtures("views")
def test_badge_and_fragment_need_no_login_and_reveal_nothing_else(settings: Settings) -> None:
    Freshness.objects.create(agency_slug="demo", target_lag=2 * HOUR)
    link, text = create_link("demo"), read_freshness("demo").as_of_text
    client = Client()
    client.force_login(User.objects.create_user("ada"))
    badge, fragment, frame = (get(address, client) for address in (link.badge, link.fragment, link.frame))
    root = ET.fromstring(badge.content)  # noqa: S314  # our own
    assert root.findtext("{*}title") == f"data as of {text}: late"
    assert root.attrib["role"] == "img"
    assert f">{text}</time>, late." in fragment.content.decode()
    assert fragment.content in frame.content
    for answer in (badge, fragment, frame):
        assert answer.status_code == 200
        assert b"reporting" not in answer.content
        assert not answer.cookies
        assert {"Set-Cookie", "X-Frame-Options"}.isdisjoint(answer.headers)
        assert answer["Vary"] == "Accept-Language"  # a shared cache keeps one answer for each language
        assert answer["Access-Control-Allow-Origin"] == "*"
        assert answer["Cache-Control"] == "public, max-age=30"
        assert "frame-ancestors" not in answer["Content-Security-Policy"]
    assert get(link.badge, etag=badge["ETag"]).status_code == 304
    Freshness.objects.all().delete()
    assert get(link.badge, etag=badge["ETag"]).status_code == 200
    assert Client().post(link.badge).status_code == 405


def test_links_that_are_not_valid_look_alike_and_cost_no_statement(settings: Settings) -> None:
    expired = create_link("demo", expires_at=timezone.now() - timedelta(seconds=1)).badge
    assert get(create_link("demo", expires_at=timezone.now() + HOUR).badge).status_code == 200
    assert get(expired).status_code == 404
    other_agency = create_link("demo").badge.replace("/freshness/ey", "/freshness/eY")
    other_secret = create_link("demo").badge
    settings.SECRET_KEY = "another"  # noqa: S105  # of a test
    revoked, foreign = create_link("demo").badge, "/api/seeder/freshness/x%00%F0%9F%92%A9/badge.svg"
    settings.SEEDER = {"FRESHNESS_LINK_VERSIONS": {"demo": 2}}
    answers: list[Any] = []
    addresses = (expired, other_agency, other_secret, revoked, foreign)
    cost = measure(lambda: answers.extend(map(get, addresses)))
    assert {(answer.status_code, answer.content) for answer in answers} == {(404, answers[0].content)}
    assert b"invalid link" in answers[0].content
    assert cost.statements == 0
    assert get(create_link("demo").badge).status_code == 200


def test_link_survives_the_rotation_of_the_secret_key(settings: Settings) -> None:
    link, old = create_link("demo", expires_at=timezone.now() + HOUR), settings.SECRET_KEY
    assert link == create_link("demo", expires_at=link.expires_at)
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another", [old]
    assert get(link.fragment).status_code == 200
    settings.SECRET_KEY_FALLBACKS = []
    assert get(link.fragment).status_code == 404


def test_answer_without_the_database_is_unknown_and_not_cached(settings: Settings) -> None:
    link = create_link("demo")
    sql("DROP TABLE reporting.seeder_custom_report_manifest")
    answer = get(link.fragment)
    assert (answer.status_code, answer["Cache-Control"]) == (503, "no-store")
    assert b"It is unknown as of when the data are." in answer.content


@pytest.mark.usefixtures("views")
def test_readers_share_an_answer_and_more_views_take_no_more_statements() -> None:
    few = measure(partial(read_freshness, "demo")).statements
    for number in range(5):
        create_custom_manifest(f"reporting.v{number}", "SELECT 1 AS n")
    orchestrator.execute_run(AllReports())
    assert measure(partial(read_freshness, "demo")).statements == few <= 8
    link, client = create_link("demo").badge, Client()
    assert get(link, client).status_code == 200
    assert measure(partial(client.get, link)).statements == 0


def test_command_prints_addresses_and_html(manage: Callable[..., CompletedCommand]) -> None:
    create_custom_manifest("reporting.a", "SELECT 1 AS n")
    line = ("freshness_link", "demo", "--origin", "https://reports.example.org/", "--expires", "2999-06-30", "--json")
    printed = manage(*line).document
    assert printed["expiresAt"] == "2999-07-01T00:00:00+00:00"
    assert printed["badge"].startswith("https://reports.example.org/api/seeder/freshness/")
    assert printed["html"].startswith(f'<img src="{printed["badge"]}" alt=')
    assert freshness_links.read_token(printed["badge"].split("/")[-2]) == "demo"
    assert manage("freshness_link", "demo").out.splitlines()[3].startswith("<img src")
    for refused in (["gotham"], ["demo", "--expires", "2020-01-01"], ["demo", "--origin", 'https://x"onload=']):
        assert manage("freshness_link", *refused).exit_code == 2


@pytest.mark.parametrize("text", ["tomorrow", "2026-13-01", "2020-01-01", "2020-01-01T00:00+02:00", "9999-12-31"])
def test_expiry_that_cannot_be_is_refused(text: str) -> None:
    with pytest.raises(BadLinkExpiry):
        freshness_links.parse_expiry(text)
