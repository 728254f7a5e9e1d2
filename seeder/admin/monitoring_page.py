"""The monitoring page: the last nights, what needs attention, and the views with their latest runs."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.db import DEFAULT_DB_ALIAS
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils import timezone

from seeder import conf
from seeder.admin import page_urls, queue_actions
from seeder.admin.agency_section import group_agencies
from seeder.admin.monitoring_form import PER_PAGE, MonitoringForm, ViewFilter
from seeder.domain.monitoring.nights import Round
from seeder.domain.monitoring.run_grid import CellState, is_held
from seeder.domain.view_names import ViewName
from seeder.errors import UnknownAgency
from seeder.postgres.contract import OptionalTables
from seeder.services import contract_installation
from seeder.services.queue import dispatch
from seeder.services.read_models import agency_scope, error_redaction, job_list
from seeder.services.read_models.attention import Circumstances, read_attention
from seeder.services.read_models.freshness_overview import FreshnessOverview, freshness_overview
from seeder.services.read_models.night_overview import read_nights
from seeder.services.read_models.queue_state import QueueState, read_queue_state
from seeder.services.read_models.run_grid import read_grid
from seeder.services.translation import translated
from seeder.texts import Text


@dataclass(frozen=True, kw_only=True, slots=True)
class _Scope:
    """What the page covers."""

    form: MonitoringForm
    agencies: list[str] | None  # None: all
    agency_names: Mapping[str, str]  # of the visible ones
    sees_all_agencies: bool  # the user, even on the page of one
    can_see_errors: bool
    tables: OptionalTables


def monitoring_page(request: HttpRequest, site: AdminSite, *, agency: str | None = None) -> HttpResponse:
    """Show the page of all visible agencies, or of one."""
    if request.method == "POST":
        return handle_post(request)
    visible = agency_scope.agencies_of(request.user)
    agency_names = agency_scope.agency_choices(visible)
    if agency is not None and agency not in agency_names:
        raise UnknownAgency(slug=agency, suggestion="")
    form = MonitoringForm(request.GET, agency_names, agency)
    if agency != form.selected_agency:
        return HttpResponseRedirect(page_urls.monitoring(site, form.selected_agency, form.parameters()))
    scope = _Scope(
        form=form,
        agencies=visible if agency is None else [agency],
        agency_names=agency_names,
        sees_all_agencies=visible is None,
        can_see_errors=request.user.has_perm(error_redaction.PERMISSION),
        tables=OptionalTables.read(DEFAULT_DB_ALIAS, read_only=True),
    )
    queue, settings = _queue_state(request, scope), conf.load()
    context = {
        **site.each_context(request),
        "title": _title(None if agency is None else agency_names[agency]),
        "form": form,
        "agency": agency,
        "agency_names": agency_names,
        "agency_name": None if agency is None else agency_names[agency],
        "queue": queue,
        "can_see_all_agencies": scope.agencies is None,
        "can_see_errors": scope.can_see_errors,
        "can_see_history": request.user.has_perm("seeder.view_runhistory"),
        "can_see_runs": request.user.has_perm("seeder.view_run"),
        "can_refresh": queue_actions.can_refresh(request.user),
        "is_watched": True,
        "now": timezone.now(),
        "stale_hours": settings.stale_hours,
        "has_databases": len({DEFAULT_DB_ALIAS, *settings.databases.values()}) > 1,
        "has_crons": bool(settings.nightly_cron or settings.agency_crons),
        **_state_context(scope, queue),
    }
    return TemplateResponse(request, "seeder/monitoring.html", context)


def _title(agency_name: str | None) -> str:
    return translated(Text("Monitoring") if agency_name is None else Text("Monitoring of {agency}", agency=agency_name))


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


def _queue_state(request: HttpRequest, scope: _Scope) -> QueueState | None:
    """Return the queue, if the user may see it."""
    if not (request.user.has_perm("seeder.view_queuedrefresh") and dispatch.is_available()):
        return None
    return read_queue_state(scope.agencies, sees_all_agencies=scope.sees_all_agencies)


def _state_context(scope: _Scope, queue: QueueState | None) -> Mapping[str, Any]:
    """Return the nights, what needs attention, the agencies and the views."""
    nights, unavailable_reason = None, contract_installation.why_unreadable(DEFAULT_DB_ALIAS, "seeder_run")
    if not unavailable_reason:
        due = [one.due for one in queue.nightly if one.due] if queue else []
        nights = read_nights(scope.agencies, scope.tables, due)
    rounds = nights.rounds if nights else ()
    freshness = freshness_overview(scope.agencies)
    attention = read_attention(
        scope.agencies,
        scope.tables,
        Circumstances(
            freshness=freshness,
            night=nights.nights[0].round if nights and nights.nights else None,
            rounds=rounds,
            queue=queue,
        ),
        can_see_errors=scope.can_see_errors,
        can_see_causes=scope.sees_all_agencies,
    )
    all_jobs = scope.form.job_filter(scope.agencies, ViewFilter.ALL, contracted=freshness.contracted)
    ages, totals = job_list.agency_ages(all_jobs), job_list.job_totals(all_jobs)
    has_open_run = any(one.is_running for one in rounds)
    return {
        "nights": nights,
        "runs_unavailable_reason": unavailable_reason,
        "attention": attention,
        "agency_groups": [*group_agencies(ages, scope.agency_names)],
        "filters": [
            (ViewFilter.ALL, totals.jobs),
            (ViewFilter.FRESH, totals.fresh),
            (ViewFilter.FAILING, totals.failing),
            (ViewFilter.LATE, totals.late),
            (ViewFilter.RUNNING, totals.running),
            (ViewFilter.LONG, totals.long_running),
        ],
        "running": totals.running,
        "live": bool(totals.running or (queue and queue.parts) or has_open_run),
        **_views_context(scope, rounds, freshness),
    }


def _views_context(scope: _Scope, rounds: Sequence[Round], freshness: FreshnessOverview) -> Mapping[str, Any]:
    """Return a page of the views with their latest runs."""
    job_filter = scope.form.job_filter(scope.agencies, scope.form.view_filter, contracted=freshness.contracted)
    page = job_list.job_page(job_filter, scope.form.page_request)
    grid = read_grid(page.jobs, rounds, scope.agencies, scope.tables)
    contracts = freshness.by_view()
    return {
        "columns": [*zip(grid.columns, _show_times(grid.columns), strict=True)],
        "cell_states": [*CellState],
        "rows": [
            {
                "job": job,
                "cells": grid.rows[job.table_name],
                "is_held": is_held(grid.rows[job.table_name]),
                "contracts": [
                    one for one in contracts.get(ViewName.parse_or_none(job.table_name), ()) if not one.is_fresh
                ],
            }
            for job in page.jobs
        ],
        "has_contracts": bool(freshness),
        "view_count": page.total,
        "last_page": -(-page.total // PER_PAGE),
    }


def _show_times(columns: Sequence[Round]) -> Sequence[bool]:
    """Return which columns need the time beside the day: runs by hand, and the nights of a day with several."""
    days = [timezone.localdate(column.started_at) for column in columns]
    nights = Counter(day for day, column in zip(days, columns, strict=True) if column.is_night)
    return [not column.is_night or nights[day] > 1 for day, column in zip(days, columns, strict=True)]
