"""`make bench`: everything that was asked for, and the report of it."""

import signal
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from bench import contests, options, report
from bench.night.platform import draw
from bench.night.simulation import simulate
from bench.picture import picture
from bench.probes import listing, probing, profiling
from bench.results import Results
from bench.server import Bench
from bench.turns import Failed
from bench.workloads.graph import graph
from bench.workloads.small import small
from bench.workloads.tpch import tpch
from bench.workloads.workload import Workload

_SEATS = (2, 4, 8, 16, 32, 64)
_WORK = 350_000  # of the graph: numbers to hash by a view of weight 1


def main() -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the server is stopped then, too
    asked = options.read()
    results = Results(began=datetime.now(UTC), options=asked)
    if "night" in asked.only:
        _simulate(results, asked)
    if set(asked.only) - {"night"}:
        bench = Bench(keep=asked.keep)
        results.server = bench.version
        try:
            for _ in _measure(results, bench, asked):
                _write(results, options.WORK)  # what is known so far, should something go wrong later
        except Failed as error:
            sys.exit(f"bench: {error}")
        finally:
            bench.stop()
    target = options.CHECKOUT / "bench" if asked.is_complete else options.WORK
    _write(results, target)
    print(f"The report: {target / 'report.md'}")


def _write(results: Results, target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    (target / "report.svg").write_text(picture(results), encoding="utf-8")
    (target / "report.md").write_text(report.markdown(results), encoding="utf-8")


def _simulate(results: Results, asked: options.Options) -> None:
    platform = draw(agencies=20 if asked.quick else 200, seed=1)
    for seats in _SEATS:
        results.nights.append(simulate(platform, seats=seats))
        results.nights_with_breaker.append(simulate(platform, seats=seats, breaker=True))
        print(f"a night on {seats} seats: {results.nights[-1].ratio:.4f} of the bound", flush=True)


def _measure(results: Results, bench: Bench, asked: options.Options) -> Iterator[None]:
    """Part by part."""
    if "statements" in asked.only:
        results.statements = probing.statements(bench, asked)
        yield
    if "startup" in asked.only:
        results.startup = probing.startup(bench, asked)
        yield
    if "planning" in asked.only:
        results.planning = probing.planning(bench, asked)
        yield
    if "snapshots" in asked.only:
        results.snapshots = profiling.snapshots(bench, asked)
        yield
    if "lists" in asked.only:
        results.lists = listing.lists(bench, asked)
        yield
    for workload, contenders in _contests(asked):
        rounds = asked.rounds if len(workload.views) <= contests.WITH_DBT else min(asked.rounds, 3)
        results.contests.append(contests.compete(workload, contenders, bench=bench, options=asked, rounds=rounds))
        yield


def _contests(asked: options.Options) -> Iterator[tuple[Workload, Sequence[contests.Contender]]]:
    if "graph" in asked.only:
        yield graph(work=2000 if asked.quick else _WORK), contests.GRAPH
    if "tpch" in asked.only:
        yield tpch(asked.scale), contests.TPCH
    for count in asked.small if "small" in asked.only else ():
        yield small(count), contests.small_contenders(count)


if __name__ == "__main__":
    main()
