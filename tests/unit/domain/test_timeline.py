"""The lanes of the bars in a timeline."""

from datetime import UTC, datetime, timedelta

from seeder.domain.monitoring.timeline import TimelineBar, assign_lanes
from seeder.domain.outcomes import Status

START = datetime(2026, 1, 1, tzinfo=UTC)
NOW = START + timedelta(minutes=10)


def bar(name: str, started_minute: int, finished_minute: int | None, *, worker: int | None) -> TimelineBar:
    return TimelineBar(
        table_name=name,
        report_name=name,
        status=Status.SUCCESS,
        started_at=START + timedelta(minutes=started_minute),
        finished_at=None if finished_minute is None else START + timedelta(minutes=finished_minute),
        worker_number=worker,
        rows=None,
    )


def lanes_of(*bars: TimelineBar) -> dict[str, int]:
    return {assigned.table_name: assigned.lane for assigned in assign_lanes(bars, now=NOW)}


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
