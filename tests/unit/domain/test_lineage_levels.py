"""The levels of views and tables around a view."""

from seeder.domain.lineage_levels import MAX_LEVEL, levels_of, table_levels
from seeder.domain.view_names import ViewName


def name(text: str) -> ViewName:
    return ViewName(schema="reporting", name=text)


def levels(**reads: str) -> dict[str, int]:
    """Return the levels around `m`. Each argument is a view with the letters of the views that it reads."""
    found = levels_of(name("m"), {name(view): {name(one) for one in read} for view, read in reads.items()})
    return {view.name: level for view, level in found.items()}


def test_view_on_the_way_to_another_is_nearer() -> None:
    assert levels(m="ab", a="b", x="m", y="xm") == {"m": 0, "a": -1, "b": -2, "x": 1, "y": 2}


def test_view_beyond_the_last_level_has_none() -> None:
    chain = {"m": "a", "a": "b", "b": "c", "c": "d"}
    assert levels(**chain) == {"m": 0, "a": -1, "b": -2, "c": -MAX_LEVEL}


def test_cycle_of_declared_dependencies_ends() -> None:
    assert levels(m="a", a="b", b="am").keys() == {"m", "a", "b"}


def test_table_is_left_of_every_view_that_uses_it() -> None:
    near = {name("m"): 0, name("a"): -1}
    used = {name("m"): {name("t"), name("u")}, name("a"): {name("t")}, name("far"): {name("w")}}
    assert table_levels(near, used) == {name("t"): -2, name("u"): -1}
