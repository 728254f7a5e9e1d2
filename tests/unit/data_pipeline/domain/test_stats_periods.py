"""The days that a statistic covers, to their exact edges."""

from datetime import date

import pytest

from data_pipeline.domain.stats_periods import Period, clamp_period
from data_pipeline.stats_errors import BadFilterValue, PeriodTooLong

TODAY = date(2026, 11, 30)


def clamp(date_from: date | None, date_to: date | None, *, max_days: int = 10, require_clamp: bool = False) -> Period:
    return clamp_period(date_from, date_to, today=TODAY, max_days=max_days, require_clamp=require_clamp)


def test_period_without_days_ends_today_and_is_as_long_as_allowed() -> None:
    period = clamp(None, None)
    assert (period.first, period.last, period.is_clamped) == (date(2026, 11, 20), TODAY, False)


def test_period_of_exactly_the_allowed_days_is_not_clamped() -> None:
    period = clamp(date(2026, 1, 1), date(2026, 1, 11), require_clamp=True)
    assert (period.first, period.last, period.is_clamped) == (date(2026, 1, 1), date(2026, 1, 11), False)


def test_longer_period_begins_later_and_says_so() -> None:
    period = clamp(date(2025, 12, 31), date(2026, 1, 11))
    assert (period.requested_from, period.first, period.is_clamped) == (date(2025, 12, 31), date(2026, 1, 1), True)


def test_longer_period_is_refused_if_required() -> None:
    with pytest.raises(PeriodTooLong, match="longer than 10 days. Begin on 2026-01-01 or later"):
        clamp(date(2025, 12, 31), date(2026, 1, 11), require_clamp=True)


def test_period_of_one_day_is_accepted() -> None:
    assert clamp(TODAY, TODAY).first == TODAY


def test_period_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(BadFilterValue, match="'date_from' must be a day until 2026-11-30"):
        clamp(date(2026, 12, 1), None)


@pytest.mark.parametrize("day", [date.min, date.max])
def test_first_and_last_day_of_the_calendar_are_accepted(day: date) -> None:
    assert clamp(None, day, max_days=36_525).last == day
