"""The list of view statuses, with actions to refresh and capture."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.safestring import SafeString

from seeder.admin import page_urls, queue_actions
from seeder.admin.report_admin import AgencyFilter, ReportAdmin, StatusFilter
from seeder.models import JobStatus
from seeder.services.read_models import agency_scope, error_redaction

# These name one manifest of the view, which may belong to an agency that the user may not see.
_REPRESENTATIVE_MANIFEST_FIELDS = {"manifest_id", "report_name", "report_type", "agency_id", "agency_slug"}


@admin.register(JobStatus)
class JobStatusAdmin(ReportAdmin):
    indexed_fields = ("table_name",)
    list_display = (
        "table_name",
        "status",
        "start_time",
        "details_link",
        "duration_seconds",
        "agency_slug",
        "report_name",
    )
    list_filter = (StatusFilter, AgencyFilter)
    ordering = ("table_name",)
    search_fields = ("table_name",)
    search_help_text = "Full view name (schema.table)."
    actions = ("refresh", "capture")
    change_list_template = "seeder/job_status_list.html"

    def filter_by_agencies(self, rows: QuerySet[Any], agencies: list[str] | None) -> QuerySet[Any]:
        return rows if agencies is None else rows.filter(table_name__in=agency_scope.tables_of(agencies))

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        return [name for name in self.list_display if name not in self._hidden_fields(request)]

    def get_fields(self, request: HttpRequest, _: Any = None) -> list[Any]:
        names = [field.name for field in JobStatus._meta.concrete_fields]
        return [*(name for name in names if name not in self._hidden_fields(request)), "details_link"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return self.get_fields(request, obj)

    @admin.display(description="details")
    def details_link(self, row: JobStatus) -> SafeString:
        return self.link(page_urls.view(self.admin_site, row.table_name), "runs and snapshots")

    def has_refresh_permission(self, request: HttpRequest) -> bool:
        return queue_actions.can_refresh(request.user)

    def has_capture_permission(self, request: HttpRequest) -> bool:
        return queue_actions.can_capture(request.user)

    @admin.action(description="Refresh the selected views", permissions=["refresh"])
    def refresh(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        for table_name in queryset.values_list("table_name", flat=True):
            queue_actions.request_refresh(request, table_name)

    @admin.action(description="Capture a release snapshot of the selected views", permissions=["capture"])
    def capture(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        names = list(queryset.values_list("table_name", flat=True))
        if "release_tag" in request.POST:
            for table_name in names:
                queue_actions.request_capture(request, table_name, request.POST["release_tag"])
            return None
        context = {**self.admin_site.each_context(request), "title": "Capture release snapshots", "names": names}
        return TemplateResponse(request, "seeder/capture.html", context)

    def _hidden_fields(self, request: HttpRequest) -> set[str]:
        errors = set() if request.user.has_perm(error_redaction.PERMISSION) else {"last_errors"}
        return errors if agency_scope.agencies_of(request.user) is None else errors | _REPRESENTATIVE_MANIFEST_FIELDS
