"""What Prometheus is told, and who else is."""

import gzip
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from time import monotonic

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families as read_text
from pytest_django import Settings

from docs_reference import metrics_page
from seeder import __version__, conf
from seeder.domain.monitoring.metrics_values import DURATION_BOUNDS
from seeder.errors import ConfigurationError
from seeder.models import RunHistory, RunMetrics
from seeder.services.read_models import metrics_snapshot
from tests.acceptance import api_clients
from tests.acceptance.web_process import default_database_with, fetch, web_process
from tests.conftest import CHECKOUT, CompletedCommand, create_custom_manifest, process_environment, sql
from tests.server_proxy import proxy_to_server

PATH, TOKEN = "/api/seeder/metrics", "s3cret-and-16-long"
LAST_SUCCESS = "seeder_view_last_success_timestamp_seconds"
OPTIONAL = {
    "seeder_run_metrics": {"seeder_recent_refresh_wait_seconds", "seeder_recent_failures"},
    "seeder_circuit_breaker": {"seeder_breaker_open", "seeder_breaker_failures"},
    "seeder_queued_refresh": {"seeder_queue_parts", "seeder_queue_oldest_waiting_seconds"},
    "seeder_run": {"seeder_runs_open", "seeder_last_run_end_timestamp_seconds"},
}


@pytest.fixture(autouse=True)
def guarded(empty_queue: None, settings: Settings) -> Iterator[None]:
    settings.SEEDER = {"METRICS_TOKEN": TOKEN}
    yield
    api_clients.delete_users()


def scraped(accept: str = "text/plain") -> Mapping[str, Metric]:
    """The families, by a parser that is not ours."""
    answer = Client().get(PATH, headers={"Authorization": f"Bearer {TOKEN}", "Accept": accept})
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    read = read_openmetrics if answer["Content-Type"].startswith("application/openmetrics-text") else read_text
    assert answer["Content-Type"].split(";")[0] == accept.split(";", maxsplit=1)[0]
    families = list(read(answer.content.decode()))
    assert len({family.name for family in families}) == len(families)
    return {family.name: family for family in families}


def values(family: Metric, *labels: str) -> dict[tuple[str, ...], float]:
    """By the values of these labels."""
    return {tuple(sample.labels[name] for name in labels): sample.value for sample in family.samples}


def value(families: Mapping[str, Metric], name: str) -> float:
    [sample] = families[name].samples
    return sample.value


def ran(name: str, *, ago: timedelta, took: float, status: str = "success", run: str = "r") -> RunHistory:
    began = timezone.now() - ago
    facts = {"report_name": "r", "agency_id": 1, "agency_slug": "demo", "report_type": "custom", "manifest_id": 1}
    ended = began + timedelta(seconds=took)
    return RunHistory.objects.create(
        run_id=run, table_name=name, status=status, start_time=began, finish_time=ended, **facts
    )


@pytest.mark.parametrize("accept", ["text/plain", "application/openmetrics-text; version=1.0.0; charset=utf-8"])
def test_a_run_is_told_of_in_both_formats(accept: str) -> None:
    api_clients.create_reports()
    families = scraped(accept)
    assert value(families, "seeder_up") == 1
    assert values(families["seeder_build_info"], "version") == {(__version__,): 1}
    totals = {name: value(families, f"seeder_views{name}") for name in ("", "_fresh", "_failing", "_stale", "_running")}
    assert totals == {"": 3, "_fresh": 2, "_failing": 1, "_stale": 1, "_running": 0}
    assert values(families["seeder_recent_refreshes"], "report_type", "status") == {
        ("custom", "success"): 1,
        ("custom", "error"): 1,
        ("canned", "success"): 1,  # one refresh, of two agencies
        ("canned", "error"): 0,
    }
    assert values(families["seeder_recent_failures"], "reason") == {("invalid_text_representation",): 1}
    began = values(families[LAST_SUCCESS], "view")
    [good] = RunHistory.objects.filter(table_name="reporting.good")
    assert began.keys() == {("reporting.good",), ("reporting.bad",), ("reporting.shared",)}
    assert began["reporting.bad",] == 0
    assert began["reporting.good",] == pytest.approx(good.start_time.timestamp(), abs=0.001)
    assert values(families["seeder_breaker_open"], "database") == {("default",): 0}
    assert values(families["seeder_queue_parts"], "state") == {("queued",): 0, ("running",): 0}
    assert value(families, "seeder_runs_open") == 0
    assert value(families, "seeder_last_run_end_timestamp_seconds") > good.start_time.timestamp()
    assert "secret-123" not in str(families)


def test_durations_and_waits_are_distributed_to_the_very_edge() -> None:
    for place, took in enumerate((0.05, 0.1, 0.100001, 15.0, 5 * 3600.0)):
        row = ran(f"v{place}", ago=timedelta(hours=6), took=took)
        waits = {"worker_wait_seconds": 1.0, "throttle_wait_seconds": 1.5, "lock_wait_seconds": None}
        RunMetrics.objects.create(history_id=row.pk, **waits)
    families = scraped()
    took_up_to = {
        sample.labels["le"]: sample.value
        for sample in families["seeder_recent_refresh_duration_seconds"].samples
        if sample.labels.get("status") == "success" and sample.name.endswith("_bucket")
    }
    assert list(took_up_to.values()) == [2, 3, 3, 3, 4, 4, 4, 4, 4, 4, 5]
    assert [float(bound) for bound in took_up_to] == [*DURATION_BOUNDS, float("inf")]
    waited = families["seeder_recent_refresh_wait_seconds"].samples
    up_to = {(one.labels["waited_for"], one.labels["le"]): one.value for one in waited if "le" in one.labels}
    assert (up_to["worker", "0.1"], up_to["worker", "1.0"], up_to["throttle", "1.0"]) == (0, 5, 0)
    assert (up_to["throttle", "10.0"], up_to["lock", "+Inf"]) == (5, 0)
    [total] = values(families["seeder_recent_refresh_duration_seconds_gsum"], "status").items() - {(("error",), 0.0)}
    assert total[1] == pytest.approx(5 * 3600 + 15.250001)


def test_only_what_is_recent_is_counted_and_what_is_deleted_changes_nothing_else(settings: Settings) -> None:
    create_custom_manifest("reporting.a", "SELECT 1 AS n")
    ran("reporting.a", ago=timedelta(hours=3), took=1, run="1")
    ran("reporting.a", ago=timedelta(minutes=30), took=1, run="2")
    ran("reporting.a", ago=timedelta(minutes=1), took=0, status="running", run="3")
    settings.SEEDER = {**settings.SEEDER, "METRICS_WINDOW_HOURS": 1}
    families = scraped()
    assert value(families, "seeder_recent_window_seconds") == 3600
    assert sum(values(families["seeder_recent_refreshes"], "report_type", "status").values()) == 1
    RunHistory.objects.filter(run_id="1").delete()
    again = scraped()
    assert again["seeder_recent_refreshes"].samples == families["seeder_recent_refreshes"].samples
    assert again[LAST_SUCCESS].samples == families[LAST_SUCCESS].samples


def test_a_view_that_failed_since_says_when_it_succeeded_before() -> None:
    create_custom_manifest("reporting.a", "SELECT 1 AS n")
    api_row = ran("reporting.a", ago=timedelta(hours=30), took=1, run="1")
    ran("reporting.a", ago=timedelta(hours=6), took=1, status="error", run="2")
    sql(
        "INSERT INTO reporting.seeder_job_status (table_name, manifest_id, report_name, report_type, agency_id,"
        " agency_slug, status, consecutive_failures, start_time)"
        " VALUES ('reporting.a', 1, 'r', 'custom', 1, 'demo', 'error', 1, now() - interval '6 hours')"
    )
    at = values(scraped()[LAST_SUCCESS], "view")["reporting.a",]
    assert at == pytest.approx(api_row.start_time.timestamp(), abs=0.001)


@pytest.mark.parametrize("accept", ["text/plain", "application/openmetrics-text"])
def test_no_name_breaks_the_format(accept: str) -> None:
    names = [
        f'reporting."{odd}"' for odd in ('a"b', "a\nb 1", "a\\nb", "a\\", "\r\u2028", "{a='b'}, c", "№ 1 \U0001f600")
    ]
    for name in names:
        create_custom_manifest(name, "SELECT 1 AS n")
    assert values(scraped(accept)[LAST_SUCCESS], "view") == {(name,): 0 for name in names}


def test_reasons_are_bounded() -> None:
    for number in range(25):
        row = ran(f"v{number}", ago=timedelta(hours=1), took=0, status="error")
        RunMetrics.objects.create(history_id=row.pk, reason=f"reason {number:02}")
    ran("v", ago=timedelta(hours=1), took=0, status="error")  # nothing is known of it
    found = values(scraped()["seeder_recent_failures"], "reason")
    assert (len(found), sum(found.values()), found["other",]) == (21, 26, 6)


@pytest.mark.parametrize(("most", "told"), [(2, ["reporting.never", "reporting.old"]), (0, [])])
def test_of_many_views_those_are_told_of_that_succeeded_longest_ago(
    most: int, told: list[str], settings: Settings
) -> None:
    settings.SEEDER = {**settings.SEEDER, "METRICS_VIEWS": most}
    for name in ("new", "never", "old"):
        create_custom_manifest(f"reporting.{name}", "SELECT 1 AS n")
    ran("reporting.new", ago=timedelta(hours=1), took=1)
    ran("reporting.old", ago=timedelta(hours=2), took=1)
    families = scraped()
    assert [one.labels["view"] for one in families[LAST_SUCCESS].samples] == told
    assert value(families, "seeder_views") == 3


@pytest.mark.parametrize("table", OPTIONAL)
def test_what_an_optional_table_would_tell_is_absent_without_it(table: str) -> None:
    api_clients.create_reports()
    before = scraped().keys()
    assert before >= OPTIONAL[table]
    sql(f"DROP TABLE reporting.{table}")
    gone = before - scraped().keys()
    assert {name.removesuffix("_gcount").removesuffix("_gsum") for name in gone} == OPTIONAL[table]


def test_what_is_open_and_waits_is_told() -> None:
    sql("INSERT INTO reporting.seeder_circuit_breaker VALUES ('archive', 5, now())")
    sql(
        "INSERT INTO reporting.seeder_run (run_id, description, requested_by, started_at, workers, manifests, agencies)"
        " VALUES ('r', 'every report', 'a test', now(), 1, 1, '{}')"
    )
    for state, ago in (("queued", 90), ("queued", 10), ("running", 200), ("ended", 500)):
        sql(
            "INSERT INTO reporting.seeder_queued_refresh"
            " (request_id, part, parts, description, requested_by, manifests, views, agencies, state, requested_at)"
            f" VALUES ('{ago}', 1, 1, 'all', 'a test', '[]', '[]', '[]', '{state}', now() - interval '{ago} s')"
        )
    families = scraped()
    assert values(families["seeder_breaker_open"], "database") == {("default",): 0, ("archive",): 1}
    assert values(families["seeder_breaker_failures"], "database") == {("default",): 0, ("archive",): 5}
    assert values(families["seeder_queue_parts"], "state") == {("queued",): 2, ("running",): 1}
    assert 90 <= value(families, "seeder_queue_oldest_waiting_seconds") < 150
    assert value(families, "seeder_runs_open") == 1
    assert "seeder_last_run_end_timestamp_seconds" not in families


def test_the_database_is_asked_as_much_for_many_views_as_for_one() -> None:
    create_custom_manifest("reporting.one", "SELECT 1 AS n")
    scraped()
    few = api_clients.count_statements(scraped)
    api_clients.insert_many_rows(200)
    assert api_clients.count_statements(scraped) == few <= 25


def test_with_the_database_away_the_scrape_says_so() -> None:
    with web_process(DB_HOST="/nowhere", SEEDER_METRICS_TOKEN=TOKEN) as address:
        code, text = fetch(address + PATH, Authorization=f"Bearer {TOKEN}")
        refused, _ = fetch(address + PATH)
    families = {family.name: family for family in read_text(text.decode())}
    assert (code, refused, value(families, "seeder_up")) == (200, 401, 0)
    assert families.keys() == {"seeder_up", "seeder_build_info", "seeder_scrape_duration_seconds"}
    assert b"nowhere" not in text


def test_a_database_that_says_nothing_more_is_not_waited_for() -> None:
    greeted: list[bytes] = []

    def answer(data: bytes) -> bytes:
        if greeted:
            return b""
        greeted.append(data) if b"Z\0\0\0\5I" in data else None
        return data

    with proxy_to_server(transform=answer) as (host, port), default_database_with(HOST=host, PORT=str(port)):
        begun = monotonic()
        families = scraped()
    assert value(families, "seeder_up") == 0
    assert monotonic() - begun < metrics_snapshot.TIMEOUT.total_seconds() + 2


def test_without_the_tables_it_is_not_up() -> None:
    sql("DROP TABLE reporting.seeder_job_status")
    assert value(scraped(), "seeder_up") == 0


def test_it_is_packed_for_who_takes_it_so() -> None:
    api_clients.insert_many_rows(50)
    answer = Client().get(PATH, headers={"Authorization": f"Bearer {TOKEN}", "Accept-Encoding": "gzip"})
    assert answer["Content-Encoding"] == "gzip"
    assert b"seeder_up 1.0" in gzip.decompress(answer.content)


ROLES: Mapping[str, tuple[int, Callable[[], User] | None]] = {
    "anonymous": (401, None),
    "stranger": (403, lambda: api_clients.create_user("stranger")),
    "who sees some agencies": (403, lambda: api_clients.create_user("reader", *api_clients.READER_PERMISSIONS)),
    "superuser, who sees all of them": (200, lambda: User.objects.create_superuser("root")),
}


@pytest.mark.parametrize("role", ROLES)
def test_a_login_has_to_see_the_jobs_of_all_agencies(role: str, settings: Settings) -> None:
    settings.SEEDER = {"AGENCY_SCOPE": "tests.acceptance.api_clients.scope_by_last_name"}
    code, who = ROLES[role]
    caller = Client()
    if who is not None:
        caller.force_login(who())
    for method in ("GET", "HEAD"):
        assert caller.generic(method, PATH).status_code == code
    for method in ("POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
        assert caller.generic(method, PATH).status_code == 405
    refused = caller.get(PATH)
    assert "no-store" in refused["Cache-Control"]
    if code != 200:
        assert len(refused.content.splitlines()) == 1
        assert refused.has_header("WWW-Authenticate") is (code == 401)


def test_without_scopes_the_permission_is_enough() -> None:
    caller = Client()
    caller.force_login(api_clients.create_user("reader", "view_jobstatus"))
    assert caller.get(PATH).status_code == 200


def test_a_scope_that_is_not_there_lets_nobody_in(settings: Settings) -> None:
    settings.SEEDER = {"AGENCY_SCOPE": "nowhere.scope"}
    caller = Client()
    caller.force_login(api_clients.create_user("reader", "view_jobstatus"))
    assert caller.get(PATH).status_code == 503


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer ", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", f"Token {TOKEN}", TOKEN, "Bearer ü\0"],
)
def test_a_wrong_token_is_nobody_s(header: str, settings: Settings) -> None:
    for given in ({"METRICS_TOKEN": TOKEN}, {}):
        settings.SEEDER = given
        assert Client().get(PATH, headers={"Authorization": header}).status_code == 401


def test_the_scheme_is_written_as_anybody_likes() -> None:
    assert Client().get(PATH, headers={"Authorization": f"bearer {TOKEN}"}).status_code == 200


def test_the_token_is_never_said(settings: Settings, manage: Callable[..., CompletedCommand]) -> None:
    assert TOKEN not in repr(conf.load())
    for given in (
        {"METRICS_TOKEN": TOKEN, "MAX_WORKER": 1},
        {"METRICS_TOKENS": TOKEN},
        {"METRICS_TOKEN": f"{TOKEN} x"},
    ):
        settings.SEEDER = given
        with pytest.raises(ConfigurationError) as raised:
            conf.load()
        assert TOKEN not in f"{raised.value} {raised.value.facts}"
    settings.SEEDER = {}
    wrong = manage("check", SEEDER_METRICS_TOKEN=f"{TOKEN}\n")
    assert (wrong.exit_code, "SEEDER_METRICS_TOKEN is …, but has to be" in wrong.err) == (1, True)
    assert TOKEN not in wrong.err + wrong.out


@pytest.mark.parametrize("imported", ["seeder.api.urls", "seeder.admin", "seeder.management.commands.refresh_all"])
def test_nothing_of_prometheus_is_loaded_where_nothing_is_mounted(imported: str) -> None:
    asked = (  # without the queue's app, which loads it too
        "import sys, django\n"
        "from django.conf import settings\n"
        "settings.INSTALLED_APPS = [app for app in settings.INSTALLED_APPS if app != 'django_q']\n"
        f"django.setup(); import {imported}; print('prometheus_client' in sys.modules)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", asked],
        cwd=CHECKOUT,
        env=process_environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert ended.stdout == "False\n"


def test_scrape_has_exactly_the_metrics_of_the_reference() -> None:
    api_clients.create_reports()
    assert set(scraped("application/openmetrics-text")) == {family.name for family in metrics_page.families()}


def other_app_metrics() -> Iterator[Metric]:
    yield GaugeMetricFamily("other_app_rows", "Rows of another app.", value=3)


def test_scrape_shows_the_metrics_of_every_installed_app(monkeypatch: pytest.MonkeyPatch) -> None:
    path = f"{__name__}.{other_app_metrics.__name__}"
    monkeypatch.setattr(apps.get_app_config("contenttypes"), "metric_collectors", (path,), raising=False)
    families = scraped()
    assert (value(families, "other_app_rows"), value(families, "seeder_up")) == (3, 1)


def test_who_may_only_read_the_optional_tables_is_told_what_they_hold() -> None:
    role = "seeder_scrape"
    sql(f"DROP ROLE IF EXISTS {role}")  # of a test that was killed
    sql(f"CREATE ROLE {role}")
    sql(f"GRANT USAGE ON SCHEMA reporting TO {role}")
    sql(f"GRANT SELECT ON ALL TABLES IN SCHEMA reporting TO {role}")
    try:
        api_clients.create_reports()
        with default_database_with(OPTIONS={"options": f"-c role={role}"}):
            families = scraped()
    finally:
        sql(f"DROP OWNED BY {role}")
        sql(f"DROP ROLE {role}")
    assert value(families, "seeder_up") == 1
    assert set().union(*OPTIONAL.values()) <= families.keys()
