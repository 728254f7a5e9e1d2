"""How far two distributions are from each other."""

from collections.abc import Mapping, Set
from math import log2, sqrt
from typing import TypeVar

from seeder.domain.snapshots.snapshot_contents import TopValue

Value = TypeVar("Value")

OTHER_VALUES = None  # stands for every value that is not among the top ones


def jensen_shannon(one: Mapping[Value, int], other: Mapping[Value, int]) -> float:
    """The Jensen-Shannon distance between two distributions given as counts: 0 where they are alike, 1 where they share
    nothing. Two empty ones are alike; an empty one shares nothing with any other.

    The square root of the Jensen-Shannon divergence to base 2 (J. Lin, "Divergence measures based on the Shannon
    entropy", IEEE Transactions on Information Theory 37(1), 1991), which is a metric (D. M. Endres and J. E.
    Schindelin, "A new metric for probability distributions", IEEE Transactions on Information Theory 49(7), 2003).
    """
    totals = sum(one.values()), sum(other.values())
    if not all(totals):
        return 0.0 if totals == (0, 0) else 1.0
    divergence = 0.0
    for value in one.keys() | other.keys():
        p, q = one.get(value, 0) / totals[0], other.get(value, 0) / totals[1]
        middle = (p + q) / 2
        divergence += sum(share * log2(share / middle) for share in (p, q) if share) / 2
    return sqrt(min(max(divergence, 0.0), 1.0))


def top_values_distance(
    top_values: tuple[TopValue, ...],
    non_null_rows: int,
    other_top_values: tuple[TopValue, ...],
    other_non_null_rows: int,
) -> float:
    """The distance between two columns by their top values; `filled` is how many rows have any value.

    A value is told apart where it is known how often it occurs in both: it stands in a list, or that list holds every
    value of its column. All others are one rest each, so that this is never more than the distance of the columns.
    """
    counts, other_counts = ({top.value: top.count for top in tops} for tops in (top_values, other_top_values))
    comparable_values = counts.keys() & other_counts.keys()
    if sum(other_counts.values()) == other_non_null_rows:
        comparable_values |= counts.keys()
    if sum(counts.values()) == non_null_rows:
        comparable_values |= other_counts.keys()
    return jensen_shannon(
        _with_other_values(counts, comparable_values, non_null_rows),
        _with_other_values(other_counts, comparable_values, other_non_null_rows),
    )


def _with_other_values(
    counts: Mapping[str, int], comparable_values: Set[str], non_null_rows: int
) -> dict[str | None, int]:
    comparable_counts: dict[str | None, int] = {value: counts.get(value, 0) for value in comparable_values}
    return comparable_counts | {OTHER_VALUES: max(non_null_rows - sum(comparable_counts.values()), 0)}
