"""The history of a view in a time range."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from seeder.domain.monitoring.report_jobs import RecentRun
from seeder.texts import Text


class TimeRange(StrEnum):
    """How far back a history goes."""

    DAY = "24h"
    WEEK = "7d"
    MONTH = "30d"
    YEAR = "1y"

    @property
    def length(self) -> timedelta:
        return timedelta(days={"24h": 1, "7d": 7, "30d": 30, "1y": 365}[self])

    @property
    def label(self) -> Text:
        return _TIME_RANGE_TEXTS[self]


_TIME_RANGE_TEXTS = {
    TimeRange.DAY: Text("24 hours"),
    TimeRange.WEEK: Text("7 days"),
    TimeRange.MONTH: Text("30 days"),
    TimeRange.YEAR: Text("1 year"),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class RunInterval:
    """The runs of a view in one of many intervals of a time range."""

    start_time: datetime
    runs: int
    failed: int
    shortest: timedelta | None  # of the runs that have ended
    median: timedelta | None
    longest: timedelta | None
    rows: int | None  # after the last success
    slowest_run_id: str
    has_more: bool  # than were read, so the figures are those of the latest ones


@dataclass(frozen=True, kw_only=True, slots=True)
class ViewHistory:
    """The runs in a time range: each of them if they are few, otherwise intervals. The latest is first."""

    time_range: TimeRange
    runs: Sequence[RecentRun] = ()
    intervals: Sequence[RunInterval] = ()

    @property
    def has_more(self) -> bool:
        """Whether an interval has more runs than were read."""
        return any(one.has_more for one in self.intervals)
