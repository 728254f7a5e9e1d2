"""What the monitoring page says needs attention."""

import re
from datetime import timedelta

from django.utils import timezone
from django_q.models import Schedule
from pytest_django import Settings

from seeder.models import CircuitBreaker, JobStatus, Run, RunHistory, RunMetrics
from seeder.services.queue import schedules
from seeder.templatetags.seeder_pages import day_and_time
from tests.conftest import another_session, sql
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
    assert "Paused No refresh starts in the database default : the circuit breaker is open since" in text
    assert "Starts paused in default" in text
    assert "because 1 view failed: reporting.bad (disk_full). From" in text
    assert ", a run tries one view, and refreshes the others if that succeeds." in text
    settings.SEEDER = {"AGENCY_SCOPE": "tests.integration.admin.admin_clients.scope_by_name"}
    text = shown_text(client_with(*READER_PERMISSIONS, name="demo"))
    assert "because 1 view failed. From" in text
    CircuitBreaker.objects.update(failures=5, opened_at=timezone.now() - timedelta(days=1))
    text = shown_text(reader)
    assert "because 5 views failed without a success in between" in text
    trial = "tries one view, and refreshes the others if that succeeds."
    assert f"The next run {trial}" in text
    schedules.sync_schedules()
    assert re.search(rf"The next run \((today|tomorrow) \d\d:\d\d\) {re.escape(trial)}", shown_text(reader))


def test_throttle_of_a_living_run_is_a_pause() -> None:
    reader = client_with(*READER_PERMISSIONS)
    hold = {"database": "default", "reason": "server_busy", "from": timezone.now().isoformat(), "until": None}
    Run.objects.update(finished_at=None, holds=[hold])
    assert "the throttle waits" not in shown_text(reader), "the run was killed"
    with another_session() as other:
        key = f"seeder.run {Run.objects.get().run_id}"
        other.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", [key])
        assert "the throttle waits since today" in shown_text(reader)
        assert "Starts paused in default" in shown_text(reader)


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
    assert f'href="{url}#invalid_text_representation">invalid_text_representation</a>' in page


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


def test_missing_worker_is_a_problem_with_a_command() -> None:
    reader = client_with(*READER_PERMISSIONS)
    assert "Workers unknown" in shown_text(reader)
    schedules.sync_schedules()
    text = shown_text(reader)
    assert "Next scheduled run" in text
    assert "Workers ready, waiting for work (1 in each cluster)" in text
    Schedule.objects.filter(name__endswith="resume the queue").update(next_run=timezone.now() - timedelta(minutes=9))
    text = shown_text(reader)
    assert "No cluster has looked for due schedules since today" in text
    assert "Start manage.py watch_queue" in text
    assert "Next scheduled run" not in text


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
