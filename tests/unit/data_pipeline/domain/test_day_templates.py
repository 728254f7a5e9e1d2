"""Templates of daily files, and ranges of days."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_pipeline.correction_errors import BadDayRange, BadDayTemplate
from data_pipeline.domain.day_templates import MAX_DAYS, DayTemplate, days_between

DAY = date(2026, 3, 9)


@pytest.mark.parametrize(
    ("template", "address"),
    [
        ("orders-{date}.csv", "orders-2026-03-09.csv"),
        ("file:///data/{date:%Y/%m}/orders-{date:%d}.csv", "file:///data/2026/03/orders-09.csv"),
        ("{date:%Y%m%d}", "20260309"),
        ("{date:%j of %Y, 100%%}", "068 of 2026, 100%"),
    ],
)
def test_day_is_inserted_in_its_format(template: str, address: str) -> None:
    assert DayTemplate.parse(template).address(DAY) == address


@pytest.mark.parametrize(
    "template",
    [
        "orders.csv",
        "{day}",
        "{date}{x}",
        "{date",
        "{date:%H}",
        "{date:plain}",
        "{date.__class__}",
        "{date!r}",
        "{date:%}",
    ],
)
def test_bad_template_is_refused(template: str) -> None:
    with pytest.raises(BadDayTemplate):
        DayTemplate.parse(template)


@given(text=st.text(alphabet="{}date:%YHx.", max_size=20), day=st.dates())
def test_any_text_is_a_template_or_refused(text: str, day: date) -> None:
    try:
        template = DayTemplate.parse(text)
    except BadDayTemplate:
        return
    assert "{" not in template.address(day)


def test_range_has_both_ends() -> None:
    assert [one.day for one in days_between(DAY, DAY + timedelta(days=2))] == [9, 10, 11]
    assert list(days_between(DAY, DAY)) == [DAY]
    assert len(list(days_between(DAY, DAY + timedelta(days=MAX_DAYS - 1)))) == MAX_DAYS


@pytest.mark.parametrize("days", [-1, MAX_DAYS])
def test_range_that_is_reversed_or_too_long_is_refused(days: int) -> None:
    with pytest.raises(BadDayRange):
        days_between(DAY, DAY + timedelta(days=days))
