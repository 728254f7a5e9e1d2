"""Columns that are counted in one scan."""

from math import prod

from hypothesis import given
from hypothesis import strategies as st

from seeder.domain.snapshots.column_grouping import MAX_COMBINATIONS, group_columns, has_many_values


def test_columns_with_few_combinations_share_a_scan_largest_first() -> None:
    distinct = {"key": 3_000_000.0, "day": 2_500, "hour": 24, "flag": 2, "code": 900, "gone": 0}
    assert group_columns(["flag", "hour", "day", "key", "unknown", "code", "gone"], distinct) == [
        ("unknown",),
        ("key",),
        ("day", "flag", "gone"),
        ("code",),
        ("hour",),
    ]


def test_negative_distinct_count_is_ignored() -> None:
    assert group_columns(["a", "b"], {"a": -1.0, "b": 3_000_000.0}) == [("b",), ("a",)]


def test_column_has_many_values_if_it_cannot_share_a_scan_or_is_unknown() -> None:
    distinct = {"few": 20_000.0, "many": 20_001}
    assert [has_many_values([column], distinct) for column in ("few", "many", "unknown")] == [False, True, True]
    assert not has_many_values(["few", "many"], distinct)


@given(st.dictionaries(st.text(max_size=2), st.none() | st.floats(0, 1e9), max_size=20))
def test_every_column_is_in_one_scan_and_shared_scans_are_small(columns: dict[str, float | None]) -> None:
    counted = {name: number for name, number in columns.items() if number is not None}
    groups = group_columns(columns, counted)
    assert sorted(name for names in groups for name in names) == sorted(columns)
    for names in groups:
        assert len(names) == 1 or prod(counted[name] + 1 for name in names) <= MAX_COMBINATIONS
