"""What differs between a run and the one before it, as far as it matters."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from seeder.domain.monitoring.timeline import BarState, TimelineBar

# Durations differ if they do by all three: the last is a part of the longer run. Less is noise of a server.
_MIN_RATIO = 1.5
_MIN_DIFFERENCE = timedelta(seconds=2)
_MIN_PART_OF_RUN = 0.01

_WITHOUT_ROWS = {BarState.FAILED, BarState.HELD}
_WITH_ROWS = {BarState.SUCCEEDED, BarState.SKIPPED}


class Change(StrEnum):
    """How a view differs. The most important change is the first."""

    NEWLY_FAILING = "newly failing"
    RECOVERED = "recovered"
    SLOWER = "slower"
    FASTER = "faster"
    NEW = "new"
    GONE = "gone"


@dataclass(frozen=True, kw_only=True, slots=True)
class ChangedView:
    """A view that differs between two runs."""

    change: Change
    before: TimelineBar | None  # None if it is new
    now: TimelineBar | None  # None if it is gone

    @property
    def bar(self) -> TimelineBar:
        bar = self.now or self.before
        assert bar is not None  # noqa: S101  # a changed view was in one of the runs
        return bar

    @property
    def difference(self) -> timedelta:
        """The duration now, less that before. A missing one counts as zero."""
        now, before = (bar.duration if bar and bar.duration else timedelta() for bar in (self.now, self.before))
        return now - before


def least_difference(longer: timedelta) -> timedelta:
    """Return by how much two durations of a view have to differ. `longer` is the duration of the longer run."""
    return max(_MIN_DIFFERENCE, longer * _MIN_PART_OF_RUN)


def compare_runs(
    before: Sequence[TimelineBar], now: Sequence[TimelineBar], *, longer: timedelta
) -> Mapping[Change, Sequence[ChangedView]]:
    """Return the changed views by change, the largest difference first. `longer` is the duration of the longer run."""
    threshold = least_difference(longer)
    found: dict[Change, list[ChangedView]] = {change: [] for change in Change}
    for one in _changes(before, now, threshold):
        found[one.change].append(one)
    return {
        change: sorted(views, key=lambda one: (-abs(one.difference), one.bar.table_name))
        for change, views in found.items()
        if views
    }


def _changes(before: Sequence[TimelineBar], now: Sequence[TimelineBar], threshold: timedelta) -> Iterator[ChangedView]:
    earlier = {bar.table_name: bar for bar in before}
    for bar in now:
        old = earlier.pop(bar.table_name, None)
        change = Change.NEW if old is None else _change(old, bar, threshold)
        if change is not None:
            yield ChangedView(change=change, before=old, now=bar)
    for old in earlier.values():
        yield ChangedView(change=Change.GONE, before=old, now=None)


def _change(before: TimelineBar, now: TimelineBar, threshold: timedelta) -> Change | None:
    if now.state in _WITHOUT_ROWS and before.state in _WITH_ROWS:
        return Change.NEWLY_FAILING
    if now.state in _WITH_ROWS and before.state in _WITHOUT_ROWS:
        return Change.RECOVERED
    if {before.state, now.state} != {BarState.SUCCEEDED} or before.duration is None or now.duration is None:
        return None  # a skipped view is fast for another reason
    shorter, longer = sorted((before.duration, now.duration))
    if longer - shorter < threshold or longer < shorter * _MIN_RATIO:
        return None
    return Change.SLOWER if now.duration > before.duration else Change.FASTER
