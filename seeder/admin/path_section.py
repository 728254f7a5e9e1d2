"""The critical path of a run as a list."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from seeder.domain.monitoring.critical_path import CriticalPath, PathStep

_MAX_STEPS = 12
_SHORTEST_WAIT = timedelta(milliseconds=100)  # that is shown


@dataclass(frozen=True, kw_only=True, slots=True)
class LeftOut:
    """Consecutive steps that are not listed, because they were short."""

    count: int
    duration: timedelta


def path_section(path: CriticalPath | None) -> Mapping[str, Any]:
    """Return the list of steps, the longest of them if there are many."""
    if path is None:
        return {}
    return {"path": path, "path_items": [*_items(path.steps)], "shortest_wait": _SHORTEST_WAIT}


def _items(steps: Sequence[PathStep]) -> Iterator[PathStep | LeftOut]:
    ranked = sorted(range(len(steps)), key=lambda at: -(steps[at].duration + steps[at].throttled).total_seconds())
    listed = {0, len(steps) - 1, *ranked[: _MAX_STEPS - 2]} if len(steps) > _MAX_STEPS else set(ranked)
    skipped: list[PathStep] = []
    for number, step in enumerate(steps):
        if number not in listed:
            skipped.append(step)
            continue
        if len(skipped) == 1:
            yield skipped.pop()
        elif skipped:
            yield LeftOut(count=len(skipped), duration=sum((one.duration for one in skipped), timedelta()))
            skipped = []
        yield step
