"""Which columns of a view are counted in one scan."""

from collections.abc import Iterable, Mapping
from math import inf

# Of values of columns that share a scan: so many groups are found nearly as fast as a few.
COMBINATIONS = 20_000


def scans(columns: Iterable[str], distinct: Mapping[str, float]) -> list[tuple[str, ...]]:
    """Every column once, the longest scan first. `distinct` says about how many values a column has, where that is
    known: it decides how long the counting takes, never what it finds.

    Columns share a scan by first fit in decreasing order (D. S. Johnson, "Near-optimal bin packing algorithms", MIT,
    1973), as long as there cannot be more than `COMBINATIONS` of their values.
    """
    shared: list[tuple[float, list[str]]] = []  # with the number of combinations
    for column in sorted(columns, key=lambda column: -distinct.get(column, inf)):
        values = max(distinct.get(column, inf), 0) + 1  # one of them is null
        for number, (combinations, names) in enumerate(shared):
            if combinations * values <= COMBINATIONS:
                shared[number] = (combinations * values, [*names, column])
                break
        else:
            shared.append((values, [column]))
    return [tuple(names) for _, names in shared]
