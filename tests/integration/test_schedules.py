"""What the queue does by itself at which time."""

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
def _declared(settings: Settings, empty_queue: None) -> None:
    create_custom_manifest("reporting.a", "SELECT 1 AS n")
    settings.SEEDER = {"AGENCY_CRONS": {"demo": "0 12 * * 1-5"}}


def did(**options: bool) -> dict[str, str]:
    return {one.name: one.action for one in schedules.sync_schedules(**options)}


def ring_what_is_due() -> list[tuple[str, tuple[object, ...]]]:
    Schedule.objects.update(next_run=timezone.now() - timedelta(minutes=1))
    scheduler()
    return sorted((message.task["func"], tuple(message.task["args"])) for message in OrmQ.objects.all())


def test_what_the_settings_declare_is_scheduled_and_comes_to_the_tasks() -> None:
    assert did() == {NIGHTLY: "added", AGENCY: "added", RESUME: "added"}
    assert {row.name: (row.cron, row.next_run > timezone.now()) for row in Schedule.objects.all()} == {
        NIGHTLY: ("0 2 * * *", True),
        AGENCY: ("0 12 * * 1-5", True),
        RESUME: (None, True),
    }
    assert ring_what_is_due() == [
        ("seeder.tasks.refresh_agency", ("demo",)),
        ("seeder.tasks.refresh_all", ("any",)),
        ("seeder.tasks.resume_queue", ()),
    ]


def test_declared_again_they_keep_their_next_time() -> None:
    did()
    soon = timezone.now() + timedelta(seconds=5)
    Schedule.objects.update(next_run=soon)
    assert set(did().values()) == {"kept"}
    assert set(Schedule.objects.values_list("next_run", flat=True)) == {soon}


def test_what_has_changed_is_due_anew_and_what_is_no_longer_declared_is_removed(settings: Settings) -> None:
    did()
    settings.SEEDER = {"NIGHTLY_CRON": "30 3 * * *"}
    assert did(dry_run=True) == {NIGHTLY: "changed", AGENCY: "removed", RESUME: "kept"}
    assert Schedule.objects.get(name=NIGHTLY).cron == "0 2 * * *"
    assert did() == {NIGHTLY: "changed", AGENCY: "removed", RESUME: "kept"}
    nightly = Schedule.objects.get(name=NIGHTLY)
    assert (nightly.cron, nightly.next_run.hour, nightly.next_run.minute) == ("30 3 * * *", 3, 30)
    settings.SEEDER = {"NIGHTLY_CRON": ""}
    assert did() == {NIGHTLY: "removed", RESUME: "kept"}


def test_duplicates_are_removed_and_nobody_else_s_is_touched() -> None:
    did()
    other = Schedule.objects.create(name="somebody's", func="seeder.tasks.refresh_all", schedule_type="H")
    twin = Schedule.objects.get(name=NIGHTLY)
    twin.pk = None
    twin.cron = "1 1 * * *"
    twin.save()
    assert did()[NIGHTLY] == "kept"
    assert Schedule.objects.get(name=NIGHTLY).cron == "0 2 * * *"
    assert Schedule.objects.filter(pk=other.pk).exists()


def test_what_cannot_be_is_refused_before_anything_is_changed(settings: Settings) -> None:
    settings.SEEDER = {"AGENCY_CRONS": {"dmeo": "0 2 * * *"}}
    with pytest.raises(UnknownAgency, match="nearest known one is 'demo'"):
        schedules.sync_schedules()
    for cron in ("every day", "0 0 30 2 *", "* * * *", "0 2 * * *" + " " * 100):
        settings.SEEDER = {"NIGHTLY_CRON": cron}
        with pytest.raises(ConfigurationError, match="NIGHTLY_CRON"):
            schedules.sync_schedules()
        assert [message.id for message in check_queue_settings()] == ["seeder.E007"]
    assert not Schedule.objects.exists()


def test_arguments_are_written_so_that_the_queue_reads_them_whatever_the_agency_is_called(settings: Settings) -> None:
    slug = 'o\'hara "x", [y]'
    row = create_custom_manifest("reporting.b", "SELECT 1 AS n")
    type(row).objects.filter(pk=row.pk).update(agency_slug=slug)
    settings.SEEDER = {"NIGHTLY_CRON": "", "AGENCY_CRONS": {slug: "@daily"}}
    did()
    assert ast.literal_eval(Schedule.objects.get(func__endswith="agency").args) == (slug,)
    assert ring_what_is_due()[0] == ("seeder.tasks.refresh_agency", (slug,))


def test_a_schedule_whose_arguments_do_not_parse_refreshes_nothing(caplog: pytest.LogCaptureFixture) -> None:
    Schedule.objects.create(name="a", func="seeder.tasks.refresh_all", args="(any", schedule_type="H")
    assert ring_what_is_due() == []
    Schedule.objects.update(args=None, kwargs="report_type=any")
    [(func, arguments)] = ring_what_is_due()
    assert (func, arguments) == ("seeder.tasks.refresh_all", ()), "it is called with nothing"
    with pytest.raises(TypeError):
        tasks.refresh_all()  # type: ignore[call-arg]
    assert not QueuedRefresh.objects.exists()


def test_where_there_is_no_queue_the_check_is_silent(settings: Settings) -> None:
    settings.SEEDER = {"NIGHTLY_CRON": "every day"}
    settings.Q_CLUSTER = {}
    assert {message.id for message in check_queue_settings()} >= {"seeder.E007", "seeder.W013"}
    settings.INSTALLED_APPS = [app for app in settings.INSTALLED_APPS if app != "django_q"]
    assert check_queue_settings() == []


def test_the_command_says_what_it_did_and_when_each_is_next_due(manage: Manage, settings: Settings) -> None:
    settings.SEEDER = {}
    [nightly, resume] = manage("schedule_refreshes").lines
    assert nightly.startswith("seeder: every report (0 2 * * *): added, next due 2")
    assert nightly.endswith(" 02:00 UTC")
    assert resume.startswith("seeder: resume the queue: added, next due 2")
    document = manage("schedule_refreshes", "--json", "--dry-run", SEEDER_NIGHTLY_CRON="").document
    assert [(one["name"], one["action"]) for one in document["schedules"]] == [(RESUME, "kept"), (NIGHTLY, "removed")]
    wrong = manage("schedule_refreshes", SEEDER_NIGHTLY_CRON="at night")
    assert (wrong.exit_code, wrong.out) == (2, "")
    assert "SEEDER_NIGHTLY_CRON is 'at night'" in wrong.err
    assert len(wrong.err.splitlines()) == 1
