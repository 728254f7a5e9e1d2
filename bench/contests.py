"""The contenders of each workload."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from bench.contenders import recording
from bench.contenders.builtin import (
    RECORDING_POOL,
    bare_pool,
    informed_pool,
    pg_cron,
    recording_pool,
    seeder,
    seeder_in_process,
    seeder_serial_plans,
    serial_plans_pool,
    xargs_psql,
)
from bench.contenders.dbt import dbt
from bench.contenders.pgviews import pgviews, undeclared_pgviews
from bench.contenders.sqlmesh import sqlmesh
from bench.interleaved_runs import Command, Measurement, run_interleaved
from bench.options import Options
from bench.server import BenchServer
from bench.workloads import graph
from bench.workloads.workload import Workload, create_workload

Contender = Callable[[Workload, BenchServer, int], Command]

SMALL_CONTENDERS: Sequence[Contender] = (
    bare_pool,
    recording_pool,
    xargs_psql,
    pg_cron,
    pgviews,
    seeder,
    seeder_in_process,
)
NETWORK_CONTENDERS = tuple(one for one in SMALL_CONTENDERS if one is not pg_cron)  # which runs in the server
MAX_VIEWS_OF_PROJECTS = 1000  # dbt needs more than ten minutes for one round of 10,000 views
GRAPH_CONTENDERS: Sequence[Contender] = (
    bare_pool,
    informed_pool,
    xargs_psql,
    pg_cron,
    dbt,
    sqlmesh,
    pgviews,
    undeclared_pgviews,
    seeder,
)
TPCH_CONTENDERS: Sequence[Contender] = (
    bare_pool,
    informed_pool,
    serial_plans_pool,
    xargs_psql,
    pg_cron,
    dbt,
    sqlmesh,
    pgviews,
    seeder,
    seeder_serial_plans,
)


@dataclass(frozen=True, kw_only=True)
class Contest:
    """A workload with the measurements of every contender, round by round."""

    workload: Workload
    workers: int
    measurements: Mapping[str, Sequence[Measurement]]
    round_trip: float | None = None  # seconds, of a network between contenders and server


def compete(
    workload: Workload, contenders: Sequence[Contender], *, bench: BenchServer, options: Options, rounds: int
) -> Contest:
    """Set up the workload and its contenders, then run them in turn."""
    print(f"{workload.title}: setting up", flush=True)
    create_workload(workload, bench)
    return _compete(workload, contenders, bench=bench, options=options, rounds=rounds)


def compete_at_distance(
    workload: Workload, round_trip: float, *, bench: BenchServer, options: Options, rounds: int
) -> Contest:
    """Do the same with a network between contenders and server."""
    print(f"{workload.title}, {round_trip * 1000:g} ms away: setting up", flush=True)
    create_workload(workload, bench)
    with bench.at_distance(round_trip):
        contest = _compete(workload, NETWORK_CONTENDERS, bench=bench, options=options, rounds=rounds)
    title = f"{workload.title}, {round_trip * 1000:g} ms away"
    return replace(contest, workload=replace(workload, title=title), round_trip=round_trip)


def _compete(
    workload: Workload, contenders: Sequence[Contender], *, bench: BenchServer, options: Options, rounds: int
) -> Contest:
    commands = [contender(workload, bench, options.workers) for contender in contenders]
    commands = [command for command in commands if command.name not in options.without]

    def before(_: Command) -> None:
        bench.vacuum_and_checkpoint(workload.name)
        if workload.name == "graph":
            graph.change(bench)

    def after(command: Command) -> int | None:
        if command.name == RECORDING_POOL:  # how long its refreshes took is nothing that the app has measured
            bench.forget_run(workload.name, recording.RUN)
        return graph.count_stale(bench, workload, command.schema) if workload.name == "graph" else None

    measurements = run_interleaved(
        commands, rounds=rounds, before=before, after=after, on_progress=lambda line: print(f"  {line}", flush=True)
    )
    return Contest(workload=workload, workers=options.workers, measurements=measurements)


def small_contenders(count: int) -> Sequence[Contender]:
    return (*SMALL_CONTENDERS, dbt, sqlmesh) if count <= MAX_VIEWS_OF_PROJECTS else SMALL_CONTENDERS
