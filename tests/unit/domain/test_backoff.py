from datetime import timedelta

import pytest

from seeder.domain.backoff import delay


@pytest.mark.parametrize(("attempt", "seconds"), [(1, 0.5), (2, 1), (3, 2), (6, 16), (7, 30), (100, 30), (10_000, 30)])
def test_the_bound_doubles_up_to_half_a_minute(attempt: int, seconds: float) -> None:
    assert delay(attempt, chance=1) == timedelta(seconds=seconds)


def test_chance_takes_anything_up_to_the_bound() -> None:
    assert delay(3, chance=0) == timedelta()
    assert delay(3, chance=0.25) == timedelta(seconds=0.5)
