"""Simulated nights with freshness contracts that can all be met."""

import random
from collections.abc import Mapping

import pytest

from bench.night.platform import Platform, draw_platform
from bench.night.simulation import SimulatedNight, simulate
from seeder.domain.manifests import ViewKey

pytestmark = pytest.mark.slow

AGENCIES, DAYS, SHARE, QUARTER = 50, 3, 0.35, 900


def feasible_deadlines(platform: Platform, *, workers: int, seed: int) -> Mapping[ViewKey, float]:
    """Return deadlines that are met if views start in a random order: the quarter of an hour after their ends."""
    generator = random.Random(seed)  # noqa: S311  # a fixed sequence, not used for security
    reference = simulate(platform, workers=workers, order=lambda _: generator.random())
    return {
        key: -(-reference.ends[key] // QUARTER) * QUARTER
        for key in sorted(reference.ends)
        if generator.random() < SHARE
    }


def late_count(night: SimulatedNight, deadlines: Mapping[ViewKey, float]) -> int:
    return sum(night.ends[key] > deadline for key, deadline in deadlines.items())


@pytest.mark.parametrize("workers", [4, 8, 32])
def test_nights_meet_their_contracts_and_are_no_longer(workers: int) -> None:
    contracts = late = late_without_contracts = 0
    for day in range(1, DAYS + 1):
        platform = draw_platform(agencies=AGENCIES, seed=day)
        deadlines = feasible_deadlines(platform, workers=workers, seed=day)
        plain = simulate(platform, workers=workers)
        night = simulate(platform, workers=workers, deadlines=deadlines)
        contracts += len(deadlines)
        late += late_count(night, deadlines)
        late_without_contracts += late_count(plain, deadlines)
        assert night.ratio <= max(1.02, 1.001 * plain.ratio)
    assert late <= 0.01 * contracts
    if workers < 32:  # with many workers nearly any order meets them
        assert late_without_contracts >= 0.3 * contracts, "the contracts are a challenge"
