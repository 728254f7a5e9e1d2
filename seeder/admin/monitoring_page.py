"""The monitoring page: totals, views, the queue and the latest runs."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.db import DEFAULT_DB_ALIAS
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse

from seeder.admin import queue_actions
from seeder.admin.charts import sparkbars
from seeder.admin.monitoring_form import PER_PAGE, MonitoringForm, ViewFilter
from seeder.domain.monitoring.report_jobs import Job
from seeder.domain.outcomes import Status
from seeder.postgres.contract import OptionalTables
from seeder.services import contract_installation
from seeder.services.queue import dispatch, queue_overview, schedules
from seeder.services.read_models import agency_scope, error_redaction, job_list, night_overview, run_timeline
from seeder.services.read_models.freshness_overview import contracts_of_jobs
from seeder.services.run import open_breakers

_SPARKBAR_RUNS = 14
_LATEST_RUNS = 5


def monitoring_page(request: HttpRequest, site: AdminSite) -> HttpResponse:
    if request.method == "POST":
        return handle_post(request)
    agencies = agency_scope.agencies_of(request.user)
    agency_names = agency_scope.agency_choices(agencies)
    form = MonitoringForm(request.GET, agency_names)
    page = job_list.job_page(form.job_filter(agencies, form.view_filter), form.page_request)
    totals = job_list.job_totals(form.job_filter(agencies, ViewFilter.ALL))
    tile_totals = totals.jobs, totals.fresh, totals.failing, totals.running, totals.stale, totals.long_running
    rows = _monitoring_rows(request, page.jobs, agency_names)
    context: dict[str, Any] = {
        **site.each_context(request),
        "title": "Monitoring",
        "form": form,
        "tiles": [*zip(ViewFilter, tile_totals, strict=True)],
        "totals": totals,
        "open_breakers": _open_breakers(agencies),
        "rows": rows,
        "has_contracts": any(row["has_contracts"] for row in rows),
        "view_count": page.total,
        "last_page": -(-page.total // PER_PAGE),
        "can_refresh": queue_actions.can_refresh(request.user),
        **_queue_context(request, agencies),
        **_runs_context(request, agencies),
        **_nights_context(request, agencies),
    }
    context["live"] = bool(totals.running or context.get("parts") or context.get("has_open_run"))
    return TemplateResponse(request, "seeder/monitoring.html", context)


def _open_breakers(agencies: list[str] | None) -> Sequence[str]:
    """Return the open breakers. Only a user of all agencies gets them, because their causes name views."""
    return open_breakers.open_breakers() if agencies is None else ()


def handle_post(request: HttpRequest) -> HttpResponse:
    """Queue a refresh or cancel a request, and redirect to the page, which shows the result."""
    if not queue_actions.can_refresh(request.user):
        raise PermissionDenied
    if "cancel" in request.POST:
        queue_actions.request_cancel(request, request.POST["cancel"])
    else:
        with_changes = "changed_rows" in request.POST
        queue_actions.request_refresh(request, request.POST.get("refresh", ""), with_changes=with_changes)
    return HttpResponseRedirect(request.get_full_path())


def _monitoring_rows(
    request: HttpRequest, jobs: Sequence[Job], agency_names: Mapping[str, str]
) -> list[Mapping[str, Any]]:
    recent = job_list.recent_runs(jobs, max_runs=_SPARKBAR_RUNS)
    can_see_errors = request.user.has_perm(error_redaction.PERMISSION)
    tables = OptionalTables.read(DEFAULT_DB_ALIAS, read_only=True)
    failures = error_redaction.failures_of_jobs(jobs, tables, can_see_errors=can_see_errors)
    contracts = contracts_of_jobs(jobs, agency_scope.agencies_of(request.user))
    return [
        {
            "job": job,
            "contracts": [one for one in contracts[job.table_name] if not one.is_fresh],
            "has_contracts": bool(contracts[job.table_name]),
            "agency_names": ", ".join(agency_names.get(slug, slug) for slug in job.agencies),
            "sparkbars": sparkbars(recent[job.table_name], max_bars=_SPARKBAR_RUNS),
            "errors": failures[job.key].errors,
            "is_held": failures[job.key].is_held,
            "is_skipped": failures[job.key].is_skipped,
            "notes": failures[job.key].notes,
        }
        for job in jobs
    ]


def _queue_context(request: HttpRequest, agencies: list[str] | None) -> Mapping[str, Any]:
    """Return the queue of these agencies, if the user may see it."""
    if not (request.user.has_perm("seeder.view_queuedrefresh") and dispatch.is_available()):
        return {}
    queue = queue_overview.read_queue_overview(agencies=agencies)
    # A part may include other agencies: hide its progress and worker.
    return {"queue": queue, "parts": [*queue.running, *queue.queued], "can_see_all_agencies": agencies is None}


def _nights_context(request: HttpRequest, agencies: list[str] | None) -> Mapping[str, Any]:
    """Return the last nights, if runs are recorded."""
    if unavailable_reason := contract_installation.why_unreadable(DEFAULT_DB_ALIAS, "seeder_run"):
        return {"runs_unavailable_reason": unavailable_reason}
    tables = OptionalTables.read(DEFAULT_DB_ALIAS, read_only=True)
    nightly = schedules.nights_due(agencies=agencies) if dispatch.is_available() else ()
    return {
        "nights": night_overview.read_nights(agencies, tables, [one.due for one in nightly if one.due]),
        "can_see_history": request.user.has_perm("seeder.view_runhistory"),
    }


def _runs_context(request: HttpRequest, agencies: list[str] | None) -> Mapping[str, Any]:
    """Return the latest runs, if available and visible to the user."""
    if not request.user.has_perm("seeder.view_run"):
        return {}
    if unavailable_reason := contract_installation.why_unreadable(DEFAULT_DB_ALIAS, "seeder_run"):
        return {"runs_unavailable_reason": unavailable_reason}
    runs = run_timeline.totals(run_timeline.runs_of(agencies)[:_LATEST_RUNS], agencies)
    counts = run_timeline.view_counts([run.run_id for run in runs], agencies)
    return {
        "runs": [(run, counts[run.run_id]) for run in runs],
        "has_open_run": any(run.status is Status.RUNNING for run in runs),
        "can_see_history": request.user.has_perm("seeder.view_runhistory"),
    }
