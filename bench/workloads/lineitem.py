"""One wide view to profile: the largest table of TPC-H."""

import shutil
import subprocess
from typing import Any

import psycopg

from bench.environments import program
from bench.options import WORK
from bench.workloads.tpch import copy, read_statements
from bench.workloads.workload import BenchView, Workload


def lineitem(scale: float) -> Workload:
    """Build the workload: six million rows at scale 1, in 16 columns."""

    def load(connection: "psycopg.Connection[Any]") -> None:
        folder = WORK / "lineitem"
        shutil.rmtree(folder, ignore_errors=True)
        make = [str(program("tools", "tpchgen-cli")), "csv", "-s", str(scale), "-T", "lineitem"]
        subprocess.run([*make, "--output-dir", str(folder)], check=True, capture_output=True)  # noqa: S603  # installed by the bench
        connection.execute("SET search_path = public")
        connection.execute(read_statements("tpch.sql")["tables"].encode())
        copy(connection, "lineitem", folder / "lineitem.csv")
        shutil.rmtree(folder)

    view = BenchView(name="lineitem", query="SELECT * FROM public.lineitem")
    return Workload(name="lineitem", title=f"lineitem of TPC-H at scale {scale:g}", views=[view], load=load)
