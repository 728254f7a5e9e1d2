"""Distance of two distributions."""

from collections.abc import Mapping
from math import log2, sqrt
from typing import TypeVar

from seeder.domain.snapshots.snapshot_contents import TopValue

Value = TypeVar("Value")

OTHER_VALUES = None  # key of all values that are not top values


def jensen_shannon(one: Mapping[Value, int], other: Mapping[Value, int]) -> float:
    """Return the Jensen-Shannon distance of two distributions given as counts.

    0 means equal, 1 means nothing in common. Two empty distributions are equal; an empty and a non-empty one have
    nothing in common. It is the square root of the Jensen-Shannon divergence to base 2 (J. Lin, "Divergence measures
    based on the Shannon entropy", IEEE Transactions on Information Theory 37(1), 1991), which is a metric (D. M. Endres
    and J. E. Schindelin, "A new metric for probability distributions", IEEE Transactions on Information Theory 49(7),
    2003).
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
    """Return the distance of two columns by their top values.

    A value is compared if its count is known in both columns: it is a top value, or the top values are all values of
    the column. All other values are merged, so the result never exceeds the true distance of the columns.
    """
    counts, other_counts = ({top.value: top.count for top in tops} for tops in (top_values, other_top_values))
    comparable_values = counts.keys() & other_counts.keys()
    if sum(other_counts.values()) == other_non_null_rows:
        comparable_values |= counts.keys()
    if sum(counts.values()) == non_null_rows:
        comparable_values |= other_counts.keys()

    def with_other_values(known: Mapping[str, int], rows: int) -> Mapping[str | None, int]:
        compared: dict[str | None, int] = {value: known.get(value, 0) for value in comparable_values}
        return compared | {OTHER_VALUES: max(rows - sum(compared.values()), 0)}

    return jensen_shannon(
        with_other_values(counts, non_null_rows), with_other_values(other_counts, other_non_null_rows)
    )
