"""The list of release snapshots, with an action to compare two."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.safestring import SafeString

from seeder.admin import page_urls
from seeder.admin.report_admin import AgencyFilter, ReportAdmin
from seeder.models import ReleaseSnapshot
from seeder.services.read_models import agency_scope

_DEFERRED_FIELDS = ("columns", "column_statistics", "top_values")


@admin.register(ReleaseSnapshot)
class ReleaseSnapshotAdmin(ReportAdmin):
    indexed_fields = ("table_name",)
    list_display = ("release_tag", "view", "release_version", "captured_at", "row_count", "column_count", "exact")
    list_filter = (AgencyFilter,)
    ordering = ("-id",)
    sortable_by = ()
    search_fields = ("table_name",)
    search_help_text = "Full view name (schema.table)."
    actions = ("compare",)

    def filter_by_agencies(self, rows: QuerySet[Any], agencies: list[str] | None) -> QuerySet[Any]:
        return rows if agencies is None else rows.filter(table_name__in=agency_scope.tables_of(agencies))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer(*_DEFERRED_FIELDS)

    @admin.display(description="view")
    def view(self, row: ReleaseSnapshot) -> SafeString:
        return self.link(page_urls.view(self.admin_site, row.table_name), row.table_name)

    @admin.action(description="Compare the two selected snapshots", permissions=["view"])
    def compare(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        ids = sorted(queryset.values_list("pk", flat=True)[:3])
        if len(ids) != 2:
            self.message_user(request, "Select two snapshots to compare.", messages.WARNING)
            return None
        return HttpResponseRedirect(page_urls.drift(self.admin_site, base=ids[0], compare=ids[1]))
