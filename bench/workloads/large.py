"""Manifests of a large platform, with three dependencies each.

They have a month of history, and are only planned, not refreshed.
"""

import random
from typing import Any

import psycopg

from bench.server import BenchServer
from bench.workloads.workload import BenchView, Workload

NIGHTS = 30
_DEPENDENCIES = 3


def large(count: int) -> Workload:
    """Build the workload.

    The first views of it, of any number, depend only on one another.
    """
    generator = random.Random(3)  # noqa: S311  # a fixed sequence, not used for security
    views: list[BenchView] = []
    for number in range(count):
        depends_on = generator.sample(views[-200:], k=min(len(views), _DEPENDENCIES))
        names = tuple(sorted(view.name for view in depends_on))
        tables = ", ".join(f"reporting.{name} AS {name}" for name in names)
        query = f"SELECT 1 AS one FROM {tables}" if names else "SELECT 1 AS one"
        views.append(BenchView(name=f"report_{number}", query=query, depends_on=names))
    return Workload(name=f"large_{count}", title=f"{count:,} manifests", views=views)


def write_history(workload: Workload, bench: BenchServer) -> None:
    """Write the history: one row for each view and night, all successful, of some seconds."""
    with bench.connect(workload.name) as connection:
        _write(connection)
    bench.vacuum_and_checkpoint(workload.name)


def _write(connection: "psycopg.Connection[Any]") -> None:
    if connection.execute("SELECT FROM reporting.seeder_run_history LIMIT 1").rowcount:
        return
    connection.execute(
        "INSERT INTO reporting.seeder_run_history"
        " (run_id, manifest_id, table_name, report_name, agency_id, agency_slug, report_type, status,"
        " start_time, finish_time, duration_seconds)"
        " SELECT 'night ' || night, id, table_name, report_name, agency_id, agency_slug, 'custom', 'success',"
        " began, began + make_interval(secs => (id * 7919 + night) %% 600 / 10.0), (id * 7919 + night) %% 600 / 10"
        " FROM reporting.seeder_custom_report_manifest, generate_series(1, %(nights)s) AS night,"
        " LATERAL (SELECT now() - make_interval(days => night)) AS start (began)",
        {"nights": NIGHTS},
    )
    connection.execute(
        "INSERT INTO reporting.seeder_job_status"
        " (table_name, manifest_id, report_name, report_type, agency_id, agency_slug, status)"
        " SELECT table_name, id, report_name, 'custom', agency_id, agency_slug, 'success'"
        " FROM reporting.seeder_custom_report_manifest"
    )
