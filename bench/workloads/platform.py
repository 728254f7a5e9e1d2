"""A platform with a history: many views of many agencies, and every night that refreshed them. It is only read, not
refreshed.
"""

import re
from pathlib import Path

from bench.options import CHECKOUT
from bench.server import BenchServer

_PART = re.compile(r"^-- name: \w+\n(.*?)(?=^-- name: |\Z)", re.MULTILINE | re.DOTALL)


def create_platform(bench: BenchServer, *, views: int, runs: int) -> str:
    """Create the database unless it exists. Return its name."""
    name = f"platform_{views}_{runs}"
    if bench.has_database(name):
        return name
    print(f"{views:,} views and {runs:,} nights of history: setting up", flush=True)
    bench.create_database(name)
    contract = (CHECKOUT / "seeder" / "postgres" / "contract.sql").read_bytes()
    parts = _PART.findall(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))
    with bench.connect(name) as connection, connection.cursor() as plain:
        plain.execute(contract)
        for (index,) in plain.execute(_INDEXES).fetchall():
            plain.execute(f"DROP INDEX {index}".encode())
        for part in parts:
            for statement in part.split(";\n"):
                if statement.strip():
                    plain.execute(statement.encode(), {"views": views, "runs": runs})
        plain.execute(contract)  # creates the indexes again, which is faster than maintaining them for each row
        plain.execute("VACUUM (ANALYZE)")
        plain.execute("CHECKPOINT")
    return name


_INDEXES = (
    "SELECT indexrelid::regclass FROM pg_index"
    " WHERE indrelid = 'reporting.seeder_run_history'::regclass AND NOT indisprimary"
)
