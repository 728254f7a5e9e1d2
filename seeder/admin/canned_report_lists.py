"""The lists of canned reports and of their subscriptions."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from seeder.admin import manifest_pages, page_urls
from seeder.admin.manifest_lists import ManifestAdmin
from seeder.admin.report_lists import AgencyFilter
from seeder.manifest_errors import ManifestEditError
from seeder.models import CannedReport, CannedReportManifest
from seeder.services import manifest_access, manifest_editing
from seeder.services.manifest_access import Editor
from seeder.services.translation import translated
from seeder.texts import Text


@admin.register(CannedReport)
class CannedReportAdmin(ManifestAdmin):
    """The canned reports."""

    list_display = ("report_name", "status", "drift", "view", "query_text")
    list_filter = (AgencyFilter,)
    ordering = ("report_name", "id")

    def filter_by_agencies(self, rows: QuerySet[Any], agencies: list[str]) -> QuerySet[Any]:
        theirs = manifest_access.subscriptions(agencies).filter(canned_report=OuterRef("pk"))
        return rows.filter(Exists(theirs))

    def search(self, rows: QuerySet[Any], term: str) -> QuerySet[Any]:
        return rows.filter(Q(report_name__icontains=term) | Q(table_name__icontains=term))

    def page(self, request: HttpRequest, row: Any) -> HttpResponse:
        return manifest_pages.report_page(request, self.admin_site, manifest_pages.CANNED, row)


@admin.register(CannedReportManifest)
class SubscriptionAdmin(ManifestAdmin):
    """The subscriptions of agencies to canned reports, with an action to remove them."""

    indexed_fields = ("canned_report",)
    list_display = ("agency", "report_link", "status", "drift", "view", "query_text")
    list_filter = (AgencyFilter,)
    ordering = ("agency_slug", "id")
    search_help_text = _("Part of an agency or a report.")
    actions = ("remove",)

    def filter_by_agencies(self, rows: QuerySet[Any], agencies: list[str]) -> QuerySet[Any]:
        return rows.filter(agency_slug__in=agencies)

    def search(self, rows: QuerySet[Any], term: str) -> QuerySet[Any]:
        return rows.filter(Q(agency_slug__icontains=term) | Q(canned_report__report_name__icontains=term))

    def reports_of(self, rows: Sequence[Any]) -> Sequence[Any]:
        reports = CannedReport.objects.in_bulk([row.canned_report_id for row in rows])
        return [reports.get(row.canned_report_id) for row in rows]

    @admin.display(description=_("view"))
    def view(self, row: Any) -> SafeString:
        return super().view(row.report) if row.report else SafeString("-")

    @admin.display(description=_("report"))
    def report_link(self, row: Any) -> SafeString | str:
        if row.report is None:
            return translated(Text("canned report {report_id}, which is missing", report_id=row.canned_report_id))
        url = page_urls.canned_report(self.admin_site, row.report.pk)
        return format_html('<a href="{}">{}</a>', url, row.report.report_name)

    def page(self, request: HttpRequest, row: Any) -> HttpResponse:
        return manifest_pages.subscription_page(request, self.admin_site, row)

    @admin.action(description=_("Remove the selected subscriptions"), permissions=["edit"])
    def remove(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        if page := self.confirm(request, queryset, "remove", gettext("Remove these subscriptions?"), gettext("Remove")):
            return page
        editor, ids, errors = Editor.of(request.user), list(queryset.values_list("pk", flat=True)), []
        for pk in ids:
            try:
                manifest_editing.unsubscribe(pk, editor=editor)
            except ManifestEditError as error:
                errors.append(translated(error))
        done = len(ids) - len(errors)
        self.report_results(request, done, Text("Removed: {number}.", number=done), errors)
        return None
