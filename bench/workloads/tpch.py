"""TPC-H: a view for each of its 22 queries, on data from tpchgen-cli."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import psycopg

from bench.environments import program
from bench.options import WORK
from bench.workloads.workload import BenchView, Workload

_HERE = Path(__file__).parent
_NAMED_STATEMENT = re.compile(r"^-- name: (\w+)\n(.*?)(?=^-- name: |\Z)", re.MULTILINE | re.DOTALL)
_TABLES = ("region", "nation", "supplier", "customer", "part", "partsupp", "orders", "lineitem")


def tpch(scale: float) -> Workload:
    def load(connection: "psycopg.Connection[Any]") -> None:
        folder = WORK / "tpch"
        shutil.rmtree(folder, ignore_errors=True)
        make = [str(program("tools", "tpchgen-cli")), "csv", "-s", str(scale), "--output-dir", str(folder)]
        subprocess.run(make, check=True, capture_output=True)  # noqa: S603  # installed by the bench
        statements = read_statements("tpch.sql")
        connection.execute("SET search_path = public")
        connection.execute(statements["tables"].encode())
        for table in _TABLES:
            copy(connection, table, folder / f"{table}.csv")
        connection.execute(statements["keys"].encode())
        connection.execute("VACUUM (ANALYZE)")
        shutil.rmtree(folder)

    views = [
        BenchView(name=f"tpch_{name}", query=query.rstrip(";"))
        for name, query in read_statements("tpch_queries.sql").items()
    ]
    return Workload(name="tpch", title=f"TPC-H at scale {scale:g}, {len(views)} views", views=views, load=load)


def read_statements(filename: str) -> dict[str, str]:
    """Return the named statements of a .sql file beside this module."""
    return {
        name: body.strip() for name, body in _NAMED_STATEMENT.findall((_HERE / filename).read_text(encoding="utf-8"))
    }


def copy(connection: "psycopg.Connection[Any]", table: str, file: Path) -> None:
    statement = f"COPY public.{table} FROM STDIN (FORMAT csv, HEADER)".encode()
    with file.open("rb") as data, connection.cursor() as cursor, cursor.copy(statement) as copy:
        while chunk := data.read(1 << 20):
            copy.write(chunk)
