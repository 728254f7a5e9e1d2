"""The agencies that a user may see."""

from typing import Any


def agencies_of(user: Any) -> list[str] | None:
    """Return the agency with the user's name, or all for a superuser."""
    return None if user.is_superuser else [user.username]
