"""The metrics endpoint: values and formats."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.apps import apps
from django.utils import timezone
from prometheus_client.core import GaugeMetricFamily, Metric
from pytest_django import Settings

from docs_reference import metrics_page
from seeder import __version__
from seeder.domain.monitoring.metrics_values import DURATION_BOUNDS
from seeder.models import Freshness, RunHistory, RunMetrics
from tests.acceptance import api_clients
from tests.acceptance.metrics_scrapes import TOKEN, scrape, value
from tests.acceptance.web_process import default_database_with
from tests.conftest import create_custom_manifest, sql

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


def values(family: Metric, *labels: str) -> dict[tuple[str, ...], float]:
    """Return the samples by the values of these labels."""
    return {tuple(sample.labels[name] for name in labels): sample.value for sample in family.samples}


def insert_history(
    name: str, *, ago: timedelta, duration: float, status: str = "success", run: str = "r"
) -> RunHistory:
    started_at = timezone.now() - ago
    facts = {"report_name": "r", "agency_id": 1, "agency_slug": "demo", "report_type": "custom", "manifest_id": 1}
    finished_at = started_at + timedelta(seconds=duration)
    return RunHistory.objects.create(
        run_id=run, table_name=name, status=status, start_time=started_at, finish_time=finished_at, **facts
    )


@pytest.mark.parametrize("accept", ["text/plain", "application/openmetrics-text; version=1.0.0; charset=utf-8"])
def test_scrape_after_run_has_totals_in_both_formats(accept: str) -> None:
    api_clients.create_reports()
    families = scrape(accept)
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
    last_successes = values(families[LAST_SUCCESS], "view")
    [good] = RunHistory.objects.filter(table_name="reporting.good")
    assert last_successes.keys() == {("reporting.good",), ("reporting.bad",), ("reporting.shared",)}
    assert last_successes["reporting.bad",] == 0
    assert last_successes["reporting.good",] == pytest.approx(good.start_time.timestamp(), abs=0.001)
    assert values(families["seeder_breaker_open"], "database") == {("default",): 0}
    assert values(families["seeder_queue_parts"], "state") == {("queued",): 0, ("running",): 0}
    assert value(families, "seeder_runs_open") == 0
    assert value(families, "seeder_last_run_end_timestamp_seconds") > good.start_time.timestamp()
    assert "secret-123" not in str(families)


def test_duration_and_wait_buckets_include_their_bounds() -> None:
    for number, duration in enumerate((0.05, 0.1, 0.100001, 15.0, 5 * 3600.0)):
        row = insert_history(f"v{number}", ago=timedelta(hours=6), duration=duration)
        waits = {"worker_wait_seconds": 1.0, "throttle_wait_seconds": 1.5, "lock_wait_seconds": None}
        RunMetrics.objects.create(history_id=row.pk, **waits)
    families = scrape()
    duration_buckets = {
        sample.labels["le"]: sample.value
        for sample in families["seeder_recent_refresh_duration_seconds"].samples
        if sample.labels.get("status") == "success" and sample.name.endswith("_bucket")
    }
    assert list(duration_buckets.values()) == [2, 3, 3, 3, 4, 4, 4, 4, 4, 4, 5]
    assert [float(bound) for bound in duration_buckets] == [*DURATION_BOUNDS, float("inf")]
    wait_samples = families["seeder_recent_refresh_wait_seconds"].samples
    wait_buckets = {
        (one.labels["waited_for"], one.labels["le"]): one.value for one in wait_samples if "le" in one.labels
    }
    assert (wait_buckets["worker", "0.1"], wait_buckets["worker", "1.0"], wait_buckets["throttle", "1.0"]) == (0, 5, 0)
    assert (wait_buckets["throttle", "10.0"], wait_buckets["lock", "+Inf"]) == (5, 0)
    [total] = values(families["seeder_recent_refresh_duration_seconds_gsum"], "status").items() - {(("error",), 0.0)}
    assert total[1] == pytest.approx(5 * 3600 + 15.250001)


def test_recent_metrics_count_only_window_and_survive_deletion(settings: Settings) -> None:
    create_custom_manifest("reporting.a", "SELECT 1 AS n")
    insert_history("reporting.a", ago=timedelta(hours=3), duration=1, run="1")
    insert_history("reporting.a", ago=timedelta(minutes=30), duration=1, run="2")
    insert_history("reporting.a", ago=timedelta(minutes=1), duration=0, status="running", run="3")
    settings.SEEDER = {**settings.SEEDER, "METRICS_WINDOW_HOURS": 1}
    families = scrape()
    assert value(families, "seeder_recent_window_seconds") == 3600
    assert sum(values(families["seeder_recent_refreshes"], "report_type", "status").values()) == 1
    RunHistory.objects.filter(run_id="1").delete()
    again = scrape()
    assert again["seeder_recent_refreshes"].samples == families["seeder_recent_refreshes"].samples
    assert again[LAST_SUCCESS].samples == families[LAST_SUCCESS].samples


def test_failing_view_keeps_time_of_last_success() -> None:
    create_custom_manifest("reporting.a", "SELECT 1 AS n")
    api_row = insert_history("reporting.a", ago=timedelta(hours=30), duration=1, run="1")
    insert_history("reporting.a", ago=timedelta(hours=6), duration=1, status="error", run="2")
    sql(
        "INSERT INTO reporting.seeder_job_status (table_name, manifest_id, report_name, report_type, agency_id,"
        " agency_slug, status, consecutive_failures, start_time)"
        " VALUES ('reporting.a', 1, 'r', 'custom', 1, 'demo', 'error', 1, now() - interval '6 hours')"
    )
    at = values(scrape()[LAST_SUCCESS], "view")["reporting.a",]
    assert at == pytest.approx(api_row.start_time.timestamp(), abs=0.001)


@pytest.mark.parametrize("accept", ["text/plain", "application/openmetrics-text"])
def test_odd_view_names_are_escaped(accept: str) -> None:
    names = [
        f'reporting."{odd}"' for odd in ('a"b', "a\nb 1", "a\\nb", "a\\", "\r\u2028", "{a='b'}, c", "№ 1 \U0001f600")
    ]
    for name in names:
        create_custom_manifest(name, "SELECT 1 AS n")
    assert values(scrape(accept)[LAST_SUCCESS], "view") == {(name,): 0 for name in names}


def test_failure_reasons_are_limited() -> None:
    for number in range(25):
        row = insert_history(f"v{number}", ago=timedelta(hours=1), duration=0, status="error")
        RunMetrics.objects.create(history_id=row.pk, reason=f"reason {number:02}")
    insert_history("v", ago=timedelta(hours=1), duration=0, status="error")  # without a reason
    found = values(scrape()["seeder_recent_failures"], "reason")
    assert (len(found), sum(found.values()), found["other",]) == (21, 26, 6)


@pytest.mark.parametrize(("max_views", "names"), [(2, ["reporting.never", "reporting.old"]), (0, [])])
def test_view_limit_keeps_oldest_successes(max_views: int, names: list[str], settings: Settings) -> None:
    settings.SEEDER = {**settings.SEEDER, "METRICS_VIEWS": max_views}
    for name in ("new", "never", "old"):
        create_custom_manifest(f"reporting.{name}", "SELECT 1 AS n")
    insert_history("reporting.new", ago=timedelta(hours=1), duration=1)
    insert_history("reporting.old", ago=timedelta(hours=2), duration=1)
    families = scrape()
    assert [one.labels["view"] for one in families[LAST_SUCCESS].samples] == names
    assert value(families, "seeder_views") == 3


@pytest.mark.parametrize("table", OPTIONAL)
def test_missing_optional_table_drops_only_its_metrics(table: str) -> None:
    api_clients.create_reports()
    before = scrape().keys()
    assert before >= OPTIONAL[table]
    sql(f"DROP TABLE reporting.{table}")
    gone = before - scrape().keys()
    assert {name.removesuffix("_gcount").removesuffix("_gsum") for name in gone} == OPTIONAL[table]


def test_breakers_queue_and_open_runs_are_counted() -> None:
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
    families = scrape()
    assert values(families["seeder_breaker_open"], "database") == {("default",): 0, ("archive",): 1}
    assert values(families["seeder_breaker_failures"], "database") == {("default",): 0, ("archive",): 5}
    assert values(families["seeder_queue_parts"], "state") == {("queued",): 2, ("running",): 1}
    assert 90 <= value(families, "seeder_queue_oldest_waiting_seconds") < 150
    assert value(families, "seeder_runs_open") == 1
    assert "seeder_last_run_end_timestamp_seconds" not in families


def test_undelivered_notifications_are_counted_by_channel(settings: Settings) -> None:
    channels = {name: {"email": ["ada@example.org"]} for name in ("a", "b")}
    settings.SEEDER = {**settings.SEEDER, "NOTIFICATIONS": channels}
    for channel, state in (("a", "'pending', NULL"), ("a", "'sent', now()"), ("removed", "'pending', NULL")):
        sql(
            "INSERT INTO reporting.seeder_notification (channel, event, subject, facts, state, ended_at)"
            f" VALUES ('{channel}', 'view_failed', 'x', '{{}}', {state})"
        )
    assert values(scrape()["seeder_notifications_undelivered"], "channel") == {("a",): 1, ("b",): 0}


def test_scrape_query_count_does_not_grow_with_views() -> None:
    create_custom_manifest("reporting.one", "SELECT 1 AS n")
    scrape()
    few = api_clients.count_statements(scrape)
    api_clients.insert_many_rows(200)
    assert api_clients.count_statements(scrape) == few <= 35


def test_scrape_without_tables_reports_down() -> None:
    sql("DROP TABLE reporting.seeder_job_status")
    assert value(scrape(), "seeder_up") == 0


def test_scrape_has_exactly_the_metrics_of_the_reference(settings: Settings) -> None:
    settings.SEEDER = {**settings.SEEDER, "NOTIFICATIONS": {"a": {"email": ["ada@example.org"]}}}
    api_clients.create_reports()
    Freshness.objects.create(agency_slug="metro", target_lag=timedelta(hours=1))
    families = [*metrics_page.families(), *metrics_page.loading_families()]
    of_undispatched = {"data_pipeline_oldest_undispatched_timestamp_seconds"}
    assert set(scrape("application/openmetrics-text")) == {family.name for family in families} - of_undispatched


def other_app_metrics() -> Iterator[Metric]:
    yield GaugeMetricFamily("other_app_rows", "Rows of another app.", value=3)


def test_scrape_shows_the_metrics_of_every_installed_app(monkeypatch: pytest.MonkeyPatch) -> None:
    path = f"{__name__}.{other_app_metrics.__name__}"
    monkeypatch.setattr(apps.get_app_config("contenttypes"), "metric_collectors", (path,), raising=False)
    families = scrape()
    assert (value(families, "other_app_rows"), value(families, "seeder_up")) == (3, 1)


def test_scrape_with_read_only_role_has_optional_metrics() -> None:
    role = "seeder_scrape"
    sql(f"DROP ROLE IF EXISTS {role}")  # left by a killed test
    sql(f"CREATE ROLE {role}")
    sql(f"GRANT USAGE ON SCHEMA reporting TO {role}")
    sql(f"GRANT SELECT ON ALL TABLES IN SCHEMA reporting TO {role}")
    try:
        api_clients.create_reports()
        with default_database_with(OPTIONS={"options": f"-c role={role}"}):
            families = scrape()
    finally:
        sql(f"DROP OWNED BY {role}")
        sql(f"DROP ROLE {role}")
    assert value(families, "seeder_up") == 1
    assert set().union(*OPTIONAL.values()) <= families.keys()
