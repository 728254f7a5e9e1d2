"""The base class and the filters of this app's own lists."""

from collections.abc import Callable, Sequence
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from seeder.admin.read_only_admin import ReadOnlyAdmin
from seeder.domain.outcomes import Status
from seeder.services.read_models import agency_scope


class ReportAdmin(ReadOnlyAdmin):
    """A list whose rows depend on the user's agencies."""

    def visible_rows(self, rows: QuerySet[Any], request: HttpRequest) -> QuerySet[Any]:
        return self.filter_by_agencies(rows, agency_scope.agencies_of(request.user))

    def filter_by_agencies(self, rows: QuerySet[Any], agencies: list[str] | None) -> QuerySet[Any]:
        """Return the rows of these agencies, or all rows for None."""
        raise NotImplementedError

    def search(self, rows: QuerySet[Any], term: str) -> QuerySet[Any]:
        return rows.filter(table_name__in=agency_scope.name_spellings(term))


class AgencyFilter(admin.SimpleListFilter):
    """Filter by agency.

    The choices come from the manifests, because reading them from the history would scan all of it.
    """

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
    """Filter by status.

    Partial indexes find failed, running and pending rows. Nearly all other rows are successes.
    """

    title = "status"
    parameter_name = "status"

    def lookups(self, _: HttpRequest, _admin: Any) -> Sequence[tuple[str, str]]:
        return [(status, status) for status in Status]

    def queryset(self, _: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(status=self.value()) if self.value() else queryset
