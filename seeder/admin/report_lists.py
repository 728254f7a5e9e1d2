"""The lists of view statuses and release snapshots, and the base class of all lists of reports."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from seeder.admin import list_cells, page_urls, queue_actions
from seeder.admin.list_cells import ClosedFilter
from seeder.admin.read_only_admin import ReadOnlyAdmin
from seeder.domain.monitoring.state_words import state_word
from seeder.domain.outcomes import Status
from seeder.models import JobStatus, ReleaseSnapshot, RunHistory
from seeder.services.read_models import agency_scope, error_redaction, manifest_list
from seeder.services.translation import translated
from seeder.texts import Text

# These name one manifest of the view, which may belong to an agency that the user may not see.
_REPRESENTATIVE_MANIFEST_FIELDS = {"manifest_id", "report_name", "report_type", "agency_id", "agency_slug"}


class ReportAdmin(ReadOnlyAdmin):
    """A list whose rows depend on the user's agencies."""

    change_list_template = "seeder/list.html"
    search_fields: ClassVar[tuple[str, ...]] = ("table_name",)
    search_help_text = _("Part of a view's name.")

    def visible_rows(self, rows: QuerySet[Any], request: HttpRequest) -> QuerySet[Any]:
        agencies = agency_scope.agencies_of(request.user)
        return rows if agencies is None else self.filter_by_agencies(rows, agencies)

    def filter_by_agencies(self, rows: QuerySet[Any], agencies: list[str]) -> QuerySet[Any]:
        return rows.filter(table_name__in=agency_scope.tables_of(agencies))

    def search(self, rows: QuerySet[Any], term: str) -> QuerySet[Any]:
        """Search for parts of names, in a table with few rows for each view."""
        return rows.filter(Q(table_name__icontains=term) | Q(table_name__in=agency_scope.name_spellings(term)))

    @admin.display(description=_("view"))
    def view(self, row: Any) -> SafeString:
        return link(page_urls.view(self.admin_site, row.table_name), row.table_name)

    def confirm(
        self, request: HttpRequest, rows: QuerySet[Any], action: str, question: str, button: str
    ) -> HttpResponse | None:
        """Ask for confirmation. Return None if it is given."""
        if "confirmed" in request.POST:
            return None
        context = {
            **self.admin_site.each_context(request),
            "title": question,
            "list_url": f"admin:seeder_{self.model._meta.model_name}_changelist",
            "opts": self.model._meta,
            "action": action,
            "button": button,
            "rows": rows,
        }
        return TemplateResponse(request, "seeder/action_confirmation.html", context)

    def report_results(self, request: HttpRequest, done: int, text: Text, errors: Sequence[str]) -> None:
        """Show what was done, if anything was, and the errors."""
        if done:
            self.message_user(request, translated(text), messages.SUCCESS)
        for error in errors:
            self.message_user(request, error, messages.ERROR)


class AgencyFilter(ClosedFilter):
    """Filter by agency.

    The choices come from the manifests, because reading them from the history would scan all of it.
    """

    title = _("agency")
    parameter_name = "agency"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[str, str]]:
        self.filter_by_agencies: Callable[[QuerySet[Any], list[str]], QuerySet[Any]] = model_admin.filter_by_agencies
        return list(agency_scope.agency_choices(agency_scope.agencies_of(request.user)).items())

    def queryset(self, _: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        slug = self.value()
        if slug is None:
            return queryset
        return self.filter_by_agencies(queryset, [slug]) if slug in dict(self.lookup_choices) else queryset.none()


class StatusFilter(ClosedFilter):
    """Filter by status.

    Partial indexes find failed, running and pending rows. Nearly all other rows are successes.
    """

    title = _("status")
    parameter_name = "status"

    def lookups(self, _: HttpRequest, _admin: Any) -> Sequence[tuple[str, str]]:
        return [(status, translated(state_word(status))) for status in Status]

    def queryset(self, _: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(status=self.value()) if self.value() else queryset


@admin.register(JobStatus)
class JobStatusAdmin(ReportAdmin):
    """The view statuses, with actions to refresh and capture."""

    indexed_fields = ("table_name",)
    list_display = ("view", "outcome", "started", "duration", "failures", "agency_slug", "report_name")
    list_display_links = ("started",)
    list_filter = (StatusFilter, AgencyFilter)
    ordering = ("table_name",)
    actions = ("refresh", "capture")
    change_list_template = "seeder/job_status_list.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Read the end of each view's last run from the history: the status has whole seconds."""
        last_run = RunHistory.objects.filter(table_name=OuterRef("table_name"), run_id=OuterRef("last_run_id"))
        finished_at = Subquery(last_run.order_by("-start_time").values("finish_time")[:1])
        rows: QuerySet[Any] = super().get_queryset(request).annotate(finished_at=finished_at)
        return rows

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        """Read the latest states of all rows of the page together."""
        changes = super().get_changelist_instance(request)
        rows = list(changes.result_list)
        states = manifest_list.latest_states([row.table_name for row in rows])
        for row in rows:
            row.latest = states.get(row.table_name)
        changes.result_list = rows
        return changes

    @admin.display(description=_("outcome"), ordering="status")
    def outcome(self, row: Any) -> SafeString:
        return list_cells.latest_outcome(row.latest)

    @admin.display(description=_("started"), ordering="start_time")
    def started(self, row: JobStatus) -> str:
        return list_cells.instant(row.start_time)

    @admin.display(description=_("duration"), ordering="duration_seconds")
    def duration(self, row: Any) -> str:
        return list_cells.duration(row.start_time, row.finished_at)

    @admin.display(description=_("failures"), ordering="consecutive_failures")
    def failures(self, row: JobStatus) -> str:
        return list_cells.count(row.consecutive_failures)

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        return [name for name in self.list_display if name not in self._hidden_fields(request)]

    def get_fields(self, request: HttpRequest, _: Any = None) -> list[Any]:
        names = [field.name for field in JobStatus._meta.concrete_fields]
        return [*(name for name in names if name not in self._hidden_fields(request)), "details"]

    @admin.display(description=_("details"))
    def details(self, row: JobStatus) -> SafeString:
        return link(page_urls.view(self.admin_site, row.table_name), gettext("page"))

    def has_refresh_permission(self, request: HttpRequest) -> bool:
        return queue_actions.can_refresh(request.user)

    def has_capture_permission(self, request: HttpRequest) -> bool:
        return queue_actions.can_capture(request.user)

    @admin.action(description=_("Refresh the selected views"), permissions=["refresh"])
    def refresh(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        for table_name in queryset.values_list("table_name", flat=True):
            queue_actions.request_refresh(request, table_name)
        queue_actions.show_effect(request)

    @admin.action(description=_("Capture a release snapshot of the selected views"), permissions=["capture"])
    def capture(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        names = list(queryset.values_list("table_name", flat=True))
        if "release_tag" in request.POST:
            for table_name in names:
                queue_actions.request_capture(request, table_name, request.POST["release_tag"])
            return None
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("Capture release snapshots"),
            "names": names,
        }
        return TemplateResponse(request, "seeder/capture.html", context)

    def _hidden_fields(self, request: HttpRequest) -> set[str]:
        errors = set() if request.user.has_perm(error_redaction.PERMISSION) else {"last_errors"}
        return errors if agency_scope.agencies_of(request.user) is None else errors | _REPRESENTATIVE_MANIFEST_FIELDS


@admin.register(ReleaseSnapshot)
class ReleaseSnapshotAdmin(ReportAdmin):
    """The release snapshots, with an action to compare two."""

    indexed_fields = ("table_name",)
    list_display = ("release", "view", "captured", "rows_text", "column_count", "exact")
    list_filter = (AgencyFilter,)
    ordering = ("-id",)
    sortable_by = ()
    actions = ("compare",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer(*agency_scope.SNAPSHOT_COLUMN_FIELDS)

    @admin.display(description=_("release"))
    def release(self, row: ReleaseSnapshot) -> SafeString:
        return list_cells.with_line_below(row.release_tag, row.release_version)

    @admin.display(description=_("captured"))
    def captured(self, row: ReleaseSnapshot) -> str:
        return list_cells.instant(row.captured_at)

    @admin.display(description=_("rows"))
    def rows_text(self, row: ReleaseSnapshot) -> str:
        return list_cells.count(row.row_count)

    @admin.action(description=_("Compare the two selected snapshots"), permissions=["view"])
    def compare(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        ids = sorted(queryset.values_list("pk", flat=True)[:3])
        if len(ids) != 2:
            self.message_user(request, gettext("Select two snapshots to compare."), messages.WARNING)
            return None
        return HttpResponseRedirect(page_urls.drift(self.admin_site, base=ids[0], compare=ids[1]))


def link(url: str, text: str) -> SafeString:
    return format_html('<a href="{}">{}</a>', url, text)
