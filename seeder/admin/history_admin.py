"""The list of the run history: one row per manifest and run."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from seeder.admin import page_urls
from seeder.admin.report_admin import AgencyFilter, ReportAdmin, StatusFilter
from seeder.domain.outcomes import Status
from seeder.models import RunHistory
from seeder.services.read_models import agency_scope, error_redaction


@admin.register(RunHistory)
class RunHistoryAdmin(ReportAdmin):
    indexed_fields = ("table_name", "run_id")
    list_display = ("start_time", "view", "status", "run", "agency_slug", "duration_seconds", "records_processed")
    list_display_links = ("start_time",)
    list_filter = (StatusFilter, AgencyFilter)
    date_hierarchy = "start_time"
    ordering = ("-start_time", "-id")
    sortable_by = ("start_time",)
    search_fields = ("table_name", "run_id")
    search_help_text = "Full view name (schema.table) or run id."

    def filter_by_agencies(self, rows: QuerySet[Any], agencies: list[str] | None) -> QuerySet[Any]:
        return rows if agencies is None else rows.filter(agency_slug__in=agencies)

    def search(self, rows: QuerySet[Any], term: str) -> QuerySet[Any]:
        return rows.filter(Q(table_name__in=agency_scope.name_spellings(term)) | Q(run_id=term))

    def get_fields(self, request: HttpRequest, _: Any = None) -> list[Any]:
        errors = "errors" if request.user.has_perm(error_redaction.PERMISSION) else "redacted_errors"
        display_fields = {"errors": errors, "run_id": "run", "table_name": "view"}
        return [display_fields.get(field.name, field.name) for field in RunHistory._meta.concrete_fields]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return self.get_fields(request, obj)

    @admin.display(description="view")
    def view(self, row: RunHistory) -> SafeString:
        return self.link(page_urls.view(self.admin_site, row.table_name), row.table_name)

    @admin.display(description="run")
    def run(self, row: RunHistory) -> SafeString:
        return self.link(page_urls.run(self.admin_site, row.run_id), row.run_id)

    @admin.display(description="errors")
    def redacted_errors(self, row: RunHistory) -> str:
        failure_reason = error_redaction.reasons_of_rows([row]).get(row.pk, error_redaction.UNKNOWN)
        return (
            error_redaction.redact(row.errors, failure_reason, failed=row.status == Status.ERROR, can_see_errors=False)
            or "-"
        )
