"""The part of a run that is shown, and its axis."""

import pytest

from seeder.domain.monitoring.time_window import TimeWindow, axis_ticks


def bounds(window: TimeWindow) -> tuple[float, float]:
    return window.start, window.end


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (None, None, (0, 100)),
        (20, 30, (20, 30)),
        (30, 20, (0, 100)),
        (90, 150, (40, 100)),
        (500, 510, (90, 100)),
        (0, 1e308, (0, 100)),
        (5, 5.0000001, (5, 5.1)),
    ],
)
def test_window_lies_within_the_run(start: float | None, end: float | None, expected: tuple[float, float]) -> None:
    assert bounds(TimeWindow.of(100, start, end)) == pytest.approx(expected)


def test_zoom_keeps_the_middle_within_the_run() -> None:
    window = TimeWindow.of(100, 20, 40)
    assert bounds(window.zoomed(0.5)) == (25, 35)
    assert bounds(window.zoomed(2)) == (10, 50)
    assert bounds(window.zoomed(4)) == (0, 80)
    assert window.zoomed(9).is_whole
    assert bounds(window.shifted(0.5)) == (30, 50)
    assert bounds(window.shifted(-2)) == (0, 20)


def test_run_without_duration_has_a_window() -> None:
    assert TimeWindow.of(0, None, None).fraction(0) == 0


def test_ticks_are_at_round_times_of_the_clock() -> None:
    window = TimeWindow.of(460, None, None)
    assert axis_ticks(window, clock_seconds=7190, max_ticks=10) == (60, [10, 70, 130, 190, 250, 310, 370, 430])
    assert axis_ticks(window.zoomed(0.1), clock_seconds=0, max_ticks=10)[0] == 5
    days, ticks = axis_ticks(TimeWindow.of(30 * 86400, None, None), clock_seconds=0, max_ticks=10)
    assert (days, len(ticks)) == (3 * 86400, 11)
