"""The job list: status, staleness, filters and agency scope."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.db import DEFAULT_DB_ALIAS
from pytest_django import Settings

from seeder.checks import check_agency_settings
from seeder.domain.manifests import ReportType
from seeder.domain.monitoring.report_jobs import GroupBy, Job, JobFilter, JobPageRequest, JobTotals, SortKey
from seeder.domain.outcomes import Status
from seeder.domain.refresh_requests import AgencyReports, AllReports
from seeder.errors import ConfigurationError, UnknownRun
from seeder.models import JobStatus, Run, RunHistory
from seeder.postgres.contract import OptionalTables
from seeder.services.read_models import (
    agency_scope,
    current_activity,
    error_redaction,
    job_list,
    row_filters,
    run_timeline,
)
from seeder.services.read_models.row_filters import RowFilter
from seeder.services.run import orchestrator
from seeder.services.run.run_liveness_lock import RunLock
from tests.conftest import AGENCIES, BuildScene, create_canned_report, create_custom_manifest, sql

NO_FILTER = JobFilter()


@pytest.fixture(autouse=True)
def reports(scene: BuildScene) -> None:
    scene(create_reports_and_run)


def create_reports_and_run() -> None:
    create_custom_manifest("reporting.good", "SELECT 1 AS n")
    create_custom_manifest("reporting.bad", "SELECT 1 / 0 AS n", agency="metro")
    create_canned_report("reporting.shared", "SELECT 2 AS n", agencies=("demo", "metro"))
    create_custom_manifest("reporting.disabled", "SELECT 3 AS n", enabled=False)
    orchestrator.execute_run(AllReports(), requested_by="a test")


FIRST_PAGE = JobPageRequest()


def listed_names(
    job_filter: JobFilter = NO_FILTER, page_request: JobPageRequest = FIRST_PAGE, *, group_by: GroupBy = GroupBy.VIEW
) -> list[str]:
    return [job.table_name for job in job_list.job_page(job_filter, page_request, group_by=group_by).jobs]


def job_of(name: str, job_filter: JobFilter = NO_FILTER) -> Job:
    [job] = [job for job in job_list.job_page(job_filter, JobPageRequest()).jobs if job.table_name == name]
    return job


@pytest.fixture
def live_run(reports: None) -> Iterator[None]:
    """Hold the lock of the run, as if its process lived."""
    with RunLock(Run.objects.get().run_id):
        yield


def set_running(name: str, *, since: timedelta, usually: timedelta) -> None:
    now = datetime.now(UTC)
    JobStatus.objects.filter(table_name=name).update(status="running", start_time=now - since)
    RunHistory.objects.filter(table_name=name).update(start_time=now - timedelta(hours=1) - usually)
    RunHistory.objects.filter(table_name=name).update(finish_time=now - timedelta(hours=1))


def test_every_enabled_view_is_listed_with_its_status() -> None:
    assert sorted(listed_names()) == ["reporting.bad", "reporting.good", "reporting.shared"]
    good, bad, shared = job_of("reporting.good"), job_of("reporting.bad"), job_of("reporting.shared")
    assert (good.status, good.consecutive_failures, good.failing, good.stale) == (Status.SUCCESS, 0, False, False)
    assert (bad.status, bad.failing, bad.stale, bad.last_success_at) == (Status.ERROR, True, True, None)
    assert "division by zero" in str(bad.errors)
    assert (shared.agencies, shared.report_type, good.last_success_at) == (["demo", "metro"], "canned", good.start_time)


def test_each_subscription_is_a_job_when_grouped_by_manifest() -> None:
    assert sorted(listed_names(group_by=GroupBy.MANIFEST)) == [
        "reporting.bad",
        "reporting.good",
        *2 * ["reporting.shared"],
    ]
    assert job_list.job_totals(NO_FILTER, group_by=GroupBy.MANIFEST).jobs == 4


@pytest.mark.usefixtures("live_run")
def test_views_that_need_attention_are_first() -> None:
    assert listed_names() == ["reporting.bad", "reporting.good", "reporting.shared"]
    set_running("reporting.shared", since=timedelta(minutes=5), usually=timedelta(seconds=90))
    assert listed_names() == ["reporting.shared", "reporting.bad", "reporting.good"]


@pytest.mark.usefixtures("live_run")
@pytest.mark.parametrize(("since", "is_long"), [(timedelta(seconds=260), False), (timedelta(seconds=280), True)])
def test_long_running_is_three_times_the_usual_duration(since: timedelta, is_long: bool) -> None:  # noqa: FBT001
    set_running("reporting.good", since=since, usually=timedelta(seconds=90))
    assert job_of("reporting.good").long_running is is_long
    assert listed_names(JobFilter(long_running=True)) == (["reporting.good"] if is_long else [])


@pytest.mark.usefixtures("live_run")
def test_view_with_a_tiny_usual_duration_is_not_long_running() -> None:
    set_running("reporting.good", since=timedelta(seconds=2), usually=timedelta(milliseconds=3))
    assert not job_of("reporting.good").long_running


@pytest.mark.usefixtures("live_run")
def test_view_without_success_has_no_usual_duration() -> None:
    JobStatus.objects.filter(table_name="reporting.bad").update(
        status="running", start_time=datetime.now(UTC) - timedelta(hours=3)
    )
    assert not job_of("reporting.bad").long_running


def test_view_is_stale_by_the_age_of_its_last_success(settings: Settings) -> None:
    sql("UPDATE reporting.seeder_run_history SET start_time = now() - interval '3 hours'")
    sql("UPDATE reporting.seeder_job_status SET start_time = now() - interval '3 hours'")
    assert not job_of("reporting.good").stale
    settings.SEEDER = {"STALE_HOURS": 2}
    assert job_of("reporting.good").stale
    sql("UPDATE reporting.seeder_job_status SET status = 'error', start_time = now()")
    assert job_of("reporting.good").stale
    settings.SEEDER = {"STALE_HOURS": 4}
    assert not job_of("reporting.good").stale


def test_pending_view_keeps_its_last_success() -> None:
    previous = job_of("reporting.good")
    JobStatus.objects.update(status="pending")
    assert (job_of("reporting.good").stale, job_of("reporting.good").last_success_at) == (False, previous.start_time)
    assert job_of("reporting.bad").stale
    JobStatus.objects.filter(table_name="reporting.good").update(start_time=None)
    assert job_of("reporting.good").stale, "it has never succeeded"


@pytest.mark.parametrize(
    ("job_filter", "expected"),
    [
        (JobFilter(agencies=["metro"]), ["reporting.bad", "reporting.shared"]),
        (JobFilter(report_types=[ReportType.CANNED]), ["reporting.shared"]),
        (JobFilter(statuses=[Status.ERROR]), ["reporting.bad"]),
        (JobFilter(failing=False), ["reporting.good", "reporting.shared"]),
        (JobFilter(stale=True), ["reporting.bad"]),
        (JobFilter(search="GOO"), ["reporting.good"]),
        (JobFilter(search="canned"), ["reporting.shared"]),
        (JobFilter(search="%"), []),
        (JobFilter(visible_agencies=["harbor"]), []),
        (JobFilter(visible_agencies=[]), []),
        (JobFilter(table_name="reporting.good"), ["reporting.good"]),
    ],
)
def test_job_list_can_be_filtered(job_filter: JobFilter, expected: list[str]) -> None:
    assert listed_names(job_filter) == expected
    assert job_list.job_totals(job_filter).jobs == len(expected)


def test_agency_scope_hides_other_agencies() -> None:
    assert listed_names(JobFilter(visible_agencies=["demo"])) == ["reporting.good", "reporting.shared"]
    assert job_of("reporting.shared", JobFilter(visible_agencies=["metro"])).agencies == ["metro"]
    [run] = run_timeline.totals(run_timeline.runs_of(["metro"]), ["metro"])
    assert (run.manifests, run.succeeded, run.failed) == (2, 1, 1)
    assert {bar.table_name for bar in run_timeline.timeline(run.run_id, ["demo"]).bars} == {
        "reporting.good",
        "reporting.shared",
    }
    with pytest.raises(UnknownRun):
        run_timeline.timeline(run.run_id, ["harbor"])


def test_job_list_can_be_sorted_and_paged() -> None:
    by_name = JobPageRequest(sort_key=SortKey.TABLE_NAME, descending=False, limit=1, offset=1)
    page = job_list.job_page(NO_FILTER, by_name)
    assert ([job.table_name for job in page.jobs], page.total) == (["reporting.good"], 3)
    for order in SortKey:
        for descending in (False, True):
            assert len(listed_names(NO_FILTER, JobPageRequest(sort_key=order, descending=descending))) == 3


def test_totals_count_views() -> None:
    assert job_list.job_totals(NO_FILTER) == JobTotals(jobs=3, fresh=2, failing=1, running=0, long_running=0, stale=1)


@pytest.mark.usefixtures("live_run")
def test_unfinished_run_is_counted_by_its_ended_rows() -> None:
    Run.objects.update(finished_at=None, agencies={"demo": {"manifests": 2}, "metro": {"manifests": 2}})
    [run] = run_timeline.totals(Run.objects.all(), None)
    assert (run.status, run.manifests, run.succeeded, run.failed) == (Status.RUNNING, 4, 3, 1)


def test_killed_run_is_neither_running_nor_are_its_views() -> None:
    Run.objects.update(finished_at=None)
    RunHistory.objects.filter(table_name="reporting.good").update(status="running", finish_time=None)
    JobStatus.objects.filter(table_name="reporting.good").update(status="running")
    JobStatus.objects.filter(table_name="reporting.shared").update(status="pending")
    run_id = Run.objects.get().run_id
    with RunLock(run_id):
        assert running_counts() == (1, 1, {run_id}, set())
        assert len(run_timeline.retry_request(run_id, None).manifests) == 1, "those that failed"
    assert running_counts() == (0, 0, set(), {run_id})
    assert [job_of(name).status for name in ("reporting.good", "reporting.shared")] == [Status.ERROR] * 2
    [run] = run_timeline.totals(Run.objects.all(), None)
    assert (run.status, run.is_dead) == (Status.ERROR, True)
    assert len(run_timeline.retry_request(run_id, None).manifests) == 2, "what it left, too"


def running_counts() -> tuple[int, int, set[str], set[str]]:
    """Return the numbers of running views and runs of the totals, and the runs listed as running and as failed."""
    activity = current_activity.read_activity(None, with_runs=True, with_queue=False)
    assert activity.runs is not None
    running, failed = (
        {run.run_id for run in row_filters.filter_runs(Run.objects.all(), RowFilter(statuses=[status]), None)}
        for status in (Status.RUNNING, Status.ERROR)
    )
    return job_list.job_totals(NO_FILTER).running, activity.runs.running, running, failed


def test_timeline_has_one_bar_per_view_with_its_wait() -> None:
    run = Run.objects.get()
    timeline = run_timeline.timeline(run.run_id, None)
    assert sorted((bar.table_name, bar.status) for bar in timeline.bars) == [
        ("reporting.bad", Status.ERROR),
        ("reporting.good", Status.SUCCESS),
        ("reporting.shared", Status.SUCCESS),
    ]
    assert {bar.lane for bar in timeline.bars} <= {1, 2, 3}
    assert all(bar.throttle_wait_seconds is not None for bar in timeline.bars)
    assert timeline.pending_count == 0
    sql("DROP TABLE reporting.seeder_run_metrics")
    assert len(run_timeline.timeline(run.run_id, None).bars) == 3


def only_demo(user: User) -> list[str]:
    return ["demo"] if user.username == "demo" else []


def invalid_scope(user: User) -> str:
    return "demo"


def test_agency_scope_is_decided_by_a_callable_of_the_host(settings: Settings) -> None:
    user = User(username="demo")
    assert agency_scope.agencies_of(user) is None
    settings.SEEDER = {"AGENCY_SCOPE": f"{__name__}.only_demo"}
    assert agency_scope.agencies_of(user) == ["demo"]
    for invalid_path in (f"{__name__}.{invalid_scope.__name__}", f"{__name__}.__name__", "no.such.module"):
        settings.SEEDER = {"AGENCY_SCOPE": invalid_path}
        with pytest.raises(ConfigurationError, match="AGENCY_SCOPE"):
            agency_scope.agencies_of(user)


def test_run_for_another_agency_is_hidden_but_not_its_reason() -> None:
    demo = JobFilter(visible_agencies=["demo"])
    [run_id] = {job_of(name, demo).last_run_id for name in ("reporting.good", "reporting.shared")}
    assert run_timeline.summary(str(run_id), ["demo"])
    sql("UPDATE reporting.seeder_canned_report SET query = 'SELECT 1 / 0 AS n'")
    sql("DROP MATERIALIZED VIEW reporting.shared")
    orchestrator.execute_run(AgencyReports(slug="metro"), requested_by="another test")
    shared = job_of("reporting.shared", demo)
    assert (shared.failing, shared.last_run_id, job_of("reporting.shared").last_run_id is None) == (True, None, False)
    [failure_reason] = error_redaction.failures_of_jobs(
        [shared], OptionalTables.read(DEFAULT_DB_ALIAS, read_only=True), can_see_errors=False
    ).values()
    assert failure_reason.reason == "division_by_zero"


def test_view_is_found_by_each_spelling_of_its_name() -> None:
    create_custom_manifest("Good_2", "SELECT 1", agency="harbor", enabled=False)
    create_custom_manifest("a.b.c", "SELECT 1", agency="harbor")
    assert agency_scope.tables_of(["harbor"]) == ["Good_2", "a.b.c", "reporting.good_2"]
    assert agency_scope.tables_of(["metro", "unknown"]) == ["reporting.bad", "reporting.shared"]


def test_agency_names_come_from_the_host_model(settings: Settings) -> None:
    demo = [(AGENCIES["demo"], "demo")]
    assert agency_scope.names_of(demo) == {1: "demo"}
    # Any model will do, because only its primary key and text are used.
    settings.SEEDER = {"AGENCY_MODEL": "seeder.CannedReport"}
    assert agency_scope.names_of(demo) == {1: "Canned reporting.shared"}
    settings.SEEDER = {"AGENCY_MODEL": "nowhere"}
    with pytest.raises(ConfigurationError, match="AGENCY_MODEL"):
        agency_scope.names_of(demo)


@pytest.mark.parametrize(
    ("setting", "check_ids"),
    [
        ({}, []),
        ({"AGENCY_SCOPE": f"{__name__}.only_demo", "AGENCY_MODEL": "seeder.CannedReport"}, []),
        ({"AGENCY_SCOPE": "no.such.module"}, ["seeder.E015"]),
        ({"AGENCY_SCOPE": f"{__name__}.EVERY"}, ["seeder.E015"]),
        ({"AGENCY_MODEL": "seeder.NoSuchModel"}, ["seeder.E015"]),
        ({"MAX_WORKERS": 0, "AGENCY_MODEL": "seeder.NoSuchModel"}, []),
    ],
)
def test_check_reports_invalid_agency_settings(
    settings: Settings, setting: dict[str, object], check_ids: list[str]
) -> None:
    settings.SEEDER = setting
    assert [message.id for message in check_agency_settings()] == check_ids
