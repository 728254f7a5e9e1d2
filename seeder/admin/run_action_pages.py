"""Confirmation pages of the actions on a run: retry what failed, cancel it."""

from collections.abc import Sequence

from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse

from seeder.admin import page_urls, queue_actions
from seeder.domain.human_format import format_count
from seeder.domain.monitoring.timeline import Timeline, TimelineBar
from seeder.domain.outcomes import Status
from seeder.services.read_models import agency_scope, pauses, run_timeline
from seeder.services.translation import translated
from seeder.texts import Text

_MAX_NAMES = 20


def retry_page(request: HttpRequest, site: AdminSite, *, run_id: str) -> HttpResponse:
    """Queue the views that failed, were held or were interrupted, after a confirmation."""
    bars = _require_timeline(request, run_id).unpublished
    if request.method == "POST":
        queue_actions.request_retry(request, run_id)
        return HttpResponseRedirect(page_urls.run(site, run_id))
    title = Text("Retry {views}?", views=format_count(len(bars), "view")) if bars else Text("Nothing to retry")
    return _confirmation(request, site, run_id, action="retry", title=title, bars=bars)


def cancel_page(request: HttpRequest, site: AdminSite, *, run_id: str) -> HttpResponse:
    """Cancel a run, after a confirmation."""
    timeline = _require_timeline(request, run_id)
    if request.method == "POST":
        queue_actions.request_cancel(request, run_id)
        return HttpResponseRedirect(page_urls.run(site, run_id))
    is_running = timeline.run.status is Status.RUNNING
    running = [bar for bar in timeline.bars if bar.status is Status.RUNNING] if is_running else []
    title = Text("Cancel this run?") if is_running else Text("Nothing to cancel")
    return _confirmation(request, site, run_id, action="cancel" if is_running else "", title=title, bars=running)


def _require_timeline(request: HttpRequest, run_id: str) -> Timeline:
    """Return the run as the user may see it. Raises `UnknownRun` or `PermissionDenied`."""
    if not queue_actions.can_refresh(request.user):
        raise PermissionDenied
    return run_timeline.timeline(run_id, agency_scope.agencies_of(request.user))


def _confirmation(  # noqa: PLR0913  # facts of one page
    request: HttpRequest, site: AdminSite, run_id: str, *, action: str, title: Text, bars: Sequence[TimelineBar]
) -> HttpResponse:
    agencies = agency_scope.agencies_of(request.user)
    context = {
        **site.each_context(request),
        "title": translated(title),
        "action": action,
        "run_id": run_id,
        "bars": bars[:_MAX_NAMES],
        "hidden_bars": max(len(bars) - _MAX_NAMES, 0),
        "back_url": page_urls.run(site, run_id),
        "refresh_effect": pauses.effect_on_refresh(None, agencies) if action == "retry" and bars else None,
    }
    return TemplateResponse(request, "seeder/run_action.html", context)
