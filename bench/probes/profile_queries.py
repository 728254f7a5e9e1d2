"""The statistics of a view, calculated in other ways: python -m bench.probes.profile_queries METHOD SCHEMA.VIEW

`scan` only reads every column, which is the minimum for counting in the server. `naive` sends the most obvious queries
for each column. `profiler` sends the query of dbt's profiling package, one statement for all columns, without top
values.
"""

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import psycopg
from psycopg import sql

ProfileQuery = Callable[["psycopg.Connection[Any]", sql.Identifier, Sequence[sql.Identifier]], object]


def scan(connection: "psycopg.Connection[Any]", view: sql.Identifier, columns: Sequence[sql.Identifier]) -> int:
    counts = sql.SQL(", ").join([sql.SQL("count({})").format(column) for column in columns])
    [(rows, *_)] = connection.execute(sql.SQL("SELECT count(*), {} FROM {}").format(counts, view))
    return int(rows)


def naive(connection: "psycopg.Connection[Any]", view: sql.Identifier, columns: Sequence[sql.Identifier]) -> None:
    for column in columns:
        figures = sql.SQL("SELECT count(*), count({0}), count(DISTINCT {0}), min({0}), max({0}) FROM {1}")
        connection.execute(figures.format(column, view))
        top = sql.SQL("SELECT {0}, count(*) FROM {1} WHERE {0} IS NOT NULL GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 10")
        connection.execute(top.format(column, view))


def profiler(connection: "psycopg.Connection[Any]", view: sql.Identifier, columns: Sequence[sql.Identifier]) -> None:
    column_query = sql.SQL(
        "SELECT count(*), sum(CASE WHEN {0} IS NULL THEN 0 ELSE 1 END) / count(*)::numeric,"
        " count(DISTINCT {0}) / count(*)::numeric, count(DISTINCT {0}), count(DISTINCT {0}) = count(*),"
        " min({0})::text, max({0})::text FROM {1}"
    )
    connection.execute(sql.SQL(" UNION ALL ").join([column_query.format(column, view) for column in columns]))


METHODS: Mapping[str, ProfileQuery] = {"scan": scan, "naive": naive, "profiler": profiler}


def main() -> None:
    method, view = sys.argv[1], sys.argv[2]
    with psycopg.connect(autocommit=True) as connection:
        attributes = connection.execute(
            "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 ORDER BY attnum", [view]
        )
        columns = [sql.Identifier(name) for (name,) in attributes]
        rows = METHODS[method](connection, sql.Identifier(*view.split(".")), columns)
    print(json.dumps({"rows": rows, "columns": len(columns)}))


if __name__ == "__main__":
    main()
