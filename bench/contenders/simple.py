"""The contenders that need nothing but this checkout: bare pools, psql, and the app itself."""

import json
import shlex
import sys
from dataclasses import replace
from pathlib import Path

from bench.options import WORK
from bench.server import Bench
from bench.turns import Command
from bench.workloads.workload import SCHEMA, Workload

HOST = "bench.host.plain"


def folder(workload: Workload) -> Path:
    """Where a contender keeps what it needs for a workload."""
    made = WORK / workload.name
    made.mkdir(parents=True, exist_ok=True)
    return made


def bare_pool(workload: Workload, bench: Bench, seats: int) -> Command:
    return _pool(workload, bench, seats, name="bare pool", order="manifest")


def knowing_pool(workload: Workload, bench: Bench, seats: int) -> Command:
    return _pool(workload, bench, seats, name="knowing pool", order="path")


def serial_plans_pool(workload: Workload, bench: Bench, seats: int) -> Command:
    """As the knowing pool, but no statement has parallel workers."""
    return _pool(workload, bench, seats, name="knowing pool, no parallel plans", order="path", gather=False)


def recording_pool(workload: Workload, bench: Bench, seats: int) -> Command:
    command = bare_pool(workload, bench, seats)
    program, _, *rest = command.arguments[2:]
    arguments = [sys.executable, "-m", program.replace("pool", "recording"), *rest]
    return replace(command, name="recording pool", arguments=arguments)


def xargs_psql(workload: Workload, bench: Bench, seats: int) -> Command:
    names = folder(workload) / "views.txt"
    names.write_text("".join(f"{SCHEMA}.{view.name}\n" for view in workload.views))
    refresh = shlex.join([str(bench.psql), "-X", "-q", "-c", "REFRESH MATERIALIZED VIEW {}"])
    line = f"xargs -P {seats} -I{{}} {refresh} < {shlex.quote(str(names))}"
    return Command(name="xargs psql", arguments=["sh", "-c", line], environment=bench.libpq(workload.name))


def seeder(workload: Workload, bench: Bench, seats: int) -> Command:
    return Command(
        name="reporting-seeder",
        arguments=[sys.executable, "manage.py", "refresh_all"],
        environment=_host(workload, bench, seats),
    )


def seeder_serial_plans(workload: Workload, bench: Bench, seats: int) -> Command:
    command = seeder(workload, bench, seats)
    environment = {**command.environment, "SEEDER_PARALLEL_WHEN_BUSY": "false"}
    return replace(command, name="reporting-seeder, PARALLEL_WHEN_BUSY off", environment=environment)


def seeder_in_process(workload: Workload, bench: Bench, seats: int) -> Command:
    return Command(
        name="reporting-seeder, runs.execute",
        arguments=[sys.executable, "-m", "bench.contenders.in_process"],
        environment=_host(workload, bench, seats),
    )


def _host(workload: Workload, bench: Bench, seats: int) -> dict[str, str]:
    return {
        **bench.django(workload.name),
        "DJANGO_SETTINGS_MODULE": HOST,
        "SEEDER_MAX_WORKERS": str(seats),
    }


def _pool(workload: Workload, bench: Bench, seats: int, *, name: str, order: str, gather: bool = True) -> Command:  # noqa: PLR0913  # one idea with its variants
    file = folder(workload) / "workload.json"
    known = {
        "views": [view.name for view in workload.views],
        "seconds": workload.seconds,
        "reads": workload.reads,
    }
    file.write_text(json.dumps(known))
    options = {} if gather else {"PGOPTIONS": "-c max_parallel_workers_per_gather=0"}
    return Command(
        name=name,
        arguments=[sys.executable, "-m", "bench.contenders.pool", order, str(seats), str(file)],
        environment={**bench.libpq(workload.name), **options},
    )
