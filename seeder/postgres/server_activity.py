"""What the server is doing, of whatever client."""

from seeder.postgres import sessions


def active_query_count(database: str) -> int:
    """How many sessions of any client are not idle, as far as our role may see them; this one is not counted, and
    neither is a refresh of ours that only waits for a lock: who holds it may be waiting for this very figure."""
    [(active_sessions,)] = sessions.query(database, "active_query_count")
    return int(active_sessions)


def can_see_all_sessions(database: str) -> bool:
    """Whether our role may see what the sessions of other roles do."""
    [(can_see,)] = sessions.query(database, "can_see_all_sessions")
    return bool(can_see)
