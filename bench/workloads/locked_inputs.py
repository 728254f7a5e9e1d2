"""Small views that read one or several tables: they show the cost of locking these tables."""

from typing import Any

import psycopg

from bench.workloads.workload import BenchView, Workload

TABLE_COUNTS = (1, 10, 50)


def locked_inputs() -> Workload:
    tables = [f"reporting.source_{number}" for number in range(max(TABLE_COUNTS))]

    def load(connection: "psycopg.Connection[Any]") -> None:
        for table in tables:
            connection.execute(f"CREATE TABLE {table} AS SELECT generate_series(1, 100) AS n".encode())

    return Workload(
        name="locked_inputs",
        title="views that read one or several tables",
        views=[
            BenchView(name=f"reads_{count}", query=" UNION ALL ".join(f"SELECT n FROM {one}" for one in tables[:count]))
            for count in TABLE_COUNTS
        ],
        load=load,
    )
