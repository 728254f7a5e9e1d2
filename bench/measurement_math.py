"""The arithmetic of the bench: medians, spreads, ratios and bounds."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True)
class Spread:
    """Several measurements of one thing."""

    median: float
    minimum: float
    maximum: float

    @classmethod
    def from_values(cls, values: Iterable[float]) -> "Spread":
        """There has to be one."""
        every = sorted(values)
        return cls(median(every), every[0], every[-1])


def ratio(value: float | None, to: float | None) -> float | None:
    """How many times as much; None where one of them is not known."""
    return value / to if value is not None and to else None


def critical_path(seconds: Mapping[str, float], dependencies: Mapping[str, Iterable[str]]) -> float:
    """The longest chain in which each waits for the one before. `seconds` names everybody; there are no circles."""
    ends: dict[str, float] = {}
    for name in dependency_order(dependencies, seconds):
        ends[name] = seconds[name] + max((ends[read] for read in dependencies.get(name, ())), default=0.0)
    return max(ends.values(), default=0.0)


def lower_bound(seconds: Mapping[str, float], dependencies: Mapping[str, Iterable[str]], workers: int) -> float:
    """No schedule can be shorter than its longest chain, nor than its work divided by its seats."""
    return max(critical_path(seconds, dependencies), sum(seconds.values()) / workers)


def remaining_paths(seconds: Mapping[str, float], dependencies: Mapping[str, Sequence[str]]) -> dict[str, float]:
    """From the start of each to the end of the longest chain behind it."""
    behind = dict.fromkeys(seconds, 0.0)
    paths: dict[str, float] = {}
    for name in reversed(dependency_order(dependencies, seconds)):
        paths[name] = behind[name] + seconds[name]
        for read in dependencies.get(name, ()):
            behind[read] = max(behind[read], paths[name])
    return paths


def dependency_order(dependencies: Mapping[str, Iterable[str]], names: Iterable[str]) -> list[str]:
    """Each after what it reads."""
    ordered: dict[str, None] = {}
    waiting = {name: set(dependencies.get(name, ())) for name in names}
    while waiting:
        ready = [name for name, read in waiting.items() if read <= ordered.keys()]
        if not ready:
            raise ValueError(f"these read one another in a circle: {', '.join(sorted(waiting))}")
        for name in ready:
            ordered[name] = None
            del waiting[name]
    return list(ordered)


def slope(points: Sequence[tuple[float, float]]) -> float:
    """By which power the second grows with the first, between the ends: 1 is linear, 2 is quadratic."""
    from math import log

    (x1, y1), (x2, y2) = points[0], points[-1]
    return log(y2 / y1) / log(x2 / x1)
