"""Measures several ways to calculate the statistics of a wide view."""

import sys
from collections.abc import Mapping, Sequence

from bench.contenders.builtin import DJANGO_SETTINGS
from bench.environments import program
from bench.interleaved_runs import Command, Measurement, run_interleaved
from bench.options import CHECKOUT, Options
from bench.server import BenchServer
from bench.workloads.lineitem import lineitem
from bench.workloads.workload import Workload, create_workload

SCAN, NAIVE, PROFILER, PANDAS = "one scan", "naive way", "dbt-profiler's query", "pandas"
EXACT, APPROXIMATE = "reporting-seeder", "reporting-seeder --approximate"
_VIEW = "reporting.lineitem"


def snapshots(bench: BenchServer, options: Options) -> Mapping[str, Sequence[Measurement]]:
    """Return the measurements of every method."""
    workload = lineitem(options.scale / 2)
    print(f"{workload.title} to profile: setting up", flush=True)
    create_workload(workload, bench)
    with bench.connect(workload.name) as connection:
        connection.execute(f"VACUUM (ANALYZE) {_VIEW}".encode())

    def delete_snapshots(_: Command) -> None:
        with bench.connect(workload.name) as connection:
            connection.execute("TRUNCATE reporting.seeder_release_snapshot")

    commands = [command for command in _commands(workload, bench) if command.name not in options.without]
    return run_interleaved(
        commands,
        rounds=min(options.rounds, 3),
        before=delete_snapshots,
        on_progress=lambda line: print(f"  {line}", flush=True),
    )


def _commands(workload: Workload, bench: BenchServer) -> Sequence[Command]:
    libpq = bench.libpq_variables(workload.name)
    methods = {SCAN: "scan", NAIVE: "naive", PROFILER: "profiler"}
    python_module = [sys.executable, "-m", "bench.probes.profile_queries"]
    script = CHECKOUT / "bench" / "probes" / "pandas_profile.py"
    return [
        *(
            Command(name=name, arguments=[*python_module, method, _VIEW], environment=libpq)
            for name, method in methods.items()
        ),
        Command(name=PANDAS, arguments=[str(program("pandas", "python")), str(script), _VIEW], environment=libpq),
        _seeder_command(workload, bench, EXACT),
        _seeder_command(workload, bench, APPROXIMATE, "--approximate"),
    ]


def _seeder_command(workload: Workload, bench: BenchServer, name: str, *options: str) -> Command:
    with bench.connect(workload.name) as connection:
        columns = connection.execute(
            "SELECT string_agg(attname, ',') FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0", [_VIEW]
        ).fetchone()
    capture = ["capture_release_snapshot", "--table-name", _VIEW, "--release-tag", name.replace(" ", "")]
    return Command(
        name=name,
        arguments=[
            sys.executable,
            "manage.py",
            *capture,
            "--top-values-columns",
            str(columns and columns[0]),
            *options,
        ],
        environment={**bench.django_variables(workload.name), "DJANGO_SETTINGS_MODULE": DJANGO_SETTINGS},
    )
