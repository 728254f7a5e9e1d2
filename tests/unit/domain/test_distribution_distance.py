"""The distance of two distributions."""

from math import isclose, log2, sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seeder.domain.snapshots.distribution_distance import jensen_shannon, top_values_distance
from tests.unit.domain.snapshot_values import top_values

counts = st.dictionaries(st.sampled_from("abcdef"), st.integers(min_value=1, max_value=10**6), max_size=6)


def test_the_known_values() -> None:
    assert jensen_shannon({"a": 1}, {"a": 7}) == 0
    assert jensen_shannon({"a": 1}, {"b": 1}) == 1
    # Half of one share against a whole: by hand, from the definition.
    by_hand = sqrt((0.5 * log2(0.5 / 0.75) + 0.5 * log2(0.5 / 0.25) + log2(1 / 0.75)) / 2)
    assert isclose(jensen_shannon({"a": 1, "b": 1}, {"a": 1}), by_hand)


@pytest.mark.parametrize(("one", "other", "distance"), [({}, {}, 0), ({}, {"a": 1}, 1), ({"a": 1}, {}, 1)])
def test_nothing_is_like_nothing_and_unlike_anything(one: dict[str, int], other: dict[str, int], distance: int) -> None:
    assert jensen_shannon(one, other) == distance


@given(counts, counts, counts)
def test_it_is_a_metric(one: dict[str, int], other: dict[str, int], third: dict[str, int]) -> None:
    assert 0 <= jensen_shannon(one, other) <= 1
    assert isclose(jensen_shannon(one, other), jensen_shannon(other, one), abs_tol=1e-9)
    assert jensen_shannon(one, one) == 0
    if one and other and third:
        assert jensen_shannon(one, third) <= jensen_shannon(one, other) + jensen_shannon(other, third) + 1e-9


@given(counts, counts, st.integers(min_value=1, max_value=6))
def test_by_top_values_it_is_never_more_than_it_is(one: dict[str, int], other: dict[str, int], most: int) -> None:
    def cut(all_of: dict[str, int]) -> dict[str, int]:
        return dict(sorted(all_of.items(), key=lambda item: (-item[1], item[0]))[:most])

    told = top_values_distance(top_values(**cut(one)), sum(one.values()), top_values(**cut(other)), sum(other.values()))
    assert told <= jensen_shannon(one, other) + 1e-9


def test_a_value_that_is_missing_from_a_complete_list_occurs_nowhere() -> None:
    assert top_values_distance(top_values(a=10), 10, top_values(b=5), 5) == 1
    assert top_values_distance(top_values(a=10), 20, top_values(b=5), 10) == 0, "each may be in the other's rest"
