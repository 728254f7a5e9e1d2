"""PARALLEL_WHEN_BUSY=auto: runs do what was faster in earlier ones."""

from datetime import timedelta

import pytest
from django.db.models import F
from pytest_django import Settings

from seeder.domain.refresh_requests import AllReports
from seeder.models import Run, RunHistory
from seeder.services.run import orchestrator
from tests.conftest import create_custom_manifest, sql

pytestmark = pytest.mark.usefixtures("contract_tables")
QUERY = "SELECT current_setting('max_parallel_workers_per_gather') AS workers"
SERVER_SETTING = "2"


@pytest.fixture(autouse=True)
def _with_busy_workers(settings: Settings, contract_tables: None) -> None:
    settings.SEEDER = {"MAX_WORKERS": 2}
    for number in range(4):
        create_custom_manifest(f"reporting.view_{number}", QUERY)
    run(seconds=60)


def run(*, seconds: float) -> Run:
    """Run everything, and pretend how long each view took."""
    run_id = orchestrator.execute_run(AllReports()).run_id
    rows = RunHistory.objects.filter(run_id=run_id)
    rows.update(finish_time=F("start_time") + timedelta(seconds=seconds), duration_seconds=round(seconds))
    return Run.objects.get(pk=run_id)


def refreshed_with() -> set[str]:
    """Return the settings with which views were refreshed."""
    return {workers for number in range(4) for (workers,) in sql(f"TABLE reporting.view_{number}")}


def test_run_without_known_durations_is_not_compared() -> None:
    assert Run.objects.get().parallel_query == {}
    assert refreshed_with() == {SERVER_SETTING}


@pytest.mark.parametrize(("seconds_without", "expected"), [(50, False), (59, True), (120, True)])
def test_run_does_what_was_faster(*, seconds_without: float, expected: bool) -> None:
    assert run(seconds=60).parallel_query == {"default": True}
    assert refreshed_with() == {SERVER_SETTING}
    assert run(seconds=seconds_without).parallel_query == {"default": False}
    assert refreshed_with() == {"0"}
    assert run(seconds=60).parallel_query == {"default": expected}
    assert refreshed_with() == {SERVER_SETTING if expected else "0"}


def test_views_with_other_queries_or_data_are_not_compared() -> None:
    run(seconds=60)
    without = run(seconds=50)
    changed = RunHistory.objects.filter(run_id=without.pk, table_name="reporting.view_0")
    changed.update(finish_time=F("start_time") + timedelta(seconds=240))
    assert run(seconds=50).parallel_query == {"default": False}


@pytest.mark.parametrize("columns", [{"workers": 3}, {"stopped_by": "SIGTERM"}, {"parallel_query": {"archive": False}}])
def test_runs_under_other_circumstances_are_not_compared(columns: dict[str, object]) -> None:
    run(seconds=60)
    without = run(seconds=120)
    Run.objects.filter(pk=without.pk).update(**columns)
    assert run(seconds=120).parallel_query == {"default": False}


def test_old_runs_are_not_compared() -> None:
    run(seconds=60)
    without = run(seconds=120)
    Run.objects.filter(pk=without.pk).update(started_at=F("started_at") - timedelta(days=61))
    assert run(seconds=120).parallel_query == {"default": False}


def test_run_that_would_miss_a_freshness_contract_tries_nothing() -> None:
    sql("INSERT INTO reporting.seeder_freshness (table_name, target_lag) VALUES ('reporting.view_0', '3 minutes')")
    run(seconds=60)
    assert run(seconds=60).parallel_query == {"default": True}


def test_setting_decides_alone(settings: Settings) -> None:
    settings.SEEDER |= {"PARALLEL_WHEN_BUSY": "false"}
    run(seconds=60)
    assert run(seconds=60).parallel_query == {}
    assert refreshed_with() == {"0"}
