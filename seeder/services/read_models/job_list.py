"""Jobs with their status, limited to the visible agencies."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.db import DEFAULT_DB_ALIAS

from seeder import conf
from seeder.domain import lock_keys
from seeder.domain.as_of import TableAsOf
from seeder.domain.freshness.data_age import DataAge
from seeder.domain.manifests import ManifestKey, ReportType
from seeder.domain.monitoring.agency_totals import AgencyAge, AgencyTotals
from seeder.domain.monitoring.report_jobs import (
    ContractedViews,
    GroupBy,
    Job,
    JobCursor,
    JobFilter,
    JobPage,
    JobPageRequest,
    JobTotals,
    TroubledJobs,
)
from seeder.errors import UnknownJob
from seeder.postgres import job_list_queries, sessions
from seeder.postgres.contract import OptionalTables
from seeder.postgres.sqlstates import translate_database_errors
from seeder.services import manifest_selection
from seeder.services.read_models import agency_scope, error_redaction, view_as_of
from seeder.services.read_models.error_redaction import VisibleFailure
from seeder.services.read_models.freshness_overview import ContractStatus, FreshnessOverview, freshness_overview
from seeder.services.storable_text import is_storable

_LAST_ID = 2**31 - 1  # largest value of an integer column


@dataclass(frozen=True, kw_only=True, slots=True)
class JobCursorPage(JobPage):
    """A page with the cursors of its neighbours."""

    next: JobCursor | None = None
    previous: JobCursor | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class JobOverview:
    """One page of jobs, with the totals of all matching jobs."""

    page: JobPage
    totals: JobTotals  # of jobs in any state
    agency_names: Mapping[int, str]  # of the page's agencies, by their ids
    failures: Mapping[ManifestKey, VisibleFailure]  # with complete messages
    as_of: Mapping[str, Sequence[TableAsOf]]  # the loads that the page's views contain, by table name
    ages: Mapping[str, DataAge]  # as of when their data are, by table name
    late_contracts: Mapping[str, Sequence[ContractStatus]]  # by table name
    now: datetime  # by the database's clock


def job_overview(job_filter: JobFilter, page_request: JobPageRequest) -> JobOverview:
    """Raises `UnknownAgency`, `ConfigurationError` or `DatabaseError`."""
    with translate_database_errors(DEFAULT_DB_ALIAS):
        for slug in job_filter.agencies or ():
            manifest_selection.require_known_agency(slug)
        freshness = freshness_overview(job_filter.visible_agencies, with_counts=False)
        job_filter = replace(job_filter, contracted=freshness.contracted)
        found = job_page(job_filter, page_request)
        every = job_totals(replace(job_filter, statuses=None, failing=None, stale=None, long_running=None))
        names = agency_scope.names_of((job.agency_id, job.agency_slug) for job in found.jobs)
        tables = OptionalTables.read(DEFAULT_DB_ALIAS, read_only=True)
        failures = error_redaction.failures_of_jobs(found.jobs, tables, can_see_errors=True)
        as_of = view_as_of.loads_in_views(found.jobs, tables)
        ages = view_as_of.data_ages_of_jobs(found.jobs, tables)
        now = sessions.server_time(DEFAULT_DB_ALIAS)
        return JobOverview(
            page=found,
            totals=every,
            agency_names=names,
            failures=failures,
            as_of=as_of,
            ages=ages,
            late_contracts=_late_contracts(freshness),
            now=now,
        )


def _late_contracts(freshness: FreshnessOverview) -> Mapping[str, Sequence[ContractStatus]]:
    """Return the contracts that views miss, by each spelling of the view."""
    found = defaultdict[str, list[ContractStatus]](list)
    for status in freshness.statuses:
        if status.is_late:
            for table_name in status.spellings:
                found[table_name].append(status)
    return found


def job_page(job_filter: JobFilter, page_request: JobPageRequest, *, group_by: GroupBy = GroupBy.VIEW) -> JobPage:
    """One page of the jobs. Raises `ConfigurationError`."""
    if not _can_match(job_filter):
        return JobPage(jobs=(), total=0)
    rows, total = job_list_queries.job_page(_parameters(job_filter), group_by, page_request)
    return JobPage(jobs=[row.job for row in rows], total=total)


def troubled_jobs(
    agencies: list[str] | None, contracted: ContractedViews, *, max_failing: int, max_others: int
) -> TroubledJobs:
    """Return the first views of these agencies (None: all) in each kind of trouble. Raises `ConfigurationError`.

    Of the late views, those that miss a contract are left out.
    """
    parameters = _parameters(JobFilter(visible_agencies=agencies, contracted=replace(contracted, late_tables=[])))
    return job_list_queries.troubled_jobs(parameters, max_failing=max_failing, max_others=max_others)


def job_cursor_page(job_filter: JobFilter, page_request: JobPageRequest, *, group_by: GroupBy) -> JobCursorPage:
    """The page at a cursor, or the first one. Jobs that change their place meanwhile can be missed or repeated.

    Raises `ConfigurationError`.
    """
    if not _can_match(job_filter):
        return JobCursorPage(jobs=(), total=0)
    cursor, limit = page_request.cursor, page_request.limit or 0
    is_backward = cursor is not None and cursor.is_backward
    page_request = replace(page_request, limit=limit + 1)  # one extra row shows if there is another page
    found, total = job_list_queries.job_page(_parameters(job_filter), group_by, page_request)
    has_more, rows = len(found) > limit, found[:limit]
    if not rows:
        return JobCursorPage(jobs=(), total=job_totals(job_filter, group_by=group_by).jobs if cursor else 0)
    if is_backward:
        rows.reverse()
    has_next, has_previous = has_more or is_backward, cursor is not None and (has_more or not is_backward)
    return JobCursorPage(
        jobs=[row.job for row in rows],
        total=total,
        next=rows[-1].as_cursor() if has_next else None,
        previous=rows[0].as_cursor(is_backward=True) if has_previous else None,
    )


def find_job(report_type: str, manifest_id: int, agencies: list[str] | None) -> Job:
    """Return the job of one manifest.

    Raises `UnknownJob`, also for one of other agencies, or `ConfigurationError`.
    """
    if report_type not in {*ReportType} or not 0 < manifest_id <= _LAST_ID:
        raise UnknownJob(report_type=report_type, manifest_id=manifest_id)
    wanted = JobFilter(visible_agencies=agencies, report_types=[ReportType(report_type)], manifest_id=manifest_id)
    found = job_page(wanted, JobPageRequest(limit=1), group_by=GroupBy.MANIFEST).jobs
    if not found:
        raise UnknownJob(report_type=report_type, manifest_id=manifest_id)
    return found[0]


def job_totals(job_filter: JobFilter, *, group_by: GroupBy = GroupBy.VIEW) -> JobTotals:
    """Raises `ConfigurationError`."""
    if not _can_match(job_filter):
        return JobTotals(jobs=0, fresh=0, failing=0, running=0, long_running=0, stale=0)
    return job_list_queries.job_totals(_parameters(job_filter), group_by)


def agency_totals(job_filter: JobFilter) -> Sequence[AgencyTotals]:
    """Return the totals of each agency with manifests. Raises `ConfigurationError`."""
    return job_list_queries.agency_totals(_parameters(job_filter))


def agency_ages(job_filter: JobFilter) -> Sequence[AgencyAge]:
    """Return the ages of agencies, those in trouble first. Raises `ConfigurationError`."""
    return job_list_queries.agency_ages(_parameters(job_filter)) if _can_match(job_filter) else []


def overall_totals(job_filter: JobFilter) -> AgencyTotals:
    """Return the totals of all agencies together. Raises `ConfigurationError`."""
    return job_list_queries.overall_totals(_parameters(job_filter))


def _can_match(job_filter: JobFilter) -> bool:
    """False if the filter contains text that PostgreSQL cannot store."""
    texts = (job_filter.table_name, job_filter.search, *(job_filter.agencies or ()))
    return all(text is None or is_storable(text) for text in texts)


def _parameters(job_filter: JobFilter) -> Mapping[str, Any]:
    settings = conf.load()
    contracted = job_filter.contracted or freshness_overview(job_filter.visible_agencies, with_counts=False).contracted
    limits = {"stale_after": timedelta(hours=settings.stale_hours), "long_running_factor": settings.long_running_factor}
    filters = asdict(replace(job_filter, contracted=None))
    return {**filters, **asdict(contracted), **limits, "run_lock": lock_keys.of_run("")}
