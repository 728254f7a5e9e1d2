"""What programs that watch read: how things stand, and what went on lately. None of it only ever grows: rows of the
history are deleted one day, and what counted them would fall."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from seeder.domain.monitoring.report_jobs import JobTotals

DURATION_BOUNDS = (0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0, 4 * 3600.0)  # seconds
WAIT_BOUNDS = (0.1, 1.0, 10.0, 60.0, 300.0, 900.0, 3600.0)  # seconds
MAX_REASONS = 20
OTHER_REASONS = "other"


@dataclass(frozen=True, kw_only=True, slots=True)
class Distribution:
    """How many there were up to each bound and beyond the last, not adding up the ones before, and their sum."""

    counts: tuple[int, ...]
    sum_seconds: float

    @classmethod
    def from_buckets(cls, buckets: Mapping[int, tuple[int, float]], bounds: Sequence[float]) -> "Distribution":
        """`cells`: number and seconds by the place of their bound."""
        counts = tuple(buckets.get(place, (0, 0.0))[0] for place in range(len(bounds) + 1))
        return cls(counts=counts, sum_seconds=sum(seconds for _, seconds in buckets.values()))

    def __add__(self, other: "Distribution") -> "Distribution":
        counts = tuple(ours + theirs for ours, theirs in zip(self.counts, other.counts, strict=True))
        return Distribution(counts=counts, sum_seconds=self.sum_seconds + other.sum_seconds)


@dataclass(frozen=True, kw_only=True, slots=True)
class BreakerGauge:
    is_open: bool
    failures: int  # in a row


@dataclass(frozen=True, kw_only=True, slots=True)
class QueueDepth:
    queued: int  # parts
    running: int
    oldest_wait_seconds: float  # seconds that the first of the queued ones has waited


@dataclass(frozen=True, kw_only=True, slots=True)
class Gauges:
    """At one moment, by the database's clock. What an optional table would tell is None where there is none."""

    job_totals: JobTotals
    refresh_durations: Mapping[
        tuple[str, str], Distribution
    ]  # (report type, status) → how long they took, in the window
    last_successes: Sequence[tuple[str, datetime | None]]  # by view, the longest ago first; None: never
    wait_durations: Mapping[str, Distribution] | None  # by what for, in the window
    failure_reasons: Mapping[str, int] | None  # of failures, in the window
    breakers: Mapping[str, BreakerGauge] | None  # by database
    queue: QueueDepth | None
    unfinished_runs: int | None
    last_run_finished_at: datetime | None  # of a run; None also where none ever ended


def top_reasons(reasons: Sequence[tuple[str, int]]) -> Mapping[str, int]:
    """The most frequent ones, and all others as one: what a function raises may be called anything."""
    first, rest = reasons[:MAX_REASONS], reasons[MAX_REASONS:]
    return {**dict(first), **({OTHER_REASONS: sum(count for _, count in rest)} if rest else {})}
