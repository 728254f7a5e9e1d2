"""A view with rows of several types: it shows the cost of data checks."""

from typing import Any

import psycopg

from bench.workloads.workload import BenchView, Workload

VIEW = "checked"
BARE, INDEXED = "no index", "two indexes"


def checked_view(rows: int, *, name: str = "checked_view") -> Workload:
    def load(connection: "psycopg.Connection[Any]") -> None:
        statement = (
            "CREATE TABLE reporting.source AS SELECT i AS id, 'agency ' || i % 50 AS agency,"
            " (ARRAY['open', 'done', 'held'])[1 + i % 3] AS status, i % 1000 AS amount,"
            " date '2025-01-01' + i % 300 AS day, now() AS at, i % 7 AS a, i % 11 AS b"
            f" FROM generate_series(1, {rows}) AS i"
        )
        connection.execute(statement.encode())

    return Workload(
        name=name,
        title=f"a view of {rows:,} rows with data checks",
        views=[BenchView(name=VIEW, query="SELECT * FROM reporting.source")],
        load=load,
    )
