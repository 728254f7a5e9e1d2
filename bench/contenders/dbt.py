"""dbt-core with dbt-postgres: a project with a model for each view, materialized as a materialized view."""

import json
import re
import shutil

from bench.contenders.builtin import contender_folder
from bench.environments import program
from bench.interleaved_runs import Command
from bench.server import BenchServer
from bench.workloads.workload import SCHEMA, Workload


def dbt(workload: Workload, bench: BenchServer, workers: int) -> Command:
    """Refresh with dbt, which leaves unchanged views in place."""
    project = contender_folder(workload) / "dbt"
    shutil.rmtree(project, ignore_errors=True)
    (project / "models").mkdir(parents=True)
    for view in workload.views:
        (project / "models" / f"{view.name}.sql").write_text(_with_refs(view.query, view.depends_on) + "\n")
    described = {
        "name": "bench",
        "version": "1.0.0",
        "config-version": 2,
        "profile": "bench",
        "models": {"bench": {"+materialized": "materialized_view"}},
        "flags": {"send_anonymous_usage_stats": False},
    }
    target = {
        **bench.connection_settings(workload.name),
        "dbname": workload.name,
        "schema": SCHEMA,
        "threads": workers,
    }
    profiles = {"bench": {"target": "bench", "outputs": {"bench": target}}}
    (project / "dbt_project.yml").write_text(json.dumps(described, indent=1))  # JSON is valid YAML
    (project / "profiles.yml").write_text(json.dumps(profiles, indent=1))
    arguments = [str(program("dbt", "dbt")), "run", "--project-dir", str(project), "--profiles-dir", str(project)]
    return Command(name="dbt", arguments=arguments, folder=project)


def _with_refs(query: str, depends_on: tuple[str, ...]) -> str:
    for dependency in depends_on:
        query = re.sub(rf"\b{SCHEMA}\.{re.escape(dependency)}\b", f"{{{{ ref('{dependency}') }}}}", query)
    return query
