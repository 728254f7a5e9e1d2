"""The arithmetic of the benchmark: medians, spreads, ratios and bounds."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True)
class Spread:
    """Minimum, median and maximum of several measurements."""

    median: float
    minimum: float
    maximum: float

    @classmethod
    def from_values(cls, values: Iterable[float]) -> "Spread":
        """Calculate the spread of at least one value."""
        ordered = sorted(values)
        return cls(median(ordered), ordered[0], ordered[-1])


def ratio(value: float | None, to: float | None) -> float | None:
    """Return the quotient, or None if one of the values is unknown."""
    return value / to if value is not None and to else None


def critical_path(seconds: Mapping[str, float], dependencies: Mapping[str, Iterable[str]]) -> float:
    """Return the length of the longest dependency chain. `seconds` has all names; cycles are not allowed."""
    ends: dict[str, float] = {}
    for name in dependency_order(dependencies, seconds):
        ends[name] = seconds[name] + max((ends[dependency] for dependency in dependencies.get(name, ())), default=0.0)
    return max(ends.values(), default=0.0)


def lower_bound(seconds: Mapping[str, float], dependencies: Mapping[str, Iterable[str]], workers: int) -> float:
    """Return the minimum of any schedule: its longest chain, or its work divided by its workers."""
    return max(critical_path(seconds, dependencies), sum(seconds.values()) / workers)


def remaining_paths(seconds: Mapping[str, float], dependencies: Mapping[str, Sequence[str]]) -> dict[str, float]:
    """Return the longest chain in seconds from the start of each name."""
    behind = dict.fromkeys(seconds, 0.0)
    paths: dict[str, float] = {}
    for name in reversed(dependency_order(dependencies, seconds)):
        paths[name] = behind[name] + seconds[name]
        for dependency in dependencies.get(name, ()):
            behind[dependency] = max(behind[dependency], paths[name])
    return paths


def dependency_order(dependencies: Mapping[str, Iterable[str]], names: Iterable[str]) -> list[str]:
    """Order the names so that each follows its dependencies."""
    ordered: dict[str, None] = {}
    waiting = {name: set(dependencies.get(name, ())) for name in names}
    while waiting:
        ready = [name for name, missing in waiting.items() if missing <= ordered.keys()]
        if not ready:
            raise ValueError(f"dependency cycle: {', '.join(sorted(waiting))}")
        for name in ready:
            ordered[name] = None
            del waiting[name]
    return list(ordered)


def slope(points: Sequence[tuple[float, float]]) -> float:
    """Return the power by which y grows with x. 1 is linear, 2 is quadratic."""
    from math import log

    (x1, y1), (x2, y2) = points[0], points[-1]
    return log(y2 / y1) / log(x2 / x1)
