"""Builders of small snapshots to compare."""

from datetime import UTC, datetime
from typing import Any

from seeder.domain.snapshots.snapshot_contents import (
    ColumnStatistics,
    Release,
    Snapshot,
    TopValue,
    ViewColumn,
    ViewStatistics,
)


def columns(*names: str, **types: str) -> tuple[ViewColumn, ...]:
    """Return nullable integer columns, and typed columns by keyword.

    A type may end in NOT NULL.
    """
    type_by_name = {**dict.fromkeys(names, "integer"), **types}
    return tuple(
        ViewColumn(name=name, type=type_text.removesuffix(" NOT NULL"), nullable=not type_text.endswith(" NOT NULL"))
        for name, type_text in type_by_name.items()
    )


def snapshot(
    shape: tuple[ViewColumn, ...] = columns("a"), *, rows: int = 1000, server: int = 180006, **facts: Any
) -> Snapshot:
    """Build a snapshot.

    `facts` are the statistics of a column by its name, `definition` and `exact`.
    """
    figures = {
        column.name: ColumnStatistics(
            **{"nulls": 0, "distinct": 10, "minimum": "1", "maximum": "9"} | facts.get(column.name, {})
        )
        for column in shape
    }
    return Snapshot(
        table_name="reporting.view",
        release=Release(tag="v1"),
        columns=shape,
        definition_hash=facts.get("definition", "0" * 64),
        server_version=server,
        statistics=ViewStatistics(row_count=rows, exact=facts.get("exact", True), columns=figures),
        captured_at=datetime(2026, 1, 1, tzinfo=UTC),
    )


def top_values(**counts: int) -> tuple[TopValue, ...]:
    return tuple(TopValue(value=value, count=count) for value, count in counts.items())
