"""The lists of view statuses, history rows, runs and release snapshots."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.db import DEFAULT_DB_ALIAS
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from seeder.admin import page_urls, queue_actions
from seeder.admin.error_pages import error_page
from seeder.admin.read_only_admin import ReadOnlyAdmin
from seeder.domain.outcomes import Status
from seeder.models import JobStatus, ReleaseSnapshot, Run, RunHistory
from seeder.services import contract_installation
from seeder.services.read_models import agency_scope, error_redaction

# These name one manifest of the view, which may belong to an agency that the user may not see.
_REPRESENTATIVE_MANIFEST_FIELDS = {"manifest_id", "report_name", "report_type", "agency_id", "agency_slug"}


class ReportAdmin(ReadOnlyAdmin):
    """A list whose rows depend on the user's agencies."""

    search_fields: ClassVar[tuple[str, ...]] = ("table_name",)
    search_help_text = "Full view name (schema.table)."

    def visible_rows(self, rows: QuerySet[Any], request: HttpRequest) -> QuerySet[Any]:
        agencies = agency_scope.agencies_of(request.user)
        return rows if agencies is None else self.filter_by_agencies(rows, agencies)

    def filter_by_agencies(self, rows: QuerySet[Any], agencies: list[str]) -> QuerySet[Any]:
        return rows.filter(table_name__in=agency_scope.tables_of(agencies))

    def search(self, rows: QuerySet[Any], term: str) -> QuerySet[Any]:
        return rows.filter(table_name__in=agency_scope.name_spellings(term))

    @admin.display(description="view")
    def view(self, row: Any) -> SafeString:
        return _link(page_urls.view(self.admin_site, row.table_name), row.table_name)

    def confirm(self, request: HttpRequest, rows: QuerySet[Any], action: str, question: str) -> HttpResponse | None:
        """Ask for confirmation. Return None if it is given."""
        if "confirmed" in request.POST:
            return None
        context = {
            **self.admin_site.each_context(request),
            "title": question,
            "list_url": f"admin:seeder_{self.model._meta.model_name}_changelist",
            "opts": self.model._meta,
            "action": action,
            "rows": rows,
        }
        return TemplateResponse(request, "seeder/action_confirmation.html", context)

    def report_results(self, request: HttpRequest, done: int, verb: str, errors: Sequence[str]) -> None:
        if done:
            self.message_user(request, f"{verb}: {done}.", messages.SUCCESS)
        for error in errors:
            self.message_user(request, error, messages.ERROR)


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


@admin.register(RunHistory)
class RunHistoryAdmin(ReportAdmin):
    """The run history: one row per manifest and run."""

    indexed_fields = ("table_name", "run_id")
    list_display = ("start_time", "view", "status", "run", "agency_slug", "duration_seconds", "records_processed")
    list_filter = (StatusFilter, AgencyFilter)
    date_hierarchy = "start_time"
    ordering = ("-start_time", "-id")
    sortable_by = ("start_time",)
    search_fields = ("table_name", "run_id")
    search_help_text = "Full view name (schema.table) or run id."

    def filter_by_agencies(self, rows: QuerySet[Any], agencies: list[str]) -> QuerySet[Any]:
        return rows.filter(agency_slug__in=agencies)

    def search(self, rows: QuerySet[Any], term: str) -> QuerySet[Any]:
        return rows.filter(Q(table_name__in=agency_scope.name_spellings(term)) | Q(run_id=term))

    def get_fields(self, request: HttpRequest, _: Any = None) -> list[Any]:
        errors = "errors" if request.user.has_perm(error_redaction.PERMISSION) else "redacted_errors"
        display_fields = {"errors": errors, "run_id": "run", "table_name": "view"}
        return [display_fields.get(field.name, field.name) for field in RunHistory._meta.concrete_fields]

    @admin.display(description="run")
    def run(self, row: RunHistory) -> SafeString:
        return _link(page_urls.run(self.admin_site, row.run_id), row.run_id)

    @admin.display(description="errors")
    def redacted_errors(self, row: RunHistory) -> str:
        return error_redaction.failures_of_rows([row], can_see_errors=False)[row.pk].errors or "-"


@admin.register(JobStatus)
class JobStatusAdmin(ReportAdmin):
    """The view statuses, with actions to refresh and capture."""

    indexed_fields = ("table_name",)
    list_display = ("table_name", "status", "start_time", "details", "duration_seconds", "agency_slug", "report_name")
    list_filter = (StatusFilter, AgencyFilter)
    ordering = ("table_name",)
    actions = ("refresh", "capture")
    change_list_template = "seeder/job_status_list.html"

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        return [name for name in self.list_display if name not in self._hidden_fields(request)]

    def get_fields(self, request: HttpRequest, _: Any = None) -> list[Any]:
        names = [field.name for field in JobStatus._meta.concrete_fields]
        return [*(name for name in names if name not in self._hidden_fields(request)), "details"]

    @admin.display
    def details(self, row: JobStatus) -> SafeString:
        return _link(page_urls.view(self.admin_site, row.table_name), "runs and snapshots")

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


@admin.register(Run)
class RunAdmin(ReportAdmin):
    """The runs, each with a link to its timeline."""

    indexed_fields = ("run_id",)
    list_display = ("started_at", "description", "timeline", "requested_by", "finished_at", "stopped_by", "run_id")
    list_filter = (AgencyFilter,)
    date_hierarchy = "started_at"
    ordering = ("-started_at", "-run_id")
    sortable_by = ("started_at",)
    search_fields = ("run_id",)
    search_help_text = "Run id."

    def filter_by_agencies(self, rows: QuerySet[Any], agencies: list[str]) -> QuerySet[Any]:
        return rows.filter(agencies__has_any_keys=agencies)

    def search(self, rows: QuerySet[Any], term: str) -> QuerySet[Any]:
        return rows.filter(run_id=term)

    def get_fields(self, request: HttpRequest, _: Any = None) -> list[Any]:
        run_fields = ["run_id", "description", "requested_by", "started_at", "finished_at", "stopped_by", "workers"]
        total_fields = ["manifests", "succeeded", "failed", "agencies"]  # of all agencies
        return [*run_fields, *(total_fields if agency_scope.agencies_of(request.user) is None else []), "timeline"]

    @admin.display(description="details")
    def timeline(self, row: Run) -> SafeString:
        return _link(page_urls.run(self.admin_site, row.run_id), "timeline")

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        if reason := contract_installation.why_unreadable(DEFAULT_DB_ALIAS, "seeder_run"):
            return error_page(request, self.admin_site, f"Run totals are unavailable: {reason}.", status=200)
        return super().changelist_view(request, extra_context)


@admin.register(ReleaseSnapshot)
class ReleaseSnapshotAdmin(ReportAdmin):
    """The release snapshots, with an action to compare two."""

    indexed_fields = ("table_name",)
    list_display = ("release_tag", "view", "release_version", "captured_at", "row_count", "column_count", "exact")
    list_filter = (AgencyFilter,)
    ordering = ("-id",)
    sortable_by = ()
    actions = ("compare",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer(*agency_scope.SNAPSHOT_COLUMN_FIELDS)

    @admin.action(description="Compare the two selected snapshots", permissions=["view"])
    def compare(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        ids = sorted(queryset.values_list("pk", flat=True)[:3])
        if len(ids) != 2:
            self.message_user(request, "Select two snapshots to compare.", messages.WARNING)
            return None
        return HttpResponseRedirect(page_urls.drift(self.admin_site, base=ids[0], compare=ids[1]))


def _link(url: str, text: str) -> SafeString:
    return format_html('<a href="{}">{}</a>', url, text)
