"""Public base classes of read-only admin lists for large tables."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.utils import unquote
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern

from seeder.admin.error_pages import error_page, with_error_page
from seeder.admin.large_table_lists import CappedCountPaginator, DateRangeQuerySet
from seeder.domain.view_names import is_storable_text

_DIGITS_OF_A_YEAR = 4


class NoChangesAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # not generic at run time
    """A ModelAdmin without add, change and delete.

    Public: other apps may subclass it.
    """

    def has_add_permission(self, _: HttpRequest) -> bool:
        return False

    def has_change_permission(self, _: HttpRequest, _obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, _: HttpRequest, _obj: Model | None = None) -> bool:
        return False


class ReadOnlyAdmin(NoChangesAdmin):
    """A read-only list and read-only pages of its rows.

    Public: other apps may subclass it. Subclasses set `indexed_fields`, the columns that the URL may filter by, and can
    override `visible_rows` (default: all rows), and `search` by exact terms (default: no effect).
    """

    indexed_fields: Sequence[str] = ()
    list_select_related = False
    list_per_page = 50
    list_max_show_all = 0
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER  # facets count all rows of each filter
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
        is_invalid_date = str(value).isdigit() and len(str(value)) > _DIGITS_OF_A_YEAR
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
        return (self.search(queryset, term) if term else queryset), False

    def search(self, rows: QuerySet[Any], term: str) -> QuerySet[Any]:  # noqa: ARG002  # for subclasses
        return rows

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        return super().get_object(request, object_id, from_field) if is_storable_text(unquote(object_id)) else None

    @transaction.non_atomic_requests  # a queued request must be committed before dispatch
    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        submitted = [*request.GET.values(), *request.POST.getlist(ACTION_CHECKBOX_NAME)]
        if not all(is_storable_text(str(one)) for one in submitted):
            return error_page(request, self.admin_site, "Not found.", status=404)
        if not all(map(self._is_valid_key, request.POST.getlist(ACTION_CHECKBOX_NAME))):
            return error_page(request, self.admin_site, "Invalid id.", status=400)
        return super().changelist_view(request, extra_context)

    def _is_valid_key(self, text: str) -> bool:
        """Return False for ids that would fail in the database."""
        try:
            self.model._meta.pk.to_python(text)
        except ValidationError:
            return False
        return True
