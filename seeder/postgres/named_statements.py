"""The named statements of the .sql files beside this module."""

import re
from importlib.resources import files
from typing import Final

_STATEMENT = re.compile(r"^-- name: (\w+)\n(.*?)(?=^-- name: |\Z)", re.MULTILINE | re.DOTALL)


def read_sql(filename: str) -> str:
    """Return the text of a .sql file of this package."""
    return files("seeder.postgres").joinpath(filename).read_text(encoding="utf-8")


def _parse_statements(filename: str) -> dict[str, str]:
    return {name: body.strip() for name, body in _STATEMENT.findall(read_sql(filename))}


_FILES = (
    "server_activity.sql",
    "catalog.sql",
    "refresh_cost_queries.sql",
    "dependent_views.sql",
    "doctor_server_queries.sql",
    "doctor_view_queries.sql",
    "column_statistics.sql",
    "metrics_queries.sql",
    "run_history.sql",
    "job_list_queries.sql",
    "advisory_locks.sql",
    "pruning.sql",
    "run_rows.sql",
    "transactions.sql",
)

STATEMENTS: Final = {name: body for filename in _FILES for name, body in _parse_statements(filename).items()}
