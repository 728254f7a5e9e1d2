"""The pages that confirm a refresh of a view, or the end of a request."""

from collections.abc import Mapping
from typing import Any

from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext, pgettext

from seeder.admin import page_urls, queue_actions
from seeder.domain.monitoring.report_jobs import JobFilter, JobPageRequest
from seeder.domain.refresh_requests import description_text
from seeder.errors import UnknownTable
from seeder.services.queue import queue_overview
from seeder.services.read_models import agency_scope, job_list, pauses
from seeder.services.translation import translated
from seeder.texts import Text


def refresh_confirmation(request: HttpRequest, site: AdminSite) -> HttpResponse:
    """Ask before a view is refreshed, and queue it after a POST."""
    _require_permission(request)
    table_name = request.GET.get("table", "")
    agencies = agency_scope.agencies_of(request.user)
    job_filter = JobFilter(visible_agencies=agencies, table_name=table_name)
    jobs = job_list.job_page(job_filter, JobPageRequest(limit=1)).jobs
    if not jobs:
        raise UnknownTable(table=table_name, suggestion="")
    if request.method == "POST":
        queue_actions.request_refresh(request, table_name)
        return HttpResponseRedirect(_next_url(request, site))
    facts = {
        "title": translated(Text("Refresh {view}?", view=jobs[0].table_name)),
        "job": jobs[0],
        "button": pgettext("button", "Refresh"),
        "refresh_effect": pauses.effect_on_refresh(table_name, agencies),
    }
    return _page(request, site, facts)


def cancel_confirmation(request: HttpRequest, site: AdminSite) -> HttpResponse:
    """Ask before a request is cancelled, and cancel it after a POST."""
    _require_permission(request)
    request_id = request.GET.get("request", "")
    if request.method == "POST":
        queue_actions.request_cancel(request, request_id)
        return HttpResponseRedirect(_next_url(request, site))
    parts = queue_overview.find_request(request_id, agency_scope.agencies_of(request.user))
    title = translated(
        Text("Cancel the request for {description}?", description=description_text(parts[0].description))
    )
    return _page(request, site, {"title": title, "parts": parts, "button": gettext("Cancel the request")})


def _require_permission(request: HttpRequest) -> None:
    if not queue_actions.can_refresh(request.user):
        raise PermissionDenied


def _page(request: HttpRequest, site: AdminSite, facts: Mapping[str, Any]) -> HttpResponse:
    context = {**site.each_context(request), **facts, "next": _next_url(request, site)}
    return TemplateResponse(request, "seeder/confirmation.html", context)


def _next_url(request: HttpRequest, site: AdminSite) -> str:
    """Return the page to go back to, which must be one of this host."""
    wanted = request.GET.get("next", "")
    if url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure()):
        return wanted
    return page_urls.monitoring(site, None, {})
