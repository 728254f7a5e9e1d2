"""Since when views have failed."""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from django.db import DEFAULT_DB_ALIAS

from seeder.postgres import sessions
from seeder.postgres.named_statements import STATEMENTS


class FailureStreak(NamedTuple):
    """The failures in a row that end with one of a run."""

    since: datetime | None  # start of the first; None if interruptions are the only ones
    last_success_at: datetime | None  # start of the success before it; None if there is none


def find_failure_streaks(starts: Mapping[str, datetime]) -> Mapping[str, FailureStreak]:
    """Return the streak of each table name, as of the start of its failed refresh."""
    parameters = {"names": list(starts), "starts": list(starts.values())}
    rows = sessions.query(DEFAULT_DB_ALIAS, STATEMENTS["failure_streaks"], parameters) if starts else []
    return {name: FailureStreak(since, success) for name, since, success in rows}
