"""The part of a run that a timeline shows, and the times on its axis."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil

_SHORTEST = 0.1  # seconds
# Seconds between two ticks: divisors of the next unit, so that ticks are at round times of the clock.
_STEPS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400)


@dataclass(frozen=True, kw_only=True, slots=True)
class TimeWindow:
    """An interval of a run, in seconds since the run's start."""

    start: float
    end: float
    run_seconds: float

    @classmethod
    def of(cls, run_seconds: float, start: float | None, end: float | None) -> "TimeWindow":
        """Return the requested interval as far as the run has it, or the whole run. Neither bound needs to be valid."""
        whole = cls(start=0, end=max(run_seconds, _SHORTEST), run_seconds=max(run_seconds, _SHORTEST))
        if start is None or end is None or not start < end:
            return whole
        return whole._within(start, end)

    @property
    def seconds(self) -> float:
        return self.end - self.start

    @property
    def is_whole(self) -> bool:
        return self.seconds >= self.run_seconds

    def zoomed(self, factor: float) -> "TimeWindow":
        """Return an interval with the same middle that is this many times as long, within the run."""
        middle, half = (self.start + self.end) / 2, self.seconds * factor / 2
        return self._within(middle - half, middle + half)

    def shifted(self, part: float) -> "TimeWindow":
        """Return an interval of the same length, later by a part of it, within the run."""
        return self._within(self.start + part * self.seconds, self.end + part * self.seconds)

    def fraction(self, seconds: float) -> float:
        """Return where an instant is, from 0 at the start to 1 at the end."""
        return (min(max(seconds, self.start), self.end) - self.start) / self.seconds

    def overlaps(self, start: float, end: float) -> bool:
        return start <= self.end and end >= self.start

    def _within(self, start: float, end: float) -> "TimeWindow":
        seconds = min(max(end - start, _SHORTEST), self.run_seconds)
        start = min(max(start, 0), self.run_seconds - seconds)
        return replace(self, start=start, end=start + seconds)


def axis_ticks(window: TimeWindow, *, clock_seconds: float, max_ticks: int) -> tuple[float, Sequence[float]]:
    """Return the distance between ticks, and the ticks in seconds since the run's start.

    `clock_seconds` is the local time of day at the run's start: ticks are at round times of the clock.
    """
    days = ceil(window.seconds / max_ticks / _STEPS[-1]) * _STEPS[-1]
    step = next((one for one in _STEPS if window.seconds / one <= max_ticks), days)
    first = ceil((window.start + clock_seconds) / step - 1e-9)
    last = int((window.end + clock_seconds) / step + 1e-9)
    return step, [number * step - clock_seconds for number in range(first, last + 1)]
