"""The nights and the grid of runs on the monitoring page."""

import re
from datetime import timedelta

from django.db.models import F
from django.utils import timezone
from django_q.models import Schedule
from pytest_django import Settings

from seeder.domain.refresh_requests import AllReports, SingleView
from seeder.domain.view_names import ViewName
from seeder.models import Run, RunHistory
from seeder.services.queue import schedules
from seeder.services.run import orchestrator
from tests.conftest import another_session, create_custom_manifest
from tests.integration.admin.admin_clients import READER_PERMISSIONS, client_with, get_page
from tests.integration.admin.page_texts import cells, nights


def test_first_line_is_the_night_beside_the_previous_one(settings: Settings) -> None:
    reader = client_with(*READER_PERMISSIONS)
    night = Run.objects.get()
    assert "2 of 3 views refreshed 1 failed" in nights(reader)
    earlier = night.started_at - timedelta(days=1)
    Run.objects.filter(pk=night.pk).update(started_at=earlier, finished_at=earlier + timedelta(minutes=41))
    orchestrator.execute_run(SingleView(name=ViewName.parse("reporting.good")), requested_by="operator")
    assert "2 of 3 views refreshed 1 failed" in nights(reader), "a run by hand is no night"
    orchestrator.execute_run(AllReports(), requested_by="a test")
    text = nights(reader)
    ended = r"finished (today|yesterday) \d\d:\d\d"
    started, counts = r"started (yesterday )?\d\d:\d\d", "2 of 3 views refreshed 1 failed"
    assert re.search(rf"Last night {ended} {started} by a test {counts} \( reporting.bad \) Timeline", text)
    assert "Later run" not in text
    orchestrator.execute_run(SingleView(name=ViewName.parse("reporting.bad")), requested_by="operator")
    text = nights(reader)
    later = r"Later run (today|yesterday) \d\d:\d\d by operator the view reporting.bad 1 failed Timeline"
    assert re.search(later, text)
    assert re.search(rf"Previous night {ended} {counts} Timeline", text)
    settings.SEEDER = {"AGENCY_SCOPE": "tests.integration.admin.admin_clients.scope_by_name"}
    assert "2 of 2 views refreshed" in nights(client_with(*READER_PERMISSIONS, name="demo"))


def test_first_line_shows_a_killed_run_and_a_missing_night() -> None:
    reader = client_with(*READER_PERMISSIONS)
    Run.objects.update(finished_at=None)
    RunHistory.objects.filter(table_name="reporting.good").update(status="running")
    text = nights(reader)
    assert "Last night interrupted (killed) started today" in text
    assert "1 of 3 views refreshed 1 failed ( reporting.bad ) 1 interrupted" in text
    Run.objects.update(stopped_by="SIGTERM", finished_at=timezone.now())
    assert re.search(r"interrupted today \d\d:\d\d \(SIGTERM\) started \d\d:\d\d", nights(reader))
    Run.objects.update(stopped_by=None, finished_at=None)
    with another_session() as other:
        key = f"seeder.run {Run.objects.get().run_id}"
        other.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", [key])
        text = nights(reader)
        assert "running since today" in text
        assert "1 of 3 views refreshed 1 failed ( reporting.bad ) 1 running" in text
    Run.objects.update(started_at=F("started_at") - timedelta(hours=27))
    assert "No nightly run has started since" in nights(reader)


def test_night_names_listed_views_that_it_did_not_select(settings: Settings) -> None:
    create_custom_manifest("reporting.new", "SELECT 1 AS n", agency="metro")
    create_custom_manifest("reporting.off", "SELECT 1 AS n", enabled=False)
    reader = client_with(*READER_PERMISSIONS)
    failed, absent = "1 failed ( reporting.bad )", "1 not selected ( reporting.new )"
    assert f"2 of 4 views refreshed {failed} {absent} Timeline" in nights(reader)
    create_custom_manifest("reporting.newer", "SELECT 1 AS n", agency="metro")
    create_custom_manifest("reporting.newest", "SELECT 1 AS n", agency="metro")
    assert "3 not selected Timeline" in nights(reader)
    settings.SEEDER = {"AGENCY_SCOPE": "tests.integration.admin.admin_clients.scope_by_name"}
    assert "2 of 2 views refreshed Timeline" in nights(client_with(*READER_PERMISSIONS, name="demo"))


def test_overdue_schedule_is_a_missing_night() -> None:
    schedules.sync_schedules()
    assert "No nightly run" not in nights(client_with(*READER_PERMISSIONS))
    Run.objects.update(started_at=F("started_at") - timedelta(hours=3))
    Schedule.objects.filter(cron__isnull=False).update(next_run=timezone.now() - timedelta(hours=2))
    assert "No nightly run has started since" in nights(client_with(*READER_PERMISSIONS, name="another"))


def test_pages_count_a_run_in_views_like_the_commands() -> None:
    [run_id] = RunHistory.objects.filter(table_name="reporting.shared").values_list("run_id", flat=True).distinct()
    views = RunHistory.objects.filter(run_id=run_id).values("table_name").distinct().count()
    assert RunHistory.objects.filter(run_id=run_id).count() > views
    reader = client_with(*READER_PERMISSIONS)
    assert f"{views} views: {views - 1} succeeded, 1 failed" in get_page(reader, f"monitoring/run/{run_id}/")
    assert f"{views - 1} of {views} views refreshed 1 failed" in nights(reader)


def test_grid_has_a_column_for_each_run_and_names_each_state() -> None:
    orchestrator.execute_run(SingleView(name=ViewName.parse("reporting.good")), requested_by="operator")
    bad = RunHistory.objects.get(table_name="reporting.bad")
    night, by_hand = Run.objects.order_by("started_at").values_list("run_id", flat=True)
    reader = client_with(*READER_PERMISSIONS)
    page = get_page(reader, "monitoring/")
    assert page.index(f"column-{night}") < page.index(f"column-{by_hand}")
    started = r"Later run of (today|yesterday) \d\d:\d\d: the view reporting.good, requested by operator"
    assert re.search(f'<th scope="col" class="column" title="{started}">', page)
    assert cells(page, "reporting.good") == ["refreshed", "refreshed"]
    assert cells(page, "reporting.bad") == ["failed", "not selected"]
    RunHistory.objects.filter(pk=bad.pk).update(errors="interrupted: SIGTERM")
    assert cells(get_page(reader, "monitoring/"), "reporting.bad") == ["interrupted", "not selected"]


def test_names_in_the_grid_break_between_their_words() -> None:
    create_custom_manifest('reporting."by_<day>"', "SELECT 1 AS n")
    page = get_page(client_with(*READER_PERMISSIONS), "monitoring/")
    assert "reporting.<wbr>&quot;by_<wbr>&lt;day&gt;&quot;</a>" in page


def test_grid_hides_refreshes_for_other_agencies(settings: Settings) -> None:
    settings.SEEDER = {"AGENCY_SCOPE": "tests.integration.admin.admin_clients.scope_by_name"}
    RunHistory.objects.filter(table_name="reporting.shared", agency_slug="demo").delete()
    assert cells(get_page(client_with(*READER_PERMISSIONS), "monitoring/"), "reporting.shared") == ["refreshed"]
    demo = client_with(*READER_PERMISSIONS, name="demo")
    assert cells(get_page(demo, "monitoring/"), "reporting.shared") == ["not selected"]
