"""SQLMesh: a project with a full model for each view.

Its PostgreSQL adapter has no materialized views, so it fills tables.
"""

import json
import shutil
import subprocess

from bench.contenders.builtin import contender_folder
from bench.environments import program
from bench.interleaved_runs import Command
from bench.server import BenchServer
from bench.workloads.workload import SCHEMA, Workload

_ENVIRONMENT = "nightly"
_SCHEMAS = ("sqlmesh", f"sqlmesh__{SCHEMA}", f"{SCHEMA}__{_ENVIRONMENT}")
_FIRST_DAY = "2020-01-01"
# A model is filled once for each day, so every run is given the day after the previous one.
_NEXT_NIGHT = 'day=$(date -d "$(cat day) + 1 day" +%F) && echo "$day" > day && exec "$@" --end "$day"'


def sqlmesh(workload: Workload, bench: BenchServer, workers: int) -> Command:
    """Fill all tables for another day, in dependency order."""
    with bench.connect(workload.name) as connection:
        for schema in _SCHEMAS:
            connection.execute(f'DROP SCHEMA IF EXISTS "{schema}" CASCADE'.encode())
    project = contender_folder(workload) / "sqlmesh"
    shutil.rmtree(project, ignore_errors=True)
    (project / "models").mkdir(parents=True)
    for view in workload.views:
        model = f"MODEL (name {SCHEMA}.{view.name}, kind FULL);\n{view.query}\n"
        (project / "models" / f"{view.name}.sql").write_text(model)
    connection_settings = {
        **bench.connection_settings(workload.name),
        "database": workload.name,
        "concurrent_tasks": workers,
    }
    settings = {
        "gateways": {"bench": {"connection": connection_settings}},
        "default_gateway": "bench",
        "model_defaults": {"dialect": "postgres", "start": _FIRST_DAY, "cron": "@daily"},
        "disable_anonymized_analytics": True,
    }
    (project / "config.yaml").write_text(json.dumps(settings, indent=1))  # JSON is valid YAML
    (project / "day").write_text(_FIRST_DAY)
    executable = str(program("sqlmesh", "sqlmesh"))
    create = [executable, "plan", _ENVIRONMENT, "--start", _FIRST_DAY, "--end", _FIRST_DAY, "--include-unmodified"]
    options = ["--auto-apply", "--no-prompts", "--skip-tests"]
    with (project / "plan.log").open("wb") as log:
        subprocess.run([*create, *options], cwd=project, check=True, stdout=log, stderr=log)  # noqa: S603  # installed by the bench
    run = [executable, "run", _ENVIRONMENT, "--skip-janitor"]
    arguments = ["sh", "-c", _NEXT_NIGHT, "sh", *run]
    return Command(name="SQLMesh", arguments=arguments, folder=project, schema=_SCHEMAS[-1])
