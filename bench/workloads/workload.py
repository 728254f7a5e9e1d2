"""A set of views in their own database, and their manifests."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from time import monotonic
from typing import Any

import psycopg
from psycopg import sql

from bench.measurement_math import dependency_order
from bench.options import CHECKOUT
from bench.server import BenchServer

SCHEMA = "reporting"


@dataclass(frozen=True, kw_only=True)
class BenchView:
    """One materialized view in schema `reporting`."""

    name: str
    query: str
    depends_on: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Workload:
    """The views of a contest."""

    name: str  # also of its database
    title: str
    views: Sequence[BenchView]  # in the order of their manifests
    load: Callable[["psycopg.Connection[Any]"], object] = lambda _: None  # loads the tables that the views read
    seconds: dict[str, float] = field(default_factory=dict)  # of each view alone, as measured by `create_workload`

    @cached_property
    def dependencies(self) -> Mapping[str, tuple[str, ...]]:
        return {view.name: view.depends_on for view in self.views}


def create_workload(workload: Workload, bench: BenchServer) -> None:
    """Create the database, its filled views and their manifests.

    The duration of each view alone is measured.
    """
    if not bench.has_database(workload.name):
        bench.create_database(workload.name)
        with bench.connect(workload.name) as connection:
            connection.execute((CHECKOUT / "seeder" / "postgres" / "contract.sql").read_bytes())
            workload.load(connection)
            queries = {view.name: view.query for view in workload.views}
            for name in dependency_order(workload.dependencies, queries):
                statement = sql.SQL("CREATE MATERIALIZED VIEW {} AS\n{}").format(
                    _identifier(name), sql.SQL(queries[name])
                )
                connection.execute(statement)
            with connection.cursor() as cursor:
                cursor.executemany(
                    "INSERT INTO reporting.seeder_custom_report_manifest"
                    " (table_name, report_name, agency_id, agency_slug, query, database_id)"
                    " VALUES (%s, %s, 1, 'bench', %s, 1)",
                    [(f"{SCHEMA}.{view.name}", view.name, view.query) for view in workload.views],
                )
    bench.vacuum_and_checkpoint(workload.name)
    with bench.connect(workload.name) as connection:
        for name in dependency_order(workload.dependencies, workload.dependencies):
            started_at = monotonic()
            connection.execute(sql.SQL("REFRESH MATERIALIZED VIEW {}").format(_identifier(name)))
            workload.seconds[name] = monotonic() - started_at


def _identifier(name: str) -> sql.Identifier:
    return sql.Identifier(SCHEMA, name)
