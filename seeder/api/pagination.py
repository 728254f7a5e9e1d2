"""Numbered pages for lists that are cheap to count, otherwise cursor pages."""

import base64
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.utils.urls import replace_query_param

from seeder.domain.view_names import is_storable_text
from seeder.services.read_models.keyset_pagination import Cursor

_MAX_KEY = 2**63 - 1


def numbered_page(request: Request, rows: Sequence[Any], *, total: int, number: int, size: int) -> Mapping[str, Any]:
    """Return one page of the response. Raises `NotFound` beyond the last page."""
    if not rows and number > 1:
        raise NotFound("Page not found.")
    url = request.build_absolute_uri()
    return {
        "count": total,
        "next": replace_query_param(url, "page", str(number + 1)) if number * size < total else None,
        "previous": replace_query_param(url, "page", str(number - 1)) if number > 1 else None,
        "results": rows,
    }


def cursor_page(request: Request, next_cursor: Cursor | None, rows: Sequence[Any]) -> Mapping[str, Any]:
    url = request.build_absolute_uri()
    return {
        "next": replace_query_param(url, "after", _encode_cursor(next_cursor)) if next_cursor else None,
        "results": rows,
    }


def _encode_cursor(cursor: Cursor) -> str:
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
    is_valid = at.tzinfo is not None and key and is_storable_text(key)
    return cursor if is_valid and (not is_numeric or abs(int(key)) <= _MAX_KEY) else None
