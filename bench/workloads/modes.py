"""Twin views of several sizes, of which some rows change before each refresh."""

from typing import Any

import psycopg

from bench.workloads.workload import Workload

SIZES = (5_000, 40_000, 150_000)  # rows
CHURNS = (0, 1, 5, 10, 30, 50, 100)  # percent of the rows


def modes() -> Workload:
    """An empty database: the probe creates one pair of views after the other."""
    return Workload(name="modes", title="plain and concurrent refreshes", views=[])


def create_twins(connection: "psycopg.Connection[Any]", rows: int) -> None:
    """Create the views `plain` and `concurrent` with the same query and the same two indexes."""
    connection.execute("DROP TABLE IF EXISTS public.base CASCADE")
    connection.execute(
        "CREATE TABLE public.base (id integer PRIMARY KEY, k integer, amount numeric, txt text)"
        " WITH (autovacuum_enabled = off, fillfactor = 50)"
    )
    connection.execute(
        f"INSERT INTO public.base SELECT i, i % 100, i, md5(i::text) FROM generate_series(1, {rows}) AS i".encode()
    )
    for name in ("plain", "concurrent"):
        connection.execute(
            f"CREATE MATERIALIZED VIEW public.{name} WITH (autovacuum_enabled = off) AS"
            " SELECT id, k, amount, txt FROM public.base ORDER BY id".encode()
        )
        connection.execute(f"CREATE UNIQUE INDEX ON public.{name} (id)".encode())
        connection.execute(f"CREATE INDEX ON public.{name} (k, amount)".encode())
        connection.execute(f"VACUUM ANALYZE public.{name}".encode())
    connection.execute("VACUUM ANALYZE public.base")


def change(connection: "psycopg.Connection[Any]", churn: int, seed: int) -> None:
    """Change this percentage of the rows, other ones for each seed."""
    connection.execute(
        f"UPDATE public.base SET amount = amount + 1 WHERE abs(hashint4(id + {seed})) % 100 < {churn}".encode()
    )
    connection.execute("VACUUM public.base")
