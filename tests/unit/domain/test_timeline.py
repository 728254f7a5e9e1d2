"""Bars in their lanes."""

from datetime import UTC, datetime, timedelta

from seeder.domain.monitoring.timeline import TimelineBar, assign_lanes
from seeder.domain.outcomes import Status

START = datetime(2026, 1, 1, tzinfo=UTC)
NOW = START + timedelta(minutes=10)


def bar(name: str, began: int, ended: int | None, *, seat: int | None) -> TimelineBar:
    return TimelineBar(
        table_name=name,
        report_name=name,
        agencies=(),
        status=Status.SUCCESS,
        started_at=START + timedelta(minutes=began),
        finished_at=None if ended is None else START + timedelta(minutes=ended),
        worker_number=seat,
        throttle_wait=None,
        lock_wait=None,
        reason=None,
        rows=None,
    )


def lanes(*bars: TimelineBar) -> dict[str, int]:
    return {one.table_name: one.lane for one in assign_lanes(bars, now=NOW)}


def test_a_bar_has_the_lane_of_its_seat() -> None:
    assert lanes(bar("a", 0, 2, seat=2), bar("b", 2, 3, seat=2), bar("c", 0, 1, seat=1)) == {"a": 2, "b": 2, "c": 1}


def test_seats_of_two_databases_do_not_cover_each_other() -> None:
    assert lanes(bar("a", 0, 2, seat=1), bar("b", 1, 3, seat=1), bar("c", 2, 4, seat=1)) == {"a": 1, "b": 2, "c": 1}


def test_bars_without_seats_take_the_first_free_lane() -> None:
    assert lanes(bar("a", 0, None, seat=None), bar("b", 1, 2, seat=None), bar("c", 2, 3, seat=None)) == {
        "a": 1,
        "b": 2,
        "c": 2,
    }
