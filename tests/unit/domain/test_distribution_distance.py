"""The distance of two distributions."""

from math import isclose, log2, sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seeder.domain.snapshots.distribution_distance import jensen_shannon, top_values_distance
from tests.unit.domain.snapshot_values import top_values

counts = st.dictionaries(st.sampled_from("abcdef"), st.integers(min_value=1, max_value=10**6), max_size=6)


def test_distance_of_known_distributions() -> None:
    assert jensen_shannon({"a": 1}, {"a": 7}) == 0
    assert jensen_shannon({"a": 1}, {"b": 1}) == 1
    # Half of one share against a whole, calculated from the definition.
    expected = sqrt((0.5 * log2(0.5 / 0.75) + 0.5 * log2(0.5 / 0.25) + log2(1 / 0.75)) / 2)
    assert isclose(jensen_shannon({"a": 1, "b": 1}, {"a": 1}), expected)


@pytest.mark.parametrize(("left", "right", "distance"), [({}, {}, 0), ({}, {"a": 1}, 1), ({"a": 1}, {}, 1)])
def test_empty_distribution_equals_only_an_empty_one(
    left: dict[str, int], right: dict[str, int], distance: int
) -> None:
    assert jensen_shannon(left, right) == distance


@given(counts, counts, counts)
def test_distance_is_a_metric(left: dict[str, int], right: dict[str, int], third: dict[str, int]) -> None:
    assert 0 <= jensen_shannon(left, right) <= 1
    assert isclose(jensen_shannon(left, right), jensen_shannon(right, left), abs_tol=1e-9)
    assert jensen_shannon(left, left) == 0
    if left and right and third:
        assert jensen_shannon(left, third) <= jensen_shannon(left, right) + jensen_shannon(right, third) + 1e-9


@given(counts, counts, st.integers(min_value=1, max_value=6))
def test_distance_of_top_values_is_a_lower_bound(left: dict[str, int], right: dict[str, int], limit: int) -> None:
    def cut(counts_by_value: dict[str, int]) -> dict[str, int]:
        return dict(sorted(counts_by_value.items(), key=lambda item: (-item[1], item[0]))[:limit])

    estimate = top_values_distance(
        top_values(**cut(left)), sum(left.values()), top_values(**cut(right)), sum(right.values())
    )
    assert estimate <= jensen_shannon(left, right) + 1e-9


def test_value_missing_from_a_complete_list_counts_as_absent() -> None:
    assert top_values_distance(top_values(a=10), 10, top_values(b=5), 5) == 1
    assert top_values_distance(top_values(a=10), 20, top_values(b=5), 10) == 0, (
        "each value may be in the unlisted rest of the other"
    )
