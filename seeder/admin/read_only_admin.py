"""Lists that nobody can change anything in, and that stay fast however many rows there are."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta, tzinfo
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.utils import unquote
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import Count, Max, Min, Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from seeder.admin.error_pages import error_page, render_or_error
from seeder.domain.outcomes import Status
from seeder.domain.view_names import is_storable_text
from seeder.services.read_models import agency_scope

MAX_COUNTED_ROWS = 10_000
_DIGITS_OF_A_YEAR = 4


if TYPE_CHECKING:
    _Paginator = Paginator[Any]
    _ModelAdmin = admin.ModelAdmin[Any]
else:  # Django has them without parameters
    _Paginator = Paginator
    _ModelAdmin = admin.ModelAdmin


class CappedCountPaginator(_Paginator):
    """Counts no further than anybody will turn pages: to count millions of rows takes longer than to show a page."""

    @cached_property
    def count(self) -> int:
        rows = self.object_list
        return rows.order_by()[:MAX_COUNTED_ROWS].count() if isinstance(rows, QuerySet) else len(rows)


class DateRangeQuerySet(QuerySet[Any]):
    """Knows its years, months and days from the first and the last row alone, of which an index knows. Django would
    look at every row; the price is a link to a day on which nothing ran."""

    def aggregate(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Of few rows, those rows are looked at, however they are found; PostgreSQL would look for the first and the
        last of them along the index of their dates, past all others. Of many that takes it no time."""
        if self.query.is_sliced:
            return super().aggregate(*args, **kwargs)
        values = self.order_by()[: MAX_COUNTED_ROWS + 1].aggregate(*args, **kwargs, number_of_rows=Count("pk"))
        return values if values.pop("number_of_rows") <= MAX_COUNTED_ROWS else super().aggregate(*args, **kwargs)

    def datetimes(  # type: ignore[override]  # values instead of another queryset: the admin only goes through them
        self, field_name: str, kind: str, order: str = "ASC", tzinfo: tzinfo | None = None
    ) -> Sequence[datetime]:
        ends = self.aggregate(first=Min(field_name), last=Max(field_name))
        if ends["first"] is None:
            return []
        first, last = (timezone.localtime(ends[end], tzinfo) for end in ("first", "last"))
        periods, period = [], _start_of_period(first, kind)
        while period <= last:
            periods.append(period)
            period = _start_of_period(period + _MAX_PERIOD_LENGTH[kind], kind)
        return periods if order == "ASC" else periods[::-1]


# From the beginning of a period, a step of this length ends early in the next one; a day may have 25 hours.
_MAX_PERIOD_LENGTH = {"year": timedelta(days=367), "month": timedelta(days=32), "day": timedelta(hours=26)}


def _start_of_period(at: datetime, kind: str) -> datetime:
    """Of the year, the month or the day. A clock that is put forward at midnight does no harm: only dates are shown."""
    day = at.replace(hour=0, minute=0, second=0, microsecond=0)
    if kind == "day":
        return day
    return day.replace(day=1) if kind == "month" else day.replace(month=1, day=1)


class NoChangesAdmin(_ModelAdmin):
    """Nobody changes anything here."""

    def has_add_permission(self, _: HttpRequest) -> bool:
        return False

    def has_change_permission(self, _: HttpRequest, _obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, _: HttpRequest, _obj: Model | None = None) -> bool:
        return False


class ReadOnlyAdmin(NoChangesAdmin):
    """A list with pages of single rows. Subclasses say in `indexed` what it may be narrowed by."""

    indexed_fields: Sequence[str] = ()
    list_select_related = False
    list_per_page = 50
    list_max_show_all = 0
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER  # it counts every row behind each filter
    paginator = CappedCountPaginator

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = DateRangeQuerySet(model=self.model, using=self.model._base_manager.db)
        return self.filter_by_agencies(rows, agency_scope.agencies_of(request.user)).order_by(
            *self.get_ordering(request)
        )

    def filter_by_agencies(self, rows: QuerySet[Any], agencies: list[str] | None) -> QuerySet[Any]:
        """Those that somebody may see who may see these agencies; None: all."""
        raise NotImplementedError

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:  # noqa: ARG002
        """Only what an index serves. That keeps out who would find the text of an error by asking how it begins."""
        is_invalid_date = str(value).isdigit() and len(str(value)) > _DIGITS_OF_A_YEAR
        is_date_lookup = (
            bool(self.date_hierarchy) and lookup.startswith(f"{self.date_hierarchy}__") and not is_invalid_date
        )
        filters = {getattr(one, "parameter_name", None) for one in self.list_filter}
        return is_date_lookup or lookup in filters or lookup.removesuffix("__exact") in self.indexed_fields

    def get_search_results(
        self, _: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Exactly, by name: anything else would have to look at every row."""
        term = search_term.strip()
        return (self.search(queryset, term) if term else queryset), False

    def search(self, rows: QuerySet[Any], term: str) -> QuerySet[Any]:
        return rows.filter(table_name__in=agency_scope.name_spellings(term))

    def link(self, url: str, text: object) -> SafeString:
        return format_html('<a href="{}">{}</a>', url, text)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        return super().get_object(request, object_id, from_field) if is_storable_text(unquote(object_id)) else None

    @transaction.non_atomic_requests  # what an action asks for is committed before the queue is told of it
    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        submitted = [*request.GET.values(), *request.POST.getlist(ACTION_CHECKBOX_NAME)]
        if not all(is_storable_text(str(one)) for one in submitted):
            return error_page(request, self.admin_site, "There is no such row.", status=404)
        if not all(map(self._is_valid_key, request.POST.getlist(ACTION_CHECKBOX_NAME))):
            return error_page(request, self.admin_site, "No row can be named like that.", status=400)
        build_page = partial(super().changelist_view, request, extra_context)
        return render_or_error(request, self.admin_site, build_page)

    def _is_valid_key(self, text: str) -> bool:
        """Django itself would look for such a row, and fail."""
        try:
            self.model._meta.pk.to_python(text)
        except ValidationError:
            return False
        return True

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        build_page = partial(super().changeform_view, request, *args, **kwargs)
        return render_or_error(request, self.admin_site, build_page)

    def delete_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        build_page = partial(super().delete_view, request, *args, **kwargs)
        return render_or_error(request, self.admin_site, build_page)

    def history_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        build_page = partial(super().history_view, request, *args, **kwargs)
        return render_or_error(request, self.admin_site, build_page)


class AgencyFilter(admin.SimpleListFilter):
    """By agency, as the manifests know them: the history would have to be read from end to end for that."""

    title = "agency"
    parameter_name = "agency"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[str, str]]:
        self.filter_by_agencies: Callable[[QuerySet[Any], list[str]], QuerySet[Any]] = model_admin.filter_by_agencies
        return list(agency_scope.agency_choices(agency_scope.agencies_of(request.user)).items())

    def queryset(self, _: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        slug = self.value()
        if slug is None:
            return queryset
        return self.filter_by_agencies(queryset, [slug]) if slug in dict(self.lookup_choices) else queryset.none()


class StatusFilter(admin.SimpleListFilter):
    """By what an index knows of: what failed, runs or waits is little, what succeeded is nearly all."""

    title = "status"
    parameter_name = "status"

    def lookups(self, _: HttpRequest, _admin: Any) -> Sequence[tuple[str, str]]:
        return [(status, status) for status in Status]

    def queryset(self, _: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(status=self.value()) if self.value() else queryset
