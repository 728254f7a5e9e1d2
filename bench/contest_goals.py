"""The goals of contests, and the medians that they compare."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bench.contests import Contest
from bench.interleaved_runs import Measurement
from bench.measurement_math import Spread, ratio

SEEDER, SEEDER_IN_PROCESS = "reporting-seeder", "reporting-seeder, in process"
SEEDER_SERIAL_PLANS = "reporting-seeder, PARALLEL_WHEN_BUSY off"
BARE_POOL, INFORMED_POOL, PGVIEWS, DBT = "bare pool", "informed pool", "django-pgviews", "dbt"


@dataclass(frozen=True, kw_only=True)
class Goal:
    """A goal, and the value that was reached."""

    measure: str
    target: float
    reached: float
    unit: str = ""
    is_minimum: bool = False

    @property
    def is_met(self) -> bool:
        return self.reached >= self.target if self.is_minimum else self.reached <= self.target


def contest_goals(contest: Contest) -> Iterator[Goal]:
    """Yield the goals of a contest whose values were measured."""
    if contest.round_trip is not None:
        return _network_goals(contest)
    return _graph_goals(contest) if contest.workload.name in {"graph", "tpch"} else _small_goals(contest)


def _graph_goals(contest: Contest) -> Iterator[Goal]:
    title = contest.workload.title
    if (time_ratio := against_pool(contest, SEEDER, INFORMED_POOL)) is not None:
        yield Goal(measure=f"{title}: time against the informed pool", target=1.05, reached=time_ratio)
    others = {
        name: median_of(measurements, "seconds")
        for name, measurements in contest.measurements.items()
        if name not in _NOT_COMPETING
    }
    others = {
        name: seconds
        for name, seconds in others.items()
        if not any(measurement.stale_views for measurement in contest.measurements[name])
    }
    if others and SEEDER in contest.measurements:
        best = min(others, key=lambda name: others[name])
        reached = median_of(contest.measurements[SEEDER], "seconds") / others[best]
        yield Goal(
            measure=f"{title}: time against the best contender that leaves nothing stale, {best}",
            target=1,
            reached=reached,
        )


_NOT_COMPETING = {SEEDER, SEEDER_IN_PROCESS, SEEDER_SERIAL_PLANS, INFORMED_POOL, "informed pool, no parallel plans"}


def _small_goals(contest: Contest) -> Iterator[Goal]:
    title, count = contest.workload.title, len(contest.workload.views)
    if (time_ratio := against_pool(contest, SEEDER, BARE_POOL)) is not None and count <= 1000:
        yield Goal(measure=f"{title}: time against the bare pool", target=1.35, reached=time_ratio)
        yield Goal(
            measure=f"{title}: the same without start-up",
            target=1.35,
            reached=median_without_startup(contest, SEEDER_IN_PROCESS) / median_without_startup(contest, BARE_POOL),
        )
    for name, target in ((PGVIEWS, 1.0), (DBT, 12.0)):
        if (time_ratio := against_pool(contest, name, SEEDER)) is not None:
            yield Goal(measure=f"{title}: times ahead of {name}", target=target, reached=time_ratio, is_minimum=True)
    if SEEDER in contest.measurements:
        per_refresh = median_of(contest.measurements[SEEDER], "cpu") / count * 1000
        yield Goal(measure=f"{title}: client CPU per refresh, ms", target=0.6, reached=per_refresh)
        if BARE_POOL in contest.measurements:
            memory = median_of(contest.measurements[SEEDER], "memory") / median_of(
                contest.measurements[BARE_POOL], "memory"
            )
            yield Goal(
                measure=f"{title}: memory against the bare pool", target=2 if count <= 1000 else 3, reached=memory
            )


def _network_goals(contest: Contest) -> Iterator[Goal]:
    title = contest.workload.title
    if (time_ratio := against_pool(contest, SEEDER, BARE_POOL)) is not None:
        yield Goal(measure=f"{title}: time against the bare pool", target=1.15, reached=time_ratio)
    if (time_ratio := against_pool(contest, PGVIEWS, SEEDER)) is not None:
        yield Goal(measure=f"{title}: times ahead of {PGVIEWS}", target=1, reached=time_ratio, is_minimum=True)


def against_pool(contest: Contest, name: str, other: str) -> float | None:
    medians = [
        median_of(contest.measurements[entry], "seconds") if entry in contest.measurements else None
        for entry in (name, other)
    ]
    return ratio(*medians)


def median_of(measurements: Sequence[Measurement], attribute: str) -> float:
    """Return the median of one attribute."""
    return Spread.from_values(getattr(entry, attribute) for entry in measurements).median


def median_without_startup(contest: Contest, name: str) -> float:
    """Return the median duration that a program reports, without its start."""
    return (
        Spread.from_values(
            entry.reported.get("inner", entry.seconds) for entry in contest.measurements.get(name, ())
        ).median
        if name in contest.measurements
        else 0.0
    )
