"""The measurements, the machine, and the goals."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from statistics import median
from typing import Any

from bench.contest_goals import Goal, contest_goals, median_of
from bench.contests import Contest
from bench.interleaved_runs import Measurement
from bench.measurement_math import ratio, slope
from bench.night.simulation import SimulatedNight
from bench.options import Options
from bench.probes import loading_benchmark as loads
from bench.probes.loading_benchmark import LoadingResults
from bench.probes.probe_runs import StatementCounts
from bench.probes.silver_benchmark import CLEAN_OBJECT, CSV_PASS, SilverResults
from bench.probes.small_load_benchmark import HELP, KNOWN, SmallLoads
from bench.probes.snapshot_benchmark import APPROXIMATE, EXACT, NAIVE, PANDAS, PROFILER, SCAN
from bench.workloads.checked_view import BARE, INDEXED


@dataclass(kw_only=True)
class Results:
    """The results of the selected parts."""

    started_at: datetime
    options: Options
    server: str = "none"
    contests: list[Contest] = field(default_factory=list)
    nights: list[SimulatedNight] = field(default_factory=list)
    nights_with_breaker: list[SimulatedNight] = field(default_factory=list)
    statements: Mapping[str, StatementCounts] = field(default_factory=dict)
    locks: Mapping[str, Mapping[str, float]] = field(default_factory=dict)  # milliseconds, by the number of tables
    checks: Mapping[str, Mapping[str, float]] = field(default_factory=dict)  # milliseconds, by the indexes of the view
    readers: Mapping[str, float] = field(default_factory=dict)  # milliseconds, by the order of data checks
    modes: Sequence[Mapping[str, float]] = ()  # by rows and churn, as of `time_modes`
    startup: Mapping[str, Sequence[Measurement]] = field(default_factory=dict)
    planning: Mapping[int, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    snapshots: Mapping[str, Sequence[Measurement]] = field(default_factory=dict)
    lists: Mapping[str, Any] = field(default_factory=dict)
    loading: list[LoadingResults] = field(default_factory=list)
    small_loads: SmallLoads | None = None
    silver: SilverResults | None = None


def goals(results: Results) -> Iterator[Goal]:
    """Yield the goals whose values were measured."""
    for contest in results.contests:
        yield from contest_goals(contest)
    if points := planning_costs(results):
        last = points[-1]
        yield Goal(measure=f"planning {last.manifests:,} manifests, seconds", target=2, reached=last.seconds)
        yield Goal(measure="the same before their first run", target=2, reached=last.first_seconds)
        if len(points) > 1:
            power = slope([(point.manifests, point.memory) for point in points])
            yield Goal(measure="power by which its memory grows with the manifests", target=1.1, reached=power)
    yield from _check_goals(results)
    if results.startup:
        setup_seconds, refresh_seconds = (
            median_of(results.startup[name], "seconds") for name in ("django.setup()", "refresh_table")
        )
        yield Goal(
            measure="start-up: refresh_table against django.setup()",
            target=1.5,
            reached=refresh_seconds / setup_seconds,
        )
    if measurements := results.snapshots:
        exact, estimated = median_of(measurements[EXACT], "seconds"), median_of(measurements[APPROXIMATE], "seconds")
        yield Goal(
            measure="snapshot: exact against one query a column",
            target=0.2,
            reached=exact / median_of(measurements[NAIVE], "seconds"),
        )
        yield Goal(
            measure="snapshot: approximate against one scan",
            target=2,
            reached=estimated / median_of(measurements[SCAN], "seconds"),
        )
        for name in (method for method in (PROFILER, PANDAS) if method in measurements):
            ahead = median_of(measurements[name], "seconds") / exact
            yield Goal(measure=f"snapshot: times ahead of {name}", target=1, reached=ahead, is_minimum=True)
    if results.lists:
        slowest = max(results.lists["lists"], key=lambda entry: entry["ms"])
        name = f"{slowest['name']}, {slowest['scene']}"
        yield Goal(measure=f"database time of the slowest list ({name}), ms", target=50, reached=slowest["ms"])
    for loading in results.loading:
        yield from _loading_goals(loading)
    yield from _small_load_goals(results.small_loads)
    yield from _silver_goals(results.silver)
    if results.nights:
        worst = max(night.ratio for night in results.nights)
        yield Goal(
            measure="simulated night against the lower bound, the worst number of workers", target=1.02, reached=worst
        )


def _check_goals(results: Results) -> Iterator[Goal]:
    if results.checks:
        for indexes in (BARE, INDEXED):
            ms = results.checks[indexes]
            measure = f"time of ten data checks against the plain refresh of a view with {indexes}"
            yield Goal(measure=measure, target=0.2, reached=ms["ten"] / ms["refresh"])

    if results.readers:
        measure = "readers' wait for a view of 200,000 rows that data checks before its refresh add"
        reached = results.readers["before"] - results.readers["none"]
        yield Goal(measure=measure, target=50, reached=reached, unit=" ms")


def _loading_goals(loading: LoadingResults) -> Iterator[Goal]:
    title = f"{loading.records:,} records"

    def middle(name: str, attribute: str = "cpu") -> float | None:
        measured = loading.measurements.get(name)
        return median(getattr(one, attribute) for one in measured) if measured else None

    ours, is_large = middle(loads.CLEAN), loads.DLT_ROWS not in loading.measurements
    for measure, name, other, attribute, target in (
        ("CPU of a clean file against psql", loads.CLEAN, loads.PSQL, "cpu", 1.25),
        ("CPU of a load from a bucket against one from disk", loads.BUCKET, loads.CLEAN, "cpu", 1.15),
        ("CPU with 1 % bad records against psql with none", loads.DIRTY, loads.PSQL, "cpu", 2.5),
        ("CPU of merging unchanged rows against updating them", loads.UPSERT_SAME, loads.UPDATE_ALL, "merge_cpu", 0.5),
        ("WAL of an upsert of the same file against it", loads.UPSERT_SAME, loads.UPDATE_ALL, "wal", 0.05),
    ):
        reached = ratio(middle(name, attribute), middle(other, attribute))
        if reached is not None and is_large:
            yield Goal(measure=f"{title}: {measure}", target=target, reached=reached)
    if measured := loading.measurements.get(loads.DIRTY):
        wrong = max(abs((one.rejected or 0) - loading.bad_records) for one in measured)
        yield Goal(measure=f"{title}: rejects missed or invented", target=0, reached=wrong)
    if measured := loading.measurements.get(loads.CLEAN):
        memory = max(one.memory for one in (*measured, *loading.measurements.get(loads.DIRTY, ()))) / 1_000_000
        yield Goal(measure=f"{title}: client memory, MB", target=100, reached=memory)
    if measured := loading.measurements.get(loads.BUCKET):
        memory = max(one.memory for one in measured) / 1_000_000
        yield Goal(measure=f"{title}: client memory from a bucket, MB", target=100, reached=memory)
    for name, target in (
        (loads.DLT_ROWS, 5),
        (loads.DLT_ARROW, 5),
        (loads.BULK_CREATE, 5),
        (loads.IMPORT_EXPORT, 15),
        (loads.PANDAS, 1),
        (loads.PGLOADER, 1),
    ):
        if ours and (theirs := middle(name)):
            yield Goal(
                measure=f"{title}: times less CPU than {name}", target=target, reached=theirs / ours, is_minimum=True
            )


def _silver_goals(silver: SilverResults | None) -> Iterator[Goal]:
    if silver is None:
        return
    cpu = {
        name: median(one.reported["inner_cpu"] for one in measured) for name, measured in silver.measurements.items()
    }
    yield Goal(
        measure="bronze to silver: client CPU against csv", target=0.5, reached=cpu[CLEAN_OBJECT] / cpu[CSV_PASS]
    )
    memory = max(one.memory for one in silver.measurements[CLEAN_OBJECT]) / 1_000_000
    yield Goal(measure="bronze to silver: memory, MB", target=100, reached=memory)
    milliseconds = 1000 * median(one.seconds for one in silver.finished) / silver.objects
    yield Goal(measure="a finished object in silver, ms", target=1, reached=milliseconds)
    others = sum(one.operations.total() - one.operations["ListObjectsV2"] for one in silver.finished)
    yield Goal(measure="requests for finished objects besides lists", target=0, reached=others)


def _small_load_goals(small: SmallLoads | None) -> Iterator[Goal]:
    if small is None:
        return
    command = median_of(small.commands[KNOWN], "cpu") - median_of(small.commands[HELP], "cpu")
    for measure, seconds, target in (
        (f"from a commit to the refresh request, {small.manifests} manifests", median(small.later), 50),
        ("the same after the first load of a process", median(small.first), 50),
        ("load_file of a known file", median(small.known), 20),
        ("client CPU of the command of a known file, beyond its start", command, 20),
    ):
        yield Goal(measure=f"{measure}, ms", target=target, reached=seconds * 1000)


@dataclass(frozen=True, kw_only=True)
class PlanningCost:
    """Median costs of planning a number of manifests."""

    manifests: int
    dependency_count: int
    first_seconds: float  # seconds, before their first run
    seconds: float  # seconds, every night
    memory: float  # bytes
    parts: Mapping[str, float]  # of the seconds


def planning_costs(results: Results) -> list[PlanningCost]:
    """Return the costs of planning, by the number of manifests."""
    return [
        PlanningCost(
            manifests=count,
            dependency_count=reports[0]["reads"],
            first_seconds=median(entry["first"] for entry in reports),
            seconds=median(entry["seconds"] for entry in reports),
            memory=median(entry["memory"] for entry in reports),
            parts={part: median(entry["parts"].get(part, 0.0) for entry in reports) for part in reports[0]["parts"]},
        )
        for count, reports in sorted(results.planning.items())
    ]
