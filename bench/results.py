"""What was measured, on which machine, and the goals beside it."""

import os
import platform
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import Any

from bench.contests import Contest
from bench.figures import Spread, ratio, slope
from bench.night.simulation import Night
from bench.options import Options
from bench.probes.probing import Sent
from bench.probes.profiling import APPROXIMATE, EXACT, NAIVE, PANDAS, PROFILER, SCAN
from bench.turns import Took

OURS, IN_PROCESS = "reporting-seeder", "reporting-seeder, runs.execute"
SERIAL = "reporting-seeder, PARALLEL_WHEN_BUSY off"
BARE, KNOWING, PGVIEWS, DBT = "bare pool", "knowing pool", "django-pgviews", "dbt"


@dataclass(kw_only=True)
class Results:
    """Whatever of it was asked for."""

    began: datetime
    options: Options
    server: str = "none"
    contests: list[Contest] = field(default_factory=list)
    nights: list[Night] = field(default_factory=list)
    nights_with_breaker: list[Night] = field(default_factory=list)
    statements: Mapping[str, Sent] = field(default_factory=dict)
    startup: Mapping[str, Sequence[Took]] = field(default_factory=dict)
    planning: Mapping[int, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    snapshots: Mapping[str, Sequence[Took]] = field(default_factory=dict)
    lists: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Goal:
    """One promise, and what became of it."""

    measure: str
    wanted: float
    reached: float
    unit: str = ""
    at_least: bool = False

    @property
    def is_met(self) -> bool:
        return self.reached >= self.wanted if self.at_least else self.reached <= self.wanted


def goals(results: Results) -> Iterator[Goal]:
    """Those that could be measured."""
    for contest in results.contests:
        yield from _of_graphs(contest) if contest.workload.name in {"graph", "tpch"} else _of_small(contest)
    if points := planned(results):
        last = points[-1]
        yield Goal(measure=f"planning {last.manifests:,} manifests, seconds", wanted=2, reached=last.seconds)
        yield Goal(measure="the same before they ever ran", wanted=2, reached=last.first)
        if len(points) > 1:
            power = slope([(point.manifests, point.memory) for point in points])
            yield Goal(measure="its memory grows with the manifests to the power of", wanted=1.1, reached=power)
    if results.startup:
        least, ours = (of(results.startup[name], "seconds") for name in ("django.setup()", "refresh_table"))
        yield Goal(measure="start-up: refresh_table against django.setup()", wanted=1.5, reached=ours / least)
    if took := results.snapshots:
        exact, estimated = of(took[EXACT], "seconds"), of(took[APPROXIMATE], "seconds")
        yield Goal(
            measure="snapshot: exact against one query a column", wanted=0.2, reached=exact / of(took[NAIVE], "seconds")
        )
        yield Goal(
            measure="snapshot: approximate against one scan", wanted=2, reached=estimated / of(took[SCAN], "seconds")
        )
        for name in (one for one in (PROFILER, PANDAS) if one in took):
            ahead = of(took[name], "seconds") / exact
            yield Goal(measure=f"snapshot: times ahead of {name}", wanted=1, reached=ahead, at_least=True)
    if results.lists:
        slowest = max(results.lists["lists"], key=lambda one: one["ms"])
        name = f"{slowest['name']}, {slowest['scene']}"
        yield Goal(measure=f"database time of the slowest list ({name}), ms", wanted=50, reached=slowest["ms"])
    if results.nights:
        worst = max(night.ratio for night in results.nights)
        yield Goal(
            measure="simulated night against the lower bound, the worst number of seats", wanted=1.02, reached=worst
        )


def _of_graphs(contest: Contest) -> Iterator[Goal]:
    title = contest.workload.title
    if (against := against_pool(contest, OURS, KNOWING)) is not None:
        yield Goal(measure=f"{title}: time against the knowing pool", wanted=1.05, reached=against)
    others = {name: of(took, "seconds") for name, took in contest.took.items() if name not in _NO_CONTENDERS}
    others = {name: seconds for name, seconds in others.items() if not any(took.stale for took in contest.took[name])}
    if others and OURS in contest.took:
        best = min(others, key=lambda name: others[name])
        reached = of(contest.took[OURS], "seconds") / others[best]
        yield Goal(
            measure=f"{title}: time against the best contender that leaves nothing stale, {best}",
            wanted=1,
            reached=reached,
        )


_NO_CONTENDERS = {OURS, IN_PROCESS, SERIAL, KNOWING, "knowing pool, no parallel plans"}


def _of_small(contest: Contest) -> Iterator[Goal]:
    title, count = contest.workload.title, len(contest.workload.views)
    if (against := against_pool(contest, OURS, BARE)) is not None and count <= 1000:
        yield Goal(measure=f"{title}: time against the bare pool", wanted=1.35, reached=against)
        yield Goal(
            measure=f"{title}: the same without start-up",
            wanted=1.35,
            reached=inner(contest, IN_PROCESS) / inner(contest, BARE),
        )
    for name, wanted in ((PGVIEWS, 1.0), (DBT, 12.0)):
        if (against := against_pool(contest, name, OURS)) is not None:
            yield Goal(measure=f"{title}: times ahead of {name}", wanted=wanted, reached=against, at_least=True)
    if OURS in contest.took:
        per_refresh = of(contest.took[OURS], "cpu") / count * 1000
        yield Goal(measure=f"{title}: client CPU per refresh, ms", wanted=0.6, reached=per_refresh)
        if BARE in contest.took:
            memory = of(contest.took[OURS], "memory") / of(contest.took[BARE], "memory")
            yield Goal(
                measure=f"{title}: memory against the bare pool", wanted=2 if count <= 1000 else 3, reached=memory
            )


def against_pool(contest: Contest, name: str, other: str) -> float | None:
    medians = [of(contest.took[one], "seconds") if one in contest.took else None for one in (name, other)]
    return ratio(*medians)


def of(took: Sequence[Took], what: str) -> float:
    """The median of one of the figures."""
    return Spread.of(getattr(one, what) for one in took).median


def inner(contest: Contest, name: str) -> float:
    """The median of what a program says of itself, without its start."""
    return (
        Spread.of(one.said.get("inner", one.seconds) for one in contest.took.get(name, ())).median
        if name in contest.took
        else 0.0
    )


@dataclass(frozen=True, kw_only=True)
class Planned:
    """What planning so many manifests has cost, medians."""

    manifests: int
    reads: int
    first: float  # seconds, before any of them ever ran
    seconds: float  # every night
    memory: float  # bytes
    parts: Mapping[str, float]  # of the seconds


def planned(results: Results) -> list[Planned]:
    """By the number of manifests."""
    return [
        Planned(
            manifests=count,
            reads=said[0]["reads"],
            first=median(one["first"] for one in said),
            seconds=median(one["seconds"] for one in said),
            memory=median(one["memory"] for one in said),
            parts={part: median(one["parts"].get(part, 0.0) for one in said) for part in said[0]["parts"]},
        )
        for count, said in sorted(results.planning.items())
    ]


def machine() -> str:
    """In one line."""
    kinds = [line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{os.cpu_count()} × {kinds[0] if kinds else platform.machine()}, {memory:.0f} GiB, Linux {platform.release()}"
    )


def _lines(path: str) -> list[str]:
    file = Path(path)
    return file.read_text().splitlines() if file.exists() else []
