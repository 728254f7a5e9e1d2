"""The contenders that need only this checkout: plain pools, psql, and the app itself."""

import json
import shlex
import sys
from dataclasses import replace
from pathlib import Path

from bench.interleaved_runs import Command
from bench.options import WORK
from bench.server import BenchServer
from bench.workloads.workload import SCHEMA, Workload

DJANGO_SETTINGS = "bench.host.plain"
RECORDING_POOL = "recording pool"


def contender_folder(workload: Workload) -> Path:
    """Return the folder for a contender's files, created if necessary."""
    created = WORK / workload.name
    created.mkdir(parents=True, exist_ok=True)
    return created


def bare_pool(workload: Workload, bench: BenchServer, workers: int) -> Command:
    return _pool(workload, bench, workers, name="bare pool", order="manifest")


def informed_pool(workload: Workload, bench: BenchServer, workers: int) -> Command:
    return _pool(workload, bench, workers, name="informed pool", order="path")


def serial_plans_pool(workload: Workload, bench: BenchServer, workers: int) -> Command:
    """Like the informed pool, but no statement has parallel workers."""
    return _pool(workload, bench, workers, name="informed pool, no parallel plans", order="path", gather=False)


def recording_pool(workload: Workload, bench: BenchServer, workers: int) -> Command:
    command = bare_pool(workload, bench, workers)
    program, _, *rest = command.arguments[2:]
    arguments = [sys.executable, "-m", program.replace("pool", "recording"), *rest]
    return replace(command, name=RECORDING_POOL, arguments=arguments)


def pg_cron(workload: Workload, bench: BenchServer, workers: int) -> Command:
    """Send the statements of a pg_cron with one job for each view."""
    command = bare_pool(workload, bench, workers)
    arguments = [sys.executable, "-m", "bench.contenders.pg_cron", str(workers), command.arguments[-1]]
    return replace(command, name="pg_cron's statements", arguments=arguments)


def xargs_psql(workload: Workload, bench: BenchServer, workers: int) -> Command:
    names = contender_folder(workload) / "views.txt"
    names.write_text("".join(f"{SCHEMA}.{view.name}\n" for view in workload.views))
    refresh = shlex.join([str(bench.psql), "-X", "-q", "-c", "REFRESH MATERIALIZED VIEW {}"])
    line = f"xargs -P {workers} -I{{}} {refresh} < {shlex.quote(str(names))}"
    return Command(name="xargs psql", arguments=["sh", "-c", line], environment=bench.libpq_variables(workload.name))


def seeder(workload: Workload, bench: BenchServer, workers: int) -> Command:
    return Command(
        name="reporting-seeder",
        arguments=[sys.executable, "manage.py", "refresh_all"],
        environment=_seeder_environment(workload, bench, workers),
    )


def seeder_serial_plans(workload: Workload, bench: BenchServer, workers: int) -> Command:
    command = seeder(workload, bench, workers)
    environment = {**command.environment, "SEEDER_PARALLEL_WHEN_BUSY": "false"}
    return replace(command, name="reporting-seeder, PARALLEL_WHEN_BUSY off", environment=environment)


def seeder_in_process(workload: Workload, bench: BenchServer, workers: int) -> Command:
    return Command(
        name="reporting-seeder, in process",
        arguments=[sys.executable, "-m", "bench.contenders.in_process"],
        environment=_seeder_environment(workload, bench, workers),
    )


def _seeder_environment(workload: Workload, bench: BenchServer, workers: int) -> dict[str, str]:
    return {
        **bench.django_variables(workload.name),
        "DJANGO_SETTINGS_MODULE": DJANGO_SETTINGS,
        "SEEDER_MAX_WORKERS": str(workers),
        "SEEDER_SKIP_UNCHANGED": "false",  # every contender refreshes the same rows again
    }


def _pool(  # noqa: PLR0913  # several variants share it
    workload: Workload, bench: BenchServer, workers: int, *, name: str, order: str, gather: bool = True
) -> Command:
    file = contender_folder(workload) / "workload.json"
    document = {
        "views": [view.name for view in workload.views],
        "seconds": workload.seconds,
        "reads": workload.dependencies,
    }
    file.write_text(json.dumps(document))
    options = {} if gather else {"PGOPTIONS": "-c max_parallel_workers_per_gather=0"}
    return Command(
        name=name,
        arguments=[sys.executable, "-m", "bench.contenders.pool", order, str(workers), str(file)],
        environment={**bench.libpq_variables(workload.name), **options},
    )
