"""Patterns of view names."""

import pytest

from seeder.domain.view_patterns import ViewPatterns, matches


@pytest.mark.parametrize(
    ("pattern", "name", "is_match"),
    [
        ("demo_*", "reporting.demo_trend", True),
        ("demo_*", "demo_trend", True),
        ("reporting.*", "demo_trend", True),
        ("demo", "reporting.demo_trend", False),
        ("demo_tren?", "reporting.demo_trend", True),
        ("Use of*", '"Gotham PD"."Use of Force"', True),
        ("Gotham PD.*", '"Gotham PD"."Use of Force"', True),
        ('"Gotham PD".*', '"Gotham PD"."Use of Force"', True),
        ("use of*", '"Gotham PD"."Use of Force"', False),
        ("not a.name.at all", "not a.name.at all", True),
    ],
)
def test_pattern_matches_name_with_or_without_its_schema(pattern: str, name: str, *, is_match: bool) -> None:
    assert matches(pattern, name) is is_match


def test_excluded_views_are_left_out_of_the_selected_ones() -> None:
    names = ["a1", "a2", "b1"]
    assert [name for name in names if ViewPatterns(select=("a*", "b*"), exclude=("*2",)).match(name)] == ["a1", "b1"]
    assert [name for name in names if ViewPatterns(exclude=("a*",)).match(name)] == ["b1"]
    assert all(map(ViewPatterns().match, names))
    assert str(ViewPatterns(select=("a*", "b*"), exclude=("*2",))) == "only 'a*' 'b*', without '*2'"
