"""Who may see what."""

from typing import Any


def agencies_of(user: Any) -> list[str] | None:
    """A user who is named after an agency sees that one."""
    return None if user.is_superuser else [user.username]
