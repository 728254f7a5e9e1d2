"""Keyset pagination of long lists, the latest rows first.

It counts no rows, and each page costs the same.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from django.db import DEFAULT_DB_ALIAS
from django.db.models import Model, Q, QuerySet

from seeder.postgres.sqlstates import translate_database_errors

Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True, kw_only=True, slots=True)
class Cursor:
    """The row after which a page begins."""

    instant: datetime
    key: str | int  # its primary key, which orders rows of the same time


@dataclass(frozen=True, kw_only=True, slots=True)
class CursorPage(Generic[Row]):
    """The rows of one page, and the cursor of the next page, if any."""

    rows: Sequence[Row]
    next_cursor: Cursor | None


def fetch_page(
    rows: Callable[[], QuerySet[Row]], order_column: str, cursor: Cursor | None, *, max_rows: int
) -> CursorPage[Row]:
    """The page after a cursor, in descending order. Raises `ConfigurationError` or `DatabaseError`."""
    with translate_database_errors(DEFAULT_DB_ALIAS):
        # One extra row shows if there is a next page.
        found = list(_rows_from(rows(), order_column, cursor).order_by(f"-{order_column}", "-pk")[: max_rows + 1])
    shown = found[:max_rows]
    return CursorPage(rows=shown, next_cursor=_cursor(shown[-1], order_column) if len(found) > max_rows else None)


def _rows_from(rows: QuerySet[Row], by: str, cursor: Cursor | None) -> QuerySet[Row]:
    if cursor is None:
        return rows
    # The first condition can use an index.
    earlier = Q(**{f"{by}__lt": cursor.instant}) | Q(pk__lt=cursor.key)
    return rows.filter(Q(**{f"{by}__lte": cursor.instant}), earlier)


def _cursor(row: Any, by: str) -> Cursor:
    return Cursor(instant=getattr(row, by), key=row.pk)
