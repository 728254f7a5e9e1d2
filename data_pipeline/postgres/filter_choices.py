"""Choices of the filters of lists."""

from collections.abc import Sequence
from typing import Literal

from data_pipeline.postgres.statements import STATEMENTS
from seeder.postgres import sessions

_MAX_CHOICES = 200


def known_values(database: str, column: Literal["source", "target"]) -> Sequence[str]:
    """Return the first values of an indexed column of loads, in order."""
    return [value for (value,) in sessions.query(database, STATEMENTS[f"known_{column}s"], {"limit": _MAX_CHOICES})]


def known_problems(database: str, load_id: int) -> Sequence[tuple[str | None, str]]:
    """Return the columns and SQLSTATEs of the problems of a load's rejects."""
    return sessions.query(database, STATEMENTS["known_problems"], {"load_id": load_id, "limit": _MAX_CHOICES})
