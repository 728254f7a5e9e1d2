"""What programs that watch read: how things stand, and what went on lately. None of it only ever grows: rows of the
history are deleted one day, and what counted them would fall."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from seeder.domain.jobs import Totals

DURATIONS = (0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0, 4 * 3600.0)  # seconds
WAITS = (0.1, 1.0, 10.0, 60.0, 300.0, 900.0, 3600.0)  # seconds
MOST_REASONS = 20
OTHERS = "other"


@dataclass(frozen=True, kw_only=True, slots=True)
class Distribution:
    """How many there were up to each bound and beyond the last, not adding up the ones before, and their sum."""

    counts: tuple[int, ...]
    seconds: float

    @classmethod
    def of(cls, cells: Mapping[int, tuple[int, float]], bounds: Sequence[float]) -> "Distribution":
        """`cells`: number and seconds by the place of their bound."""
        counts = tuple(cells.get(place, (0, 0.0))[0] for place in range(len(bounds) + 1))
        return cls(counts=counts, seconds=sum(seconds for _, seconds in cells.values()))

    def __add__(self, other: "Distribution") -> "Distribution":
        counts = tuple(ours + theirs for ours, theirs in zip(self.counts, other.counts, strict=True))
        return Distribution(counts=counts, seconds=self.seconds + other.seconds)


@dataclass(frozen=True, kw_only=True, slots=True)
class BreakerState:
    open: bool
    failures: int  # in a row


@dataclass(frozen=True, kw_only=True, slots=True)
class QueueDepth:
    queued: int  # parts
    running: int
    oldest: float  # seconds that the first of the queued ones has waited


@dataclass(frozen=True, kw_only=True, slots=True)
class Gauges:
    """At one moment, by the database's clock. What an optional table would tell is None where there is none."""

    views: Totals
    refreshes: Mapping[tuple[str, str], Distribution]  # (report type, status) → how long they took, in the window
    last_successes: Sequence[tuple[str, datetime | None]]  # by view, the longest ago first; None: never
    waits: Mapping[str, Distribution] | None  # by what for, in the window
    reasons: Mapping[str, int] | None  # of failures, in the window
    breakers: Mapping[str, BreakerState] | None  # by database
    queue: QueueDepth | None
    open_runs: int | None
    last_end: datetime | None  # of a run; None also where none ever ended


def fewest(reasons: Sequence[tuple[str, int]]) -> Mapping[str, int]:
    """The most frequent ones, and all others as one: what a function raises may be called anything."""
    first, rest = reasons[:MOST_REASONS], reasons[MOST_REASONS:]
    return {**dict(first), **({OTHERS: sum(count for _, count in rest)} if rest else {})}
