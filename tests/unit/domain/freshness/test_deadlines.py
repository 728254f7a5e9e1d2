"""Deadlines of contracts, also when the clocks change."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seeder.domain.clock_changes import instant_of
from seeder.domain.freshness.contract import parse_days, parse_zone
from seeder.domain.freshness.deadlines import missed_deadline, next_deadline
from tests.unit.domain.freshness.contract_values import due_contract, lag_contract, utc

BERLIN = "Europe/Berlin"  # summer time from 2026-03-29 01:00 UTC to 2026-10-25 01:00 UTC


def test_target_lag_counts_from_the_data_with_grace() -> None:
    contract, as_of = lag_contract(2, grace=1), utc("2026-01-05 10:00")
    assert next_deadline(contract, as_of, utc("2026-01-05 11:00")) == utc("2026-01-05 13:00")
    assert missed_deadline(contract, as_of, utc("2026-01-05 13:00")) is None
    assert missed_deadline(contract, as_of, utc("2026-01-05 13:00:01")) == utc("2026-01-05 13:00")


def test_target_lag_of_unknown_data_counts_from_now_and_is_not_missed() -> None:
    now = utc("2026-01-05 10:00")
    assert next_deadline(lag_contract(2), None, now) == utc("2026-01-05 12:00")
    assert missed_deadline(lag_contract(2), None, now) is None


def test_due_time_is_open_from_its_period_until_the_data_meet_it() -> None:
    contract = due_contract("06:30")
    assert next_deadline(contract, None, utc("2026-01-05 02:00")) == utc("2026-01-05 06:30")
    assert next_deadline(contract, utc("2026-01-04 23:59"), utc("2026-01-05 02:00")) == utc("2026-01-05 06:30")
    assert next_deadline(contract, utc("2026-01-05 00:00"), utc("2026-01-05 02:00")) is None
    assert missed_deadline(contract, utc("2026-01-05 00:00"), utc("2026-01-05 06:31")) is None


def test_due_time_is_missed_from_its_deadline_until_newer_data() -> None:
    contract, old = due_contract("06:30", grace=0.5), utc("2026-01-04 23:59")
    assert missed_deadline(contract, old, utc("2026-01-05 07:00")) is None
    assert missed_deadline(contract, old, utc("2026-01-05 07:01")) == utc("2026-01-05 07:00")
    assert next_deadline(contract, old, utc("2026-01-05 07:01")) == utc("2026-01-05 07:00"), "it is missed"
    assert missed_deadline(contract, old, utc("2026-01-06 07:01")) == utc("2026-01-06 07:00"), "the last one counts"
    assert missed_deadline(contract, utc("2026-01-05 08:00"), utc("2026-01-06 01:00")) is None


def test_run_after_a_missed_deadline_is_for_the_next_one() -> None:
    assert next_deadline(due_contract("06:30"), utc("2026-01-03 02:00"), utc("2026-01-05 02:00")) == utc(
        "2026-01-05 06:30"
    )


def test_period_that_begins_after_the_due_time_begins_a_day_before() -> None:
    contract = due_contract("00:30", since="20:00")
    assert next_deadline(contract, utc("2026-01-04 19:59"), utc("2026-01-04 21:00")) == utc("2026-01-05 00:30")
    assert next_deadline(contract, utc("2026-01-04 20:00"), utc("2026-01-04 21:00")) is None


def test_deadline_is_only_on_its_weekdays() -> None:
    weekdays = due_contract("06:30", days="1-5")  # 2026-01-03 is a Saturday
    assert next_deadline(weekdays, None, utc("2026-01-03 02:00")) == utc("2026-01-02 06:30"), "Friday's is missed"
    assert next_deadline(weekdays, utc("2026-01-02 02:00"), utc("2026-01-03 02:00")) is None
    assert missed_deadline(due_contract("06:30", days="1"), None, utc("2026-01-04 23:00")) == utc("2025-12-29 06:30")


@pytest.mark.parametrize(
    ("local", "now", "deadline"),
    [
        ("06:30", "2026-03-28 02:00", "2026-03-28 05:30"),  # winter
        ("06:30", "2026-03-29 02:00", "2026-03-29 04:30"),  # summer
        ("02:30", "2026-03-28 23:30", "2026-03-29 01:00"),  # missing: the end of the gap
        ("02:30", "2026-10-24 23:30", "2026-10-25 00:30"),  # twice: the first
        ("06:30", "2026-10-25 02:00", "2026-10-25 05:30"),
    ],
)
def test_due_time_is_local_when_the_clocks_change(local: str, now: str, deadline: str) -> None:
    assert next_deadline(due_contract(local, zone=BERLIN), None, utc(now)) == utc(deadline)


def test_day_of_a_deadline_is_local() -> None:
    contract = due_contract("06:30", zone="Pacific/Auckland", days="1")  # UTC+13 in January
    assert next_deadline(contract, None, utc("2026-01-04 12:00")) == utc("2026-01-04 17:30")


@given(st.integers(0, 2 * 365 * 24 * 60), st.sampled_from(["06:30", "02:30", "00:00", "23:59"]))
def test_deadline_that_data_meet_is_not_missed(minutes: int, at: str) -> None:
    contract, now = due_contract(at, zone=BERLIN), datetime.fromtimestamp(1_767_225_600 + 60 * minutes, ZoneInfo("UTC"))
    assert missed_deadline(contract, now, now) is None
    assert next_deadline(contract, now, now) is None
    deadline = next_deadline(contract, None, now)
    assert deadline is not None
    local = deadline.astimezone(ZoneInfo(BERLIN))
    assert f"{local:%H:%M}" == at or (at == "02:30" and f"{local:%H:%M}" == "03:00")


def test_instant_in_a_gap_is_its_end() -> None:
    # Lord Howe Island changes by half an hour.
    assert instant_of(datetime(2026, 10, 4, 2, 15, tzinfo=ZoneInfo("Australia/Lord_Howe"))) == utc("2026-10-03 15:30")


@pytest.mark.parametrize("text", ["", "0", "8", "1-", "5-1", "1,,2", "mon", "1 - 5", "1\n"])
def test_invalid_weekdays_are_rejected(text: str) -> None:
    with pytest.raises(ValueError, match="no weekdays"):
        parse_days(text)


def test_weekdays_are_numbers_and_ranges() -> None:
    assert parse_days("1-3,7") == {1, 2, 3, 7}


@pytest.mark.parametrize("name", ["Mars/Olympus", "", "../etc", "Europe"])
def test_unknown_time_zone_is_rejected(name: str) -> None:
    with pytest.raises(ValueError, match="no time zone"):
        parse_zone(name)
