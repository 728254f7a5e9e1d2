"""Runs use parallel query as earlier ones show."""

from datetime import UTC, datetime, timedelta

import pytest

from seeder.domain.parallel_query import ParallelTrials, keeps_workers_busy, uses_parallel_query

NOW = datetime(2026, 11, 30, 2, tzinfo=UTC)


def trials(
    *, with_age: int | None = None, without_age: int | None = None, views: int = 20, ratio: float = 1.0
) -> ParallelTrials:
    """Return trials of these ages in days. `ratio` is the time without parallel query to that with it."""
    latest_with, latest_without = (
        None if age is None else NOW - timedelta(days=age) for age in (with_age, without_age)
    )
    total = timedelta(minutes=10)
    return ParallelTrials(
        latest_with=latest_with,
        latest_without=latest_without,
        views=views,
        total_with=total,
        total_without=ratio * total,
    )


@pytest.mark.parametrize(
    ("earlier", "expected"),
    [
        (ParallelTrials(), True),
        (trials(with_age=1, views=0), False),
        (trials(with_age=2, without_age=1, ratio=0.94), False),
        (trials(with_age=2, without_age=1, ratio=0.96), True),
        (trials(with_age=2, without_age=1, ratio=1.8), True),
        (trials(with_age=2, without_age=1, views=0), True),
        (trials(with_age=29, without_age=1, ratio=0.8), False),
        (trials(with_age=30, without_age=1, ratio=0.8), True),
        (trials(with_age=1, without_age=29), True),
        (trials(with_age=1, without_age=30), False),
        (trials(without_age=1, views=0), True),
    ],
)
def test_run_does_what_was_faster_and_sometimes_the_other(earlier: ParallelTrials, *, expected: bool) -> None:
    assert uses_parallel_query(earlier, NOW, may_try=True) is expected


def test_run_that_may_be_late_tries_nothing() -> None:
    assert uses_parallel_query(trials(with_age=1, views=0), NOW, may_try=False)
    assert not uses_parallel_query(trials(with_age=40, without_age=1, ratio=0.8), NOW, may_try=False)


@pytest.mark.parametrize(
    ("views", "workers", "seconds", "expected"),
    [(16, 8, 40, True), (15, 8, 40, False), (16, 8, 39, False), (16, 1, 40, False)],
)
def test_short_runs_are_not_compared(*, views: int, workers: int, seconds: int, expected: bool) -> None:
    assert keeps_workers_busy(views=views, workers=workers, work=timedelta(seconds=seconds)) is expected
