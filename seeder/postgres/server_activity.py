"""Activity of all clients on the server."""

from seeder.postgres import sessions


def active_query_count(database: str) -> int:
    """Count the active sessions of all clients that seeder's role may see.

    Excludes this session, and seeder's refreshes that wait for a lock: its holder may itself be held by the throttle.
    """
    [(active_sessions,)] = sessions.query(database, "active_query_count")
    return int(active_sessions)


def can_see_all_sessions(database: str) -> bool:
    """Return whether seeder's role may see the activity of other roles."""
    [(can_see,)] = sessions.query(database, "can_see_all_sessions")
    return bool(can_see)
