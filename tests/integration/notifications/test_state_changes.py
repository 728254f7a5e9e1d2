"""Which changes are notified, and which are not."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import DEFAULT_DB_ALIAS, OperationalError
from django.utils import timezone
from pytest_django import Settings

from seeder import conf, signals
from seeder.domain.refresh_requests import AgencyReports
from seeder.models import Alert, Freshness, JobStatus, Mute, Notification
from seeder.postgres.contract import OptionalTables
from seeder.services.notifications import outbox, state_changes
from seeder.services.run import orchestrator
from tests.conftest import create_canned_report, create_custom_manifest, sql
from tests.integration.data_checks.checked_view import add_check
from tests.integration.notifications.channels import create_views, refresh, webhook

pytestmark = pytest.mark.usefixtures("contract_tables")


@pytest.fixture(autouse=True)
def _channel(settings: Settings) -> None:
    settings.SEEDER = {**webhook("https://pager.example.org/in"), "MAX_RETRIES": 0}


def notified() -> list[tuple[str, str]]:
    rows = Notification.objects.order_by("id").values_list("event", "facts")
    return [(event, str(facts["view"]).removeprefix("reporting.")) for event, facts in rows]


def notify_changes() -> None:
    state_changes.notify_changes(conf.load(), OptionalTables.read(DEFAULT_DB_ALIAS))


def test_each_change_is_notified_once() -> None:
    create_views("a", "b")
    for failing in ("a", "a", "", "", "a"):
        refresh(failing)
        notify_changes()
    assert notified() == [("view_failed", "a"), ("view_recovered", "a"), ("view_failed", "a")]
    facts: dict[str, Any] = Notification.objects.order_by("id")[0].facts
    assert (facts["reason"], facts["sqlstate"], facts["agencies"]) == ("division_by_zero", "22012", ["demo"])
    assert "division by zero" not in str(facts)


def test_held_view_is_notified_as_held() -> None:
    create_views("a")
    add_check("rows", arguments={"min": 5})
    refresh()
    notify_changes()
    assert notified() == [("view_held", "a")]


def test_change_that_a_killed_run_left_is_notified_later(monkeypatch: pytest.MonkeyPatch) -> None:
    create_views("a", "b")
    with monkeypatch.context() as patch:

        def fail(*_: object) -> None:
            raise OperationalError

        patch.setattr(outbox, "notify_change", fail)
        refresh("a")
    assert notified() == []
    notify_changes()
    notify_changes()
    assert notified() == [("view_failed", "a")]
    with monkeypatch.context() as patch:
        patch.setattr(outbox, "notify_change", fail)
        refresh()
    notify_changes()
    assert notified() == [("view_failed", "a"), ("view_recovered", "a")]


def test_muted_view_is_notified_after_the_mute_if_it_still_fails() -> None:
    create_views("a", "b")
    mute = Mute.objects.create(
        database_alias="default",
        table_name="reporting.a",
        reason="known",
        muted_by="ada",
        ends_at=timezone.now() + timedelta(hours=1),
    )
    refresh("a", "b")
    notify_changes()
    assert notified() == [("view_failed", "b")]
    Mute.objects.filter(pk=mute.pk).update(ends_at=timezone.now())
    notify_changes()
    assert notified() == [("view_failed", "b"), ("view_failed", "a")]


def test_late_contract_is_notified_once_for_each_breach() -> None:
    received: list[dict[str, Any]] = []

    def receive(**arguments: Any) -> None:
        received.append(arguments)

    create_views("a")
    refresh()
    Freshness.objects.create(table_name="reporting.a", target_lag=timedelta(hours=1))
    signals.view_late.connect(receive)
    try:
        for minutes in (120, 0, 180):
            sql("UPDATE reporting.seeder_view_state SET data_as_of = now() - make_interval(mins => %s)", minutes)
            notify_changes()
            notify_changes()
    finally:
        signals.view_late.disconnect(receive)
    assert notified() == [("view_late", "a"), ("view_recovered", "a"), ("view_late", "a")]
    assert [(one["view"], one["severity"]) for one in received] == [("reporting.a", "error")] * 2


def test_finished_run_is_notified_once_to_a_channel_that_wants_it(settings: Settings) -> None:
    settings.SEEDER = webhook("https://pager.example.org/in", events=["run_finished"], agencies=["demo"])
    create_views("a")
    refresh("a")
    notify_changes()
    notify_changes()
    [row] = Notification.objects.all()
    assert (row.event, row.facts["failed"], row.facts["agencies"]) == ("run_finished", 1, ["demo"])


def test_channel_of_other_agencies_is_not_notified(settings: Settings) -> None:
    settings.SEEDER = webhook("https://pager.example.org/in", agencies=["metro"])
    create_views("a")
    refresh("a")
    assert notified() == []
    assert Alert.objects.get().notified == "failed"


def test_shared_view_that_fails_in_a_run_for_another_agency_is_notified(settings: Settings) -> None:
    settings.SEEDER = webhook("https://pager.example.org/in", agencies=["metro"])
    create_canned_report("reporting.shared", "SELECT 1 / 0 AS x", agencies=("demo", "metro"))
    orchestrator.execute_run(AgencyReports(slug="demo"))
    assert notified() == [("view_failed", "shared")]


@pytest.mark.parametrize(("channels", "failing"), [({}, "a"), (webhook("https://pager.example.org/in"), "")])
def test_run_without_channels_or_changes_sends_no_statement_more(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, channels: dict[str, Any], failing: str
) -> None:
    settings.SEEDER = channels
    create_views("a")
    refresh(failing)
    sent: list[object] = []
    monkeypatch.setattr(outbox, "query", lambda *arguments: sent.append(arguments))
    refresh(failing)
    assert sent == []


def test_signals_follow_the_commit_and_receivers_cannot_fail_a_run(caplog: pytest.LogCaptureFixture) -> None:
    received: list[tuple[str, str | None, str]] = []

    def receive(signal: object, **arguments: Any) -> None:
        names = {id(value): name for name, value in vars(signals).items()}
        status = JobStatus.objects.get(pk="reporting.a").status
        received.append((names[id(signal)], arguments.get("reason"), status))
        raise ValueError

    connected = [signals.view_failed, signals.view_recovered, signals.run_finished]
    create_views("a")
    for one in connected:
        one.connect(receive)
    try:
        for failing in ("a", "a", ""):
            refresh(failing)
    finally:
        for one in connected:
            one.disconnect(receive)
    failure = ("view_failed", "division_by_zero", "error")
    assert received == [
        failure,
        ("run_finished", None, "error"),
        failure,
        ("run_finished", None, "error"),
        ("view_recovered", None, "success"),
        ("run_finished", None, "success"),
    ]
    assert sum("receiver_failed" in line for line in caplog.messages) == 6


def test_view_whose_name_several_databases_have_is_notified_by_its_runs_only(settings: Settings) -> None:
    settings.SEEDER = {**settings.SEEDER, "DATABASES": {1: "default", 2: "archive"}}
    create_views("a")
    manifest = create_custom_manifest("reporting.a", "SELECT 1 AS x", agency="metro", enabled=True)
    type(manifest).objects.filter(pk=manifest.pk).update(database_id=2)
    JobStatus.objects.create(
        table_name="reporting.a",
        manifest_id=manifest.pk,
        report_name="a",
        report_type="custom",
        agency_id=1,
        agency_slug="demo",
        status="error",
        consecutive_failures=1,
    )
    notify_changes()
    assert notified() == []
