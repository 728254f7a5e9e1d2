"""Schedules in the queue when the clocks change: django-q2's own scheduler, with a substituted clock."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, date, datetime, time, timedelta
from unittest.mock import patch
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone
from django_q.conf import Conf
from django_q.models import OrmQ, Schedule
from django_q.scheduler import scheduler
from pytest_django import Settings

from seeder.services.queue import schedules

BERLIN, LORD_HOWE = ZoneInfo("Europe/Berlin"), ZoneInfo("Australia/Lord_Howe")
NIGHTLY = "seeder: every report"
pytestmark = pytest.mark.usefixtures("empty_queue", "_in_berlin")

Nightly = Callable[[datetime, str], datetime]


@pytest.fixture
def _in_berlin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Conf, "TIME_ZONE", BERLIN.key)


@pytest.fixture
def nightly(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Nightly:
    """Return a function that schedules the nightly task at a time, in the zone of that time."""

    def schedule(now: datetime, cron: str) -> datetime:
        monkeypatch.setattr(Conf, "TIME_ZONE", str(now.tzinfo))
        settings.SEEDER = {"NIGHTLY_CRON": cron}
        with at(now):
            schedules.sync_schedules()
        return now

    return schedule


def at(now: datetime) -> AbstractContextManager[object]:
    return patch.object(timezone, "now", lambda: now.astimezone(UTC))


def fired_at(start: datetime, *, hours: int) -> list[str]:
    """Run the scheduler every half an hour, and return the local times at which it queued the nightly task."""
    fired = []
    for minutes in range(5, hours * 60, 30):
        now = start.astimezone(UTC) + timedelta(minutes=minutes)
        with at(now):
            scheduler()
        if any(message.task["func"] == "seeder.tasks.refresh_all" for message in OrmQ.objects.all()):
            fired.append(f"{now.astimezone(ZoneInfo(Conf.TIME_ZONE)):%d %H:%M %z}")
        OrmQ.objects.all().delete()
    return fired


@pytest.mark.parametrize(
    ("zone", "evening", "cron", "expected"),
    [
        (BERLIN, date(2026, 10, 24), "0 2 * * *", ["25 02:05 +0200", "26 02:05 +0100"]),
        (BERLIN, date(2026, 3, 28), "0 2 * * *", ["29 03:05 +0200", "30 02:05 +0200"]),
        (BERLIN, date(2026, 3, 28), "30 2 * * *", ["29 03:05 +0200", "30 02:35 +0200"]),
        (LORD_HOWE, date(2026, 4, 4), "45 1 * * *", ["05 01:35 +1030", "06 02:05 +1030"]),
        (LORD_HOWE, date(2026, 10, 3), "15 2 * * *", ["04 02:35 +1100", "05 02:35 +1100"]),
    ],
)
def test_nightly_schedule_fires_once_a_night_at_clock_changes(
    nightly: Nightly, zone: ZoneInfo, evening: date, cron: str, expected: list[str]
) -> None:
    start = nightly(datetime.combine(evening, time(22), zone), cron)
    assert fired_at(start, hours=30) == expected


def test_hourly_schedule_fires_in_both_of_the_repeated_hours(nightly: Nightly) -> None:
    start = nightly(datetime(2026, 10, 25, 1, 30, tzinfo=BERLIN), "0 * * * *")
    assert fired_at(start, hours=3) == ["25 02:05 +0200", "25 02:05 +0100", "25 03:05 +0100"]


def test_schedule_of_another_app_fires_once_too() -> None:
    """With django-q2 alone, the scheduler would not return before the end of the repeated hour."""
    start = datetime(2026, 10, 24, 22, tzinfo=BERLIN)
    Schedule.objects.create(name="foreign", func="seeder.tasks.refresh_all", schedule_type="C", cron="0 2 * * *")
    Schedule.objects.update(next_run=datetime(2026, 10, 25, 2, tzinfo=BERLIN))
    assert fired_at(start, hours=6) == ["25 02:05 +0200"]


def test_late_cluster_fires_a_missed_night_once(nightly: Nightly) -> None:
    nightly(datetime(2026, 10, 24, 22, tzinfo=BERLIN), "0 2 * * *")
    restarted = datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN, fold=1)
    assert fired_at(restarted, hours=22) == ["25 02:35 +0100"]


def test_schedule_edited_to_another_cron_dialect_keeps_firing(nightly: Nightly) -> None:
    start = nightly(datetime(2026, 6, 1, 22, tzinfo=BERLIN), "0 2 * * *")
    Schedule.objects.filter(name=NIGHTLY).update(cron="0 4 * * * 30")  # with seconds
    assert fired_at(start, hours=8) == ["02 02:05 +0200", "02 04:05 +0200"]


def test_schedule_that_is_moved_by_hand_keeps_that_time(nightly: Nightly) -> None:
    start = nightly(datetime(2026, 6, 1, 22, tzinfo=BERLIN), "0 2 * * *")
    row = Schedule.objects.get(name=NIGHTLY)
    row.next_run = moved = start + timedelta(days=3)
    row.save()
    assert Schedule.objects.get(name=NIGHTLY).next_run == moved
