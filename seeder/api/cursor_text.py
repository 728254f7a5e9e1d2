"""Cursors of pages as text for URLs."""

import base64
from datetime import UTC, datetime

from seeder.services.read_models.keyset_pagination import Cursor
from seeder.services.storable_text import is_storable

_MAX_KEY = 2**63 - 1


def encode_cursor(cursor: Cursor) -> str:
    return base64.urlsafe_b64encode(f"{cursor.instant.isoformat()} {cursor.key}".encode()).decode().rstrip("=")


def decode_cursor(text: str, *, is_numeric: bool) -> Cursor | None:
    """Return the cursor, or None if the text is invalid."""
    try:
        padded = text.encode("ascii") + b"=" * (-len(text) % 4)
        instant, _, key = base64.b64decode(padded, altchars=b"-_", validate=True).decode().partition(" ")
        at = datetime.fromisoformat(instant)
        cursor = Cursor(instant=at.astimezone(UTC), key=int(key) if is_numeric else key)
    except (ValueError, OverflowError):  # OverflowError: year 1 in an eastern time zone
        return None
    is_valid = at.tzinfo is not None and key and is_storable(key)
    return cursor if is_valid and (not is_numeric or abs(int(key)) <= _MAX_KEY) else None
