"""The cost of locking the tables that a view reads: python -m bench.probes.time_input_locks ROUNDS

Refreshes with and without the app's statements for these locks take turns in one session.
"""

import json
import sys
from statistics import median
from time import perf_counter

import psycopg
from psycopg import sql

from bench.workloads.locked_inputs import TABLE_COUNTS
from seeder.postgres.named_statements import STATEMENTS

_LOCK = f"BEGIN; {STATEMENTS['choose_inputs']} {STATEMENTS['lock_inputs']}"
_TABLES = """
    SELECT array_agg(DISTINCT d.refobjid) FROM pg_rewrite AS r
    JOIN pg_depend AS d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
    WHERE r.ev_class = %s::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> r.ev_class
"""


def main() -> None:
    rounds = int(sys.argv[1])
    with psycopg.connect(autocommit=True) as connection:
        print(json.dumps({count: _milliseconds(connection, count, rounds) for count in TABLE_COUNTS}))


def _milliseconds(connection: "psycopg.Connection[tuple[object, ...]]", count: int, rounds: int) -> dict[str, float]:
    """Return the median duration of a refresh, and of one that locks its inputs, in milliseconds."""
    name = f"reads_{count}"
    refresh = sql.SQL("REFRESH MATERIALIZED VIEW {}").format(sql.Identifier("reporting", name))
    [(tables,)] = connection.execute(_TABLES, [f"reporting.{name}"]).fetchall()
    durations: dict[str, list[float]] = {"bare": [], "locked": []}
    with psycopg.ClientCursor(connection) as cursor:
        for _ in range(rounds):
            for kind, measured in durations.items():
                started = perf_counter()
                first = _LOCK if kind == "locked" else "BEGIN"
                cursor.execute(first, {"inputs": tables, "input_views": []} if kind == "locked" else None)
                cursor.execute(refresh)
                cursor.execute("COMMIT")
                measured.append((perf_counter() - started) * 1000)
    return {kind: median(measured) for kind, measured in durations.items()}


if __name__ == "__main__":
    main()
