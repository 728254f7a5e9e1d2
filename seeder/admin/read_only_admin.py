"""Public base classes of read-only admin lists for large tables."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.utils import unquote
from django.contrib.admin.views.main import SEARCH_VAR
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import Count, Max, Min, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern
from django.utils import timezone

from seeder.admin.error_pages import error_page, with_error_page
from seeder.services.storable_text import is_storable
from seeder.texts import Text

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

    def datetimes(self, field_name: str, kind: str, *_: object) -> Sequence[datetime]:  # type: ignore[override]
        """Return the starts of the periods, earliest first, as a list: the admin only iterates."""
        ends = self.aggregate(first=Min(field_name), last=Max(field_name))
        if ends["first"] is None:
            return []
        first, last = timezone.localtime(ends["first"]), timezone.localtime(ends["last"])
        days = (first + timedelta(days=number) for number in range((last.date() - first.date()).days + 1))
        return list(dict.fromkeys(_start_of_period(day, kind) for day in days))


def _start_of_period(at: datetime, kind: str) -> datetime:
    """Return the start of the year, month or day.

    Only the date is shown, so a clock change at midnight is harmless.
    """
    day = at.replace(hour=0, minute=0, second=0, microsecond=0)
    if kind == "day":
        return day
    return day.replace(day=1) if kind == "month" else day.replace(month=1, day=1)


class NoChangesAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # not generic at run time
    """A ModelAdmin without add, change and delete.

    Public: other apps may subclass it.
    """

    def _deny(self, *_: Any, **_options: Any) -> bool:
        return False

    has_add_permission = has_change_permission = has_delete_permission = _deny


class ReadOnlyAdmin(NoChangesAdmin):
    """A read-only list and read-only pages of its rows.

    Public: other apps may subclass it. Subclasses set `indexed_fields`, the columns that the URL may filter by, and can
    override `visible_rows` (default: all rows), and `search` by exact terms (default: no effect).
    """

    indexed_fields: Sequence[str] = ()
    list_per_page = 50
    list_max_show_all = 0
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER  # facets count all rows of each filter
    change_form_template = "seeder/record.html"
    paginator = CappedCountPaginator

    def get_urls(self) -> list[URLPattern]:
        """Answer expected errors with an error page."""
        patterns = super().get_urls()
        for pattern in patterns:
            pattern.callback = with_error_page(self.admin_site, pattern.callback)
        return patterns

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = DateRangeQuerySet(model=self.model, using=self.model._base_manager.db)
        return self.visible_rows(rows, request).order_by(*self.get_ordering(request))

    def visible_rows(self, rows: QuerySet[Any], request: HttpRequest) -> QuerySet[Any]:  # noqa: ARG002  # for subclasses
        return rows

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:  # noqa: ARG002
        """Allow only lookups that use an index.

        This also prevents guessing error texts with `__startswith`.
        """
        is_invalid_date = str(value).isdigit() and len(str(value)) > 4  # digits of a year
        is_date_lookup = (
            bool(self.date_hierarchy) and lookup.startswith(f"{self.date_hierarchy}__") and not is_invalid_date
        )
        filters = {getattr(one, "parameter_name", None) for one in self.list_filter}
        return is_date_lookup or lookup in filters or lookup.removesuffix("__exact") in self.indexed_fields

    def get_search_results(
        self, _: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Search for exact names, because anything else would read every row."""
        term = search_term.strip()
        if not is_storable(term):
            return queryset.none(), False
        return (self.search(queryset, term) if term else queryset), False

    def search(self, rows: QuerySet[Any], term: str) -> QuerySet[Any]:  # noqa: ARG002  # for subclasses
        return rows

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        return super().get_object(request, object_id, from_field) if is_storable(unquote(object_id)) else None

    @transaction.non_atomic_requests  # a queued request must be committed before dispatch
    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        ids = request.POST.getlist(ACTION_CHECKBOX_NAME)
        filters = {name: value for name, value in request.GET.items() if name != SEARCH_VAR}
        if not all(is_storable(str(one)) for one in [*filters.values(), *ids]):
            return error_page(request, self.admin_site, Text("Not found."), status=404)
        try:
            for one in ids:
                self.model._meta.pk.to_python(one)  # an id that is no key would fail in the database
        except ValidationError:
            return error_page(request, self.admin_site, Text("Invalid id."), status=400)
        return super().changelist_view(request, extra_context)
