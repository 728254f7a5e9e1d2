"""The monitoring page: totals, views, the queue and the latest runs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.db import DEFAULT_DB_ALIAS
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse

from seeder.admin import page_urls, queue_actions
from seeder.admin.charts import Sparkbars, sparkbars
from seeder.admin.monitoring_query import PER_PAGE, MonitoringQuery, ViewFilter, parse_monitoring_query
from seeder.domain.human_format import format_count
from seeder.domain.manifests import ReportType
from seeder.domain.monitoring.report_jobs import Job, JobTotals
from seeder.domain.outcomes import Status
from seeder.services import contract_check
from seeder.services.queue import dispatch, queue_overview
from seeder.services.read_models import agency_scope, error_redaction, job_list, run_timeline

_SPARKBAR_RUNS = 14
_LATEST_RUNS = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class MonitoringRow:
    """One row of the list of views."""

    job: Job
    agency_names: str  # comma-separated
    url: str
    last_run_url: str | None
    sparkbars: Sparkbars
    errors: str  # redacted unless the user may see errors


@dataclass(frozen=True, kw_only=True, slots=True)
class TotalTile:
    """A total with a link to the filtered list."""

    view_filter: ViewFilter
    total: int
    url: str
    is_current: bool


def monitoring_page(request: HttpRequest, site: AdminSite) -> HttpResponse:
    if request.method == "POST":
        return handle_refresh_post(request)
    agencies, query = agency_scope.agencies_of(request.user), parse_monitoring_query(request.GET)
    agency_names = agency_scope.agency_choices(agencies)
    job_page = job_list.job_page(query.job_filter(agencies, query.view_filter), query.page_request)
    totals = job_list.job_totals(query.job_filter(agencies, ViewFilter.ALL))
    context: dict[str, Any] = {
        **site.each_context(request),
        "title": "Monitoring",
        "query": query,
        "tiles": _tiles(request, query, totals),
        "totals": totals,
        "summary": _summary_sentence(totals),
        "rows": _monitoring_rows(request, site, job_page.jobs, agency_names),
        "view_count": job_page.total,
        "page_links": _page_links(request, query, job_page.total),
        "choices": {"agencies": agency_names.items(), "types": list(ReportType), "view_filters": list(ViewFilter)},
        "can_refresh": queue_actions.can_refresh(request.user),
        **_queue_context(request, agencies),
        **_runs_context(request, site, agencies),
    }
    context["live"] = bool(totals.running) or context["is_busy"] or context.get("has_open_run", False)
    return TemplateResponse(request, "seeder/monitoring.html", context)


def handle_refresh_post(request: HttpRequest) -> HttpResponse:
    """Queue a refresh and redirect to the page, which shows the result."""
    if not queue_actions.can_refresh(request.user):
        raise PermissionDenied
    queue_actions.request_refresh(request, request.POST.get("refresh", ""))
    return HttpResponseRedirect(request.get_full_path())


def _monitoring_rows(
    request: HttpRequest, site: AdminSite, jobs: Sequence[Job], agency_names: Mapping[str, str]
) -> list[MonitoringRow]:
    recent = job_list.recent_runs(jobs, max_runs=_SPARKBAR_RUNS)
    errors = visible_errors(request, jobs)
    return [
        MonitoringRow(
            job=job,
            agency_names=", ".join(agency_names.get(slug, slug) for slug in job.agencies),
            url=page_urls.view(site, job.table_name),
            last_run_url=page_urls.run(site, job.last_run_id) if job.last_run_id else None,
            sparkbars=sparkbars(recent[job.table_name], max_bars=_SPARKBAR_RUNS),
            errors=errors[job.table_name],
        )
        for job in jobs
    ]


def visible_errors(request: HttpRequest, jobs: Sequence[Job]) -> Mapping[str, str]:
    """Return errors by table name, redacted unless the user may see them."""
    can_see_errors = request.user.has_perm(error_redaction.PERMISSION)
    reasons = {} if can_see_errors else error_redaction.reasons_of_jobs(jobs)
    errors = {}
    for job in jobs:
        failure_reason = reasons.get((job.report_type, job.manifest_id), error_redaction.UNKNOWN)
        errors[job.table_name] = (
            error_redaction.redact(job.errors, failure_reason, failed=job.failing, can_see_errors=can_see_errors) or ""
        )
    return errors


def _tiles(request: HttpRequest, query: MonitoringQuery, totals: JobTotals) -> list[TotalTile]:
    counts = {
        ViewFilter.ALL: totals.jobs,
        ViewFilter.FRESH: totals.fresh,
        ViewFilter.FAILING: totals.failing,
        ViewFilter.RUNNING: totals.running,
        ViewFilter.LATE: totals.stale,
        ViewFilter.LONG: totals.long_running,
    }
    return [
        TotalTile(
            view_filter=view_filter,
            total=total,
            url=_url_with(request, show=view_filter, page=""),
            is_current=view_filter is query.view_filter,
        )
        for view_filter, total in counts.items()
    ]


def _summary_sentence(totals: JobTotals) -> str:
    """Return the text that screen readers announce when it changes."""
    return (
        f"{format_count(totals.jobs, 'view')}: {totals.fresh:,} fresh, {totals.failing:,} failing,"
        f" {totals.running:,} running, {totals.stale:,} late."
    )


def _page_links(request: HttpRequest, query: MonitoringQuery, total: int) -> Mapping[str, Any]:
    last = max(-(-total // PER_PAGE), 1)
    return {
        "number": query.page,
        "last": last,
        "previous": _url_with(request, page=query.page - 1) if 1 < query.page <= last else None,
        "next": _url_with(request, page=query.page + 1) if query.page < last else None,
        "first": _url_with(request, page="") if query.page > last else None,
    }


def _url_with(request: HttpRequest, **changes: object) -> str:
    query = request.GET.copy()
    for name, value in changes.items():
        query.pop(name, None)
        if str(value):
            query[name] = str(value)
    return f"?{query.urlencode()}"


def _queue_context(request: HttpRequest, agencies: list[str] | None) -> Mapping[str, Any]:
    """Return the queue of these agencies, if the user may see it."""
    if not (request.user.has_perm("seeder.view_queuedrefresh") and dispatch.is_available()):
        return {"is_busy": False}
    queue_status = queue_overview.read_queue_overview(agencies=agencies)
    parts = [*queue_status.running, *queue_status.queued]
    return {
        "queue": queue_status,
        "parts": parts,
        "is_busy": bool(parts),
        # A part may include other agencies: hide its progress and worker.
        "can_see_all_agencies": agencies is None,
    }


def _runs_context(request: HttpRequest, site: AdminSite, agencies: list[str] | None) -> Mapping[str, Any]:
    """Return the latest runs, if available and visible to the user."""
    if not request.user.has_perm("seeder.view_run"):
        return {}
    if unavailable_reason := contract_check.why_unreadable(DEFAULT_DB_ALIAS, "seeder_run"):
        return {"runs_unavailable_reason": unavailable_reason}
    totals = run_timeline.totals(run_timeline.runs_of(agencies)[:_LATEST_RUNS], agencies)
    can_see_history = request.user.has_perm("seeder.view_runhistory")
    runs = [{"totals": run, "url": page_urls.run(site, run.run_id) if can_see_history else None} for run in totals]
    return {"runs": runs, "has_open_run": any(run.status is Status.RUNNING for run in totals)}
