"""The simulated night: the planner and the lanes of the runner against the shortest night that there can be."""

from dataclasses import replace

import pytest

from bench.night.platform import Platform, draw_platform
from bench.night.simulation import simulate
from seeder.domain.plan import PlanInputs

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def platform() -> Platform:
    return draw_platform(agencies=200, seed=1)


@pytest.mark.parametrize("seats", [2, 4, 8, 16, 32, 64])
def test_a_night_is_hardly_longer_than_it_has_to_be(platform: Platform, seats: int) -> None:
    night = simulate(platform, workers=seats)
    assert night.views == len(platform.selection.views)
    assert 1 <= night.ratio <= 1.02


@pytest.mark.parametrize("seats", [2, 64])
def test_the_same_night_goes_the_same_way(platform: Platform, seats: int) -> None:
    assert simulate(platform, workers=seats) == simulate(draw_platform(agencies=200, seed=1), workers=seats)


def test_a_night_without_any_knowledge_is_longer(platform: Platform) -> None:
    known = PlanInputs(depends_on=platform.plan_inputs.depends_on, row_counts=dict.fromkeys(platform.seconds, 0))
    ignorant = simulate(replace(platform, plan_inputs=known), workers=32)
    assert (
        ignorant.ratio
        > simulate(
            replace(platform, plan_inputs=replace(platform.plan_inputs, consecutive_failures={})), workers=32
        ).ratio
    )


def test_an_open_circuit_breaker_makes_a_night_longer_and_loses_no_view(platform: Platform) -> None:
    with_breaker, without = (simulate(platform, workers=2, breaker=breaker) for breaker in (True, False))
    assert with_breaker.views == without.views == len(platform.selection.views)
    assert with_breaker.seconds >= without.seconds
