"""The demo on a page: what comes before it, and that none of it happens to a database that is somebody's."""

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connections

from demo import login, own, past
from demo.loading import DemoError, load
from seeder.models import JobStatus, ReleaseSnapshot, Run
from tests.conftest import sql


@pytest.fixture
def as_if_embedded(contract_tables: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The test's database is one of these; what says so is its engine, even where DB_* leads to another server."""
    monkeypatch.setattr(own, "require_embedded_database", lambda: None)


def test_a_login_is_created_in_the_embedded_database_only(
    contract_tables: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {**connections.settings["default"], "ENGINE": "django.db.backends.postgresql"}
    monkeypatch.setitem(connections.settings, "default", settings)
    for refused in (login.create, past.create_history):
        with pytest.raises(DemoError, match="only done to the embedded database"):
            refused()
    with pytest.raises(CommandError, match="only done to the embedded database"):
        call_command("serve_demo", "--prepare")
    assert not User.objects.filter(username=login.NAME).exists()


def test_the_login_can_log_in_and_is_made_once(as_if_embedded: None) -> None:
    for _ in range(2):
        login.create()
    user = User.objects.get(username=login.NAME)
    assert user.check_password(login.PASSWORD)
    assert user.is_superuser
    user.delete()


def test_the_nights_leave_a_failing_report_two_snapshots_and_all_records(as_if_embedded: None) -> None:
    load(connections["default"])
    assert not past.has_history()
    nights = past.create_history()
    assert past.has_history()
    assert Run.objects.count() == nights
    assert sql("SELECT count(DISTINCT start_time::date) FROM reporting.seeder_run_history") == [(nights,)]
    [failing] = JobStatus.objects.filter(status="error")
    assert failing.table_name == past._FAILING
    assert failing.consecutive_failures == 8
    assert [one.release_tag for one in ReleaseSnapshot.objects.order_by("id")] == ["2026.10", "2026.11"]
    assert not load(connections["default"]).changed
