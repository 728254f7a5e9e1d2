"""What a refresh may take of the server, set for its transaction alone, so that nothing of it stays in the session."""

from dataclasses import dataclass

from seeder.postgres import sessions


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    lock: int  # milliseconds that it waits for a lock, and that others queue behind it
    statement: int  # milliseconds that a statement may take; 0: no limit
    application: str  # what pg_stat_activity shows; PostgreSQL keeps 63 bytes


def apply(database: str, limits: Limits) -> None:
    """For the rest of this transaction."""
    parameters = {"lock": limits.lock, "statement": limits.statement, "application": limits.application}
    sessions.query(database, "limit", parameters)


def deadlock_timeout(database: str) -> int:
    """The server's, in milliseconds."""
    [(milliseconds,)] = sessions.query(database, "deadlock_timeout")
    return int(milliseconds)
