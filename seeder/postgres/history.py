"""Statements on the run history that an ORM would not write."""

from collections.abc import Iterable
from datetime import timedelta

from seeder.postgres import sessions


def latest_durations(database: str, table_names: Iterable[str]) -> list[tuple[str, timedelta]]:
    """The duration of the latest success of each name that has one. Looks at one row for each name, however long the
    history is; an ORM would have it sort all of them."""
    return [(name, took) for name, took in sessions.query(database, "latest_durations", {"names": list(table_names)})]
