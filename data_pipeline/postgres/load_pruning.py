"""Counts and deletes old rows of the loading lane."""

from data_pipeline.domain.silver_objects import SOURCE
from data_pipeline.postgres.statements import STATEMENTS
from seeder.postgres import sessions

_DELETIONS = {
    "changes": "prune_changes",
    "rejects": "prune_rejects",
    "loads": "prune_failed_loads",
    "requests": "prune_requests",
}


def count(database: str, *, undo_days: int, days: int) -> tuple[int, int, int, int]:
    """Return how many rows of each kind can be deleted."""
    parameters = {"undo_days": undo_days, "days": days, "silver": SOURCE}
    [(changes, rejects, loads, requests)] = sessions.query(database, STATEMENTS["count_prunable"], parameters)
    return changes, rejects, loads, requests


def delete(database: str, name: str, *, undo_days: int, days: int, batch: int) -> int:
    """Delete a batch of rows, the oldest first. Return their number."""
    parameters = {"undo_days": undo_days, "days": days, "batch": batch, "silver": SOURCE}
    return len(sessions.query(database, STATEMENTS[_DELETIONS[name]], parameters))


def is_upload_needed(database: str, uri: str, *, days: int) -> bool:
    """Return whether an upload is needed, or was used lately.

    0 days: whether it was ever used.
    """
    [(is_needed,)] = sessions.query(database, STATEMENTS["is_upload_needed"], {"uri": uri, "days": days})
    return bool(is_needed)
