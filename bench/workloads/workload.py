"""A set of views in a database of their own, with the manifests that name them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from time import monotonic
from typing import Any

import psycopg
from psycopg import sql

from bench.figures import in_order
from bench.options import CHECKOUT
from bench.server import Bench

SCHEMA = "reporting"


@dataclass(frozen=True, kw_only=True)
class View:
    """One materialized view in schema `reporting`."""

    name: str
    query: str
    reads: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Workload:
    """What a contest is about."""

    name: str  # also of its database
    title: str
    views: Sequence[View]  # in the order of their manifests
    load: Callable[["psycopg.Connection[Any]"], object] = lambda _: None  # what the views read
    seconds: dict[str, float] = field(default_factory=dict)  # what each took by itself, once `lay_out` has measured it

    @cached_property
    def reads(self) -> Mapping[str, tuple[str, ...]]:
        return {view.name: view.reads for view in self.views}


def lay_out(workload: Workload, bench: Bench) -> None:
    """Have the database with its views, all of them filled, and their manifests; measure what each takes by itself."""
    if not bench.has(workload.name):
        bench.create(workload.name)
        with bench.connect(workload.name) as connection:
            connection.execute((CHECKOUT / "seeder" / "postgres" / "contract.sql").read_bytes())
            workload.load(connection)
            queries = {view.name: view.query for view in workload.views}
            for name in in_order(workload.reads, queries):
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
    bench.settle(workload.name)
    with bench.connect(workload.name) as connection:
        for name in in_order(workload.reads, workload.reads):
            began = monotonic()
            connection.execute(sql.SQL("REFRESH MATERIALIZED VIEW {}").format(_identifier(name)))
            workload.seconds[name] = monotonic() - began


def _identifier(name: str) -> sql.Identifier:
    return sql.Identifier(SCHEMA, name)
