"""The page of one view: its state, history, manifests and snapshots."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from django.contrib import messages
from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.db import DEFAULT_DB_ALIAS
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse

from seeder.admin import charts, lineage_drawing, page_urls, queue_actions
from seeder.admin.changed_rows_section import section_context
from seeder.domain.explanation.facts import Level, Topic
from seeder.domain.monitoring.report_jobs import GroupBy, Job, JobFilter, JobPageRequest
from seeder.domain.monitoring.view_history import TimeRange
from seeder.domain.outcomes import Status
from seeder.domain.snapshots.drift_text import SEVERITY_SUMMARIES
from seeder.domain.view_names import ViewName
from seeder.errors import SeederError, UnknownTable
from seeder.postgres.contract import OptionalTables
from seeder.services import manifest_access
from seeder.services.data_checks import check_access
from seeder.services.notifications import mutes
from seeder.services.queue import dispatch, schedules
from seeder.services.read_models import (
    agency_scope,
    error_redaction,
    job_list,
    pauses,
    view_as_of,
    view_description,
    view_history,
    view_lineage,
)
from seeder.services.read_models.freshness_overview import freshness_overview
from seeder.services.read_models.view_explanation import explain_view
from seeder.services.read_models.view_lineage import LineageNode
from seeder.services.read_models.view_reader import viewer_of
from seeder.services.snapshots import release_snapshots
from seeder.services.storable_text import is_storable
from seeder.services.translation import translated
from seeder.texts import Text

_PLAN_TOPICS = {Topic.PLAN, Topic.SKIP, Topic.BREAKER, Topic.LOCK, Topic.WAIT}
_MAX_MANIFESTS = 200
_MAX_SNAPSHOTS = 100


def view_page(request: HttpRequest, site: AdminSite) -> HttpResponse:
    if request.method == "POST":
        return _request_refresh(request)
    viewer = viewer_of(request.user)
    agencies = viewer.agencies
    table_name = request.GET.get("table", "")
    name = ViewName.parse_or_none(table_name)
    freshness = freshness_overview(agencies, views={name} if name else set())
    job_filter = JobFilter(visible_agencies=agencies, contracted=freshness.contracted)
    job = _require_job(table_name, job_filter)
    job_filter = replace(job_filter, table_name=job.table_name)
    manifests = job_list.job_page(job_filter, JobPageRequest(limit=_MAX_MANIFESTS), group_by=GroupBy.MANIFEST)
    agency_names = agency_scope.names_of((one.agency_id, one.agency_slug) for one in manifests.jobs)
    can_see_queries = any(
        map(request.user.has_perm, (manifest_access.VIEW_PERMISSION, manifest_access.EDIT_PERMISSION))
    )
    tables = OptionalTables.read(DEFAULT_DB_ALIAS, read_only=True)
    history = view_history.read_history(job, _time_range(request), tables)
    failure = error_redaction.failures_of_jobs([job], tables, can_see_errors=viewer.can_see_errors)[job.key]
    description = view_description.describe_view(job, viewer, tables, can_see_queries=can_see_queries)
    contracts = freshness.by_view().get(name, ())
    can_refresh = queue_actions.can_refresh(request.user)
    as_of = view_as_of.loads_in_views([job], tables).get(job.table_name, ())
    context = {
        **site.each_context(request),
        "title": job.report_name,
        "job": job,
        "failure": failure,
        "age": view_as_of.data_ages_of_jobs([job], tables).get(job.table_name),
        "contracts": contracts,
        "as_of": [(one, one.load_id and page_urls.load(request, one.load_id)) for one in as_of],
        "manifests": [(one, agency_names[one.agency_id]) for one in manifests.jobs],
        "manifest_count": manifests.total,
        "description": description,
        "can_see_queries": can_see_queries,
        "history": history,
        "chart": charts.intervals_chart(history.intervals, site) or charts.history_chart(history.runs, site),
        "chart_days": "|".join(charts.days_of_axis()),
        "time_ranges": [*TimeRange],
        "next_refresh": (
            schedules.next_refresh(job.agencies, has_contracts=bool(contracts)) if dispatch.is_available() else None
        ),
        "can_refresh": can_refresh,
        "refresh_effect": pauses.effect_on_refresh(job.table_name, agencies) if can_refresh else None,
        "can_see_checks": request.user.has_perm(check_access.VIEW_PERMISSION),
        "can_mute": request.user.has_perm(mutes.PERMISSION),
        "live": job.status is Status.RUNNING,
        "is_watched": True,
        **section_context(request, job.table_name, agencies),
    }
    if request.user.has_perm("seeder.view_releasesnapshot"):
        names = agency_scope.name_spellings(job.table_name)
        rows = agency_scope.snapshot_rows_of(agencies).filter(table_name__in=names)[:_MAX_SNAPSHOTS]
        context |= {"snapshots": rows, **_latest_drift([row.pk for row in rows[:2]])}
    if description.view and not description.problem:
        lineage = view_lineage.read_lineage(description.view, viewer, as_of)
        context |= {"lineage": lineage, "drawing": lineage_drawing.draw(lineage, partial(_url_of, request, site))}
    return TemplateResponse(request, "seeder/view.html", context)


def _time_range(request: HttpRequest) -> TimeRange:
    """Return the time range in the URL. Others are ignored."""
    return next((one for one in TimeRange if one == request.GET.get("range")), TimeRange.MONTH)


def _latest_drift(snapshot_ids: Sequence[int]) -> Mapping[str, Any]:
    """Compare the last two snapshots, if there are two. `snapshot_ids` begin with the latest."""
    if len(snapshot_ids) < 2:
        return {}
    compare, base = map(release_snapshots.find_snapshot, snapshot_ids)
    drift = release_snapshots.compare_snapshots(base, compare, across_views=True)
    return {"drift": drift, "verdict": SEVERITY_SUMMARIES[drift.severity]}


def _url_of(request: HttpRequest, site: AdminSite, node: LineageNode) -> str | None:
    """Return the page of another view in the lineage, if an enabled manifest has it, or of the load of a table."""
    if node.load is not None and node.load.load_id is not None:
        return page_urls.load(request, node.load.load_id)
    has_page = node.level and node.is_listed and not node.is_table
    return page_urls.view(site, str(node.name)) if has_page else None


def _request_refresh(request: HttpRequest) -> HttpResponse:
    """Queue a refresh, and redirect to the page, which shows the result."""
    if not queue_actions.can_refresh(request.user):
        raise PermissionDenied
    if "plan" in request.POST:
        _show_plan(request, request.POST["plan"], force="force" in request.POST)
        return HttpResponseRedirect(request.get_full_path())
    options = {"with_changes": "changed_rows" in request.POST, "force": "force" in request.POST}
    queue_actions.request_refresh(request, request.POST.get("refresh", ""), **options)
    return HttpResponseRedirect(request.get_full_path())


def _show_plan(request: HttpRequest, table_name: str, *, force: bool) -> None:
    """Show what a refresh now would do. A forced one is not skipped."""
    try:
        expectations = explain_view(table_name, viewer_of(request.user)).expectations
    except SeederError as error:
        messages.error(request, translated(error))
        return
    shown = [one for one in expectations if one.topic in _PLAN_TOPICS and not (force and one.topic is Topic.SKIP)]
    for one in shown:
        level = messages.WARNING if one.level in {Level.WARNING, Level.ERROR} else messages.INFO
        messages.add_message(request, level, translated(one.text))
    if not shown:
        text = Text("No enabled manifest uses {view}; nothing to refresh.", view=table_name)
        messages.warning(request, translated(text))


def _require_job(table_name: str, job_filter: JobFilter) -> Job:
    """Find the job among these by any spelling of its view. Raises `UnknownTable`.

    Manifests keep their own spelling; snapshots have that of `ViewName`.
    """
    for name in _name_spellings(table_name) if is_storable(table_name) else ():
        page = job_list.job_page(replace(job_filter, table_name=name), JobPageRequest(limit=1))
        if page.jobs:
            return page.jobs[0]
    raise UnknownTable(table=table_name, suggestion="")


def _name_spellings(table_name: str) -> Iterator[str]:
    yield table_name
    yield from agency_scope.name_spellings(table_name)
    yield from agency_scope.manifest_spellings(table_name)
