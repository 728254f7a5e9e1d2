"""`make bench`: run the selected parts and write the report."""

import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench import contests, markdown_report, options
from bench.interleaved_runs import CommandFailed
from bench.night.platform import draw_platform
from bench.night.simulation import simulate
from bench.probes import (
    list_benchmark,
    loading_benchmark,
    probe_runs,
    silver_benchmark,
    small_load_benchmark,
    snapshot_benchmark,
)
from bench.results import Results
from bench.server import BenchServer
from bench.svg_chart import svg_chart
from bench.workloads.graph import graph
from bench.workloads.small import small
from bench.workloads.tpch import tpch
from bench.workloads.workload import Workload

_WORKER_COUNTS = (2, 4, 8, 16, 32, 64)
_ROUND_TRIPS = (0.001, 0.01)  # seconds, of a network
_WORK = 350_000  # of the graph: numbers that a view of weight 1 hashes
# Parts that one function measures, in the order in which they run. Their results are fields of the same names.
_PROBES: Mapping[str, Callable[[BenchServer, options.Options], Any]] = {
    "statements": probe_runs.statements,
    "locks": probe_runs.locks,
    "checks": probe_runs.data_checks,
    "readers": probe_runs.readers,
    "modes": probe_runs.modes,
    "startup": probe_runs.startup,
    "planning": probe_runs.planning,
    "snapshots": snapshot_benchmark.snapshots,
    "lists": list_benchmark.lists,
}


def main() -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the server is stopped as well
    bench_options = options.read()
    results = Results(started_at=datetime.now(UTC), options=bench_options)
    if "night" in bench_options.only:
        _simulate(results, bench_options)
    if set(bench_options.only) - {"night"}:
        bench = BenchServer(keep=bench_options.keep)
        results.server = bench.version
        try:
            for _ in _measure(results, bench, bench_options):
                _write(results, options.WORK)  # a partial report, in case a later part fails
        except CommandFailed as error:
            sys.exit(f"bench: {error}")
        finally:
            bench.stop()
    target = options.CHECKOUT / "bench" if bench_options.is_complete else options.WORK
    _write(results, target)
    print(f"The report: {target / 'report.md'}")


def _write(results: Results, target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    (target / "report.svg").write_text(svg_chart(results), encoding="utf-8")
    (target / "report.md").write_text(markdown_report.markdown(results), encoding="utf-8")


def _simulate(results: Results, bench_options: options.Options) -> None:
    platform = draw_platform(agencies=20 if bench_options.quick else 200, seed=1)
    for workers in _WORKER_COUNTS:
        results.nights.append(simulate(platform, workers=workers))
        results.nights_with_breaker.append(simulate(platform, workers=workers, breaker=True))
        print(f"a night on {workers} workers: {results.nights[-1].ratio:.4f} of the bound", flush=True)


def _measure(results: Results, bench: BenchServer, bench_options: options.Options) -> Iterator[None]:
    """Run the selected parts one by one, with a yield after each."""
    for part, measure in _PROBES.items():
        if part in bench_options.only:
            setattr(results, part, measure(bench, bench_options))
            yield
    if "loading" in bench_options.only:
        for measured in loading_benchmark.loading(bench, bench_options):
            results.loading.append(measured)
            yield
        results.small_loads = small_load_benchmark.small_loads(bench, bench_options)
        yield
    if "silver" in bench_options.only:
        results.silver = silver_benchmark.silver(bench_options)
        yield
    for workload, contenders in _contests(bench_options):
        rounds = (
            bench_options.rounds
            if len(workload.views) <= contests.MAX_VIEWS_OF_PROJECTS
            else min(bench_options.rounds, 3)
        )
        results.contests.append(
            contests.compete(workload, contenders, bench=bench, options=bench_options, rounds=rounds)
        )
        yield
    if "network" in bench_options.only:
        for round_trip in _ROUND_TRIPS:
            workload, rounds = small(min(bench_options.small)), min(bench_options.rounds, 3)
            contest = contests.compete_at_distance(
                workload, round_trip, bench=bench, options=bench_options, rounds=rounds
            )
            results.contests.append(contest)
            yield


def _contests(bench_options: options.Options) -> Iterator[tuple[Workload, Sequence[contests.Contender]]]:
    if "graph" in bench_options.only:
        yield graph(work=2000 if bench_options.quick else _WORK), contests.GRAPH_CONTENDERS
    if "tpch" in bench_options.only:
        yield tpch(bench_options.scale), contests.TPCH_CONTENDERS
    for count in bench_options.small if "small" in bench_options.only else ():
        yield small(count), contests.small_contenders(count)


if __name__ == "__main__":
    main()
