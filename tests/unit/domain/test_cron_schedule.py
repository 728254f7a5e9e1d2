"""Cron expressions around changes of the clocks, compared with a walk over every minute."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from seeder.domain.cron_schedule import CronSchedule
from seeder.errors import BadCron

BERLIN, NEW_YORK, LORD_HOWE = map(ZoneInfo, ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe"))
BEIRUT = ZoneInfo("Asia/Beirut")  # its clocks change at midnight
CHANGES = [
    (BERLIN, date(2026, 3, 29)),
    (BERLIN, date(2026, 10, 25)),
    (NEW_YORK, date(2026, 3, 8)),
    (NEW_YORK, date(2026, 11, 1)),
    (LORD_HOWE, date(2026, 4, 5)),  # by half an hour
    (LORD_HOWE, date(2026, 10, 4)),
    (BEIRUT, date(2026, 3, 29)),
    (BEIRUT, date(2026, 10, 24)),
    (ZoneInfo("UTC"), date(2026, 3, 29)),
]
ZONES = st.sampled_from([zone for zone, _ in CHANGES])
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


def firings(expression: str, after: datetime) -> Iterator[datetime]:
    while True:
        after = CronSchedule(expression).next(after)
        yield after


def minutes_around(zone: ZoneInfo, day: date) -> list[datetime]:
    """Return each minute of the day before, the day and the day after, in local time."""
    begin, end = (datetime.combine(day + offset * DAY, time(), zone).astimezone(UTC) for offset in (-1, 2))
    return [(begin + number * MINUTE).astimezone(zone) for number in range((end - begin) // MINUTE)]


@pytest.mark.parametrize(("zone", "day"), CHANGES)
def test_daily_expression_fires_once_a_day_for_each_time(zone: ZoneInfo, day: date) -> None:
    minutes = minutes_around(zone, day)
    for hour, minute in [(hour, minute) for hour in range(24) for minute in (0, 15, 45)]:
        expected = [
            next(at for at in minutes if at.date() == one and at.time() >= time(hour, minute))
            for one in (day - DAY, day, day + DAY)
        ]
        after = minutes[0] - MINUTE
        assert [*islice(firings(f"{minute} {hour} * * *", after), 3)] == expected, (hour, minute)


@pytest.mark.parametrize(("zone", "day"), CHANGES)
@pytest.mark.parametrize("minutes", ["0", "15", "*/20", "59"])
def test_hourly_expression_follows_the_clock(zone: ZoneInfo, day: date, minutes: str) -> None:
    shown = {"*/20": {0, 20, 40}}.get(minutes) or {int(minutes)}
    expected = [at.astimezone(UTC) for at in minutes_around(zone, day) if at.minute in shown]
    found = islice(firings(f"{minutes} * * * *", expected[0].astimezone(zone) - MINUTE), len(expected))
    assert [at.astimezone(UTC) for at in found] == expected


@pytest.mark.parametrize(("zone", "day"), CHANGES)
@pytest.mark.parametrize("expression", ["30 2 * * *", "*/20 1,2 * * *", "15 * * * *"])
def test_next_firing_after_any_minute_is_the_next_of_all(zone: ZoneInfo, day: date, expression: str) -> None:
    minutes = minutes_around(zone, day)
    every = [*islice(firings(expression, minutes[0] - DAY), 130)]
    for after in minutes[::17]:
        assert CronSchedule(expression).next(after) == min(at for at in every if at > after.astimezone(UTC))


@given(zone=ZONES, day=st.dates(date(2008, 1, 1), date(2037, 12, 1)), begin=st.times(), at=st.times())
@example(zone=BERLIN, day=date(2026, 10, 24), begin=time(1), at=time(2))
@example(zone=BERLIN, day=date(2026, 3, 28), begin=time(1), at=time(2, 30))
def test_daily_expression_fires_exactly_once_on_each_local_day(
    zone: ZoneInfo, day: date, begin: time, at: time
) -> None:
    after = datetime.combine(day, begin, zone)
    days = [one.date() for one in islice(firings(f"{at.minute} {at.hour} * * *", after), 40)]
    assert days == [days[0] + number * DAY for number in range(40)]
    assert days[0] - after.date() in {timedelta(0), DAY}


def test_whole_missing_day_fires_once_at_its_end() -> None:
    """Samoa had no December 30, 2011."""
    apia = ZoneInfo("Pacific/Apia")
    found = islice(firings("0 2 * * *", datetime(2011, 12, 29, 12, tzinfo=apia)), 3)
    assert [f"{at:%d %H:%M}" for at in found] == ["31 00:00", "31 02:00", "01 02:00"]


def test_firings_outside_of_changes_are_those_of_the_expression() -> None:
    found = islice(firings("30 6 * * mon-fri", datetime(2026, 6, 5, 7, tzinfo=BERLIN)), 2)
    assert [str(at) for at in found] == ["2026-06-08 06:30:00+02:00", "2026-06-09 06:30:00+02:00"]
    assert CronSchedule("@daily").next(datetime(2026, 6, 5, 7, tzinfo=UTC)) == datetime(2026, 6, 6, tzinfo=UTC)


@pytest.mark.parametrize(
    "expression",
    ["", "every day", "0 0 30 2 *", "* * * *", "0 0 2 * * *", "60 2 * * *", "R 2 * * *", "H 2 * * *", "@reboot", "@"],
)
def test_invalid_expression_is_refused_in_one_line(expression: str) -> None:
    with pytest.raises(BadCron, match="is not a cron expression: ") as error:
        CronSchedule(expression)
    assert "\n" not in str(error.value)


FIELD = st.text("0123456789*/-,#LlWwHhRr?abcdefjmnoprstuvy()@\x00٣ ", min_size=1, max_size=6)


@given(fields=st.lists(FIELD, min_size=5, max_size=5))
def test_any_text_is_refused_or_can_be_scheduled(fields: list[str]) -> None:
    try:
        schedule = CronSchedule(" ".join(fields))
    except BadCron:
        return
    now = datetime(2026, 10, 25, 2, tzinfo=BERLIN)
    assert schedule.next(now) > now


def test_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="has no time zone"):
        CronSchedule("0 2 * * *").next(datetime(2026, 6, 5))  # noqa: DTZ001  # that is the test
