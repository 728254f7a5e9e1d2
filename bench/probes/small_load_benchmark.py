"""Measures loads of a small file on a platform of some hundred views: the request to refresh, and a known file."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field

from bench.contenders.builtin import DJANGO_SETTINGS
from bench.interleaved_runs import Command, Measurement, measure, run_interleaved
from bench.options import WORK, Options
from bench.server import BenchServer
from bench.workloads.large import large
from bench.workloads.orders import CREATE_TABLE, TABLE, write_orders
from bench.workloads.workload import BenchView, Workload, create_workload

KNOWN, HELP = "load_file KNOWN_FILE", "load_file --help"
_OTHER_VIEWS, _RECORDS = 200, 1000
_VIEWS = (
    BenchView(name="by_sku", query=f"SELECT sku, sum(quantity) AS n FROM {TABLE} GROUP BY 1"),
    BenchView(name="by_day", query=f"SELECT ordered_on, sum(quantity) AS n FROM {TABLE} GROUP BY 1"),
    BenchView(name="top", query="SELECT * FROM reporting.by_sku ORDER BY n DESC LIMIT 10", depends_on=("by_sku",)),
)


@dataclass(kw_only=True)
class SmallLoads:
    """Seconds of loads in some processes, and of commands."""

    manifests: int
    views: int  # that depend on the table
    first: list[float] = field(default_factory=list)  # from the first commit of a process to the refresh request
    later: list[float] = field(default_factory=list)  # the same in a process that has loaded before
    known: list[float] = field(default_factory=list)  # calls of `load_file` for a file that was loaded before
    commands: dict[str, list[Measurement]] = field(default_factory=dict)


def small_loads(bench: BenchServer, options: Options) -> SmallLoads:
    """Load a file of orders that three of the views depend on."""
    workload = _workload()
    print(f"{workload.title}: setting up", flush=True)
    create_workload(workload, bench)
    environment = {**bench.django_variables(workload.name), "DJANGO_SETTINGS_MODULE": DJANGO_SETTINGS}
    migrate = Command(name="migrate", arguments=[sys.executable, "manage.py", "migrate"], environment=environment)
    measure(migrate)
    path = WORK / f"orders_{_RECORDS}.csv"
    write_orders(path, _RECORDS)
    results = SmallLoads(manifests=len(workload.views), views=len(_VIEWS))
    probe = [sys.executable, "-m", "bench.probes.time_small_loads", str(path), "5" if options.quick else "30"]
    for _ in range(options.rounds):
        bench.vacuum_and_checkpoint(workload.name)
        reported = measure(Command(name="small loads", arguments=probe, environment=environment)).reported
        results.first.append(reported["first"])
        results.later += reported["later"]
        results.known += reported["known"]
    load_file = [sys.executable, "manage.py", "load_file"]
    commands: Sequence[tuple[str, Sequence[str]]] = (
        (HELP, [*load_file, "--help"]),
        (KNOWN, [*load_file, str(path), "--table", TABLE, "--mode", "replace"]),
    )
    results.commands = run_interleaved(
        [Command(name=name, arguments=arguments, environment=environment) for name, arguments in commands],
        rounds=options.rounds * (1 if options.quick else 4),
        on_progress=lambda line: print(f"  {line}", flush=True),
    )
    return results


def _workload() -> Workload:
    views = [*large(_OTHER_VIEWS).views, *_VIEWS]
    return Workload(
        name="small_loads",
        title=f"Small loads beside {len(views)} manifests",
        views=views,
        load=lambda connection: connection.execute(CREATE_TABLE.encode()),
    )
