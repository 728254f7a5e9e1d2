import pytest

from seeder.domain.suggestions import did_you_mean, nearest


@pytest.mark.parametrize(
    ("name", "candidates", "expected"),
    [
        ("habor", ["gotham", "harbor"], "harbor"),
        ("METRO", ["demo", "metro"], "metro"),
        ("nyp", ["nyc"], "nyc"),
        ("nosuch", ["gotham"], None),
        ("nosuch", ["much"], None),
        ("nosuch", [], None),
        ("", ["gotham"], None),
        ("reporting.b_cound", ["reporting.b_count", "reporting.a_count"], "reporting.b_count"),
        ("public.b_count", ["reporting.b_count", "reporting.c_count"], "reporting.b_count"),
        ("reportin.b_count", ["archive.b_count", "reporting.b_count"], "reporting.b_count"),
        ("reporting.nosuch", ["reporting.gotham"], None),
        ("nosuch.gotham", ["nosuch.harbor"], None),
    ],
)
def test_nearest_name_is_similar_in_its_last_part(name: str, candidates: list[str], expected: str | None) -> None:
    assert nearest(name, candidates) == expected


def test_equally_similar_names_give_the_first() -> None:
    assert did_you_mean("aa", ["ac", "aab", "aaa"]) == " The nearest one is 'aaa'."
