"""Keyset pagination of long lists, the latest rows first.

It counts no rows, and each page costs the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet


@dataclass(frozen=True, kw_only=True, slots=True)
class Cursor:
    """The row after which a page begins."""

    instant: datetime
    key: str | int  # its primary key, which orders rows of the same time


def fetch_page(
    rows: QuerySet[Any], order_column: str, cursor: Cursor | None, *, max_rows: int
) -> tuple[Sequence[Any], Cursor | None]:
    """Return the page after a cursor, and the cursor of the next page."""
    rows = rows.order_by(f"-{order_column}", "-pk")
    if cursor is not None:
        earlier = Q(**{f"{order_column}__lt": cursor.instant}) | Q(pk__lt=cursor.key)
        # The first condition can use an index.
        rows = rows.filter(Q(**{f"{order_column}__lte": cursor.instant}), earlier)
    found = list(rows[: max_rows + 1])  # one extra row shows if there is a next page
    page = found[:max_rows]
    if len(found) <= max_rows:
        return page, None
    return page, Cursor(instant=getattr(page[-1], order_column), key=page[-1].pk)
