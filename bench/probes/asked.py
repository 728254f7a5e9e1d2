"""Every list that the pages, the API and the commands ask for, as they ask for it."""

from collections.abc import Callable, Iterator, Mapping

from seeder.domain.manifests import ReportType
from seeder.domain.monitoring.report_jobs import GroupBy, JobFilter, JobPageRequest, SortKey
from seeder.domain.outcomes import Status
from seeder.models import Run, RunHistory
from seeder.services.reading import monitoring, timelines, visibility

Asked = tuple[str, str, Callable[[], object]]  # a name, the least to ask for instead, and how it is asked for

_SOME = [f"agency-{number}" for number in range(1, 6)]
_FIRST, _LAST = JobPageRequest(), JobPageRequest(offset=9900)
_NARROWED: Mapping[str, JobFilter] = {
    "of 5 agencies": JobFilter(visible_agencies=_SOME),
    "of one agency": JobFilter(agency="agency-7"),
    "of one agency of 5": JobFilter(visible_agencies=_SOME, agency="agency-3"),
    "canned": JobFilter(report_type=ReportType.CANNED),
    "succeeded": JobFilter(status=Status.SUCCESS),
    "failing": JobFilter(failing=True),
    "not failing": JobFilter(failing=False),
    "late": JobFilter(stale=True),
    "long-running": JobFilter(long_running=True),
    "found by a text": JobFilter(search="report 77"),
    "of 5 agencies, found by a text": JobFilter(visible_agencies=_SOME, search="report 77"),
}
_WHOSE: Mapping[str, list[str] | None] = {"": None, " of 5 agencies": _SOME, " of an agency without any": ["nobody"]}


def asked() -> Iterator[Asked]:
    for order in SortKey:
        yield f"jobs by {order}, descending", "page", _jobs(JobFilter(), JobPageRequest(sort_key=order))
        yield (
            f"jobs by {order}, ascending",
            "page",
            _jobs(JobFilter(), JobPageRequest(sort_key=order, descending=False)),
        )
    yield "jobs by attention, the last page", "deep", _jobs(JobFilter(), _LAST)
    yield "jobs, one for each manifest", "page", _jobs(JobFilter(), _FIRST, GroupBy.MANIFEST)
    for name, wanted in _NARROWED.items():
        yield f"jobs {name}", "page", _jobs(wanted, _FIRST)
    yield "totals", "totals", lambda: monitoring.totals(JobFilter())
    yield "totals, for each manifest", "totals", lambda: monitoring.totals(JobFilter(), by=GroupBy.MANIFEST)
    yield "totals of 5 agencies", "totals", lambda: monitoring.totals(JobFilter(visible_agencies=_SOME))
    shown = monitoring.page(JobFilter(), _FIRST).jobs
    yield "the latest 14 runs of 50 jobs", "history", lambda: monitoring.recent(shown)
    for name, agencies in _WHOSE.items():
        for what, bare, ask in _of(agencies):
            yield f"{what}{name}", bare, ask
    yield from _of_a_run(Run.objects.latest("started_at").run_id)
    job = shown[0]
    own = visibility.history_of(None).filter(
        table_name=job.table_name, report_type=job.report_type, manifest_id=job.manifest_id
    )
    yield "history of a job", "history", lambda: list(own[:50])
    yield "history of a job, the count", "history", own.count
    middle = RunHistory.objects.order_by("-start_time")[RunHistory.objects.count() // 2].start_time
    before = visibility.history_of(None).filter(start_time__lt=middle)
    yield "history from the middle on", "history", lambda: list(before[:100])


def _jobs(wanted: JobFilter, listing: JobPageRequest, by: GroupBy = GroupBy.VIEW) -> Callable[[], object]:
    return lambda: monitoring.page(wanted, listing, by=by)


def _of(agencies: list[str] | None) -> Iterator[Asked]:
    yield "runs", "runs", lambda: timelines.totals(timelines.runs_of(agencies)[:50], agencies)
    history = visibility.history_of(agencies)
    yield "history", "history", lambda: list(history[:100])
    yield "history, 1,000 rows on", "history", lambda: list(history[1_000:1_100])
    yield "history, 10,000 rows on", "history", lambda: list(history[10_000:10_100])
    yield "what failed", "history", lambda: list(history.filter(status=Status.ERROR)[:100])
    yield "snapshots", "snapshots", lambda: list(visibility.snapshots_of(agencies)[:50])


def _of_a_run(run: str) -> Iterator[Asked]:
    rows = timelines.history_of(run, None).order_by("-start_time", "-id")
    yield "rows of a run", "history", lambda: list(rows[:100])
    yield "the timeline of a run", "run", lambda: timelines.timeline(run, None)
    yield "the timeline of 5 agencies in it", "run", lambda: timelines.timeline(run, _SOME)
