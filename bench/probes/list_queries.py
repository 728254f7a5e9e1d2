"""The queries of every list in pages, API and commands."""

from collections.abc import Callable, Iterator, Mapping

from seeder.domain.manifests import ReportType
from seeder.domain.monitoring.report_jobs import GroupBy, JobFilter, JobPageRequest, SortKey
from seeder.domain.outcomes import Status
from seeder.models import Run, RunHistory
from seeder.services.read_models import agency_scope, job_list, run_timeline

ListQuery = tuple[str, str, Callable[[], object]]  # a name, the baseline to compare with, and the query

_FIVE_AGENCIES = [f"agency-{number}" for number in range(1, 6)]
_HISTORY = RunHistory.objects.order_by("-start_time", "-id")
_FIRST_PAGE, _LAST_PAGE = JobPageRequest(), JobPageRequest(offset=9900)
_FILTERS: Mapping[str, JobFilter] = {
    "of 5 agencies": JobFilter(visible_agencies=_FIVE_AGENCIES),
    "of one agency": JobFilter(agencies=["agency-7"]),
    "of one agency of 5": JobFilter(visible_agencies=_FIVE_AGENCIES, agencies=["agency-3"]),
    "canned": JobFilter(report_types=[ReportType.CANNED]),
    "succeeded": JobFilter(statuses=[Status.SUCCESS]),
    "failing": JobFilter(failing=True),
    "not failing": JobFilter(failing=False),
    "late": JobFilter(stale=True),
    "long-running": JobFilter(long_running=True),
    "found by a text": JobFilter(search="report 77"),
    "of 5 agencies, found by a text": JobFilter(visible_agencies=_FIVE_AGENCIES, search="report 77"),
}
_SCOPES: Mapping[str, list[str] | None] = {
    "": None,
    " of 5 agencies": _FIVE_AGENCIES,
    " of an agency without any": ["none"],
}


def list_queries() -> Iterator[ListQuery]:
    for order in SortKey:
        yield f"jobs by {order}, descending", "page", _jobs(JobFilter(), JobPageRequest(sort_key=order))
        yield (
            f"jobs by {order}, ascending",
            "page",
            _jobs(JobFilter(), JobPageRequest(sort_key=order, descending=False)),
        )
    yield "jobs by attention, the last page", "deep", _jobs(JobFilter(), _LAST_PAGE)
    yield "jobs, one for each manifest", "page", _jobs(JobFilter(), _FIRST_PAGE, GroupBy.MANIFEST)
    for name, job_filter in _FILTERS.items():
        yield f"jobs {name}", "page", _jobs(job_filter, _FIRST_PAGE)
    yield "totals", "totals", lambda: job_list.job_totals(JobFilter())
    yield "totals, for each manifest", "totals", lambda: job_list.job_totals(JobFilter(), group_by=GroupBy.MANIFEST)
    yield "totals of 5 agencies", "totals", lambda: job_list.job_totals(JobFilter(visible_agencies=_FIVE_AGENCIES))
    jobs = job_list.job_page(JobFilter(), _FIRST_PAGE).jobs
    for name, agencies in _SCOPES.items():
        for list_name, baseline, ask in _queries_of_agencies(agencies):
            yield f"{list_name}{name}", baseline, ask
    yield from _queries_of_run(Run.objects.latest("started_at").run_id)
    job = jobs[0]
    job_history = _HISTORY.filter(table_name=job.table_name, report_type=job.report_type, manifest_id=job.manifest_id)
    yield "history of a job", "history", lambda: list(job_history[:50])
    yield "history of a job, the count", "history", job_history.count
    middle = RunHistory.objects.order_by("-start_time")[RunHistory.objects.count() // 2].start_time
    before = _HISTORY.filter(start_time__lt=middle)
    yield "history from the middle on", "history", lambda: list(before[:100])


def _jobs(job_filter: JobFilter, page_request: JobPageRequest, by: GroupBy = GroupBy.VIEW) -> Callable[[], object]:
    return lambda: job_list.job_page(job_filter, page_request, group_by=by)


def _queries_of_agencies(agencies: list[str] | None) -> Iterator[ListQuery]:
    yield "runs", "runs", lambda: run_timeline.totals(run_timeline.runs_of(agencies)[:50], agencies)
    history = _HISTORY.of_agencies(agencies)
    yield "history", "history", lambda: list(history[:100])
    yield "history, 1,000 rows on", "history", lambda: list(history[1_000:1_100])
    yield "history, 10,000 rows on", "history", lambda: list(history[10_000:10_100])
    yield "what failed", "history", lambda: list(history.filter(status=Status.ERROR)[:100])
    yield "snapshots", "snapshots", lambda: list(agency_scope.snapshot_rows_of(agencies)[:50])


def _queries_of_run(run: str) -> Iterator[ListQuery]:
    rows = run_timeline.history_of(run, None).order_by("-start_time", "-id")
    yield "rows of a run", "history", lambda: list(rows[:100])
    yield "the timeline of a run", "run", lambda: run_timeline.timeline(run, None)
    yield "the timeline of 5 agencies in it", "run", lambda: run_timeline.timeline(run, _FIVE_AGENCIES)
