"""What the monitoring page says needs attention."""

import re
from datetime import timedelta

from django.utils import timezone
from django_q.models import Schedule
from pytest_django import Settings

from seeder.domain.refresh_requests import AllReports
from seeder.models import CircuitBreaker, JobStatus, Run, RunHistory, RunMetrics
from seeder.services.queue import schedules
from seeder.services.run import orchestrator
from seeder.templatetags.seeder_pages import day_and_time
from tests.conftest import another_session, create_custom_manifest
from tests.integration.admin.admin_clients import READER_PERMISSIONS, client_with, get_page
from tests.integration.admin.page_texts import attention, shown_text


def test_open_breaker_says_since_when_why_and_what_next(settings: Settings) -> None:
    reader = client_with(*READER_PERMISSIONS)
    assert "circuit breaker" not in get_page(reader, "monitoring/")
    open_breaker()
    text = attention(reader)
    paused = r"Paused by the circuit breaker since today \d\d:\d\d"
    assert re.match(rf"Needs attention {paused} 1 failed view: disk_full Next", text)
    to_do = "To do repair the cause, then manage.py refresh_table reporting.bad : its success ends the pause."
    todo = f"tries one view; if it succeeds, all others follow {to_do} Or end it now: manage.py reset_breaker"
    assert re.search(rf"Next the next run after today \d\d:\d\d {todo}", text)
    assert "database" not in text
    settings.SEEDER = {"AGENCY_SCOPE": "tests.integration.admin.admin_clients.scope_by_name"}
    assert re.search(rf"{paused} 1 failed view Next", shown_text(client_with(*READER_PERMISSIONS, name="demo")))
    CircuitBreaker.objects.update(failures=5, opened_at=timezone.now() - timedelta(days=1))
    text = shown_text(reader)
    assert "5 failed views in a row (limit 5): disk_full Next" in text
    assert f"Next the next run {todo}" in text


def test_pause_links_the_box_that_has_the_cause() -> None:
    open_breaker()
    reader = client_with(*READER_PERMISSIONS)
    page = get_page(reader, "monitoring/")
    [box] = re.findall(r'<li id="(failing-[^"]*)"', page)
    assert f'href="#{box}">disk_full</a>' in page
    CircuitBreaker.objects.update(causes={"reporting.other": "disk_full"})
    assert '/view/?table=reporting.other">disk_full</a>' in get_page(reader, "monitoring/")


def test_pause_names_the_view_that_the_next_run_tries(settings: Settings) -> None:
    open_breaker()
    schedules.sync_schedules()
    Run.objects.update(requested_by="seeder: every report")
    reader = client_with(*READER_PERMISSIONS)
    first = RunHistory.objects.exclude(table_name="reporting.bad").order_by("id").values_list("table_name", flat=True)
    expected = r"Next (today|tomorrow) \d\d:\d\d tries one view, probably {} ; if it succeeds, all others follow"
    assert re.search(expected.format(first[0]), attention(reader))
    JobStatus.objects.filter(table_name=first[0]).update(consecutive_failures=1)
    assert re.search(expected.format(first[1]), attention(reader))
    settings.SEEDER = {"AGENCY_SCOPE": "tests.integration.admin.admin_clients.scope_by_name"}
    assert "tries one view; if" in attention(client_with(*READER_PERMISSIONS, name="demo")), (
        "it can be of another agency"
    )


def test_next_run_tries_the_view_that_the_page_names() -> None:
    create_custom_manifest("reporting.slow", "SELECT 1 AS n FROM pg_sleep(0.5)")
    schedules.sync_schedules()
    for _ in range(2):  # the second run starts the view that took longest in the first
        orchestrator.execute_run(AllReports(), requested_by="seeder: every report")
    open_breaker()
    CircuitBreaker.objects.update(opened_at=timezone.now() - timedelta(days=1))
    assert "probably reporting.slow ;" in attention(client_with(*READER_PERMISSIONS))
    summary = orchestrator.execute_run(AllReports(), requested_by="seeder: every report")
    rows = RunHistory.objects.filter(run_id=summary.run_id).order_by("start_time")
    assert rows.values_list("table_name", flat=True)[0] == "reporting.slow"
    assert CircuitBreaker.objects.get().opened_at is None, "its success closed the breaker"


def test_pause_names_the_view_that_a_waiting_run_tries() -> None:
    open_breaker()
    run = Run.objects.get()
    Run.objects.update(finished_at=None)
    RunHistory.objects.filter(table_name__in=["reporting.good", "reporting.bad"]).update(status="pending")
    JobStatus.objects.filter(table_name="reporting.good").update(status="pending")
    with another_session() as other:
        other.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", [f"seeder.run {run.run_id}"])
        text = attention(client_with(*READER_PERMISSIONS))
        assert re.search(r"Next today \d\d:\d\d tries one view, probably reporting.good ;", text)


def test_pause_of_several_databases_names_its_own(settings: Settings) -> None:
    open_breaker()
    settings.SEEDER = {"DATABASES": {1: "default", 2: "archive"}}
    text = shown_text(client_with(*READER_PERMISSIONS))
    assert "Refreshes paused in default" in text
    assert "disk_full only in the database default" in text


def test_pages_that_offer_a_refresh_say_what_a_pause_does_to_it() -> None:
    reader = client_with(*READER_PERMISSIONS, "refresh_views")
    JobStatus.objects.filter(table_name="reporting.good").update(start_time=timezone.now() - timedelta(hours=53))
    pages = [
        "monitoring/refresh/?table=reporting.good",
        "monitoring/view/?table=reporting.good",
        f"monitoring/run/{Run.objects.get().run_id}/retry/",
    ]
    for path in pages:
        assert "Refreshes are paused" not in get_page(reader, path)
    assert "refresh it now" in attention(reader)
    open_breaker()
    for path in pages:
        assert re.search(r"paused by the circuit breaker. One view is tried at \d\d:\d\d:\d\d;", get_page(reader, path))
    assert "refresh it now" not in attention(reader)
    assert 'title="Refresh: paused now"' in get_page(reader, "monitoring/")
    CircuitBreaker.objects.update(opened_at=timezone.now() - timedelta(days=1))
    for path in pages:
        assert "One view is tried now;" in get_page(reader, path)


def test_throttle_of_a_living_run_is_a_pause() -> None:
    reader = client_with(*READER_PERMISSIONS)
    hold = {"database": "default", "reason": "server_busy", "from": timezone.now().isoformat(), "until": None}
    Run.objects.update(finished_at=None, holds=[hold])
    assert "the throttle" not in shown_text(reader), "the run was killed"
    with another_session() as other:
        key = f"seeder.run {Run.objects.get().run_id}"
        other.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", [key])
        text = shown_text(reader)
        assert re.search(
            r"Paused by the throttle since today \d\d:\d\d too many queries are active on the server Next", text
        )
        operator = client_with(*READER_PERMISSIONS, "refresh_views", name="operator")
        assert "This one waits until fewer queries" in get_page(operator, "monitoring/refresh/?table=reporting.good")


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
    assert text.count("reporting.bad") == 1
    since = r"since (today|yesterday|\d+ \w+) \d\d:\d\d"
    assert re.search(rf"Late reporting.good demo {since} , 26 hours after its last success", text)
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
    assert "Next run overdue" in text


def test_next_run_without_a_schedule_says_where_to_set_it(settings: Settings) -> None:
    reader = client_with(*READER_PERMISSIONS)
    settings.SEEDER = {"NIGHTLY_CRON": "0 2 * * *"}
    assert "Next run none scheduled run manage.py schedule_refreshes" in shown_text(reader)
    settings.SEEDER = {"NIGHTLY_CRON": ""}
    assert "Next run none scheduled set SEEDER_NIGHTLY_CRON" in shown_text(reader)


def test_view_that_data_checks_held_is_shown_as_held() -> None:
    reader = client_with(*READER_PERMISSIONS)
    assert "Failing reporting.bad" in attention(reader)
    assert "</svg>failed</span>" in get_page(reader, "monitoring/view/?table=reporting.bad")
    RunMetrics.objects.filter(history__table_name="reporting.bad").update(reason="held")
    assert "Held reporting.bad" in attention(reader)
    assert "</svg>held</span>" in get_page(reader, "monitoring/")
    assert "</svg>held</span>" in get_page(reader, "monitoring/view/?table=reporting.bad")


def test_view_whose_refresh_was_interrupted_is_not_shown_as_failing() -> None:
    message = "interrupted: a signal"
    RunHistory.objects.filter(table_name="reporting.bad").update(errors=message)
    JobStatus.objects.filter(table_name="reporting.bad").update(last_errors=message)
    reader = client_with(*READER_PERMISSIONS)
    assert "Interrupted reporting.bad" in attention(reader)
    assert "</svg>interrupted</span>" in get_page(reader, "monitoring/")


def open_breaker() -> None:
    """Open the circuit breaker of the default database now."""
    row = {"failures": 1, "opened_at": timezone.now(), "causes": {"reporting.bad": "disk_full"}}
    CircuitBreaker.objects.update_or_create(pk="default", defaults=row)


def facts(row: RunHistory) -> dict[str, object]:
    names = ["run_id", "manifest_id", "table_name", "report_name", "agency_id", "agency_slug", "report_type", "errors"]
    return {name: getattr(row, name) for name in names}
