"""The monitoring page: what is fresh, what failed and why, what runs, and what waits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.db import DEFAULT_DB_ALIAS
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse

from seeder.admin import asking, places
from seeder.admin.asked import PER_PAGE, Asked, Show, read
from seeder.admin.pictures import Sparkbars, sparkbars
from seeder.domain.jobs import Job, JobTotals
from seeder.domain.manifests import ReportType
from seeder.domain.outcomes import Status
from seeder.domain.units import format_count
from seeder.services import schema
from seeder.services.queue import doorbell, queue_state
from seeder.services.reading import failures, monitoring, timelines, visibility

_RECENT = 14
_RUNS = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """One view of the list."""

    job: Job
    agencies: str  # by their names
    url: str
    last_run: str | None
    picture: Sparkbars
    errors: str  # as far as who looks may read them


@dataclass(frozen=True, kw_only=True, slots=True)
class Tile:
    """A total, and where those are listed."""

    show: Show
    number: int
    url: str
    is_current: bool


def overview(request: HttpRequest, site: AdminSite) -> HttpResponse:
    if request.method == "POST":
        return refreshed(request)
    agencies, asked = visibility.agencies_of(request.user), read(request.GET)
    named = visibility.named(agencies)
    found = monitoring.page(asked.wanted(agencies, asked.show), asked.listing)
    totals = monitoring.totals(asked.wanted(agencies, Show.ALL))
    context: dict[str, Any] = {
        **site.each_context(request),
        "title": "Monitoring",
        "asked": asked,
        "tiles": _tiles(request, asked, totals),
        "totals": totals,
        "sentence": _sentence(totals),
        "lines": _lines(request, site, found.jobs, named),
        "found": found.total,
        "pages": _pages(request, asked, found.total),
        "choices": {"agencies": named.items(), "types": list(ReportType), "shows": list(Show)},
        "may_refresh": asking.may_refresh(request.user),
        **_queue(request, agencies),
        **_runs(request, site, agencies),
    }
    context["live"] = bool(totals.running) or context["is_busy"] or context.get("goes_on", False)
    return TemplateResponse(request, "seeder/monitoring.html", context)


def refreshed(request: HttpRequest) -> HttpResponse:
    """A button was pressed: back to the same page, which says what came of it."""
    if not asking.may_refresh(request.user):
        raise PermissionDenied
    asking.refresh(request, request.POST.get("refresh", ""))
    return HttpResponseRedirect(request.get_full_path())


def _lines(request: HttpRequest, site: AdminSite, jobs: Sequence[Job], named: Mapping[str, str]) -> list[Line]:
    recent = monitoring.recent(jobs, most=_RECENT)
    errors = told_errors(request, jobs)
    return [
        Line(
            job=job,
            agencies=", ".join(named.get(slug, slug) for slug in job.agencies),
            url=places.view(site, job.table_name),
            last_run=places.run(site, job.last_run_id) if job.last_run_id else None,
            picture=sparkbars(recent[job.table_name], most=_RECENT),
            errors=errors[job.table_name],
        )
        for job in jobs
    ]


def told_errors(request: HttpRequest, jobs: Sequence[Job]) -> Mapping[str, str]:
    """By the name of the table: what is the matter with it, as far as who looks may read that."""
    whole = request.user.has_perm(failures.PERMISSION)
    reasons = {} if whole else failures.of_jobs(jobs)
    errors = {}
    for job in jobs:
        why = reasons.get((job.report_type, job.manifest_id), failures.NOBODY_KNOWS)
        errors[job.table_name] = failures.told(job.errors, why, failed=job.failing, whole=whole) or ""
    return errors


def _tiles(request: HttpRequest, asked: Asked, totals: JobTotals) -> list[Tile]:
    numbers = {
        Show.ALL: totals.jobs,
        Show.FRESH: totals.fresh,
        Show.FAILING: totals.failing,
        Show.RUNNING: totals.running,
        Show.LATE: totals.stale,
        Show.LONG: totals.long_running,
    }
    return [
        Tile(show=show, number=number, url=_with(request, show=show, page=""), is_current=show is asked.show)
        for show, number in numbers.items()
    ]


def _sentence(totals: JobTotals) -> str:
    """What is read out when it changes."""
    return (
        f"{format_count(totals.jobs, 'view')}: {totals.fresh:,} fresh, {totals.failing:,} failing,"
        f" {totals.running:,} running, {totals.stale:,} late."
    )


def _pages(request: HttpRequest, asked: Asked, total: int) -> Mapping[str, Any]:
    last = max(-(-total // PER_PAGE), 1)
    return {
        "number": asked.page,
        "last": last,
        "previous": _with(request, page=asked.page - 1) if 1 < asked.page <= last else None,
        "next": _with(request, page=asked.page + 1) if asked.page < last else None,
        "first": _with(request, page="") if asked.page > last else None,
    }


def _with(request: HttpRequest, **differently: object) -> str:
    query = request.GET.copy()
    for name, value in differently.items():
        query.pop(name, None)
        if str(value):
            query[name] = str(value)
    return f"?{query.urlencode()}"


def _queue(request: HttpRequest, agencies: list[str] | None) -> Mapping[str, Any]:
    """What is queued and worked on, as far as it is about these agencies and somebody may see it."""
    if not (request.user.has_perm("seeder.view_queuedrefresh") and doorbell.is_there()):
        return {"is_busy": False}
    queue = queue_state.look(agencies=agencies)
    parts = [*queue.running, *queue.queued]
    return {
        "queue": queue,
        "parts": parts,
        "is_busy": bool(parts),
        # Of a part that is about other agencies, too, nobody learns how far those are, nor on which machine.
        "is_whole": agencies is None,
    }


def _runs(request: HttpRequest, site: AdminSite, agencies: list[str] | None) -> Mapping[str, Any]:
    """The latest runs as a whole, where there is a table of them and somebody may see it."""
    if not request.user.has_perm("seeder.view_run"):
        return {}
    if without := schema.why_unreadable(DEFAULT_DB_ALIAS, "seeder_run"):
        return {"without_runs": without}
    totals = timelines.totals(timelines.runs_of(agencies)[:_RUNS], agencies)
    sees_rows = request.user.has_perm("seeder.view_runhistory")
    runs = [{"totals": run, "url": places.run(site, run.run_id) if sees_rows else None} for run in totals]
    return {"runs": runs, "goes_on": any(run.status is Status.RUNNING for run in totals)}
