"""`make bench`: everything that was asked for, and the report of it."""

import sys
from datetime import UTC, datetime

from bench import contests, options, report
from bench.night.platform import draw
from bench.night.simulation import simulate
from bench.picture import picture
from bench.probes import probing
from bench.results import Results
from bench.server import Bench
from bench.turns import Failed
from bench.workloads.graph import graph
from bench.workloads.small import small
from bench.workloads.tpch import tpch

_SEATS = (2, 4, 8, 16, 32, 64)
_WORK = 350_000  # of the graph: numbers to hash by a view of weight 1


def main() -> None:
    asked = options.read()
    results = Results(began=datetime.now(UTC), options=asked)
    if "night" in asked.only:
        _simulate(results, asked)
    if set(asked.only) - {"night"}:
        bench = Bench(keep=asked.keep)
        results.server = bench.version
        try:
            _measure(results, bench, asked)
        except Failed as error:
            sys.exit(f"bench: {error}")
        finally:
            bench.stop()
    target = options.CHECKOUT / "bench" if asked.is_complete else options.WORK
    target.mkdir(parents=True, exist_ok=True)
    (target / "report.svg").write_text(picture(results), encoding="utf-8")
    (target / "report.md").write_text(report.markdown(results), encoding="utf-8")
    print(f"The report: {target / 'report.md'}")


def _simulate(results: Results, asked: options.Options) -> None:
    platform = draw(agencies=20 if asked.quick else 200, seed=1)
    for seats in _SEATS:
        results.nights.append(simulate(platform, seats=seats))
        results.nights_with_breaker.append(simulate(platform, seats=seats, breaker=True))
        print(f"a night on {seats} seats: {results.nights[-1].ratio:.4f} of the bound", flush=True)


def _measure(results: Results, bench: Bench, asked: options.Options) -> None:
    if "statements" in asked.only:
        results.statements = probing.statements(bench, asked)
    if "startup" in asked.only:
        results.startup = probing.startup(bench, asked)
    if "planning" in asked.only:
        results.planning = probing.planning(bench, asked)
    if "graph" in asked.only:
        workload = graph(work=2000 if asked.quick else _WORK)
        results.contests.append(
            contests.compete(workload, contests.GRAPH, bench=bench, options=asked, rounds=asked.rounds)
        )
    if "tpch" in asked.only:
        workload = tpch(asked.scale)
        results.contests.append(
            contests.compete(workload, contests.TPCH, bench=bench, options=asked, rounds=asked.rounds)
        )
    for count in asked.small if "small" in asked.only else ():
        rounds = asked.rounds if count <= contests.WITH_DBT else min(asked.rounds, 3)
        contenders = contests.small_contenders(count)
        results.contests.append(contests.compete(small(count), contenders, bench=bench, options=asked, rounds=rounds))


if __name__ == "__main__":
    main()
