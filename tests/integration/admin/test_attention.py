"""What the monitoring page says needs attention."""

import re
from datetime import timedelta

from django.utils import timezone
from django_q.models import Schedule
from pytest_django import Settings

from seeder.models import CircuitBreaker, JobStatus, Run, RunHistory, RunMetrics
from seeder.services.queue import schedules
from seeder.templatetags.seeder_pages import day_and_time
from tests.conftest import another_session, create_custom_manifest, sql
from tests.integration.admin.admin_clients import READER_PERMISSIONS, client_with, get_page
from tests.integration.admin.page_texts import attention, shown_text


def test_open_breaker_says_since_when_why_and_until_when(settings: Settings) -> None:
    reader = client_with(*READER_PERMISSIONS)
    assert "circuit breaker" not in get_page(reader, "monitoring/")
    sql(
        "INSERT INTO reporting.seeder_circuit_breaker (database_alias, failures, opened_at, causes)"
        """ VALUES ('default', 1, now(), '{"reporting.bad": "disk_full"}') ON CONFLICT (database_alias) DO UPDATE"""
        " SET (failures, opened_at, causes) = (excluded.failures, excluded.opened_at, excluded.causes)"
    )
    text = shown_text(reader)
    assert re.search(r"Refreshes paused since today \d\d:\d\d Queue empty", text)
    assert re.search(r"Paused No refresh starts in the database default since today \d\d:\d\d Why", text)
    assert "Why circuit breaker open after 1 failed view: reporting.bad (disk_full) Next" in text
    trial = ": one view is tried, then the others if it succeeds To do repair the cause"
    assert re.search(rf"Next with the next run from today \d\d:\d\d {trial}", text)
    settings.SEEDER = {"AGENCY_SCOPE": "tests.integration.admin.admin_clients.scope_by_name"}
    text = shown_text(client_with(*READER_PERMISSIONS, name="demo"))
    assert "open after 1 failed view Next" in text
    CircuitBreaker.objects.update(failures=5, opened_at=timezone.now() - timedelta(days=1))
    text = shown_text(reader)
    assert "open after 5 failed views in a row (limit 5): reporting.bad (disk_full) Next" in text
    assert f"Next with the next run {trial}" in text
    schedules.sync_schedules()
    assert re.search(rf"Next (today|tomorrow) \d\d:\d\d {trial}", shown_text(reader))


def test_throttle_of_a_living_run_is_a_pause() -> None:
    reader = client_with(*READER_PERMISSIONS)
    hold = {"database": "default", "reason": "server_busy", "from": timezone.now().isoformat(), "until": None}
    Run.objects.update(finished_at=None, holds=[hold])
    assert "the throttle" not in shown_text(reader), "the run was killed"
    with another_session() as other:
        key = f"seeder.run {Run.objects.get().run_id}"
        other.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", [key])
        text = shown_text(reader)
        assert "Refreshes paused since today" in text
        assert "Why the throttle: too many queries are active on the server Next" in text


def test_failing_view_says_since_when_and_links_its_reason() -> None:
    row = RunHistory.objects.get(table_name="reporting.bad")
    earlier, ok = row.start_time - timedelta(days=1), row.start_time - timedelta(days=2)
    RunHistory.objects.bulk_create(
        RunHistory(**{**facts(row), "start_time": start, "status": status})
        for start, status in ((earlier, "error"), (ok, "success"), (ok - timedelta(days=1), "error"))
    )
    page = get_page(client_with(*READER_PERMISSIONS), "monitoring/")
    assert f"since <b>{day_and_time(earlier)}</b>" in page
    assert f"last success {day_and_time(ok)}" in page
    url = "https://github.com/reporting-seeder/reporting-seeder/blob/main/docs/reference/reasons.md"
    assert f'href="{url}#invalid_text_representation"><b>invalid_text_representation</b></a>' in page


def test_late_view_is_listed_once() -> None:
    JobStatus.objects.filter(table_name="reporting.good").update(
        start_time=timezone.now() - timedelta(hours=53, minutes=4)
    )
    JobStatus.objects.filter(table_name="reporting.bad").update(start_time=timezone.now() - timedelta(hours=27))
    reader = client_with(*READER_PERMISSIONS)
    text = attention(reader)
    assert text.count("Report reporting.bad") == 1
    assert "Late Report reporting.good demo 27 h late last success" in text
    assert "late after 26 hours" in text
    assert text.count("Late") == 1
    partly = "Data partly from today metro except 1 failing, never refreshed demo except 1 late, from "
    assert partly in shown_text(reader)
    page = get_page(reader, "monitoring/")
    assert [re.sub("<.*?>", "", tile) for tile in re.findall(r'<a id="show-.*?</a>', page)] == [
        "3 views",
        "1 fresh",
        "1 failing",
        "1 late",
        "0 running",
    ]
    assert "reporting.bad" not in get_page(reader, "monitoring/", show="late").partition('id="views-heading"')[2]


def test_late_view_says_why_the_night_did_not_refresh_it_and_what_will() -> None:
    created = create_custom_manifest("reporting.new", "SELECT 1 AS n")
    schedules.sync_schedules()
    Run.objects.update(requested_by="seeder: every report")
    reader = client_with(*READER_PERMISSIONS, "refresh_views")
    cause = "Why not selected by the last night: its manifest was added or enabled after the night had started"
    assert re.search(rf"{cause} Next (today|tomorrow) \d\d:\d\d every report refresh it now", attention(reader))
    Schedule.objects.filter(name__endswith="every report").update(name="seeder: agency metro")
    assert "Why no schedule selects it Next refresh it now" in attention(reader)
    Schedule.objects.filter(name="seeder: agency metro").update(name=f"seeder: agency {created.agency_slug}")
    assert re.search(r"its schedule did not run in the last night Next \w+ \d\d:\d\d agency demo", attention(reader))


def test_missing_worker_is_a_problem_with_a_command() -> None:
    reader = client_with(*READER_PERMISSIONS)
    assert "Workers unknown" in shown_text(reader)
    schedules.sync_schedules()
    text = shown_text(reader)
    assert "Workers ready 1 in each cluster Next run" in text
    Schedule.objects.filter(name__endswith="resume the queue").update(next_run=timezone.now() - timedelta(minutes=9))
    text = shown_text(reader)
    assert "Workers not working" in text
    assert "No worker No queued refresh starts since today" in text
    assert "To do start manage.py watch_queue" in text
    assert "Next run" not in text


def test_view_that_data_checks_held_is_shown_as_held() -> None:
    reader = client_with(*READER_PERMISSIONS)
    assert "Failing Report reporting.bad" in attention(reader)
    assert "</svg>failed</span>" in get_page(reader, "monitoring/view/?table=reporting.bad")
    RunMetrics.objects.filter(history__table_name="reporting.bad").update(reason="held")
    assert "Held Report reporting.bad" in attention(reader)
    assert "</svg>held</span>" in get_page(reader, "monitoring/")
    assert "</svg>held</span>" in get_page(reader, "monitoring/view/?table=reporting.bad")


def facts(row: RunHistory) -> dict[str, object]:
    names = ["run_id", "manifest_id", "table_name", "report_name", "agency_id", "agency_slug", "report_type", "errors"]
    return {name: getattr(row, name) for name in names}
