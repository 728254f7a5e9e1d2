"""Grouping of a view's columns into scans that count them together."""

from collections.abc import Iterable, Mapping
from math import inf

# Combinations of values in a scan: up to here, grouping is almost as fast as for a few.
MAX_COMBINATIONS = 20_000


def group_columns(columns: Iterable[str], distinct_counts: Mapping[str, float]) -> list[tuple[str, ...]]:
    """Group the columns into scans, longest scan first.

    `distinct_counts` has estimates; they change the duration of the count, never its result. Columns share a scan by
    first fit in decreasing order (D. S. Johnson, "Near-optimal bin packing algorithms", MIT, 1973), up to
    `MAX_COMBINATIONS` of their values.
    """
    scans: list[tuple[float, list[str]]] = []  # with the number of combinations
    for column in sorted(columns, key=lambda column: -distinct_counts.get(column, inf)):
        value_count = max(distinct_counts.get(column, inf), 0) + 1  # one of them is null
        for number, (combinations, names) in enumerate(scans):
            if combinations * value_count <= MAX_COMBINATIONS:
                scans[number] = (combinations * value_count, [*names, column])
                break
        else:
            scans.append((value_count, [column]))
    return [tuple(names) for _, names in scans]


def has_many_values(columns: Iterable[str], distinct_counts: Mapping[str, float]) -> bool:
    """Return whether each of the columns has too many values to share a scan, or an unknown number."""
    return all(distinct_counts.get(column, inf) > MAX_COMBINATIONS for column in columns)
