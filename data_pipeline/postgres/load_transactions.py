"""Settings of a load's transaction."""

from data_pipeline.postgres.statements import STATEMENTS
from seeder.postgres import sessions

# Dates are read as year, month, day. Another order in the file is declared in a dialect, never guessed.
_FORMATS = "SET LOCAL DateStyle = 'ISO, YMD'; SET LOCAL IntervalStyle = 'postgres'"


def begin_loading(database: str) -> None:
    """Pin how values are read, and let each statement fail for the rows that it inserts."""
    sessions.query_batch(database, (f"{_FORMATS};", STATEMENTS["set_constraints_immediate"]))
