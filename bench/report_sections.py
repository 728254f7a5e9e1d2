"""The sections of the report, empty if nothing was measured."""

import os
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

from bench.contest_goals import BARE_POOL, INFORMED_POOL, SEEDER, median_of
from bench.contests import Contest
from bench.markdown_tables import spread_text, table
from bench.measurement_math import Spread, lower_bound
from bench.probes.snapshot_benchmark import NAIVE, SCAN
from bench.results import Results, planning_costs

_MIN_PER_VIEW = 0.5  # minimum for a statement to be listed


def contest(contest: Contest) -> Iterator[str]:
    workload, count = contest.workload, len(contest.workload.views)
    yield f"## {workload.title}"
    yield ""
    if any(workload.dependencies.values()) or workload.name == "tpch":
        longest = max(workload.seconds.values())
        cores = min(contest.workers, os.cpu_count() or 1)
        yield (
            f"One by one the statements take {sum(workload.seconds.values()):.2f} s, the longest {longest:.2f} s;"
            f" the lower bound on {cores} cores is {lower_bound(workload.seconds, workload.dependencies, cores):.2f} s"
            " if each statement keeps one core busy."
        )
        yield ""
    reference = INFORMED_POOL if INFORMED_POOL in contest.measurements else BARE_POOL
    of_reference = contest.measurements.get(reference)
    reference_seconds = median_of(of_reference, "seconds") if of_reference else None
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
                spread_text(Spread.from_values(entry.seconds for entry in measurements), "s"),
                f"{median_of(measurements, 'seconds') / reference_seconds:.2f}" if reference_seconds else "",
                spread_text(Spread.from_values(entry.reported["inner"] for entry in measurements), "s")
                if "inner" in measurements[0].reported
                else "",
                f"{median_of(measurements, 'cpu'):.2f} s",
                f"{median_of(measurements, 'cpu') / count * 1000:.2f} ms",
                f"{median_of(measurements, 'memory') / 2**20:.0f} MiB",
                ""
                if measurements[0].stale_views is None
                else str(max(entry.stale_views or 0 for entry in measurements)),
            )
            for name, measurements in contest.measurements.items()
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
        " tonight's differ; new views are unknown. The bound is max(critical path, work / workers) of tonight."
    )
    yield ""
    yield from table(
        ("workers", "bound", "duration", "of the bound", "with the circuit breaker", "given up by it"),
        (
            (
                str(night.workers),
                f"{night.lower_bound_seconds:,.0f} s",
                f"{night.seconds:,.0f} s",
                f"{night.ratio:.4f}",
                f"{broken.ratio:.4f}",
                str(broken.given_up),
            )
            for night, broken in zip(results.nights, results.nights_with_breaker, strict=True)
        ),
    )


def planning(results: Results) -> Iterator[str]:
    points = planning_costs(results)
    if not points:
        return
    yield "## Planning"
    yield ""
    yield (
        "Existing views that read three others each, with 30 successes in the history. The first plan compares every"
        " query with the definition of its view; later plans use a cache. Then the parts of a plan, in seconds."
    )
    yield ""
    yield from table(
        ("manifests", "dependencies", "first plan", "plan", "memory", *points[0].parts),
        (
            (
                f"{point.manifests:,}",
                f"{point.dependency_count:,}",
                f"{point.first_seconds:.2f} s",
                f"{point.seconds:.2f} s",
                f"{point.memory / 2**20:.1f} MiB",
                *(f"{seconds:.3f}" for seconds in point.parts.values()),
            )
            for point in points
        ),
    )


def snapshots(results: Results) -> Iterator[str]:
    if not (measurements := results.snapshots):
        return
    yield "## Release snapshots"
    yield ""
    reported = measurements[SCAN][0].reported
    yield (
        f"{reported['rows']:,} rows of TPC-H's lineitem in {reported['columns']} columns; for each the nulls,"
        " distinct values, range and, except in the profiler, the ten most frequent values."
    )
    yield ""
    naive = median_of(measurements[NAIVE], "seconds")
    yield from table(
        ("method", "time", f"of the {NAIVE}", "client CPU", "memory of the client"),
        (
            (
                name,
                spread_text(Spread.from_values(entry.seconds for entry in entries), "s"),
                f"{median_of(entries, 'seconds') / naive:.3f}",
                f"{median_of(entries, 'cpu'):.2f} s",
                f"{median_of(entries, 'memory') / 2**20:.0f} MiB",
            )
            for name, entries in measurements.items()
        ),
    )


def lists(results: Results) -> Iterator[str]:
    if not (reported := results.lists):
        return
    yield "## Lists"
    yield ""
    yield (
        f"Of {reported['views']:,} views and {reported['rows']:,} rows of history: milliseconds of database time,"
        " including planning, median and maximum. The baseline reads as many rows of one table by one of its indexes."
        " The last column describes the last scene that has the list."
    )
    yield ""
    scenes = list(dict.fromkeys(entry["scene"] for entry in reported["lists"]))
    names = dict.fromkeys(entry["name"] for entry in reported["lists"])
    by_name_and_scene = {(entry["name"], entry["scene"]): entry for entry in reported["lists"]}
    yield from table(
        ("list", *scenes, "of the baseline", "statements", "reads"),
        (_list_row(reported["baseline"], [by_name_and_scene.get((name, scene)) for scene in scenes]) for name in names),
    )


def _list_row(baselines: Mapping[str, float], measured: Sequence[Mapping[str, Any] | None]) -> tuple[str, ...]:
    entries = [entry for entry in measured if entry]
    return (
        entries[0]["name"],
        *(f"{entry['ms']:.1f} ({entry['max_ms']:.1f})" if entry else "" for entry in measured),
        f"{entries[0]['ms'] / baselines[entries[0]['baseline']]:.1f}",
        str(entries[-1]["statements"]),
        "; ".join(dict.fromkeys(entries[-1]["reads"])),
    )


def locks(results: Results) -> Iterator[str]:
    if not results.locks:
        return
    yield "## Locks on the tables that a view reads"
    yield ""
    yield "A refresh with and without them, in turns in one session. Each table has 100 rows."
    yield ""
    yield from table(
        ("tables", "refresh", "with locks", "ratio"),
        (
            (count, f"{ms['bare']:.2f} ms", f"{ms['locked']:.2f} ms", f"{ms['locked'] / ms['bare']:.2f}")
            for count, ms in results.locks.items()
        ),
    )


def data_checks(results: Results) -> Iterator[str]:
    if not results.checks:
        return
    yield "## Data checks"
    yield ""
    yield (
        "The plain refresh of a copy of 100,000 rows with its commit, and the time that checks add: one that counts the"
        " rows, ten that one scan answers, and two more, uniqueness and a query. In turns in one session; ratios to the"
        " refresh. The scan takes the same time for each query; a copy without an index is refreshed fastest."
    )
    yield ""
    yield from table(
        ("view", "refresh", "count", "ratio", "ten", "ratio", "twelve", "ratio"),
        (
            (indexes, f"{ms['refresh']:.0f} ms", *chain(*(_with_ratio(ms, one) for one in ("count", "ten", "twelve"))))
            for indexes, ms in results.checks.items()
        ),
    )


def _with_ratio(ms: Mapping[str, float], name: str) -> tuple[str, str]:
    return f"{ms[name]:.1f} ms", f"{ms[name] / ms['refresh']:.2f}"


def readers(results: Results) -> Iterator[str]:
    if not results.readers:
        return
    yield "## Readers of a view with data checks"
    yield ""
    yield (
        "The longest read of a view of 200,000 rows while runs of the app refresh it plainly: without data checks, and"
        " with the twelve above inside the refresh or before it. In turns; the shortest of all rounds. The query runs"
        " inside also in the last case, because it reads the view."
    )
    yield ""
    yield from table(("data checks", "longest read"), ((name, f"{ms:.0f} ms") for name, ms in results.readers.items()))


def modes(results: Results) -> Iterator[str]:
    if not results.modes:
        return
    yield "## Plain and concurrent refreshes"
    yield ""
    yield "Twin views with two indexes and a cheap query, in turns in one session. Values are CPU of the server."
    yield "*Better* is the plain refresh if it took at most 200 ms, otherwise the concurrent one. *auto* chooses by its"
    yield "own history."
    yield ""
    yield from table(
        ("rows", "changed", "concurrent to plain", "plain chosen", "plain over 200 ms", "auto to better"),
        (
            (
                f"{cell['rows']:,}",
                f"{cell['churn']} %",
                f"{cell['concurrent'] / cell['plain']:.1f}",
                f"{cell['plain_chosen']} of {cell['rounds']}",
                str(cell["too_long"]),
                f"{cell['auto'] / cell['better']:.2f}",
            )
            for cell in results.modes
        ),
    )


def startup(results: Results) -> Iterator[str]:
    if not results.startup:
        return
    yield "## Start-up, on a warm embedded server"
    yield ""
    first_seconds = median_of(next(iter(results.startup.values())), "seconds")
    yield from table(
        ("command", "time", "ratio", "memory"),
        (
            (
                f"`{name}`",
                spread_text(Spread.from_values(entry.seconds for entry in measurements), "s"),
                f"{median_of(measurements, 'seconds') / first_seconds:.2f}",
                f"{median_of(measurements, 'memory') / 2**20:.0f} MiB",
            )
            for name, measurements in results.startup.items()
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
            (name, str(entry.views), f"{entry.total:,}", f"{entry.total / entry.views:.1f}")
            for name, entry in results.statements.items()
        ),
    )
    if (seeder_counts := results.statements.get(SEEDER)) is not None:
        yield "Those of reporting-seeder, by kind:"
        yield ""
        listed = [
            (text, count / seeder_counts.views)
            for text, count in seeder_counts.by_statement.items()
            if count / seeder_counts.views >= _MIN_PER_VIEW
        ]
        rows = (
            (f"{count:.2g}", f"`{text[:110].replace('|', '¦')}{'…' if len(text) > 110 else ''}`")
            for text, count in listed
        )
        yield from table(("per view", "statement"), rows)
