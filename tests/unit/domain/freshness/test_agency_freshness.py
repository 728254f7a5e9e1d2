"""The time that readers of reports see."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from seeder.domain.freshness.agency_freshness import AgencyView, agency_freshness
from seeder.domain.freshness.data_age import DataAge
from seeder.domain.freshness.states import ViewFacts

NOW = datetime(2026, 12, 1, 1, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("age", "text"),
    [
        (timedelta(hours=1), "01:30 CET"),  # yesterday in UTC
        (timedelta(hours=3), "30 Nov 23:30 CET"),
        (timedelta(days=60), "2 Oct 03:30 CEST"),
        (timedelta(days=365), "1 Dec 2025 02:30 CET"),
    ],
)
def test_time_has_its_zone_and_its_day_unless_it_is_today(age: timedelta, text: str) -> None:
    view = AgencyView(age=DataAge(as_of=NOW - age), facts=ViewFacts(), contracts=())
    assert agency_freshness([view], NOW, ZoneInfo("Europe/Berlin")).as_of_text == text
