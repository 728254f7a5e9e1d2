"""Reads the loads of an overview."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from psycopg.rows import class_row

from data_pipeline.domain.load_overview import LateTable, LoadSummary
from data_pipeline.postgres import load_log
from data_pipeline.postgres.statements import STATEMENTS
from seeder.postgres import sessions


@dataclass(frozen=True, kw_only=True, slots=True)
class _CountedSummary(LoadSummary):
    failing: int  # all of them
    stuck: int  # all of them


def load_summaries(
    database: str, *, source: str | None, table: str | None, limit: int
) -> tuple[Sequence[LoadSummary], int, int]:
    """Return loads, failing and stuck ones first, then the latest first.

    The numbers are those of all failing and of all stuck loads, also beyond the limit.
    """
    parameters = {
        "stuck": [load.load_id for load in load_log.stuck_loads(database)],
        "source": source,
        "table": table,
        "limit": limit,
    }
    rows = sessions.query(database, STATEMENTS["load_summaries"], parameters, row_factory=class_row(_CountedSummary))
    return rows, rows[0].failing if rows else 0, rows[0].stuck if rows else 0


def late_tables(database: str, *, source: str | None, table: str | None, hours: int) -> Sequence[LateTable]:
    """Return tables without a recent successful load, the oldest first."""
    parameters = {"source": source, "table": table, "hours": hours}
    rows = sessions.query(database, STATEMENTS["late_tables"], parameters, row_factory=class_row(LateTable))
    return cast("list[LateTable]", rows)
