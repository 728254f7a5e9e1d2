"""Which agencies the users of these tests may see."""

from typing import Any


def agencies_by_username(user: Any) -> list[str] | None:
    return [user.username] if user.username in {"demo", "metro", "harbor"} else None
