"""The list of runs."""

from typing import Any

from django.contrib import admin
from django.db import DEFAULT_DB_ALIAS
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString

from seeder.admin import page_urls
from seeder.admin.error_pages import error_page
from seeder.admin.report_admin import AgencyFilter, ReportAdmin
from seeder.models import Run
from seeder.services import contract_check
from seeder.services.read_models import agency_scope


@admin.register(Run)
class RunAdmin(ReportAdmin):
    """A list that links each run to its timeline."""

    indexed_fields = ("run_id",)
    list_display = ("started_at", "description", "timeline", "requested_by", "finished_at", "stopped_by", "run_id")
    list_filter = (AgencyFilter,)
    date_hierarchy = "started_at"
    ordering = ("-started_at", "-run_id")
    sortable_by = ("started_at",)
    search_fields = ("run_id",)
    search_help_text = "Run id."

    def filter_by_agencies(self, rows: QuerySet[Any], agencies: list[str] | None) -> QuerySet[Any]:
        return rows if agencies is None else rows.filter(agencies__has_any_keys=agencies)

    def search(self, rows: QuerySet[Any], term: str) -> QuerySet[Any]:
        return rows.filter(run_id=term)

    def get_fields(self, request: HttpRequest, _: Any = None) -> list[Any]:
        run_fields = ["run_id", "description", "requested_by", "started_at", "finished_at", "stopped_by", "workers"]
        total_fields = ["manifests", "succeeded", "failed", "agencies"]  # of all agencies
        return [*run_fields, *(total_fields if agency_scope.agencies_of(request.user) is None else []), "timeline"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return self.get_fields(request, obj)

    @admin.display(description="details")
    def timeline(self, row: Run) -> SafeString:
        return self.link(page_urls.run(self.admin_site, row.run_id), "timeline")

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        if unavailable_reason := contract_check.why_unreadable(DEFAULT_DB_ALIAS, "seeder_run"):
            return error_page(
                request, self.admin_site, f"Run totals are unavailable: {unavailable_reason}.", status=200
            )
        return super().changelist_view(request, extra_context)
