"""The arithmetic of the benchmark."""

import pytest

from bench.measurement_math import Spread, critical_path, dependency_order, lower_bound, ratio, remaining_paths, slope

SECONDS = {"a": 1.0, "b": 2.0, "c": 4.0, "d": 8.0}
READS = {"b": ["a"], "c": ["b"], "d": []}


def test_spread_is_minimum_median_and_maximum() -> None:
    assert Spread.from_values([3.0, 1.0, 10.0]) == Spread(3.0, 1.0, 10.0)
    assert Spread.from_values([1.0, 2.0]).median == 1.5


def test_ratio_to_an_unknown_value_is_unknown() -> None:
    assert [ratio(3.0, 2.0), ratio(None, 2.0), ratio(3.0, None), ratio(3.0, 0.0)] == [1.5, None, None, None]


def test_critical_path_is_the_longest_chain() -> None:
    assert critical_path(SECONDS, READS) == 8.0
    assert critical_path(SECONDS | {"d": 6.0}, READS) == 7.0
    assert critical_path({}, {}) == 0.0


def test_lower_bound_is_the_longest_chain_or_the_work_per_worker() -> None:
    assert lower_bound(SECONDS, READS, 1) == 15.0
    assert lower_bound(SECONDS, READS, 8) == 8.0


def test_remaining_path_is_the_longest_chain_after_a_view() -> None:
    assert remaining_paths(SECONDS, READS) == {"a": 7.0, "b": 6.0, "c": 4.0, "d": 8.0}


def test_cycle_is_named_in_the_error() -> None:
    assert dependency_order({"a": ["b"]}, "ab") == ["b", "a"]
    with pytest.raises(ValueError, match="cycle: a, b"):
        dependency_order({"a": ["b"], "b": ["a"]}, "abc")


def test_slope_is_the_power_of_growth() -> None:
    assert slope([(10, 5), (20, 11), (40, 20)]) == pytest.approx(1)
    assert slope([(10, 1), (100, 100)]) == pytest.approx(2)
