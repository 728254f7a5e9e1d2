"""Views on views: 40 on 4 levels, with uneven durations and names in the reverse of the order in which they have to be
refreshed. Every view tells which generation of the source it shows, so that stale ones can be counted."""

import random
from typing import Any

import psycopg

from bench.server import Bench
from bench.workloads.workload import View, Workload

_LEVELS, _ON_EACH = 4, 10


def graph(*, work: int) -> Workload:
    """`work` scales the durations: so many numbers are hashed by a view of weight 1."""
    chance = random.Random(4)  # noqa: S311  # any fixed draw will do, guards nothing
    levels: list[list[View]] = []
    for level in range(_LEVELS):
        letter = "dcba"[level]  # whoever goes by name starts at the top
        views = []
        for number in range(_ON_EACH):
            rows = round(work * chance.choice((0.2, 0.4, 0.6, 1.0, 1.6, 4.0)))
            reads = chance.sample([view.name for view in levels[-1]], k=chance.randint(1, 3)) if levels else []
            views.append(View(name=f"{letter}_{number}", query=_query(rows, reads), reads=tuple(sorted(reads))))
        levels.append(views)
    every = sorted((view for level in levels for view in level), key=lambda view: view.name)
    return Workload(name="graph", title=f"{len(every)} views on {_LEVELS} levels", views=every, load=_load)


def change(bench: Bench) -> None:
    """Make every view stale."""
    with bench.connect("graph") as connection:
        connection.execute("UPDATE reporting.source SET generation = generation + 1")


def stale(bench: Bench, workload: Workload) -> int:
    """How many views do not show the source as it is now."""
    shown = " UNION ALL ".join(f"SELECT generation FROM reporting.{view.name}" for view in workload.views)
    question = f"SELECT count(*) FROM ({shown}) AS v WHERE generation <> (SELECT generation FROM reporting.source)"
    with bench.connect("graph") as connection:
        [(count,)] = connection.execute(question.encode()).fetchall()
    return int(count)


def _query(rows: int, reads: list[str]) -> str:
    inputs = " UNION ALL ".join(f"SELECT generation FROM reporting.{name}" for name in sorted(reads) or ["source"])
    return (
        f"SELECT (SELECT min(generation) FROM ({inputs}) AS inputs) AS generation,"
        f" (SELECT max(md5(n::text)) FROM generate_series(1, {rows}) AS n) AS effort"
    )


def _load(connection: "psycopg.Connection[Any]") -> None:
    connection.execute("CREATE TABLE reporting.source AS SELECT 1 AS generation")
