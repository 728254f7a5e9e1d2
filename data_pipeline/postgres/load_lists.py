"""Choices of the filters of lists, and counts of a load's rejects."""

from collections.abc import Mapping, Sequence
from typing import Literal

from data_pipeline.postgres.statements import STATEMENTS
from seeder.postgres import sessions


def known_values(database: str, column: Literal["source", "target"]) -> Sequence[str]:
    """Return the first values of an indexed column of loads, in order."""
    return [value for (value,) in sessions.query(database, STATEMENTS[f"known_{column}s"])]


def known_problems(database: str, load_id: int) -> Sequence[tuple[str | None, str]]:
    """Return the columns and SQLSTATEs of the problems of a load's rejects."""
    return sessions.query(database, STATEMENTS["known_problems"], {"load_id": load_id})


def reject_counts(database: str, load_id: int) -> Mapping[str, int]:
    """Return the number of kept rejects of a load by state."""
    return dict(sessions.query(database, STATEMENTS["reject_counts_of_load"], {"load_id": load_id}))
