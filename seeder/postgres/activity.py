"""What the server is doing, of whatever client."""

from seeder.postgres import sessions


def busy(database: str) -> int:
    """How many sessions of any client are not idle, as far as our role may see them; this one is not counted, and
    neither is a refresh of ours that only waits for a lock: who holds it may be waiting for this very figure."""
    [(sessions_at_work,)] = sessions.query(database, "busy")
    return int(sessions_at_work)


def sees_everybody(database: str) -> bool:
    """Whether our role may see what the sessions of other roles do."""
    [(may,)] = sessions.query(database, "sees_everybody")
    return bool(may)
