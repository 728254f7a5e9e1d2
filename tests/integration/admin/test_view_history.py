"""The history of a view on its page: time ranges, the next refresh, a dry run and the latest drift."""

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone
from django_q.models import Schedule

from seeder.domain.monitoring.report_jobs import GroupBy, Job, JobFilter, JobPageRequest
from seeder.domain.monitoring.view_history import TimeRange
from seeder.models import JobStatus, QueuedRefresh, RunHistory, RunMetrics
from seeder.postgres.contract import OptionalTables
from seeder.postgres.named_statements import STATEMENTS
from seeder.services.queue import schedules
from seeder.services.read_models import job_list
from seeder.services.read_models.view_history import read_history
from seeder.services.snapshots import release_snapshots
from tests.conftest import sql
from tests.integration.admin.admin_clients import READER_PERMISSIONS, client_with, get_page

PAGE = "monitoring/view/"
TABLES = OptionalTables(unusable={})


def good_job() -> Job:
    page = job_list.job_page(JobFilter(table_name="reporting.good"), JobPageRequest(limit=1), group_by=GroupBy.MANIFEST)
    return page.jobs[0]


def add_runs(job: Job, *ages: timedelta, seconds: int = 10, status: str = "success", rows: int = 5) -> None:
    """Add runs of a job that started so long ago."""
    now = timezone.now()
    RunHistory.objects.bulk_create(
        RunHistory(
            run_id=f"run-{number}",
            manifest_id=job.manifest_id,
            table_name=job.table_name,
            report_name=job.report_name,
            agency_id=job.agency_id,
            agency_slug=job.agency_slug,
            report_type=job.report_type,
            status=status,
            start_time=now - age,
            finish_time=now - age + timedelta(seconds=seconds),
            records_processed=rows,
        )
        for number, age in enumerate(ages)
    )


def chart_of(page: str) -> list[dict[str, Any]]:
    """Return the points of the chart."""
    [text] = re.findall(r'<script id="history-data" type="application/json">(.*?)</script>', page)
    return list(json.loads(text))


def test_time_range_is_in_the_url() -> None:
    add_runs(good_job(), *(timedelta(days=days) for days in (3, 20, 200, 500)))
    reader = client_with(*READER_PERMISSIONS)
    for value, runs in (("24h", 1), ("7d", 2), ("30d", 3), ("1y", 4), ("none", 3)):
        page = get_page(reader, PAGE, table="reporting.good", range=value)
        assert len(chart_of(page)) == runs
        chosen = value if value != "none" else "30d"
        assert re.search(rf'range={chosen}" aria-current="true"', page)
    RunHistory.objects.all().delete()
    assert "No run in the last 30 days." in get_page(reader, PAGE, table="reporting.good")


def test_view_and_history_show_held_skipped_and_interrupted_runs_as_a_run_page_does() -> None:
    job = good_job()
    RunHistory.objects.all().delete()
    add_runs(job, timedelta(hours=3))
    add_runs(job, timedelta(hours=2), timedelta(hours=1), status="error")
    skipped, held, interrupted = RunHistory.objects.order_by("start_time")
    RunMetrics.objects.bulk_create(
        [RunMetrics(history=skipped, reason="skipped"), RunMetrics(history=held, reason="held")]
    )
    RunHistory.objects.filter(pk=interrupted.pk).update(errors="interrupted: SIGTERM")
    JobStatus.objects.filter(table_name=job.table_name).update(status="error", last_errors="interrupted: SIGTERM")
    reader = client_with(*READER_PERMISSIONS)
    page = get_page(reader, PAGE, table="reporting.good")
    states = ["skipped", "held", "interrupted"]
    assert [point["state"] for point in chart_of(page)] == states
    shown = re.findall(r'<span class="bar-state ([a-z]+)">', page)
    assert shown == ["interrupted", *states, *reversed(states)], "headline, legend and table"
    assert re.findall(r'<span class="bar-state ([a-z]+)">', get_page(reader, "runhistory/")) == states[::-1]


def test_many_runs_are_shown_as_intervals() -> None:
    job = good_job()
    RunHistory.objects.all().delete()
    minutes = range(1, 1440 * 2, 8)  # 180 a day
    add_runs(job, *(timedelta(minutes=minute) for minute in minutes))
    assert len(read_history(job, TimeRange.DAY, TABLES).runs) == 180
    add_runs(job, timedelta(minutes=2), seconds=70, status="error")
    history = read_history(job, TimeRange.MONTH, TABLES)
    assert history.runs == ()
    latest = history.intervals[0]
    spans = [span and span.total_seconds() for span in (latest.shortest, latest.median, latest.longest)]
    assert (latest.failed, spans, latest.rows, latest.slowest_run_id) == (1, [10, 10, 70], 5, "run-0")
    assert sum(one.runs for one in history.intervals) == len(minutes) + 1
    page = get_page(client_with(*READER_PERMISSIONS), PAGE, table="reporting.good")
    point = chart_of(page)[-1]
    assert (point["low"], point["high"], point["state"]) == (10, 70, "failed")
    assert point["at_text"] == f"{datetime.fromisoformat(point['at']):%-d %b %Y %H:%M:%S}"
    assert f"{latest.runs} runs, 1 failed: 10.00 s to 1 min 10 s, median 10.00 s" == point["description"]


def test_interval_with_more_runs_than_are_read_says_so() -> None:
    job = good_job()
    add_runs(job, *(timedelta(seconds=30 * number) for number in range(1, 300)))
    history = read_history(job, TimeRange.YEAR, TABLES)
    assert history.has_more
    assert history.intervals[0].runs == 100
    assert "their figures are those of the latest 100" in get_page(
        client_with(*READER_PERMISSIONS), PAGE, table="reporting.good", range="1y"
    )


@pytest.mark.usefixtures("history")
@pytest.mark.parametrize("statement", ["runs_in_range", "intervals_in_range"])
def test_history_reads_along_the_index_of_the_manifest(statement: str) -> None:
    values = {"manifest_id": "7", "report_type": "'custom'", "table_name": "'reporting.v7'", "length": "'1 year'"}
    values |= {"max_runs": "100", "intervals": "120"}
    plan = "\n".join(line for (line,) in sql(f"EXPLAIN {STATEMENTS[statement] % values}"))
    assert "seeder_run_history_manifest" in plan
    assert "Seq Scan" not in plan


def test_next_scheduled_refresh_is_shown() -> None:
    reader = client_with(*READER_PERMISSIONS)
    assert "Next scheduled" not in get_page(reader, PAGE, table="reporting.good")
    schedules.sync_schedules()
    Schedule.objects.filter(cron__isnull=False).update(next_run=datetime(2031, 5, 6, 2, tzinfo=UTC))
    assert "6 May 2031 02:00</time>" in get_page(reader, PAGE, table="reporting.good")
    Schedule.objects.all().delete()


def test_dry_run_shows_what_a_refresh_would_do() -> None:
    operator = client_with(*READER_PERMISSIONS, "refresh_views")
    path = "/admin/seeder/monitoring/view/?table=reporting.good"
    page = operator.post(path, {"plan": "reporting.good"}, follow=True).content.decode()
    assert "A refresh now would run" in page
    assert not QueuedRefresh.objects.exists()
    page = operator.post(path, {"plan": "reporting.gone"}, follow=True).content.decode()
    assert "No manifest names the table" in page
    reader = client_with(*READER_PERMISSIONS, name="reader")
    assert reader.post(path, {"plan": "reporting.good"}).status_code == 403


def test_drift_between_the_last_two_snapshots_is_judged() -> None:
    reader = client_with(*READER_PERMISSIONS)
    assert 'id="latest-drift"' not in get_page(reader, PAGE, table="reporting.good")
    sql("DROP MATERIALIZED VIEW reporting.good")
    sql("CREATE MATERIALIZED VIEW reporting.good AS SELECT 1::text AS n")
    release_snapshots.capture_release_snapshot("reporting.good", "2026.12")
    page = get_page(reader, PAGE, table="reporting.good")
    assert "From 2026.11 to 2026.12: " in page
    assert "Breaking: readers of this view can fail or show wrong data." in page
    assert (
        client_with(*READER_PERMISSIONS, name="other")
        .get(re.findall(r'id="latest-drift" href="([^"]*)"', page)[0].replace("&amp;", "&"))
        .status_code
        == 200
    )
