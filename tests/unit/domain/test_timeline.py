"""The lanes of the bars in a timeline."""

from seeder.domain.monitoring.timeline import assign_lanes

NOW = 10


def bar(name: str, started: float, finished: float | None, *, worker: int | None) -> tuple[float, int, str, float]:
    return started, worker or 0, name, NOW if finished is None else finished


def lanes_of(*bars: tuple[float, int, str, float]) -> dict[str, int]:
    return dict(assign_lanes(bars))


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
