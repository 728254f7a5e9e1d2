"""Settings of a load's transaction."""

from psycopg import sql

from data_pipeline.postgres.statements import STATEMENTS
from seeder.postgres import sessions

# Dates are read as year, month, day. Another order in the file is declared in a dialect, never guessed. Previous values
# are kept as texts, in which a number has all of its digits.
_FORMATS = "SET LOCAL DateStyle = 'ISO, YMD'; SET LOCAL IntervalStyle = 'postgres'; SET LOCAL extra_float_digits = 1"


def begin_loading(database: str) -> None:
    """Pin the formats of values, and check constraints immediately.

    So each statement fails for the rows that it inserts. A statement whose client is gone is ended within seconds,
    because its session has the lock of the load.
    """
    statements = f"{_FORMATS};", STATEMENTS["set_constraints_immediate"], STATEMENTS["end_without_client"]
    sessions.query_batch(database, statements)


def allow_idling(database: str) -> None:
    """Let the current transaction wait for another server. It has no snapshot, so it holds back no vacuum."""
    sessions.query(database, "SET LOCAL idle_in_transaction_session_timeout = 0")


def lock_against_writers(database: str, table: sql.Identifier) -> None:
    """Wait for other writers of a table, and make later ones wait. Readers continue."""
    sessions.query(database, sql.SQL("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE").format(table))
