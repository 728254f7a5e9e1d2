"""The page of one view: its state, history, manifests and snapshots."""

from collections.abc import Iterator
from functools import partial

from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.db import DEFAULT_DB_ALIAS
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse

from seeder.admin import lineage_drawing, page_urls, queue_actions
from seeder.admin.changed_rows_section import section_context
from seeder.admin.charts import history_chart
from seeder.domain.monitoring.report_jobs import GroupBy, Job, JobFilter, JobPageRequest
from seeder.domain.outcomes import Status
from seeder.errors import UnknownTable
from seeder.postgres.contract import OptionalTables
from seeder.services import manifest_access
from seeder.services.data_checks import check_access
from seeder.services.notifications import mutes
from seeder.services.read_models import (
    agency_scope,
    error_redaction,
    job_list,
    view_as_of,
    view_description,
    view_lineage,
)
from seeder.services.read_models.freshness_overview import contracts_of_jobs
from seeder.services.read_models.view_lineage import LineageNode
from seeder.services.read_models.view_reader import viewer_of
from seeder.services.storable_text import is_storable

_MAX_RUNS = 60
_MAX_MANIFESTS = 200
_MAX_SNAPSHOTS = 100


def view_page(request: HttpRequest, site: AdminSite) -> HttpResponse:
    if request.method == "POST":
        return _request_refresh(request)
    viewer = viewer_of(request.user)
    agencies = viewer.agencies
    job = _require_job(request.GET.get("table", ""), agencies)
    recent = job_list.recent_runs([job], max_runs=_MAX_RUNS)[job.table_name]
    job_filter = JobFilter(visible_agencies=agencies, table_name=job.table_name)
    manifests = job_list.job_page(job_filter, JobPageRequest(limit=_MAX_MANIFESTS), group_by=GroupBy.MANIFEST)
    agency_names = agency_scope.names_of((one.agency_id, one.agency_slug) for one in manifests.jobs)
    can_see_queries = any(
        map(request.user.has_perm, (manifest_access.VIEW_PERMISSION, manifest_access.EDIT_PERMISSION))
    )
    tables = OptionalTables.read(DEFAULT_DB_ALIAS, read_only=True)
    failure = error_redaction.failures_of_jobs([job], tables, can_see_errors=viewer.can_see_errors)[job.key]
    description = view_description.describe_view(job, viewer, tables, can_see_queries=can_see_queries)
    as_of = view_as_of.loads_in_views([job], tables).get(job.table_name, ())
    context = {
        **site.each_context(request),
        "title": job.report_name,
        "job": job,
        "errors": failure.errors,
        "is_held": failure.is_held,
        "is_skipped": failure.is_skipped,
        "notes": failure.notes,
        "age": view_as_of.data_ages_of_jobs([job], tables).get(job.table_name),
        "contracts": contracts_of_jobs([job], agencies)[job.table_name],
        "as_of": [(one, one.load_id and page_urls.load(request, one.load_id)) for one in as_of],
        "manifests": [(one, agency_names[one.agency_id]) for one in manifests.jobs],
        "manifest_count": manifests.total,
        "description": description,
        "can_see_queries": can_see_queries,
        "recent": recent,
        "chart": history_chart(recent, site),
        "can_refresh": queue_actions.can_refresh(request.user),
        "can_see_checks": request.user.has_perm(check_access.VIEW_PERMISSION),
        "can_mute": request.user.has_perm(mutes.PERMISSION),
        "live": job.status is Status.RUNNING,
        **section_context(request, job.table_name, agencies),
    }
    if request.user.has_perm("seeder.view_releasesnapshot"):
        names = agency_scope.name_spellings(job.table_name)
        context["snapshots"] = agency_scope.snapshot_rows_of(agencies).filter(table_name__in=names)[:_MAX_SNAPSHOTS]
    if description.view and not description.problem:
        lineage = view_lineage.read_lineage(description.view, viewer, as_of)
        context |= {"lineage": lineage, "drawing": lineage_drawing.draw(lineage, partial(_url_of, request, site))}
    return TemplateResponse(request, "seeder/view.html", context)


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
    options = {"with_changes": "changed_rows" in request.POST, "force": "force" in request.POST}
    queue_actions.request_refresh(request, request.POST.get("refresh", ""), **options)
    return HttpResponseRedirect(request.get_full_path())


def _require_job(table_name: str, agencies: list[str] | None) -> Job:
    """Find the job by any spelling of its view. Raises `UnknownTable`.

    Manifests keep their own spelling; snapshots have that of `ViewName`.
    """
    for name in _name_spellings(table_name) if is_storable(table_name) else ():
        page = job_list.job_page(JobFilter(visible_agencies=agencies, table_name=name), JobPageRequest(limit=1))
        if page.jobs:
            return page.jobs[0]
    raise UnknownTable(table=table_name, suggestion="")


def _name_spellings(table_name: str) -> Iterator[str]:
    yield table_name
    yield from agency_scope.name_spellings(table_name)
    yield from agency_scope.manifest_spellings(table_name)
