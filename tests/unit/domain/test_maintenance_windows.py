"""Maintenance windows, also on days on which the clocks change."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from seeder.domain.maintenance_windows import open_until, parse_windows

BERLIN = ZoneInfo("Europe/Berlin")


def until(windows: str, now: str, zone: str = "Europe/Berlin") -> str | None:
    """Return the end of the open window in UTC, for a time in UTC."""
    found = open_until(parse_windows(windows, default_zone=zone), datetime.fromisoformat(f"{now}+00:00"))
    return None if found is None else f"{found.astimezone(UTC):%Y-%m-%dT%H:%M}"


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("2026-11-30T00:59:59", None),
        ("2026-11-30T01:00:00", "2026-11-30T05:00"),
        ("2026-11-30T04:59:59", "2026-11-30T05:00"),
        ("2026-11-30T05:00:00", None),
    ],
)
def test_window_is_open_from_its_start_until_before_its_end(now: str, expected: str | None) -> None:
    assert until("01:00-05:00", now, "UTC") == expected


def test_window_past_midnight_belongs_to_the_day_of_its_start() -> None:
    windows = "sat 22:00-06:00 UTC"  # 2026-11-28 is a Saturday
    assert until(windows, "2026-11-28T23:00:00") == until(windows, "2026-11-29T05:59:00") == "2026-11-29T06:00"
    assert until(windows, "2026-11-28T05:00:00") is until(windows, "2026-11-29T22:30:00") is None


@pytest.mark.parametrize(("days", "is_open"), [("mon-fri", True), ("sat-tue", True), ("sun,tue", False)])
def test_days_are_lists_and_ranges(days: str, is_open: bool) -> None:  # noqa: FBT001
    assert (until(f"{days} 00:00-24:00 UTC", "2026-11-30T12:00:00") is not None) is is_open


def test_windows_that_meet_count_as_one() -> None:
    assert until("22:00-24:00; 00:00-03:00; 02:00-05:00", "2026-11-30T22:00:00") == "2026-12-01T04:00"


def test_zone_of_the_window_takes_precedence_over_the_default() -> None:
    assert until("01:00-02:00 America/New_York", "2026-11-30T06:30:00") == "2026-11-30T07:00"


def test_window_that_is_always_open_has_an_end() -> None:
    found = until("00:00-12:00; 12:00-24:00", "2026-11-30T06:30:00")
    assert found
    assert "2026-12-08" <= found < "2026-12-10"


@pytest.mark.parametrize(
    ("windows", "now", "expected"),
    [
        # 2026-03-29 in Berlin: from 01:59 CET to 03:00 CEST, at 01:00 UTC.
        ("01:00-05:00", "2026-03-29T00:30:00", "2026-03-29T03:00"),
        ("01:30-02:30", "2026-03-29T00:45:00", "2026-03-29T01:00"),
        ("02:00-03:00", "2026-03-29T00:59:00", None),
        ("02:00-03:00", "2026-03-29T01:00:00", None),
        ("02:30-04:00", "2026-03-29T01:00:00", "2026-03-29T02:00"),
        # 2026-10-25 in Berlin: from 02:59 CEST to 02:00 CET, at 01:00 UTC.
        ("01:00-05:00", "2026-10-24T23:30:00", "2026-10-25T04:00"),
        ("01:00-02:30", "2026-10-25T00:10:00", "2026-10-25T00:30"),
        ("01:00-02:30", "2026-10-25T00:45:00", None),
        ("01:00-02:30", "2026-10-25T01:10:00", "2026-10-25T01:30"),
        ("02:30-03:30", "2026-10-25T00:40:00", "2026-10-25T01:00"),
        ("02:30-03:30", "2026-10-25T01:10:00", None),
        ("02:30-03:30", "2026-10-25T01:40:00", "2026-10-25T02:30"),
    ],
)
def test_window_follows_the_local_clock_when_it_changes(windows: str, now: str, expected: str | None) -> None:
    assert until(windows, now) == expected


@pytest.mark.parametrize("day", ["2026-03-28", "2026-03-29", "2026-10-24", "2026-10-25"])
@pytest.mark.parametrize("windows", ["22:15-02:30", "01:30-02:30", "02:15-02:45", "sun 02:30-04:00"])
def test_end_is_the_first_minute_at_which_the_clock_has_left_the_window(windows: str, day: str) -> None:
    parsed = parse_windows(windows, default_zone="Europe/Berlin")
    begin = datetime.fromisoformat(f"{day}T20:00:00+00:00") - timedelta(days=1)
    minutes = [begin + timedelta(minutes=minute) for minute in range(30 * 60)]
    is_open = {minute: parsed[0].minutes_left(minute) is not None for minute in minutes}
    for minute in minutes[: 24 * 60]:
        end = open_until(parsed, minute)
        assert (end is not None) is is_open[minute]
        if end is not None:
            assert all(is_open[one] for one in minutes if minute <= one < end)
            assert not is_open[end.astimezone(UTC)]


@pytest.mark.parametrize(
    "text",
    [
        "1:00-5:00",
        "01:00",
        "25:00-26:00",
        "01:00-01:00",
        "24:00-05:00",
        "01:60-02:00",
        "monday 01:00-02:00",
        "mon- 01:00-02:00",
        "01:00-02:00 Mars/Olympus",
        "01:00-02:00 UTC 03:00-04:00",
    ],
)
def test_unreadable_window_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=text[:5]):
        parse_windows(f"03:00-04:00; {text}", default_zone="UTC")


def test_no_window_is_never_open() -> None:
    assert until(" ; ", "2026-11-30T06:30:00") is None
