"""Schedules in the queue."""

import ast
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone
from django_q.models import OrmQ, Schedule
from django_q.scheduler import scheduler
from pytest_django import Settings

from seeder import tasks
from seeder.checks import check_queue_settings
from seeder.errors import ConfigurationError, UnknownAgency
from seeder.models import QueuedRefresh
from seeder.services.queue import schedules
from tests.conftest import CompletedCommand, create_custom_manifest

Manage = Callable[..., CompletedCommand]
pytestmark = pytest.mark.usefixtures("empty_queue")
NIGHTLY, AGENCY, RESUME = "seeder: every report", "seeder: agency demo", "seeder: resume the queue"


@pytest.fixture(autouse=True)
def _with_agency_schedule(settings: Settings, empty_queue: None) -> None:
    create_custom_manifest("reporting.a", "SELECT 1 AS n")
    settings.SEEDER = {"AGENCY_CRONS": {"demo": "0 12 * * 1-5"}}


def sync(**options: bool) -> dict[str, str | None]:
    return {schedule.name: schedule.action for schedule in schedules.sync_schedules(**options)}


def dispatch_due_schedules() -> list[tuple[str, tuple[object, ...]]]:
    Schedule.objects.update(next_run=timezone.now() - timedelta(minutes=1))
    scheduler()
    return sorted((message.task["func"], tuple(message.task["args"])) for message in OrmQ.objects.all())


def test_declared_schedules_dispatch_their_tasks() -> None:
    assert sync() == {NIGHTLY: "added", AGENCY: "added", RESUME: "added"}
    assert {row.name: (row.cron, row.next_run > timezone.now()) for row in Schedule.objects.all()} == {
        NIGHTLY: ("0 2 * * *", True),
        AGENCY: ("0 12 * * 1-5", True),
        RESUME: (None, True),
    }
    assert dispatch_due_schedules() == [
        ("seeder.tasks.refresh_agency", ("demo",)),
        ("seeder.tasks.refresh_all", ("any",)),
        ("seeder.tasks.resume_queue", ()),
    ]


def test_channels_add_a_schedule_that_sends_notifications(settings: Settings) -> None:
    settings.SEEDER = {"NIGHTLY_CRON": "", "NOTIFICATIONS": {"on call": {"email": ["ada@example.org"]}}}
    assert sync() == {"seeder: notifications": "added", RESUME: "added"}
    assert ("seeder.tasks.send_notifications", ()) in dispatch_due_schedules()
    assert tasks.send_notifications() == {"sent": 0, "failed": 0, "givenUp": 0}


def test_unchanged_schedule_keeps_its_next_time() -> None:
    sync()
    soon = timezone.now() + timedelta(seconds=5)
    Schedule.objects.update(next_run=soon)
    assert set(sync().values()) == {"kept"}
    assert set(Schedule.objects.values_list("next_run", flat=True)) == {soon}


def test_changed_schedule_is_updated_and_undeclared_removed(settings: Settings) -> None:
    sync()
    settings.SEEDER = {"NIGHTLY_CRON": "30 3 * * *"}
    assert sync(dry_run=True) == {NIGHTLY: "changed", AGENCY: "removed", RESUME: "kept"}
    assert Schedule.objects.get(name=NIGHTLY).cron == "0 2 * * *"
    assert sync() == {NIGHTLY: "changed", AGENCY: "removed", RESUME: "kept"}
    nightly = Schedule.objects.get(name=NIGHTLY)
    assert (nightly.cron, nightly.next_run.hour, nightly.next_run.minute) == ("30 3 * * *", 3, 30)
    settings.SEEDER = {"NIGHTLY_CRON": ""}
    assert sync() == {NIGHTLY: "removed", RESUME: "kept"}


def test_duplicates_are_removed_and_foreign_schedules_kept() -> None:
    sync()
    other = Schedule.objects.create(name="foreign", func="seeder.tasks.refresh_all", schedule_type="H")
    duplicate = Schedule.objects.get(name=NIGHTLY)
    duplicate.pk = None
    duplicate.cron = "1 1 * * *"
    duplicate.save()
    assert sync()[NIGHTLY] == "kept"
    assert Schedule.objects.get(name=NIGHTLY).cron == "0 2 * * *"
    assert Schedule.objects.filter(pk=other.pk).exists()


def test_invalid_schedule_is_refused_before_any_change(settings: Settings) -> None:
    settings.SEEDER = {"AGENCY_CRONS": {"dmeo": "0 2 * * *"}}
    with pytest.raises(UnknownAgency, match="nearest one is 'demo'"):
        schedules.sync_schedules()
    for cron in ("every day", "0 0 30 2 *", "* * * *", "0 0 2 * * *", "0 2 * * *" + " " * 100):
        settings.SEEDER = {"NIGHTLY_CRON": cron}
        with pytest.raises(ConfigurationError, match="NIGHTLY_CRON"):
            schedules.sync_schedules()
        assert [message.id for message in check_queue_settings()] == ["seeder.E007"]
    assert not Schedule.objects.exists()


def test_arguments_with_special_characters_reach_the_task(settings: Settings) -> None:
    slug = 'o\'hara "x", [y]'
    row = create_custom_manifest("reporting.b", "SELECT 1 AS n")
    type(row).objects.filter(pk=row.pk).update(agency_slug=slug)
    settings.SEEDER = {"NIGHTLY_CRON": "", "AGENCY_CRONS": {slug: "@daily"}}
    sync()
    assert ast.literal_eval(Schedule.objects.get(func__endswith="agency").args) == (slug,)
    assert dispatch_due_schedules()[0] == ("seeder.tasks.refresh_agency", (slug,))


def test_schedule_with_unparsable_arguments_refreshes_nothing(caplog: pytest.LogCaptureFixture) -> None:
    Schedule.objects.create(name="a", func="seeder.tasks.refresh_all", args="(any", schedule_type="H")
    assert dispatch_due_schedules() == []
    Schedule.objects.update(args=None, kwargs="report_type=any")
    [(func, arguments)] = dispatch_due_schedules()
    assert (func, arguments) == ("seeder.tasks.refresh_all", ()), "it is called without arguments"
    with pytest.raises(TypeError):
        tasks.refresh_all()  # type: ignore[call-arg]
    assert not QueuedRefresh.objects.exists()


def test_check_without_the_queue_reports_nothing(settings: Settings) -> None:
    settings.SEEDER = {"NIGHTLY_CRON": "every day"}
    settings.Q_CLUSTER = {}
    assert {message.id for message in check_queue_settings()} >= {"seeder.E007", "seeder.W013"}
    settings.INSTALLED_APPS = [app for app in settings.INSTALLED_APPS if app != "django_q"]
    assert check_queue_settings() == []


def test_schedule_command_shows_actions_and_next_times(manage: Manage, settings: Settings) -> None:
    settings.SEEDER = {}
    [nightly, resume] = manage("schedule_refreshes").lines
    assert nightly.startswith("seeder: every report (0 2 * * *): added, next due 2")
    assert nightly.endswith(" 02:00 UTC")
    assert resume.startswith("seeder: resume the queue: added, next due 2")
    document = manage("schedule_refreshes", "--json", "--dry-run", SEEDER_NIGHTLY_CRON="").document
    assert [(schedule["name"], schedule["action"]) for schedule in document["schedules"]] == [
        (RESUME, "kept"),
        (NIGHTLY, "removed"),
    ]
    failed = manage("schedule_refreshes", SEEDER_NIGHTLY_CRON="at night")
    assert (failed.exit_code, failed.out) == (2, "")
    assert "SEEDER_NIGHTLY_CRON is 'at night'" in failed.err
    assert len(failed.err.splitlines()) == 1
