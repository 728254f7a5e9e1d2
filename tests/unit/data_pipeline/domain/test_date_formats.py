import re
from datetime import date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_pipeline.domain.date_formats import find_contradiction, parse_format
from data_pipeline.domain.iso_patterns import ISO_DATE, ISO_TIMESTAMP


@given(st.text("0123456789-", min_size=10, max_size=10) | st.dates().map(str))
def test_iso_date_pattern_matches_dates_that_exist(text: str) -> None:
    try:
        exists = bool(date.fromisoformat(text)) and text[4] == text[7] == "-"
    except ValueError:
        exists = False
    assert bool(re.fullmatch(ISO_DATE, text)) is exists


def test_iso_date_pattern_knows_leap_years() -> None:
    leap_years = [year for year in range(1, 2500) if (year % 4 == 0 and year % 100 != 0) or year % 400 == 0]
    assert [year for year in range(2500) if re.fullmatch(ISO_DATE, f"{year:04}-02-29")] == leap_years


@pytest.mark.parametrize(
    ("text", "exists"),
    [
        ("2025-12-31 23:59:59", True),
        ("2025-12-31T23:59", True),
        ("2025-12-31 23:59:59.5+02:00", True),
        ("2025-12-31 23:59Z", True),
        ("2025-12-31", True),
        ("2025-12-31 24:00:00", False),
        ("2025-12-31 23:59:60", False),
        ("2025-12-31 23:59:59+15:00", False),
        ("2025-02-29 12:00", False),
        ("2025-12-31Z", False),
    ],
)
def test_iso_timestamp_pattern_matches_times_that_exist(text: str, *, exists: bool) -> None:
    assert bool(re.fullmatch(ISO_TIMESTAMP, text)) is exists


@pytest.mark.parametrize(
    ("format_text", "text", "expected"),
    [
        ("%d.%m.%Y", "31.12.2025", "2025-12-31"),
        ("%d.%m.%Y", "1.2.2025", "2025-02-01"),
        ("%d.%m.%Y", "30.2.2025", "2025-02-30"),
        ("%d.%m.%Y", "31/12/2025", None),
        ("%d.%m.%Y", "31.12.25", None),
        ("%d.%m.%Y", "31.12.2025\n", None),
        ("%d.%m.%Y", "\u0663\u0661.12.2025", None),
        ("%Y%m%d", "20251231", "2025-12-31"),
        ("%Y%m%d", "2025123", None),
        ("%d-%b-%Y", "03-FEB-2025", "2025-02-03"),
        ("%d%b%Y", "3Feb2025", "2025-02-03"),
        ("%B %d, %Y", "September 9, 2025", "2025-09-09"),
        ("%d-%b-%Y", "03-Mai-2025", None),
        ("%d.%m.%Y %H:%M", "31.12.2025 9:05", "2025-12-31 09:05:00"),
        ("%d.%m.%Y %H", "31.12.2025 9", "2025-12-31 09:00:00"),
        ("%Y-%m-%dT%H:%M:%S.%f%z", "2025-12-31T09:05:07.120+0200", "2025-12-31 09:05:07.120+0200"),
        ("%Y%m%d%H%M%S", "20251231090507", "2025-12-31 09:05:07"),
        ("%m/%d/%Y %I:%M %p", "12/31/2025 12:05 am", "2025-12-31 00:05:00"),
        ("%m/%d/%Y %I:%M %p", "12/31/2025 12:05 PM", "2025-12-31 12:05:00"),
        ("%m/%d/%Y %I:%M %p", "12/31/2025 11:05 PM", "2025-12-31 23:05:00"),
        ("%m/%d/%Y %I:%M %p", "12/31/2025 13:05 PM", None),
    ],
)
def test_text_of_a_format_becomes_iso_8601(format_text: str, text: str, expected: str | None) -> None:
    assert parse_format(format_text).canonical(text) == expected


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("%d.%m.%y", "%y is not one of %Y"),
        ("%d.%m.%Y%", "% is not one of"),
        ("%d.%m", "it needs %Y"),
        ("%Y-%m", "it needs %Y, %d"),
        ("%d.%Y", "one of %m, %b, %B"),
        ("%d.%m.%b.%Y", "one of %m, %b, %B"),
        ("%d.%d.%m.%Y", "a directive is given twice"),
        ("%d.%m.%Y %I:%M", "the hour is %H, or %I with %p"),
        ("%d.%m.%Y %H:%M %p", "the hour is %H, or %I with %p"),
        ("%d.%m.%Y %M", "it needs an hour"),
        ("%d.%m.%Y %H %S", "it needs %M"),
        ("%d.%m.%Y %H:%M.%f", "it needs %S"),
        ("%d.%m.%Y %z", "it needs an hour"),
        ("%d. of %m %Y", "'o' cannot be between"),
    ],
)
def test_bad_format_is_refused(text: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        parse_format(text)


@pytest.mark.parametrize(
    ("texts", "contradicts"),
    [
        (("%d/%m/%Y", "%m/%d/%Y"), True),
        (("%d.%m.%Y", "%d/%m/%Y"), False),
        (("%Y%m%d", "%d%m%Y"), True),
        (("%d.%m.%Y", "%d.%m.%Y %H:%M"), False),
        (("%d %b %Y", "%d %B %Y"), False),
        (("%d.%m.%Y %H:%M", "%d.%m.%Y %M:%H"), True),
    ],
)
def test_formats_contradict_if_they_read_one_text_differently(texts: tuple[str, ...], *, contradicts: bool) -> None:
    assert (find_contradiction([parse_format(text) for text in texts]) is not None) is contradicts


@given(st.datetimes(min_value=datetime(1000, 1, 1)))  # noqa: DTZ001  # a local time
def test_rendered_time_is_read_back(instant: datetime) -> None:
    for text in ("%d.%m.%Y %H:%M:%S.%f", "%Y%m%d%H%M%S%f", "%B %d, %Y %I:%M:%S.%f %p", "%d-%b-%Y %H:%M:%S.%f"):
        canonical = parse_format(text).canonical(instant.strftime(text))
        assert canonical is not None
        assert datetime.fromisoformat(canonical) == instant
