"""Finds the latest history rows of several views."""

from collections.abc import Sequence

from django.db import DEFAULT_DB_ALIAS

from seeder.postgres import sessions
from seeder.postgres.named_statements import STATEMENTS


def latest_rows(names: Sequence[str], agencies: list[str] | None, *, max_rows_per_name: int) -> Sequence[int]:
    """Return the ids of the latest rows of each name, of these agencies (None: all)."""
    parameters = {"names": list(names), "agencies": agencies, "max_rows": max_rows_per_name}
    return [row_id for (row_id,) in sessions.query(DEFAULT_DB_ALIAS, STATEMENTS["latest_rows_of_names"], parameters)]
