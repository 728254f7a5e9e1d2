"""The list of custom manifests, and the base class of all lists of manifests."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from seeder.admin import list_cells, manifest_pages
from seeder.admin.list_cells import ClosedBooleanFilter
from seeder.admin.report_lists import AgencyFilter, ReportAdmin
from seeder.errors import ManifestError
from seeder.manifest_errors import ManifestEditError, UnknownManifest
from seeder.models import CustomReportManifest
from seeder.services import manifest_access, manifest_editing
from seeder.services.manifest_access import Editor
from seeder.services.read_models import manifest_list
from seeder.services.read_models.manifest_list import DRIFT_TEXTS
from seeder.services.translation import translated
from seeder.texts import Text

_MAX_QUERY, _MAX_TOOLTIP = 200, 2_000  # characters


class ManifestAdmin(ReportAdmin):
    """A list of manifests. Its pages are those of `manifest_pages`."""

    search_help_text = _("Part of a report or a view.")

    def has_view_permission(self, request: HttpRequest, _: Any = None) -> bool:
        permissions = manifest_access.VIEW_PERMISSION, manifest_access.EDIT_PERMISSION
        return any(map(request.user.has_perm, permissions))

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_edit_permission(self, request: HttpRequest) -> bool:
        return manifest_pages.why_read_only(request, self.model) is None

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.has_edit_permission(request)

    def add_view(self, request: HttpRequest, *_: Any, **_options: Any) -> HttpResponse:
        return self.page(request, None)

    def change_view(self, request: HttpRequest, object_id: str, *_: Any, **_options: Any) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        row = self.get_object(request, object_id)
        if row is None:
            raise UnknownManifest(kind=self.model._meta.verbose_name, manifest_id=object_id)
        return self.page(request, row)

    def page(self, request: HttpRequest, row: Any) -> HttpResponse:
        """Return the page of a row, or the form of a new one."""
        raise NotImplementedError

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        context = {**(extra_context or {}), "reason": manifest_pages.why_read_only(request, self.model)}
        return super().changelist_view(request, context)

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        """Read the drift and the status of all rows of the page together."""
        changes = super().get_changelist_instance(request)
        rows = list(changes.result_list)
        reports = self.reports_of(rows)
        drifts = manifest_list.drift_of([report and manifest_access.definition_of(report) for report in reports])
        states = manifest_list.latest_states({report.table_name for report in reports if report})
        for row, report, drift in zip(rows, reports, drifts, strict=True):
            row.report, row.drift_state = report, drift.state
            row.last_refresh = states.get(report.table_name) if report else None
        changes.result_list = rows
        return changes

    def reports_of(self, rows: Sequence[Any]) -> Sequence[Any]:
        """Return for each row the one that has its query, or None if it is missing."""
        return rows

    @admin.display(description=_("agency"), ordering="agency_slug")
    def agency(self, row: Any) -> str:
        return str(row.agency_slug)

    @admin.display(description=_("last status"))
    def status(self, row: Any) -> SafeString:
        return list_cells.latest_outcome(row.last_refresh)

    @admin.display(description=_("query"))
    def query_text(self, row: Any) -> str | SafeString:
        """Return the query in two lines, and all of it as the tooltip."""
        if row.report is None:
            return "-"
        query = row.report.query.strip()
        return format_html(
            '<span class="query" title="{}">{}</span>', query[:_MAX_TOOLTIP], " ".join(query[:_MAX_QUERY].split())
        )

    @admin.display(description=_("drift"))
    def drift(self, row: Any) -> str:
        return translated(DRIFT_TEXTS[row.drift_state])


@admin.register(CustomReportManifest)
class CustomManifestAdmin(ManifestAdmin):
    """The custom manifests, with actions to enable and disable."""

    indexed_fields = ("enabled",)
    list_display = ("report_name", "status", "drift", "agency", "enabled", "view", "query_text")
    list_filter = (("enabled", ClosedBooleanFilter), AgencyFilter)
    ordering = ("report_name", "id")
    actions = ("enable", "disable")

    def filter_by_agencies(self, rows: QuerySet[Any], agencies: list[str]) -> QuerySet[Any]:
        return rows.filter(agency_slug__in=agencies)

    def search(self, rows: QuerySet[Any], term: str) -> QuerySet[Any]:
        return rows.filter(Q(report_name__icontains=term) | Q(table_name__icontains=term))

    def page(self, request: HttpRequest, row: Any) -> HttpResponse:
        return manifest_pages.report_page(request, self.admin_site, manifest_pages.CUSTOM, row)

    @admin.action(description=_("Enable the selected manifests"), permissions=["edit"])
    def enable(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        return self._set_enabled(request, queryset, enabled=True)

    @admin.action(description=_("Disable the selected manifests"), permissions=["edit"])
    def disable(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        return self._set_enabled(request, queryset, enabled=False)

    def _set_enabled(self, request: HttpRequest, rows: QuerySet[Any], *, enabled: bool) -> HttpResponse | None:
        if enabled:
            page = self.confirm(request, rows, "enable", gettext("Enable these manifests?"), gettext("Enable"))
        else:
            page = self.confirm(request, rows, "disable", gettext("Disable these manifests?"), gettext("Disable"))
        if page:
            return page
        editor, ids, errors = Editor.of(request.user), list(rows.values_list("pk", flat=True)), []
        for pk in ids:
            try:
                manifest_editing.change_custom_manifest(pk, {"enabled": enabled}, version=None, editor=editor)
            except (ManifestEditError, ManifestError) as error:
                errors.append(translated(error))
        done = len(ids) - len(errors)
        text = Text("Enabled: {number}.", number=done) if enabled else Text("Disabled: {number}.", number=done)
        self.report_results(request, done, text, errors)
        return None
