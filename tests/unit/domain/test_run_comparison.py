"""What differs between two runs."""

from datetime import UTC, datetime, timedelta

import pytest

from seeder.domain.monitoring.run_comparison import compare_runs
from seeder.domain.monitoring.timeline import TimelineBar
from seeder.domain.outcomes import Status

START = datetime(2026, 12, 1, 2, tzinfo=UTC)


def bar(name: str, seconds: float = 10, reason: str | None = None, *, is_interrupted: bool = False) -> TimelineBar:
    fails = is_interrupted or reason not in {None, "skipped"}
    return TimelineBar(
        table_name=name,
        report_name=name,
        status=Status.ERROR if fails else Status.SUCCESS,
        started_at=START,
        finished_at=START + timedelta(seconds=seconds),
        rows=1,
        reason=reason,
        is_interrupted=is_interrupted,
    )


def changes(
    before: list[TimelineBar], now: list[TimelineBar], *, longer: timedelta = timedelta(minutes=1)
) -> list[tuple[str, list[str]]]:
    found = compare_runs(before, now, longer=longer)
    return [(str(change), [one.bar.table_name for one in views]) for change, views in found.items()]


def test_changed_views_are_grouped_with_the_largest_difference_first() -> None:
    before = [bar("a"), bar("b"), bar("c", 90), bar("d", 5, "disk_full"), bar("e"), bar("f"), bar("g", 5, "held")]
    now = [bar("a", 20), bar("b", 80), bar("c"), bar("d"), bar("e", 1, "held"), bar("h"), bar("g", 0, "skipped")]
    assert changes(before, now) == [
        ("newly failing", ["e"]),
        ("recovered", ["d", "g"]),
        ("slower", ["b", "a"]),
        ("faster", ["c"]),
        ("new", ["h"]),
        ("gone", ["f"]),
    ]


@pytest.mark.parametrize(
    ("before", "now", "longer", "expected"),
    [
        (4, 6, 60, True),
        (4, 5.9, 60, False),  # less than 2 s
        (10, 14.9, 60, False),  # less than half
        (10, 15, 60, True),
        (10, 15, 600, False),  # less than 1 % of the run
        (10, 16, 600, True),
        (0, 2, 60, True),
    ],
)
def test_small_differences_are_left_out(before: float, now: float, longer: float, expected: bool) -> None:  # noqa: FBT001
    run = timedelta(seconds=longer)
    assert bool(changes([bar("a", before)], [bar("a", now)], longer=run)) is expected
    assert bool(changes([bar("a", now)], [bar("a", before)], longer=run)) is expected


@pytest.mark.parametrize(
    ("before", "now"),
    [
        (bar("a", 30), bar("a", 0, "skipped")),
        (bar("a", 0, "skipped"), bar("a", 30)),
        (bar("a", 1, "disk_full"), bar("a", 30, "held")),
        (bar("a"), bar("a", 30, is_interrupted=True)),
    ],
)
def test_other_states_are_no_difference(before: TimelineBar, now: TimelineBar) -> None:
    assert changes([before], [now]) == []
