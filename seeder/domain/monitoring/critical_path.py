"""What decided how long a run took: the chain of views that waited for one another until its end.

The chain is walked back from the view that ended last. Each view started when the last thing that it waited for was
there: a dependency, a free worker, or the end of a pause (C.-Q. Yang and B. P. Miller, "Critical Path Analysis for the
Execution of Parallel and Distributed Programs", ICDCS 1988). The shortest duration that the run could have had is the
longest chain of dependencies alone (J. E. Kelley and M. R. Walker, "Critical-Path Planning and Scheduling", 1959).
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from seeder.domain.monitoring.timeline import TimelineBar

Dependencies = Mapping[str, Collection[str]]  # names of the views that a view reads, by its name

_SHORTEST_WAIT = timedelta(milliseconds=50)  # a shorter one is the scheduler's own time
_MAX_GAP = timedelta(seconds=1)  # between the end of a wait and a start


class WaitedFor(StrEnum):
    """What the start of a view waited for last."""

    NOTHING = "nothing"  # ready and started at the beginning, or paused until then
    DEPENDENCY = "dependency"
    WORKER = "worker"
    GROUP = "group"  # the view before it in its consistent group
    UNKNOWN = "unknown"  # a view that is hidden, or that it read only then


@dataclass(frozen=True, kw_only=True, slots=True)
class PathStep:
    """One view of the chain."""

    bar: TimelineBar
    duration: timedelta
    waited_for: WaitedFor
    previous: TimelineBar | None  # the dependency, or the view that had the worker; None at the beginning of the chain
    throttled: timedelta  # between the end of the previous view, or of the plan, and its start
    locked: timedelta  # of its duration


@dataclass(frozen=True, kw_only=True, slots=True)
class CriticalPath:
    """The chain, and how long the run could have taken."""

    steps: Sequence[PathStep]  # in the order of time
    duration: timedelta  # of the run
    working: timedelta  # refreshes in the chain, without waits for locks
    throttled: timedelta
    locked: timedelta
    without_waits: timedelta | None  # with enough workers; None if dependencies are unknown
    with_same_workers: timedelta | None
    workers: int  # lanes of the timeline

    @property
    def other(self) -> timedelta:
        """Planning, the end of the run, and waits for an unknown view."""
        return max(self.duration - self.working - self.throttled - self.locked, timedelta())


def critical_path(
    bars: Sequence[TimelineBar],
    dependencies: Dependencies,
    *,
    started_at: datetime,
    finished_at: datetime,
    is_complete: bool,
) -> CriticalPath | None:
    """Return the chain of a finished run, or None if no view has ended.

    `bars` have lanes, and are sorted by start. With `is_complete`, `dependencies` has those of every view.
    """
    ended = [bar for bar in bars if bar.finished_at is not None]
    if not ended:
        return None
    schedule = _Schedule(ended, dependencies)
    steps = schedule.steps_back()
    # What comes before and after the refreshes, such as planning and VACUUM, is needed anyway.
    outside = max(ended[0].started_at - started_at, timedelta()) + max(finished_at - max(map(_end, ended)), timedelta())
    workers = max(bar.lane for bar in ended)
    longest, work = timedelta(), timedelta()
    if is_complete:
        longest, work = schedule.longest_chain(), sum(map(_working, ended), timedelta())
    return CriticalPath(
        steps=steps,
        duration=finished_at - started_at,
        working=sum((step.duration - step.locked for step in steps), timedelta()),
        throttled=sum((step.throttled for step in steps), timedelta()),
        locked=sum((step.locked for step in steps), timedelta()),
        without_waits=outside + longest if is_complete else None,
        with_same_workers=outside + max(longest, work / workers) if is_complete else None,
        workers=workers,
    )


class _Schedule:
    """The refreshes of a run, and what each could wait for."""

    def __init__(self, bars: Sequence[TimelineBar], dependencies: Dependencies) -> None:
        self._bars, self._dependencies = bars, dependencies
        self._by_name = {bar.table_name: bar for bar in bars}
        self._before_in_lane: dict[str, TimelineBar] = {}
        last_in_lane: dict[int, TimelineBar] = {}
        for bar in bars:
            if bar.lane in last_in_lane:
                self._before_in_lane[bar.table_name] = last_in_lane[bar.lane]
            last_in_lane[bar.lane] = bar
        self._first_ready = min(bar.ready_at for bar in bars)

    def steps_back(self) -> Sequence[PathStep]:
        steps = []
        bar: TimelineBar | None = max(self._bars, key=_end)
        while bar is not None:
            step = self._step(bar)
            steps.append(step)
            bar = step.previous
        return steps[::-1]

    def longest_chain(self) -> timedelta:
        """Return how long the longest chain of dependencies takes without any wait."""
        ends: dict[str, timedelta] = {}
        for bar in self._bars:
            before = (ends[one.table_name] for one in self._needed(bar))
            ends[bar.table_name] = max(before, default=timedelta()) + _working(bar)
        return max(ends.values())

    def _step(self, bar: TimelineBar) -> PathStep:
        waited_for, previous = self._cause(bar)
        ready = self._first_ready if previous is None else _end(previous)
        idle = max(bar.worker_since - ready, timedelta())
        throttled = min(timedelta(seconds=bar.throttle_wait_seconds or 0), idle)
        duration = _end(bar) - bar.worker_since
        return PathStep(
            bar=bar,
            duration=duration,
            waited_for=waited_for,
            previous=previous,
            throttled=throttled if throttled >= _SHORTEST_WAIT else timedelta(),
            locked=duration - _working(bar),
        )

    def _cause(self, bar: TimelineBar) -> tuple[WaitedFor, TimelineBar | None]:
        """Return what the start waited for last, and the view that ended then."""
        before = self._before_in_lane.get(bar.table_name)
        if before is not None and _is_same_group(bar, before):
            return WaitedFor.GROUP, before
        causes = [(WaitedFor.DEPENDENCY, one) for one in self._needed(bar)]
        if before is not None and timedelta(seconds=bar.worker_wait_seconds or 0) >= _SHORTEST_WAIT:
            causes.append((WaitedFor.WORKER, before))
        throttled = timedelta(seconds=bar.throttle_wait_seconds or 0)
        explained = [cause for cause in causes if bar.worker_since - _end(cause[1]) - throttled <= _MAX_GAP]
        if explained:
            return max(explained, key=lambda cause: _end(cause[1]))
        if bar.ready_at - self._first_ready > _MAX_GAP or (bar.worker_wait_seconds or 0) > _MAX_GAP.total_seconds():
            return WaitedFor.UNKNOWN, None
        return WaitedFor.NOTHING, None

    def _needed(self, bar: TimelineBar) -> Sequence[TimelineBar]:
        """Return the views that had to end first: dependencies, and the view before it in its consistent group.

        A dependency that ended after the start was added later.
        """
        names = self._dependencies.get(bar.table_name, ())
        needed = [self._by_name[name] for name in names if name in self._by_name]
        before = self._before_in_lane.get(bar.table_name)
        in_group = [before] if before is not None and _is_same_group(bar, before) else []
        return [one for one in needed if _end(one) <= bar.started_at] + in_group


def _is_same_group(bar: TimelineBar, other: TimelineBar) -> bool:
    return bar.consistent_group is not None and bar.consistent_group == other.consistent_group


def _end(bar: TimelineBar) -> datetime:
    return bar.finished_at or bar.worker_since


def _working(bar: TimelineBar) -> timedelta:
    """Return the duration without waits for locks, which a consistent group has before its first member."""
    duration = _end(bar) - bar.worker_since
    if bar.previous_member_ended_at is not None:
        return duration
    return max(duration - timedelta(seconds=bar.lock_wait_seconds or 0), timedelta())
