"""Which contenders compete over which workload."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from bench.contenders.dbt import dbt
from bench.contenders.pgviews import pgviews, undeclared_pgviews
from bench.contenders.simple import (
    bare_pool,
    knowing_pool,
    recording_pool,
    seeder,
    seeder_in_process,
    seeder_serial_plans,
    serial_plans_pool,
    xargs_psql,
)
from bench.options import Options
from bench.server import Bench
from bench.turns import Command, Took, in_turn
from bench.workloads import graph
from bench.workloads.workload import Workload, lay_out

Contender = Callable[[Workload, Bench, int], Command]

SMALL: Sequence[Contender] = (bare_pool, recording_pool, xargs_psql, pgviews, seeder, seeder_in_process)
WITH_DBT = 1000  # small views at most: of 10,000 one round of dbt takes more than ten minutes
GRAPH: Sequence[Contender] = (bare_pool, knowing_pool, xargs_psql, dbt, pgviews, undeclared_pgviews, seeder)
TPCH: Sequence[Contender] = (
    bare_pool,
    knowing_pool,
    serial_plans_pool,
    xargs_psql,
    dbt,
    pgviews,
    seeder,
    seeder_serial_plans,
)


@dataclass(frozen=True, kw_only=True)
class Contest:
    """A workload with what every contender took for it, round by round."""

    workload: Workload
    seats: int
    took: Mapping[str, Sequence[Took]]


def compete(
    workload: Workload, contenders: Sequence[Contender], *, bench: Bench, options: Options, rounds: int
) -> Contest:
    """Set everybody up, then let them have their turns."""
    print(f"{workload.title}: laying out", flush=True)
    lay_out(workload, bench)
    commands = [contender(workload, bench, options.seats) for contender in contenders]
    commands = [command for command in commands if command.name not in options.without]

    def before(_: Command) -> None:
        bench.settle(workload.name)
        if workload.name == "graph":
            graph.change(bench)

    def after(_: Command) -> int | None:
        return graph.stale(bench, workload) if workload.name == "graph" else None

    took = in_turn(commands, rounds=rounds, before=before, after=after, say=lambda line: print(f"  {line}", flush=True))
    return Contest(workload=workload, seats=options.seats, took=took)


def small_contenders(count: int) -> Sequence[Contender]:
    return (*SMALL, dbt) if count <= WITH_DBT else SMALL
