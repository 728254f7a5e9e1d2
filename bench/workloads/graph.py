"""Views on views: 40 on 4 levels, with uneven durations and names in the reverse of the order in which they have to be
refreshed. Every view tells which generation of the source it shows, so that stale ones can be counted."""

import random
from typing import Any

import psycopg

from bench.server import BenchServer
from bench.workloads.workload import BenchView, Workload

_LEVELS, _VIEWS_PER_LEVEL = 4, 10


def graph(*, work: int) -> Workload:
    """`work` scales the durations: so many numbers are hashed by a view of weight 1."""
    chance = random.Random(4)  # noqa: S311  # any fixed draw will do, guards nothing
    levels: list[list[BenchView]] = []
    for level in range(_LEVELS):
        letter = "dcba"[level]  # whoever goes by name starts at the top
        views = []
        for number in range(_VIEWS_PER_LEVEL):
            rows = round(work * chance.choice((0.2, 0.4, 0.6, 1.0, 1.6, 4.0)))
            depends_on = chance.sample([view.name for view in levels[-1]], k=chance.randint(1, 3)) if levels else []
            views.append(
                BenchView(
                    name=f"{letter}_{number}", query=_query(rows, depends_on), depends_on=tuple(sorted(depends_on))
                )
            )
        levels.append(views)
    every = sorted((view for level in levels for view in level), key=lambda view: view.name)
    return Workload(name="graph", title=f"{len(every)} views on {_LEVELS} levels", views=every, load=_load)


def change(bench: BenchServer) -> None:
    """Make every view stale."""
    with bench.connect("graph") as connection:
        connection.execute("UPDATE reporting.source SET generation = generation + 1")


def count_stale(bench: BenchServer, workload: Workload) -> int:
    """How many views do not show the source as it is now."""
    shown = " UNION ALL ".join(f"SELECT generation FROM reporting.{view.name}" for view in workload.views)
    question = f"SELECT count(*) FROM ({shown}) AS v WHERE generation <> (SELECT generation FROM reporting.source)"
    with bench.connect("graph") as connection:
        [(count,)] = connection.execute(question.encode()).fetchall()
    return int(count)


def _query(rows: int, depends_on: list[str]) -> str:
    inputs = " UNION ALL ".join(f"SELECT generation FROM reporting.{name}" for name in sorted(depends_on) or ["source"])
    return (
        f"SELECT (SELECT min(generation) FROM ({inputs}) AS inputs) AS generation,"
        f" (SELECT max(md5(n::text)) FROM generate_series(1, {rows}) AS n) AS effort"
    )


def _load(connection: "psycopg.Connection[Any]") -> None:
    connection.execute("CREATE TABLE reporting.source AS SELECT 1 AS generation")
