"""The lists of runs and of their history rows."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db import DEFAULT_DB_ALIAS
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.functional import lazy
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from seeder.admin import list_cells, page_urls
from seeder.admin.error_pages import error_page
from seeder.admin.read_only_admin import MAX_COUNTED_ROWS
from seeder.admin.report_lists import AgencyFilter, ReportAdmin, StatusFilter, link
from seeder.domain.monitoring.view_counts import count_text
from seeder.domain.outcomes import OPEN_STATUSES, Status
from seeder.domain.refresh_requests import description_text
from seeder.models import Run, RunHistory
from seeder.services import contract_installation
from seeder.services.read_models import agency_scope, error_redaction, name_search, run_timeline
from seeder.services.run.run_liveness_lock import living_runs
from seeder.services.storable_text import is_storable
from seeder.services.translation import translated
from seeder.texts import Text

_lazily_translated: Any = lazy(translated, str)  # the stubs of Django have another type of lazy texts


@admin.register(RunHistory)
class RunHistoryAdmin(ReportAdmin):
    """The run history: one row per manifest and run."""

    indexed_fields = ("table_name", "run_id")
    list_display = ("started", "view", "outcome", "duration", "rows_text", "agency_slug", "timeline")
    list_filter = (StatusFilter, AgencyFilter)
    date_hierarchy = "start_time"
    ordering = ("-start_time", "-id")
    sortable_by = ("start_time",)
    search_fields = ("table_name", "run_id")
    search_help_text = _lazily_translated(
        Text(
            "Part of a view's name, which finds the latest runs of up to {number:,} views; its entire name"
            " (schema.table); or a run id.",
            number=name_search.MAX_NAMES,
        )
    )

    def filter_by_agencies(self, rows: QuerySet[Any], agencies: list[str]) -> QuerySet[Any]:
        return rows.filter(agency_slug__in=agencies)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Search for names with a schema and for run ids in all rows, otherwise for parts of names in the latest."""
        found, has_duplicates = super().get_search_results(request, queryset, search_term)
        term = search_term.strip()
        if not is_storable(term) or not term or ("." in term and found.exists()):
            return found, has_duplicates
        ids = name_search.latest_history(term, agency_scope.agencies_of(request.user))
        return (queryset.filter(pk__in=ids) if ids else found), has_duplicates

    def search(self, rows: QuerySet[Any], term: str) -> QuerySet[Any]:
        return rows.filter(Q(table_name__in=agency_scope.name_spellings(term)) | Q(run_id=term))

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        """Read the reasons of all rows of the page together."""
        changes = super().get_changelist_instance(request)
        rows = list(changes.result_list)
        failures = error_redaction.failures_of_rows(rows, can_see_errors=False)
        unfinished = {row.run_id for row in rows if row.status in OPEN_STATUSES}
        dead = unfinished - living_runs(unfinished)
        for row in rows:
            row.failure = failures[row.pk]
            row.is_killed = row.status in OPEN_STATUSES and row.run_id in dead
        changes.result_list = rows
        return changes

    @admin.display(description=_("started"), ordering="start_time")
    def started(self, row: RunHistory) -> str:
        return list_cells.instant(row.start_time)

    @admin.display(description=_("outcome"))
    def outcome(self, row: Any) -> SafeString:
        if row.is_killed:
            return list_cells.outcome(Status.ERROR, is_interrupted=True)
        return list_cells.outcome(row.status, row.failure.reason, is_interrupted=row.failure.is_interrupted)

    @admin.display(description=_("duration"))
    def duration(self, row: RunHistory) -> str:
        return list_cells.duration(row.start_time, row.finish_time)

    @admin.display(description=_("rows"))
    def rows_text(self, row: RunHistory) -> str:
        return list_cells.count(row.records_processed if row.status == Status.SUCCESS else None)

    @admin.display(description=_("run"))
    def timeline(self, row: RunHistory) -> SafeString:
        return link(page_urls.run(self.admin_site, row.run_id), gettext("timeline"))

    def get_fields(self, request: HttpRequest, _: Any = None) -> list[Any]:
        errors = "errors" if request.user.has_perm(error_redaction.PERMISSION) else "redacted_errors"
        display_fields = {"errors": errors, "run_id": "run", "table_name": "view"}
        return [display_fields.get(field.name, field.name) for field in RunHistory._meta.concrete_fields]

    @admin.display(description=_("run"))
    def run(self, row: RunHistory) -> SafeString:
        return link(page_urls.run(self.admin_site, row.run_id), row.run_id)

    @admin.display(description=_("errors"))
    def redacted_errors(self, row: RunHistory) -> str:
        return translated(error_redaction.failures_of_rows([row], can_see_errors=False)[row.pk].errors or "-")


@admin.register(Run)
class RunAdmin(ReportAdmin):
    """The runs, each with a link to its timeline."""

    indexed_fields = ("run_id",)
    list_display = ("started", "text", "outcome", "duration", "manifests_text", "failures", "requested_by", "timeline")
    list_filter = (AgencyFilter,)
    date_hierarchy = "started_at"
    ordering = ("-started_at", "-run_id")
    sortable_by = ("started_at",)
    search_fields = ("run_id",)
    search_help_text = _lazily_translated(
        Text("Run id, or part of the description of one of the latest {number:,} runs.", number=MAX_COUNTED_ROWS)
    )

    def filter_by_agencies(self, rows: QuerySet[Any], agencies: list[str]) -> QuerySet[Any]:
        return rows.filter(agencies__has_any_keys=agencies)

    def search(self, rows: QuerySet[Any], term: str) -> QuerySet[Any]:
        latest = Run.objects.order_by("-started_at").values("pk")[:MAX_COUNTED_ROWS]
        return rows.filter(Q(run_id=term) | Q(pk__in=latest, description__icontains=term))

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        """Count the manifests of all runs of the page together."""
        changes = super().get_changelist_instance(request)
        rows = list(changes.result_list)
        totals = run_timeline.totals(rows, agency_scope.agencies_of(request.user))
        for row, one in zip(rows, totals, strict=True):
            row.totals = one
        changes.result_list = rows
        return changes

    @admin.display(description=_("started"), ordering="started_at")
    def started(self, row: Run) -> str:
        return list_cells.instant(row.started_at)

    @admin.display(description=_("run"))
    def text(self, row: Run) -> SafeString:
        return list_cells.with_line_below(translated(description_text(row.description)), row.run_id)

    @admin.display(description=_("outcome"))
    def outcome(self, row: Any) -> SafeString:
        stopped = translated(Text("stopped ({cause})", cause=row.stopped_by)) if row.stopped_by else None
        return list_cells.with_line_below(list_cells.outcome(row.totals.status), stopped)

    @admin.display(description=_("duration"))
    def duration(self, row: Any) -> str:
        return list_cells.span(row.totals.duration)

    @admin.display(description=_("manifests"))
    def manifests_text(self, row: Any) -> str:
        return list_cells.count(row.totals.manifests)

    @admin.display(description=_("failures"))
    def failures(self, row: Any) -> str | SafeString:
        totals = row.totals
        failed = list_cells.count(totals.failed - totals.held)
        shown = format_html('<span class="failed">{}</span>', failed) if totals.failed > totals.held else failed
        others = {"held": totals.held, "interrupted": totals.interrupted}
        below = Text.joined(count_text(state, number) for state, number in others.items() if number)
        return list_cells.with_line_below(shown, translated(below))

    def get_fields(self, request: HttpRequest, _: Any = None) -> list[Any]:
        run_fields = ["run_id", "description", "requested_by", "started_at", "finished_at", "stopped_by", "workers"]
        total_fields = ["manifests", "succeeded", "failed", "held", "interrupted", "agencies"]  # of all agencies
        return [*run_fields, *(total_fields if agency_scope.agencies_of(request.user) is None else []), "timeline"]

    @admin.display(description=_("page"))
    def timeline(self, row: Run) -> SafeString:
        return link(page_urls.run(self.admin_site, row.run_id), gettext("timeline"))

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        if reason := contract_installation.why_unreadable(DEFAULT_DB_ALIAS, "seeder_run"):
            message = Text("Run totals are unavailable: {reason}.", reason=reason)
            return error_page(request, self.admin_site, message, status=200)
        return super().changelist_view(request, extra_context)
