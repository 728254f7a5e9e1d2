"""Fast counts and date ranges for lists of millions of rows."""

from collections.abc import Sequence
from datetime import datetime, timedelta, tzinfo
from functools import cached_property
from typing import Any

from django.core.paginator import Paginator
from django.db.models import Count, Max, Min, QuerySet
from django.utils import timezone

MAX_COUNTED_ROWS = 10_000


class CappedCountPaginator(Paginator):  # type: ignore[type-arg]  # not generic at run time
    """Count at most MAX_COUNTED_ROWS rows, because counting millions is slow."""

    @cached_property
    def count(self) -> int:
        rows = self.object_list
        return rows.order_by()[:MAX_COUNTED_ROWS].count() if isinstance(rows, QuerySet) else len(rows)


class DateRangeQuerySet(QuerySet[Any]):
    """Derive a date hierarchy from the first and the last row.

    Django would read every row; these two come from an index. In return, a day without rows may get a link.
    """

    def aggregate(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Aggregate few rows directly, and many along their date index.

        For few rows, PostgreSQL would search that index for the first and the last of them, past all other rows.
        """
        if self.query.is_sliced:
            return super().aggregate(*args, **kwargs)
        values = self.order_by()[: MAX_COUNTED_ROWS + 1].aggregate(*args, **kwargs, number_of_rows=Count("pk"))
        return values if values.pop("number_of_rows") <= MAX_COUNTED_ROWS else super().aggregate(*args, **kwargs)

    def datetimes(  # type: ignore[override]  # a list is enough: the admin only iterates
        self, field_name: str, kind: str, order: str = "ASC", tzinfo: tzinfo | None = None
    ) -> Sequence[datetime]:
        ends = self.aggregate(first=Min(field_name), last=Max(field_name))
        if ends["first"] is None:
            return []
        first, last = (timezone.localtime(ends[end], tzinfo) for end in ("first", "last"))
        days = (first + timedelta(days=number) for number in range((last.date() - first.date()).days + 1))
        periods = list(dict.fromkeys(_start_of_period(day, kind) for day in days))
        return periods if order == "ASC" else periods[::-1]


def _start_of_period(at: datetime, kind: str) -> datetime:
    """Return the start of the year, month or day.

    Only the date is shown, so a clock change at midnight is harmless.
    """
    day = at.replace(hour=0, minute=0, second=0, microsecond=0)
    if kind == "day":
        return day
    return day.replace(day=1) if kind == "month" else day.replace(month=1, day=1)
