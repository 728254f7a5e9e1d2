"""Which columns of a view are counted in one scan."""

from collections.abc import Iterable, Mapping
from math import inf

# Of values of columns that share a scan: so many groups are found nearly as fast as a few.
MAX_COMBINATIONS = 20_000


def group_columns(columns: Iterable[str], distinct_counts: Mapping[str, float]) -> list[tuple[str, ...]]:
    """Every column once, the longest scan first. `distinct` says about how many values a column has, where that is
    known: it decides how long the counting takes, never what it finds.

    Columns share a scan by first fit in decreasing order (D. S. Johnson, "Near-optimal bin packing algorithms", MIT,
    1973), as long as there cannot be more than `COMBINATIONS` of their values.
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
