from datetime import timedelta

import pytest

from seeder.domain.backoff import delay


@pytest.mark.parametrize(("attempt", "seconds"), [(1, 0.5), (2, 1), (3, 2), (6, 16), (7, 30), (100, 30), (10_000, 30)])
def test_delay_bound_doubles_up_to_30_seconds(attempt: int, seconds: float) -> None:
    assert delay(attempt, jitter=1) == timedelta(seconds=seconds)


def test_lost_connection_allows_time_for_a_restart() -> None:
    assert delay(1, jitter=0, connection_lost=True) == timedelta(), "only one backend may have died"
    assert [delay(attempt, jitter=0, connection_lost=True).total_seconds() for attempt in (2, 3, 4, 9)] == [
        4,
        8,
        15,
        15,
    ]
    assert [delay(attempt, jitter=1, connection_lost=True).total_seconds() for attempt in (1, 2, 3, 4, 9)] == [
        0.5,
        8,
        16,
        30,
        30,
    ]


def test_jitter_spreads_the_delay_up_to_the_bound() -> None:
    assert delay(3, jitter=0) == timedelta()
    assert delay(3, jitter=0.25) == timedelta(seconds=0.5)
