"""Which columns are counted in one scan."""

from math import prod

from hypothesis import given
from hypothesis import strategies as st

from seeder.domain.snapshots.scan_grouping import MAX_COMBINATIONS, group_columns


def test_the_longest_come_first_and_few_combinations_share_a_scan() -> None:
    distinct = {"key": 3_000_000.0, "day": 2_500, "hour": 24, "flag": 2, "code": 900, "gone": 0}
    assert group_columns(["flag", "hour", "day", "key", "unknown", "code", "gone"], distinct) == [
        ("unknown",),
        ("key",),
        ("day", "flag", "gone"),
        ("code",),
        ("hour",),
    ]


def test_what_cannot_be_a_number_of_values_is_taken_for_none() -> None:
    assert group_columns(["a", "b"], {"a": -1.0, "b": 3_000_000.0}) == [("b",), ("a",)]


@given(st.dictionaries(st.text(max_size=2), st.none() | st.floats(0, 1e9), max_size=20))
def test_every_column_has_one_scan_and_no_shared_one_is_large(columns: dict[str, float | None]) -> None:
    known = {name: number for name, number in columns.items() if number is not None}
    found = group_columns(columns, known)
    assert sorted(name for names in found for name in names) == sorted(columns)
    for names in found:
        assert len(names) == 1 or prod(known[name] + 1 for name in names) <= MAX_COMBINATIONS
