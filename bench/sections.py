"""The sections of the report, each of which is empty where nothing was measured."""

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bench.contests import Contest
from bench.figures import Spread, lower_bound
from bench.probes.profiling import NAIVE, SCAN
from bench.results import BARE, KNOWING, OURS, Results, of, planned
from bench.tables import spread, table

_SENT_AT_LEAST = 0.5  # per view, for a statement to be listed


def contest(contest: Contest) -> Iterator[str]:
    workload, count = contest.workload, len(contest.workload.views)
    yield f"## {workload.title}"
    yield ""
    if any(workload.reads.values()) or workload.name == "tpch":
        longest = max(workload.seconds.values())
        cores = min(contest.seats, os.cpu_count() or 1)
        yield (
            f"One by one the statements take {sum(workload.seconds.values()):.2f} s, the longest {longest:.2f} s;"
            f" the lower bound on {cores} cores is {lower_bound(workload.seconds, workload.reads, cores):.2f} s"
            " where each statement keeps one core busy."
        )
        yield ""
    reference = KNOWING if KNOWING in contest.took else BARE
    least = of(contest.took[reference], "seconds") if reference in contest.took else None
    yield from table(
        (
            "contender",
            "time",
            f"of the {reference}",
            "without its start",
            "client CPU",
            "CPU per view",
            "memory",
            "stale views",
        ),
        (
            (
                name,
                spread(Spread.of(one.seconds for one in took), "s"),
                f"{of(took, 'seconds') / least:.2f}" if least else "",
                spread(Spread.of(one.said["inner"] for one in took), "s") if "inner" in took[0].said else "",
                f"{of(took, 'cpu'):.2f} s",
                f"{of(took, 'cpu') / count * 1000:.2f} ms",
                f"{of(took, 'memory') / 2**20:.0f} MiB",
                "" if took[0].stale is None else str(max(one.stale or 0 for one in took)),
            )
            for name, took in contest.took.items()
        ),
    )


def night(results: Results) -> Iterator[str]:
    if not results.nights:
        return
    first = results.nights[0]
    yield "## A simulated night"
    yield ""
    yield (
        f"{first.views:,} views of many agencies, {first.failed} of which fail; yesterday's durations are known,"
        " tonight's differ; new views are unknown. The bound is max(critical path, work / seats) of tonight."
    )
    yield ""
    yield from table(
        ("seats", "bound", "took", "of the bound", "with the circuit breaker", "given up by it"),
        (
            (
                str(night.seats),
                f"{night.bound:,.0f} s",
                f"{night.took:,.0f} s",
                f"{night.ratio:.4f}",
                f"{broken.ratio:.4f}",
                str(broken.given_up),
            )
            for night, broken in zip(results.nights, results.nights_with_breaker, strict=True)
        ),
    )


def planning(results: Results) -> Iterator[str]:
    points = planned(results)
    if not points:
        return
    yield "## Planning"
    yield ""
    yield (
        "Views that exist and read three others each, with 30 successes in the history. The first plan compares every"
        " query with what its view was created from; after that it is known. Then the parts of a plan, in seconds."
    )
    yield ""
    yield from table(
        ("manifests", "dependencies", "first plan", "plan", "memory", *points[0].parts),
        (
            (
                f"{point.manifests:,}",
                f"{point.reads:,}",
                f"{point.first:.2f} s",
                f"{point.seconds:.2f} s",
                f"{point.memory / 2**20:.1f} MiB",
                *(f"{seconds:.3f}" for seconds in point.parts.values()),
            )
            for point in points
        ),
    )


def snapshots(results: Results) -> Iterator[str]:
    if not (took := results.snapshots):
        return
    yield "## Release snapshots"
    yield ""
    said = took[SCAN][0].said
    yield (
        f"{said['rows']:,} rows of TPC-H's lineitem in {said['columns']} columns; of each the nulls, distinct values,"
        " range and, but for the profiler, the ten most frequent values."
    )
    yield ""
    naive = of(took[NAIVE], "seconds")
    yield from table(
        ("way", "time", f"of the {NAIVE}", "client CPU", "memory of the client"),
        (
            (
                name,
                spread(Spread.of(one.seconds for one in each), "s"),
                f"{of(each, 'seconds') / naive:.3f}",
                f"{of(each, 'cpu'):.2f} s",
                f"{of(each, 'memory') / 2**20:.0f} MiB",
            )
            for name, each in took.items()
        ),
    )


def lists(results: Results) -> Iterator[str]:
    if not (said := results.lists):
        return
    yield "## Lists"
    yield ""
    yield (
        f"Of {said['views']:,} views and {said['rows']:,} rows of history: milliseconds of the database's own time,"
        " planning included, median and most. The bare one is as many rows of one table by one of its indexes. What is"
        " read is that of the last scene in which the list was asked for."
    )
    yield ""
    scenes = list(dict.fromkeys(one["scene"] for one in said["lists"]))
    names = dict.fromkeys(one["name"] for one in said["lists"])
    found = {(one["name"], one["scene"]): one for one in said["lists"]}
    yield from table(
        ("list", *scenes, "of the bare one", "statements", "reads"),
        (_list(said["bare"], [found.get((name, scene)) for scene in scenes]) for name in names),
    )


def _list(bare: Mapping[str, float], asked: Sequence[Mapping[str, Any] | None]) -> tuple[str, ...]:
    each = [one for one in asked if one]
    return (
        each[0]["name"],
        *(f"{one['ms']:.1f} ({one['most']:.1f})" if one else "" for one in asked),
        f"{each[0]['ms'] / bare[each[0]['bare']]:.1f}",
        str(each[-1]["statements"]),
        "; ".join(dict.fromkeys(each[-1]["reads"])),
    )


def startup(results: Results) -> Iterator[str]:
    if not results.startup:
        return
    yield "## Start-up, on a warm embedded server"
    yield ""
    least = of(next(iter(results.startup.values())), "seconds")
    yield from table(
        ("command", "time", "ratio", "memory"),
        (
            (
                f"`{name}`",
                spread(Spread.of(one.seconds for one in took), "s"),
                f"{of(took, 'seconds') / least:.2f}",
                f"{of(took, 'memory') / 2**20:.0f} MiB",
            )
            for name, took in results.startup.items()
        ),
    )


def statements(results: Results) -> Iterator[str]:
    if not results.statements:
        return
    yield "## Statements sent"
    yield ""
    yield from table(
        ("contender", "views", "statements", "per view"),
        (
            (name, str(one.views), f"{one.total:,}", f"{one.total / one.views:.1f}")
            for name, one in results.statements.items()
        ),
    )
    if (ours := results.statements.get(OURS)) is not None:
        yield "Ours, by kind:"
        yield ""
        every = [
            (text, times / ours.views) for text, times in ours.each.items() if times / ours.views >= _SENT_AT_LEAST
        ]
        rows = (
            (f"{times:.2g}", f"`{text[:110].replace('|', '¦')}{'…' if len(text) > 110 else ''}`")
            for text, times in every
        )
        yield from table(("per view", "statement"), rows)
