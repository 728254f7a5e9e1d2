"""The demo on a page: what comes before it, and that none of it happens to a database that is somebody's."""

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connections

from demo import demo_user, embedded_only, simulated_history
from demo.loading import DemoError, load
from seeder.models import JobStatus, ReleaseSnapshot, Run
from tests.conftest import sql


@pytest.fixture
def as_if_embedded(contract_tables: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The test's database is one of these; what says so is its engine, even where DB_* leads to another server."""
    monkeypatch.setattr(embedded_only, "require_embedded_database", lambda: None)


def test_a_login_is_created_in_the_embedded_database_only(
    contract_tables: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {**connections.settings["default"], "ENGINE": "django.db.backends.postgresql"}
    monkeypatch.setitem(connections.settings, "default", settings)
    for refused in (demo_user.create, simulated_history.create_history):
        with pytest.raises(DemoError, match="only done to the embedded database"):
            refused()
    with pytest.raises(CommandError, match="only done to the embedded database"):
        call_command("serve_demo", "--prepare")
    assert not User.objects.filter(username=demo_user.NAME).exists()


def test_the_login_can_log_in_and_is_made_once(as_if_embedded: None) -> None:
    for _ in range(2):
        demo_user.create()
    user = User.objects.get(username=demo_user.NAME)
    assert user.check_password(demo_user.PASSWORD)
    assert user.is_superuser
    user.delete()


def test_the_nights_leave_a_failing_report_two_snapshots_and_all_records(as_if_embedded: None) -> None:
    load(connections["default"])
    assert not simulated_history.has_history()
    nights = simulated_history.create_history()
    assert simulated_history.has_history()
    assert Run.objects.count() == nights
    assert sql("SELECT count(DISTINCT start_time::date) FROM reporting.seeder_run_history") == [(nights,)]
    [failing] = JobStatus.objects.filter(status="error")
    assert failing.table_name == simulated_history._FAILING
    assert failing.consecutive_failures == 8
    assert [one.release_tag for one in ReleaseSnapshot.objects.order_by("id")] == ["2026.10", "2026.11"]
    assert not load(connections["default"]).changed
