"""Keyset pagination of long lists, the latest rows first.

It counts no rows, and each page costs the same, in both directions.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet


@dataclass(frozen=True, kw_only=True, slots=True)
class Cursor:
    """The row beside which a page begins."""

    instant: datetime
    key: str | int  # its primary key, which orders rows of the same time
    is_backward: bool = False  # the page is before the row, otherwise after it


@dataclass(frozen=True, kw_only=True, slots=True)
class CursorPage:
    """The rows of a page, and the cursors of its neighbours."""

    rows: Sequence[Any]
    next: Cursor | None
    previous: Cursor | None


def fetch_page(rows: QuerySet[Any], order_column: str, cursor: Cursor | None, *, max_rows: int) -> CursorPage:
    """Return the page at a cursor, or the first page without one."""
    is_backward = cursor is not None and cursor.is_backward
    sign, comparison = ("", "gt") if is_backward else ("-", "lt")
    rows = rows.order_by(f"{sign}{order_column}", f"{sign}pk")
    if cursor is not None:
        is_beyond = Q(**{f"{order_column}__{comparison}": cursor.instant}) | Q(**{f"pk__{comparison}": cursor.key})
        # The first condition can use an index.
        rows = rows.filter(Q(**{f"{order_column}__{comparison}e": cursor.instant}), is_beyond)
    found = list(rows[: max_rows + 1])  # one extra row shows if there is another page in this direction
    has_more, page = len(found) > max_rows, found[:max_rows]
    if is_backward:
        page.reverse()
    if not page:
        return CursorPage(rows=page, next=None, previous=None)
    first, last = (Cursor(instant=getattr(row, order_column), key=row.pk) for row in (page[0], page[-1]))
    return CursorPage(
        rows=page,
        next=last if has_more or is_backward else None,
        previous=replace(first, is_backward=True) if cursor is not None and (has_more or not is_backward) else None,
    )
