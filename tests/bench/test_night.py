"""The simulated night: the schedule compared with the shortest possible one."""

from dataclasses import replace

import pytest

from bench.night.platform import Platform, draw_platform
from bench.night.simulation import simulate
from seeder.domain.plan import PlanInputs

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def platform() -> Platform:
    return draw_platform(agencies=200, seed=1)


@pytest.fixture(scope="module")
def small_platform() -> Platform:
    return draw_platform(agencies=20, seed=1)


@pytest.mark.parametrize("workers", [2, 4, 8, 16, 32, 64])
def test_simulated_night_is_at_most_two_percent_too_long(platform: Platform, workers: int) -> None:
    night = simulate(platform, workers=workers)
    assert night.views == len(platform.selection.views)
    assert 1 <= night.ratio <= 1.02


@pytest.mark.parametrize("workers", [2, 64])
def test_simulation_is_deterministic(small_platform: Platform, workers: int) -> None:
    assert simulate(small_platform, workers=workers) == simulate(draw_platform(agencies=20, seed=1), workers=workers)


def test_night_without_measured_durations_is_longer(small_platform: Platform) -> None:
    plan_inputs = PlanInputs(
        depends_on=small_platform.plan_inputs.depends_on, row_counts=dict.fromkeys(small_platform.seconds, 0)
    )
    without_durations = simulate(replace(small_platform, plan_inputs=plan_inputs), workers=8)
    assert (
        without_durations.ratio
        > simulate(
            replace(small_platform, plan_inputs=replace(small_platform.plan_inputs, consecutive_failures={})), workers=8
        ).ratio
    )


def test_circuit_breaker_makes_a_night_longer_but_loses_no_view(small_platform: Platform) -> None:
    with_breaker, without = (simulate(small_platform, workers=2, breaker=breaker) for breaker in (True, False))
    assert with_breaker.views == without.views == len(small_platform.selection.views)
    assert with_breaker.seconds >= without.seconds
