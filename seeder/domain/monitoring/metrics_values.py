"""Values of the metrics: current state and recent activity.

All are gauges. A counter of history rows would fall when old rows are pruned.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from seeder.domain.monitoring.report_jobs import JobTotals

DURATION_BOUNDS = (0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0, 4 * 3600.0)  # seconds
WAIT_BOUNDS = (0.1, 1.0, 10.0, 60.0, 300.0, 900.0, 3600.0)  # seconds
MAX_REASONS = 20
OTHER_REASONS, UNKNOWN_REASON = "other", "unknown"


@dataclass(frozen=True, kw_only=True, slots=True)
class Distribution:
    """A histogram."""

    counts: tuple[int, ...]  # of each bucket, not cumulative; the last is unbounded
    sum_seconds: float

    @classmethod
    def from_buckets(cls, buckets: Mapping[int, tuple[int, float]], bounds: Sequence[float]) -> "Distribution":
        """Build it from count and seconds by bucket index."""
        counts = tuple(buckets.get(index, (0, 0.0))[0] for index in range(len(bounds) + 1))
        return cls(counts=counts, sum_seconds=sum(seconds for _, seconds in buckets.values()))

    def __add__(self, other: "Distribution") -> "Distribution":
        counts = tuple(one + another for one, another in zip(self.counts, other.counts, strict=True))
        return Distribution(counts=counts, sum_seconds=self.sum_seconds + other.sum_seconds)


@dataclass(frozen=True, kw_only=True, slots=True)
class BreakerGauge:
    is_open: bool
    failures: int  # in a row


@dataclass(frozen=True, kw_only=True, slots=True)
class QueueDepth:
    queued: int  # parts
    running: int
    oldest_wait_seconds: float  # of the oldest queued part


@dataclass(frozen=True, kw_only=True, slots=True)
class FreshnessGauges:
    contracts: Mapping[tuple[str, str], int]  # by state and severity
    data_as_of: Mapping[str, datetime]  # of views with contracts


@dataclass(frozen=True, kw_only=True, slots=True)
class Gauges:
    """All values at one time. None if the optional table is missing."""

    job_totals: JobTotals
    refresh_durations: Mapping[tuple[str, str], Distribution]  # by report type and status, in the window
    last_successes: Sequence[tuple[str, datetime | None]]  # by view, oldest first; None: never
    wait_durations: Mapping[str, Distribution] | None  # by what was waited for, in the window
    failure_reasons: Mapping[str, int] | None  # counts by reason, in the window
    breakers: Mapping[str, BreakerGauge] | None  # by database
    queue: QueueDepth | None
    freshness: FreshnessGauges | None  # None also without contracts
    undelivered: Mapping[str, int] | None  # notifications by channel; None also without channels
    unfinished_runs: int | None
    last_run_finished_at: datetime | None  # None also if no run ever ended


def top_reasons(reasons: Sequence[tuple[str | None, int]]) -> Mapping[str, int]:
    """Return the most frequent reasons, and the sum of the others.

    The number of series must be bounded: a function in a view can raise an error with any SQLSTATE.
    """
    counts = {reason or UNKNOWN_REASON: count for reason, count in reasons[:MAX_REASONS]}
    if others := sum(count for _, count in reasons[MAX_REASONS:]):
        counts[OTHER_REASONS] = others
    return counts
