"""The figures of a view, found in other ways than ours: python -m bench.probes.profile_queries WAY SCHEMA.VIEW

`scan` only reads every column: nobody who lets the server count can be faster. `naive` asks for each column what comes
to mind first. `profiler` asks what dbt's profiling package asks, in one statement of all columns, without top values.
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
    one = sql.SQL(
        "SELECT count(*), sum(CASE WHEN {0} IS NULL THEN 0 ELSE 1 END) / count(*)::numeric,"
        " count(DISTINCT {0}) / count(*)::numeric, count(DISTINCT {0}), count(DISTINCT {0}) = count(*),"
        " min({0})::text, max({0})::text FROM {1}"
    )
    connection.execute(sql.SQL(" UNION ALL ").join([one.format(column, view) for column in columns]))


WAYS: Mapping[str, ProfileQuery] = {"scan": scan, "naive": naive, "profiler": profiler}


def main() -> None:
    way, view = sys.argv[1], sys.argv[2]
    with psycopg.connect(autocommit=True) as connection:
        found = connection.execute(
            "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 ORDER BY attnum", [view]
        )
        columns = [sql.Identifier(name) for (name,) in found]
        rows = WAYS[way](connection, sql.Identifier(*view.split(".")), columns)
    print(json.dumps({"rows": rows, "columns": len(columns)}))


if __name__ == "__main__":
    main()
