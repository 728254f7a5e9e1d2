"""The lanes of the bars in a timeline."""

import pytest

from seeder.domain.monitoring.timeline import assign_lanes

NOW = 10


Refresh = tuple[float, int, float, str, str | None]


def bar(name: str, started: float, finished: float | None, *, worker: int | None, group: str | None = None) -> Refresh:
    return started, worker or 0, NOW if finished is None else finished, name, group


def lanes_of(*bars: Refresh) -> dict[str, int]:
    return {name: lane for name, (lane, _) in assign_lanes(bars).items()}


def test_bar_is_in_the_lane_of_its_worker() -> None:
    assert lanes_of(bar("a", 0, 2, worker=2), bar("b", 2, 3, worker=2), bar("c", 0, 1, worker=1)) == {
        "a": 2,
        "b": 2,
        "c": 1,
    }


def test_workers_of_two_databases_do_not_overlap() -> None:
    assert lanes_of(bar("a", 0, 2, worker=1), bar("b", 1, 3, worker=1), bar("c", 2, 4, worker=1)) == {
        "a": 1,
        "b": 2,
        "c": 1,
    }


def test_bar_without_worker_takes_the_first_free_lane() -> None:
    assert lanes_of(bar("a", 0, None, worker=None), bar("b", 1, 2, worker=None), bar("c", 2, 3, worker=None)) == {
        "a": 1,
        "b": 2,
        "c": 2,
    }


@pytest.mark.parametrize("b_finished", [5, 2], ids=["one after another", "failed together"])
def test_members_of_a_group_are_in_the_lane_of_its_worker(b_finished: float) -> None:
    """All have the start of the group's snapshot."""
    members = bar("b", 0, b_finished, worker=2, group="g"), bar("a", 0, 2, worker=2, group="g")
    lanes = assign_lanes([*members, bar("c", 1, 6, worker=2)])
    assert lanes == {"a": (2, None), "b": (2, 2), "c": (3, None)}
