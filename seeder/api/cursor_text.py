"""Cursors of pages as text for URLs."""

import base64
import json
from datetime import UTC, datetime
from typing import Any

from seeder.services.read_models.keyset_pagination import Cursor
from seeder.services.storable_text import is_storable

_MAX_KEY = 2**63 - 1


def encode_values(*values: str | int | bool | None) -> str:  # a value of JSON
    """Return values of JSON as text for a URL."""
    text = json.dumps(values, ensure_ascii=False, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode_values(text: str) -> list[Any] | None:
    """Return the values of `encode_values`, or None if the text is invalid."""
    try:
        padded = text.encode("ascii") + b"=" * (-len(text) % 4)
        values = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True).decode())
    except (ValueError, RecursionError):
        return None
    is_valid = isinstance(values, list) and all(is_storable(value) for value in values if isinstance(value, str))
    return values if is_valid else None


def encode_cursor(cursor: Cursor) -> str:
    direction = "<" if cursor.is_backward else ">"
    text = f"{direction}{cursor.instant.isoformat() if cursor.instant else ''} {cursor.key}"
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode_cursor(text: str, *, is_numeric: bool, has_time: bool = True) -> Cursor | None:
    """Return the cursor, or None if the text is invalid or of a list in another order."""
    try:
        padded = text.encode("ascii") + b"=" * (-len(text) % 4)
        decoded = base64.b64decode(padded, altchars=b"-_", validate=True).decode()
        instant, _, key = decoded[1:].partition(" ")
        at = datetime.fromisoformat(instant) if instant else None
        is_backward = {">": False, "<": True}[decoded[:1]]
        cursor = Cursor(instant=at and at.astimezone(UTC), key=int(key) if is_numeric else key, is_backward=is_backward)
    except (LookupError, ValueError, OverflowError):  # OverflowError: year 1 in an eastern time zone
        return None
    if (at is not None) != has_time or (at is not None and at.tzinfo is None):
        return None
    is_valid = key and is_storable(key) and (not is_numeric or abs(int(key)) <= _MAX_KEY)
    return cursor if is_valid else None
