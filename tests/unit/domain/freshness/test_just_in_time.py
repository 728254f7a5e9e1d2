"""Starts of views just in time, with a limited number of workers."""

import random
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from seeder.domain.freshness.just_in_time import just_in_time_starts
from tests.unit.domain.freshness.contract_values import utc

NOW = utc("2026-01-05 02:00")


def starts(
    durations: dict[str, float], deadlines: dict[str, float], *, reads: dict[str, str] | None = None, workers: int = 1
) -> dict[str, float]:
    """Return the starts in minutes."""
    found = just_in_time_starts(
        {name: set((reads or {}).get(name, "")) for name in durations},
        {name: timedelta(minutes=one) for name, one in durations.items()},
        {name: NOW + timedelta(minutes=one) for name, one in deadlines.items()},
        workers=workers,
    )
    return {name: (at - NOW).total_seconds() / 60 for name, at in found.items()}


def test_view_starts_its_duration_before_its_deadline() -> None:
    assert starts({"a": 10, "b": 5}, {"a": 60, "b": 30}) == {"a": 50, "b": 25}


def test_views_with_one_deadline_share_the_workers() -> None:
    durations, deadlines = dict.fromkeys("abc", 10.0), dict.fromkeys("abc", 60.0)
    assert sorted(starts(durations, deadlines).values()) == [30, 40, 50]
    assert sorted(starts(durations, deadlines, workers=2).values()) == [40, 50, 50]


def test_dependency_ends_before_its_dependents_start() -> None:
    assert starts({"a": 10, "b": 5}, {"a": 60, "b": 60}, reads={"b": "a"}, workers=2) == {"b": 55, "a": 45}


def test_dependency_keeps_an_earlier_deadline_of_its_own() -> None:
    assert starts({"a": 10, "b": 5}, {"a": 20, "b": 60}, reads={"b": "a"}) == {"b": 55, "a": 10}


def test_dependency_without_a_deadline_is_ignored() -> None:
    assert starts({"a": 10, "b": 5}, {"b": 60}, reads={"b": "a"}) == {"b": 55}


@given(st.integers(0, 10_000), st.integers(1, 4))
def test_no_start_needs_more_workers_or_misses_a_deadline(seed: int, workers: int) -> None:
    generator = random.Random(seed)  # noqa: S311  # a fixed sequence, not used for security
    names = [chr(97 + number) for number in range(12)]
    durations = {name: float(generator.randint(1, 30)) for name in names}
    deadlines = {name: float(generator.randint(0, 200)) for name in names}
    reads = {
        name: "".join(generator.sample(names[:number], k=min(number, generator.choice((0, 0, 1, 2)))))
        for number, name in enumerate(names)
    }
    found = starts(durations, deadlines, reads=reads, workers=workers)
    for name in names:
        assert found[name] + durations[name] <= deadlines[name]
        assert all(found[read] + durations[read] <= found[name] for read in reads[name])
    for at in found.values():
        assert sum(found[name] <= at < found[name] + durations[name] for name in names) <= workers
