"""Views on views: 40 on 4 levels with uneven durations. Sorted by name they are in the reverse of their dependency
order. Every view shows its generation of the source, so that stale views can be counted.
"""

import random
from typing import Any

import psycopg

from bench.server import BenchServer
from bench.workloads.workload import BenchView, Workload

_LEVELS, _VIEWS_PER_LEVEL = 4, 10


def graph(*, work: int) -> Workload:
    """Build the workload. A view of weight 1 hashes `work` numbers."""
    generator = random.Random(4)  # noqa: S311  # a fixed sequence, not used for security
    levels: list[list[BenchView]] = []
    for level in range(_LEVELS):
        letter = "dcba"[level]  # a refresh in the order of names starts at the top
        views = []
        for number in range(_VIEWS_PER_LEVEL):
            rows = round(work * generator.choice((0.2, 0.4, 0.6, 1.0, 1.6, 4.0)))
            depends_on = (
                generator.sample([view.name for view in levels[-1]], k=generator.randint(1, 3)) if levels else []
            )
            views.append(
                BenchView(
                    name=f"{letter}_{number}", query=_query(rows, depends_on), depends_on=tuple(sorted(depends_on))
                )
            )
        levels.append(views)
    views_by_name = sorted((view for level in levels for view in level), key=lambda view: view.name)
    return Workload(
        name="graph", title=f"{len(views_by_name)} views on {_LEVELS} levels", views=views_by_name, load=_load
    )


def change(bench: BenchServer) -> None:
    """Make every view stale."""
    with bench.connect("graph") as connection:
        connection.execute("UPDATE reporting.source SET generation = generation + 1")


def count_stale(bench: BenchServer, workload: Workload, schema: str) -> int:
    """Count the views in the schema that do not show the source's current generation."""
    generations = " UNION ALL ".join(f"SELECT generation FROM {schema}.{view.name}" for view in workload.views)
    query = f"SELECT count(*) FROM ({generations}) AS v WHERE generation <> (SELECT generation FROM reporting.source)"
    with bench.connect("graph") as connection:
        [(count,)] = connection.execute(query.encode()).fetchall()
    return int(count)


def _query(rows: int, depends_on: list[str]) -> str:
    inputs = " UNION ALL ".join(f"SELECT generation FROM reporting.{name}" for name in sorted(depends_on) or ["source"])
    return (
        f"SELECT (SELECT min(generation) FROM ({inputs}) AS inputs) AS generation,"
        f" (SELECT max(md5(n::text)) FROM generate_series(1, {rows}) AS n) AS effort"
    )


def _load(connection: "psycopg.Connection[Any]") -> None:
    connection.execute("CREATE TABLE reporting.source AS SELECT 1 AS generation")
