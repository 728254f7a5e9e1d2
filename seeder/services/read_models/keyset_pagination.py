"""Keyset pagination of long lists.

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

    instant: datetime | None  # None if the rows are ordered by their key only
    key: str | int  # its primary key, which orders rows of the same time
    is_backward: bool = False  # the page is before the row, otherwise after it


@dataclass(frozen=True, kw_only=True, slots=True)
class CursorPage:
    """The rows of a page, and the cursors of its neighbours."""

    rows: Sequence[Any]
    next: Cursor | None
    previous: Cursor | None


@dataclass(frozen=True, kw_only=True, slots=True)
class PageOrder:
    """The order of a list. An index must have it."""

    time: str | None = None  # a column; the key orders rows of the same time
    key: str = "pk"  # a unique column
    is_ascending: bool = False  # otherwise the latest rows come first

    def columns(self, *, is_backward: bool) -> list[str]:
        """Return the arguments of `order_by` for a page in a direction."""
        sign = "" if self.is_ascending != is_backward else "-"
        return [f"{sign}{column}" for column in (self.time, self.key) if column]

    def beyond(self, cursor: Cursor) -> Q:
        """Return the condition of the rows beyond a cursor. Its first part can use an index."""
        comparison = "gt" if self.is_ascending != cursor.is_backward else "lt"
        is_beyond = Q(**{f"{self.key}__{comparison}": cursor.key})
        if self.time is None:
            return is_beyond
        at = {f"{self.time}__{comparison}e": cursor.instant}, {f"{self.time}__{comparison}": cursor.instant}
        return Q(**at[0]) & (Q(**at[1]) | is_beyond)

    def cursor_at(self, row: Any) -> Cursor:
        return Cursor(instant=getattr(row, self.time) if self.time else None, key=getattr(row, self.key))


def fetch_page(
    rows: QuerySet[Any] | Sequence[QuerySet[Any]], order: PageOrder, cursor: Cursor | None, *, max_rows: int
) -> CursorPage:
    """Return the page at a cursor, or the first page without one.

    Rows can be given in parts, which can overlap. Then each part is read by an index of its own.
    """
    is_backward = cursor is not None and cursor.is_backward
    columns, beyond = order.columns(is_backward=is_backward), Q() if cursor is None else order.beyond(cursor)
    parts = [rows] if isinstance(rows, QuerySet) else rows
    first, *others = (part.filter(beyond).order_by(*columns)[: max_rows + 1] for part in parts)
    # One extra row shows if there is another page in this direction.
    found = list(first.union(*others).order_by(*columns)[: max_rows + 1] if others else first)
    has_more, page = len(found) > max_rows, found[:max_rows]
    if is_backward:
        page.reverse()
    if not page:
        return CursorPage(rows=page, next=None, previous=None)
    return CursorPage(
        rows=page,
        next=order.cursor_at(page[-1]) if has_more or is_backward else None,
        previous=(
            replace(order.cursor_at(page[0]), is_backward=True)
            if cursor is not None and (has_more or not is_backward)
            else None
        ),
    )
