"""The history of a view in a time range."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from seeder.domain.monitoring.timeline import BarState, bar_state
from seeder.domain.outcomes import Status
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
class ViewRun:
    """A view in one run."""

    history_id: int
    run_id: str
    status: Status
    start_time: datetime
    finish_time: datetime | None
    rows: int | None
    is_interrupted: bool  # the run ended before the view
    reason: str | None = None  # None if not recorded

    @property
    def state(self) -> BarState | Status:
        if self.status is Status.PENDING:
            return self.status
        return bar_state(self.status, reason=self.reason, is_interrupted=self.is_interrupted)

    @property
    def duration(self) -> timedelta | None:
        return None if self.finish_time is None else self.finish_time - self.start_time


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

    @property
    def state(self) -> BarState:
        return BarState.FAILED if self.failed else BarState.SUCCEEDED


@dataclass(frozen=True, kw_only=True, slots=True)
class ViewHistory:
    """The runs in a time range: each of them if they are few, otherwise intervals. The latest is first."""

    time_range: TimeRange
    runs: Sequence[ViewRun] = ()
    intervals: Sequence[RunInterval] = ()

    @property
    def states(self) -> Sequence[BarState]:
        """The states that occur, in the order of the legend."""
        found = {run.state for run in self.runs} | {interval.state for interval in self.intervals}
        return [state for state in BarState if state in found]

    @property
    def has_more(self) -> bool:
        """Whether an interval has more runs than were read."""
        return any(one.has_more for one in self.intervals)
