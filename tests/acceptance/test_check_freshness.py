"""The watchdog of freshness contracts, which needs no run and no worker."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from seeder.domain.refresh_requests import AllReports
from seeder.models import CircuitBreaker, CustomReportManifest, Freshness
from seeder.services.read_models import health_check
from seeder.services.run import orchestrator
from tests.acceptance.metrics_scrapes import TOKEN, scrape
from tests.conftest import CompletedCommand, create_custom_manifest, sql

pytestmark = pytest.mark.usefixtures("empty_queue")

HOUR = timedelta(hours=1)
Manage = Callable[..., CompletedCommand]


@pytest.fixture(autouse=True)
def _no_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health_check, "CACHE_DURATION", timedelta())


@pytest.fixture
def old_view(empty_queue: None) -> None:
    """A view of `demo` whose data are three hours old, and one of `metro` with new data."""
    create_custom_manifest("reporting.a", "SELECT 1 AS n")
    create_custom_manifest("reporting.b", "SELECT 1 AS n", agency="metro")
    orchestrator.execute_run(AllReports())
    age_data("a", hours=3)


def age_data(view: str, *, hours: int) -> None:
    """Make the last refresh of a view as old as this."""
    sql(
        "UPDATE reporting.seeder_view_state SET data_as_of = data_as_of - make_interval(hours => %s)"
        " WHERE view_name = %s",
        hours,
        view,
    )
    sql(
        "UPDATE reporting.seeder_run_history SET start_time = start_time - make_interval(hours => %s),"
        " finish_time = finish_time - make_interval(hours => %s) WHERE table_name = %s",
        hours,
        hours,
        f"reporting.{view}",
    )
    sql(
        "UPDATE reporting.seeder_job_status SET start_time = start_time - make_interval(hours => %s)"
        " WHERE table_name = %s",
        hours,
        f"reporting.{view}",
    )


def contracts(answer: CompletedCommand) -> list[tuple[str, str, str | None]]:
    return [(one["view"], one["state"], one["cause"]) for one in answer.document["contracts"]]


@pytest.mark.usefixtures("old_view")
def test_late_contract_of_severity_error_sets_the_exit_code(manage: Manage) -> None:
    Freshness.objects.create(table_name="reporting.a", target_lag=4 * HOUR)
    assert manage("check_freshness").exit_code == 0
    Freshness.objects.create(table_name="reporting.a", target_lag=2 * HOUR, severity="warn")
    answer = manage("check_freshness")
    assert answer.exit_code == 0
    assert "reporting.a: late (warning); for 1 h 00 min; at most 2 h 00 min old; data as of 3 h ago" in answer.out
    status = manage("refresh_status", "--fail-on", "stale")
    assert status.exit_code == 0
    assert "reporting.a: late (warning); last success " in status.out
    Freshness.objects.update(severity="error")
    status = manage("refresh_status", "--stale", "--fail-on", "stale")
    assert (status.exit_code, status.lines[0]) == (1, "2 views: 1 fresh, 0 failing, 0 running, 1 late")
    assert "reporting.a: late; last success " in status.lines[1]
    assert "; contract at most 2 h 00 min old: no refresh started; " in status.lines[1]
    [late] = manage("refresh_status", "--json").document["lateContracts"]
    assert (late["view"], late["cause"]) == ("reporting.a", "not_started")
    answer = manage("check_freshness", "--json")
    assert (answer.exit_code, answer.document["totals"]["late"]) == (1, 1)
    assert contracts(answer) == [("reporting.a", "late", "not_started"), ("reporting.a", "fresh", None)]


@pytest.mark.usefixtures("old_view")
def test_fresh_contracts_are_only_counted_unless_all_are_wanted(manage: Manage) -> None:
    Freshness.objects.create(agency_slug="metro", target_lag=HOUR)
    assert manage("check_freshness").out.splitlines() == ["1 contract: 1 fresh, 0 due, 0 held, 0 late, 0 unknown"]
    assert "reporting.b: fresh; deadline " in manage("check_freshness", "--all").out


@pytest.mark.usefixtures("old_view")
def test_contracts_of_one_agency_are_selected(manage: Manage) -> None:
    for agency in ("demo", "metro"):
        Freshness.objects.create(agency_slug=agency, target_lag=HOUR)
    assert manage("check_freshness", "--agency", "demo").exit_code == 1
    assert manage("check_freshness", "--agency", "metro").exit_code == 0
    assert manage("check_freshness", "--agency", "gotham").exit_code == 2


@pytest.mark.usefixtures("old_view")
def test_state_that_is_unknown_fails_only_the_strict_check(manage: Manage) -> None:
    Freshness.objects.create(table_name="reporting.a", target_lag=HOUR)
    sql("REFRESH MATERIALIZED VIEW reporting.a")
    answer = manage("check_freshness", "--json")
    assert (answer.exit_code, contracts(answer)) == (0, [("reporting.a", "unknown", "age_unknown")])
    assert "unknown: not refreshed by seeder" in manage("check_freshness").out
    assert manage("check_freshness", "--strict").exit_code == 1


@pytest.mark.usefixtures("old_view")
@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"agency_slug": "demo", "due_at": "06:30", "due_zone": "Mars/Olympus"}, "'Mars/Olympus' is no time zone"),
        ({"table_name": "reporting.gone", "target_lag": HOUR}, "no enabled manifest has the view reporting.gone"),
    ],
)
def test_contract_without_effect_is_named(manage: Manage, columns: dict[str, Any], message: str) -> None:
    Freshness.objects.create(**columns)
    answer = manage("check_freshness")
    assert answer.exit_code == 0
    assert message in answer.out
    assert manage("check_freshness", "--strict").exit_code == 1


def test_without_contracts_the_check_passes(manage: Manage) -> None:
    assert manage("check_freshness").out == "0 contracts: 0 fresh, 0 due, 0 held, 0 late, 0 unknown\n"
    assert manage("check_freshness", "--strict").exit_code == 0
    sql("DROP TABLE reporting.seeder_freshness")
    assert manage("check_freshness").exit_code == 0
    assert manage("check_freshness", "--strict").exit_code == 1


def test_view_that_never_succeeded_is_late(manage: Manage) -> None:
    create_custom_manifest("reporting.bad", "SELECT 1 / 0 AS n")
    Freshness.objects.create(agency_slug="demo", target_lag=HOUR)
    assert contracts(manage("check_freshness", "--json")) == [("reporting.bad", "unknown", "never_refreshed")]
    orchestrator.execute_run(AllReports())
    answer = manage("check_freshness", "--json")
    assert (answer.exit_code, contracts(answer)) == (1, [("reporting.bad", "late", "failed")])


@pytest.mark.usefixtures("old_view")
def test_failed_and_held_views_have_different_causes(manage: Manage) -> None:
    CustomReportManifest.objects.filter(table_name="reporting.a").update(query="SELECT 1 AS n")
    Freshness.objects.create(table_name="reporting.a", target_lag=HOUR)
    sql("UPDATE reporting.seeder_job_status SET status = 'error', consecutive_failures = 1")
    assert contracts(manage("check_freshness", "--json")) == [("reporting.a", "late", "failed")]
    CircuitBreaker.objects.create(database_alias="default", failures=5, opened_at="2026-01-01T00:00Z")
    assert contracts(manage("check_freshness", "--json")) == [("reporting.a", "late", "held")]


@pytest.mark.usefixtures("old_view")
def test_late_contract_degrades_the_health() -> None:
    def freshness() -> tuple[str, str]:
        body = Client().get("/api/seeder/health/ready").json()
        return body["status"], body["checks"]["freshness"]

    Freshness.objects.create(table_name="reporting.a", target_lag=4 * HOUR)
    assert freshness() == ("ready", "ok")
    Freshness.objects.update(target_lag=HOUR, severity="warn")
    assert freshness() == ("ready", "ok")
    Freshness.objects.update(severity="error")
    assert freshness() == ("degraded", "late")


@pytest.mark.usefixtures("old_view")
def test_contracts_are_in_the_metrics(settings: Settings) -> None:
    settings.SEEDER = {"METRICS_TOKEN": TOKEN}
    assert "seeder_freshness_contracts" not in scrape()
    Freshness.objects.create(table_name="reporting.a", target_lag=HOUR)
    Freshness.objects.create(agency_slug="metro", target_lag=HOUR, severity="warn")
    families = scrape()
    counted = {
        (one.labels["state"], one.labels["severity"]): one.value
        for one in families["seeder_freshness_contracts"].samples
    }
    assert {labels for labels, value in counted.items() if value} == {("late", "error"), ("fresh", "warn")}
    ages = {one.labels["view"]: one.value for one in families["seeder_view_data_as_of_timestamp_seconds"].samples}
    assert ages["reporting.b"] - ages["reporting.a"] == pytest.approx(3 * 3600, abs=60)
