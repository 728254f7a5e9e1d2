"""The preparation of the demo server, only in an embedded database."""

import os
import subprocess
import sys
from datetime import date, timedelta

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connections
from django.utils import timezone

from demo import demo_user, embedded_only, simulated_history
from demo.errors import DemoError
from demo.loading import load
from seeder.models import DataCheckResult, JobStatus, ReleaseSnapshot, Run, RunHistory, ViewState
from tests.conftest import CHECKOUT, sql


@pytest.fixture
def as_if_embedded(load_tables: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Treat the database of the test as embedded."""
    monkeypatch.setattr(embedded_only, "require_embedded_database", lambda: None)


def test_login_is_created_only_in_the_embedded_database(contract_tables: None, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = {**connections.settings["default"], "ENGINE": "django.db.backends.postgresql"}
    monkeypatch.setitem(connections.settings, "default", settings)
    for create in (demo_user.create, simulated_history.create_history):
        with pytest.raises(DemoError, match="only done to the embedded database"):
            create()
    with pytest.raises(CommandError, match="only done to the embedded database"):
        call_command("serve_demo", "--prepare")
    assert not User.objects.filter(username=demo_user.NAME).exists()


def test_login_works_and_is_created_once(as_if_embedded: None) -> None:
    for _ in range(2):
        demo_user.create()
    user = User.objects.get(username=demo_user.NAME)
    assert user.check_password(demo_user.PASSWORD)
    assert user.is_superuser
    user.delete()


@pytest.mark.slow
def test_simulated_nights_leave_a_failure_and_two_snapshots(
    as_if_embedded: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    months = [date(2022, 12, 1), date(2023, 1, 1), date(2023, 2, 1), date(2023, 3, 1)]  # fails since February
    monkeypatch.setattr(simulated_history, "_MONTHS", months)
    load(connections["default"])
    assert not simulated_history.has_history()
    nights = simulated_history.create_history()
    assert simulated_history.has_history()
    assert Run.objects.count() == nights
    assert sql("SELECT count(DISTINCT start_time::date) FROM reporting.seeder_run_history") == [(nights,)]
    [failing] = JobStatus.objects.filter(status="error")
    assert failing.table_name == simulated_history._FAILING
    assert failing.consecutive_failures == 2
    of_failing = ViewState.objects.filter(view_name=failing.table_name.removeprefix("reporting."))
    two_days_ago = timezone.now() - timedelta(days=2)
    assert of_failing.filter(data_as_of__lt=two_days_ago, data_as_of__gt=two_days_ago - timedelta(hours=1)).exists()
    held = RunHistory.objects.get(check_results__outcome="failed", check_results__severity="error")
    assert (held.table_name, held.status) == ("reporting.demo_hate_crimes_by_month", "error")
    latest = DataCheckResult.objects.order_by("-history_id", "check_name")[:3]
    assert [(one.check_name, one.outcome) for one in latest] == [
        ("complaints in every month", "failed"),
        ("forty months", "passed"),
        ("one row per month and borough", "passed"),
    ]
    assert [row.release_tag for row in ReleaseSnapshot.objects.order_by("id")] == ["2026.10", "2026.11"]
    loaded = load(connections["default"])
    assert not loaded.has_loaded_files
    assert loaded.manifest_rows_written == 0


def test_screenshots_are_imported_without_settings() -> None:
    environment = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    subprocess.run([sys.executable, "-c", "import demo.screenshots"], cwd=CHECKOUT, env=environment, check=True)
