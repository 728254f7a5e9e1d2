"""What is fresh, what failed and what runs, as those who look at it may see it."""

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import User
from pytest_django import Settings

from seeder.checks import check_agency_settings
from seeder.domain.manifests import ReportType
from seeder.domain.monitoring.report_jobs import GroupBy, Job, JobFilter, JobPageRequest, JobTotals, SortKey
from seeder.domain.outcomes import Status
from seeder.domain.refresh_requests import AgencyReports, AllReports
from seeder.errors import ConfigurationError, UnknownRun
from seeder.models import JobStatus, Run, RunHistory
from seeder.services.read_models import agency_scope, error_redaction, job_list, run_timeline
from seeder.services.run import orchestrator
from tests.conftest import AGENCIES, BuildScene, create_canned_report, create_custom_manifest, sql

EVERY = JobFilter()


@pytest.fixture(autouse=True)
def reports(scene: BuildScene) -> None:
    scene(night)


def night() -> None:
    create_custom_manifest("reporting.good", "SELECT 1 AS n")
    create_custom_manifest("reporting.bad", "SELECT 1 / 0 AS n", agency="metro")
    create_canned_report("reporting.shared", "SELECT 2 AS n", agencies=("demo", "metro"))
    create_custom_manifest("reporting.disabled", "SELECT 3 AS n", enabled=False)
    orchestrator.execute_run(AllReports(), requested_by="a test")


FIRST_PAGE = JobPageRequest()


def listed(wanted: JobFilter = EVERY, listing: JobPageRequest = FIRST_PAGE, *, by: GroupBy = GroupBy.VIEW) -> list[str]:
    return [job.table_name for job in job_list.job_page(wanted, listing, group_by=by).jobs]


def the(name: str, wanted: JobFilter = EVERY) -> Job:
    [job] = [job for job in job_list.job_page(wanted, JobPageRequest()).jobs if job.table_name == name]
    return job


def runs_now(name: str, *, since: timedelta, usually: timedelta) -> None:
    now = datetime.now(UTC)
    JobStatus.objects.filter(table_name=name).update(status="running", start_time=now - since)
    RunHistory.objects.filter(table_name=name).update(start_time=now - timedelta(hours=1) - usually)
    RunHistory.objects.filter(table_name=name).update(finish_time=now - timedelta(hours=1))


def test_every_enabled_view_is_listed_with_its_latest_state() -> None:
    assert sorted(listed()) == ["reporting.bad", "reporting.good", "reporting.shared"]
    good, bad, shared = the("reporting.good"), the("reporting.bad"), the("reporting.shared")
    assert (good.status, good.consecutive_failures, good.failing, good.stale) == (Status.SUCCESS, 0, False, False)
    assert (bad.status, bad.failing, bad.stale, bad.last_success_at) == (Status.ERROR, True, True, None)
    assert "division by zero" in str(bad.errors)
    assert (shared.agencies, shared.report_type, good.last_success_at) == (["demo", "metro"], "canned", good.start_time)


def test_each_subscription_is_a_job_of_its_own() -> None:
    assert sorted(listed(by=GroupBy.MANIFEST)) == ["reporting.bad", "reporting.good", *2 * ["reporting.shared"]]
    assert job_list.job_totals(EVERY, group_by=GroupBy.MANIFEST).jobs == 4


def test_what_needs_attention_comes_first() -> None:
    assert listed() == ["reporting.bad", "reporting.good", "reporting.shared"]
    runs_now("reporting.shared", since=timedelta(minutes=5), usually=timedelta(seconds=90))
    assert listed() == ["reporting.shared", "reporting.bad", "reporting.good"]


@pytest.mark.parametrize(("since", "is_long"), [(timedelta(seconds=260), False), (timedelta(seconds=280), True)])
def test_long_running_means_three_times_its_own_usual_duration(since: timedelta, is_long: bool) -> None:  # noqa: FBT001
    runs_now("reporting.good", since=since, usually=timedelta(seconds=90))
    assert the("reporting.good").long_running is is_long
    assert listed(JobFilter(long_running=True)) == (["reporting.good"] if is_long else [])


def test_a_view_that_usually_takes_no_time_is_not_long_running_at_once() -> None:
    runs_now("reporting.good", since=timedelta(seconds=2), usually=timedelta(milliseconds=3))
    assert not the("reporting.good").long_running


def test_a_view_that_has_never_succeeded_has_no_usual_duration() -> None:
    JobStatus.objects.filter(table_name="reporting.bad").update(
        status="running", start_time=datetime.now(UTC) - timedelta(hours=3)
    )
    assert not the("reporting.bad").long_running


def test_a_view_is_stale_when_its_last_success_is_too_long_ago_whatever_came_after(settings: Settings) -> None:
    sql("UPDATE reporting.seeder_run_history SET start_time = now() - interval '3 hours'")
    sql("UPDATE reporting.seeder_job_status SET start_time = now() - interval '3 hours'")
    assert not the("reporting.good").stale
    settings.SEEDER = {"STALE_HOURS": 2}
    assert the("reporting.good").stale
    sql("UPDATE reporting.seeder_job_status SET status = 'error', start_time = now()")
    assert the("reporting.good").stale
    settings.SEEDER = {"STALE_HOURS": 4}
    assert not the("reporting.good").stale


def test_a_view_that_waits_for_its_turn_is_as_fresh_as_it_was() -> None:
    before = the("reporting.good")
    JobStatus.objects.update(status="pending")
    assert (the("reporting.good").stale, the("reporting.good").last_success_at) == (False, before.start_time)
    assert the("reporting.bad").stale
    JobStatus.objects.filter(table_name="reporting.good").update(start_time=None)
    assert the("reporting.good").stale, "it never succeeded"


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (JobFilter(agency="metro"), ["reporting.bad", "reporting.shared"]),
        (JobFilter(report_type=ReportType.CANNED), ["reporting.shared"]),
        (JobFilter(status=Status.ERROR), ["reporting.bad"]),
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
def test_a_list_can_be_narrowed(wanted: JobFilter, found: list[str]) -> None:
    assert listed(wanted) == found
    assert job_list.job_totals(wanted).jobs == len(found)


def test_nobody_learns_of_agencies_that_they_may_not_see() -> None:
    assert listed(JobFilter(visible_agencies=["demo"])) == ["reporting.good", "reporting.shared"]
    assert the("reporting.shared", JobFilter(visible_agencies=["metro"])).agencies == ["metro"]
    [run] = run_timeline.totals(run_timeline.runs_of(["metro"]), ["metro"])
    assert (run.manifests, run.succeeded, run.failed) == (2, 1, 1)
    assert {bar.table_name for bar in run_timeline.timeline(run.run_id, ["demo"]).bars} == {
        "reporting.good",
        "reporting.shared",
    }
    with pytest.raises(UnknownRun):
        run_timeline.timeline(run.run_id, ["harbor"])


def test_a_list_can_be_sorted_and_cut() -> None:
    by_name = JobPageRequest(sort_key=SortKey.TABLE_NAME, descending=False, limit=1, offset=1)
    page = job_list.job_page(EVERY, by_name)
    assert ([job.table_name for job in page.jobs], page.total) == (["reporting.good"], 3)
    for order in SortKey:
        for descending in (False, True):
            assert len(listed(EVERY, JobPageRequest(sort_key=order, descending=descending))) == 3


def test_totals_count_views() -> None:
    assert job_list.job_totals(EVERY) == JobTotals(jobs=3, fresh=2, failing=1, running=0, long_running=0, stale=1)


def test_the_latest_runs_of_each_view_come_with_it() -> None:
    orchestrator.execute_run(AllReports())
    page = job_list.job_page(EVERY, JobPageRequest())
    recent = job_list.recent_runs(page.jobs, max_runs=5)
    assert {name: [one.status for one in found] for name, found in recent.items()} == {
        "reporting.bad": [Status.ERROR] * 2,
        "reporting.good": [Status.SUCCESS] * 2,
        "reporting.shared": [Status.SUCCESS] * 2,
    }
    assert recent["reporting.good"][0].start_time > recent["reporting.good"][1].start_time
    assert all(len(found) == 1 for found in job_list.recent_runs(page.jobs, max_runs=1).values())


def test_a_run_that_goes_on_is_counted_as_far_as_it_is() -> None:
    Run.objects.update(finished_at=None, agencies={"demo": {"manifests": 2}, "metro": {"manifests": 2}})
    [run] = run_timeline.totals(Run.objects.all(), None)
    assert (run.status, run.manifests, run.succeeded, run.failed) == (Status.RUNNING, 4, 3, 1)


def test_a_timeline_has_a_bar_for_each_view_and_says_what_it_waited_for() -> None:
    run = Run.objects.get()
    found = run_timeline.timeline(run.run_id, None)
    assert [
        (bar.table_name, bar.agencies, bar.status) for bar in sorted(found.bars, key=lambda bar: bar.table_name)
    ] == [
        ("reporting.bad", ["metro"], Status.ERROR),
        ("reporting.good", ["demo"], Status.SUCCESS),
        ("reporting.shared", ["demo", "metro"], Status.SUCCESS),
    ]
    assert {bar.lane for bar in found.bars} <= {1, 2, 3}
    assert all(bar.throttle_wait is not None for bar in found.bars)
    assert found.pending_count == 0
    sql("DROP TABLE reporting.seeder_run_metrics")
    assert len(run_timeline.timeline(run.run_id, None).bars) == 3


def only_demo(user: User) -> list[str]:
    return ["demo"] if user.username == "demo" else []


def nonsense(user: User) -> str:
    return "demo"


def test_a_callable_of_the_host_says_which_agencies_a_user_may_see(settings: Settings) -> None:
    user = User(username="demo")
    assert agency_scope.agencies_of(user) is None
    settings.SEEDER = {"AGENCY_SCOPE": f"{__name__}.only_demo"}
    assert agency_scope.agencies_of(user) == ["demo"]
    for wrong in (f"{__name__}.nonsense", f"{__name__}.__name__", "no.such.module"):
        settings.SEEDER = {"AGENCY_SCOPE": wrong}
        with pytest.raises(ConfigurationError, match="AGENCY_SCOPE"):
            agency_scope.agencies_of(user)


def test_a_run_that_refreshed_a_view_for_others_alone_is_not_named_and_says_why_it_failed() -> None:
    demo = JobFilter(visible_agencies=["demo"])
    [seen] = {the(name, demo).last_run_id for name in ("reporting.good", "reporting.shared")}
    assert run_timeline.summary(str(seen), ["demo"])
    sql("UPDATE reporting.seeder_canned_report SET query = 'SELECT 1 / 0 AS n'")
    sql("DROP MATERIALIZED VIEW reporting.shared")
    orchestrator.execute_run(AgencyReports(slug="metro"), requested_by="another test")
    shared = the("reporting.shared", demo)
    assert (shared.failing, shared.last_run_id, the("reporting.shared").last_run_id is None) == (True, None, False)
    [why] = error_redaction.reasons_of_jobs([shared]).values()
    assert why.reason == "division_by_zero"


def test_a_view_is_known_by_each_of_its_spellings() -> None:
    create_custom_manifest("Good_2", "SELECT 1", agency="harbor", enabled=False)
    create_custom_manifest("a.b.c", "SELECT 1", agency="harbor")
    assert agency_scope.tables_of(["harbor"]) == ["Good_2", "a.b.c", "reporting.good_2"]
    assert agency_scope.tables_of(["metro", "nobody"]) == ["reporting.bad", "reporting.shared"]


def test_agencies_are_called_as_the_hosts_model_calls_them(settings: Settings) -> None:
    demo = [(AGENCIES["demo"], "demo")]
    assert agency_scope.names_of(demo) == {1: "demo"}
    # Any model will do: only its primary key and its text are asked for.
    settings.SEEDER = {"AGENCY_MODEL": "seeder.CannedReport"}
    assert agency_scope.names_of(demo) == {1: "Canned reporting.shared"}
    settings.SEEDER = {"AGENCY_MODEL": "nowhere"}
    with pytest.raises(ConfigurationError, match="AGENCY_MODEL"):
        agency_scope.names_of(demo)


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ({}, []),
        ({"AGENCY_SCOPE": f"{__name__}.only_demo", "AGENCY_MODEL": "seeder.CannedReport"}, []),
        ({"AGENCY_SCOPE": "no.such.module"}, ["seeder.E015"]),
        ({"AGENCY_SCOPE": f"{__name__}.EVERY"}, ["seeder.E015"]),
        ({"AGENCY_MODEL": "seeder.Nobody"}, ["seeder.E015"]),
        ({"MAX_WORKERS": 0, "AGENCY_MODEL": "seeder.Nobody"}, []),
    ],
)
def test_a_check_says_which_of_the_hosts_things_are_not_there(
    settings: Settings, setting: dict[str, object], told: list[str]
) -> None:
    settings.SEEDER = setting
    assert [message.id for message in check_agency_settings()] == told
