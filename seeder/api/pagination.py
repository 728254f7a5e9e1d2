"""Numbered pages for lists that are cheap to count, otherwise cursor pages."""

import base64
import binascii
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.serializers import Serializer
from rest_framework.utils.urls import remove_query_param, replace_query_param

from seeder.domain.view_names import is_storable_text
from seeder.services.read_models.keyset_pagination import Cursor, CursorPage

CURSOR_SOURCE = "`next` of the previous page"
_MAX_KEY = 2**63 - 1


def numbered_page(request: Request, rows: Sequence[Any], *, total: int, number: int, size: int) -> Mapping[str, Any]:
    """Return one page of the response. Raises `NotFound` beyond the last page."""
    if not rows and number > 1:
        raise NotFound("Page not found.")
    url = request.build_absolute_uri()
    return {
        "count": total,
        "next": replace_query_param(url, "page", str(number + 1)) if number * size < total else None,
        "previous": _previous_page_url(url, number) if number > 1 else None,
        "results": rows,
    }


def _previous_page_url(url: str, number: int) -> str:
    return replace_query_param(url, "page", str(number - 1)) if number > 2 else remove_query_param(url, "page")


def serialize_all(serializer: Serializer[Any], rows: Sequence[Any]) -> list[Any]:
    """Serialize rows with one serializer, because creating serializers is expensive."""
    return [serializer.to_representation(row) for row in rows]


def cursor_page(request: Request, page: CursorPage[Any], rows: Sequence[Any]) -> Mapping[str, Any]:
    url = request.build_absolute_uri()
    return {
        "next": replace_query_param(url, "after", _encode_cursor(page.next_cursor)) if page.next_cursor else None,
        "results": rows,
    }


def _encode_cursor(cursor: Cursor) -> str:
    return base64.urlsafe_b64encode(f"{cursor.instant.isoformat()} {cursor.key}".encode()).decode().rstrip("=")


def decode_cursor(text: str) -> Cursor | None:
    """Return the cursor, or None if the text is invalid."""
    try:
        padded = text.encode("ascii") + b"=" * (-len(text) % 4)
        instant, _, key = base64.b64decode(padded, altchars=b"-_", validate=True).decode().partition(" ")
        at = datetime.fromisoformat(instant)
        cursor = Cursor(instant=at.astimezone(UTC), key=key)
    except (ValueError, OverflowError, binascii.Error):  # OverflowError: year 1 in an eastern time zone
        return None
    return cursor if at.tzinfo and key and is_storable_text(key) else None


def require_numeric_cursor(cursor: Cursor | None) -> Cursor | None:
    """Convert the key to a number. Raises `NotFound` if invalid."""
    if cursor is None:
        return None
    key = str(cursor.key)
    if not (key.isascii() and key.isdigit() and len(key) < 20 and int(key) <= _MAX_KEY):
        raise NotFound("Invalid cursor.")
    return Cursor(instant=cursor.instant, key=int(key))
