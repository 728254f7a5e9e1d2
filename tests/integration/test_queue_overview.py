"""The overview of the queue."""

from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django_q.models import Schedule
from pytest_django import Settings

from seeder.domain.refresh_requests import AgencyReports, AllReports
from seeder.models import QueuedRefresh
from seeder.services.queue import part_rows, queue_overview, schedules
from seeder.services.queue.enqueue import enqueue_refresh
from seeder.services.queue.part_execution import run_part
from tests.conftest import CompletedCommand, another_session, create_canned_report, create_custom_manifest, sql

Manage = Callable[..., CompletedCommand]
pytestmark = pytest.mark.usefixtures("empty_queue")


@pytest.fixture
def parts() -> list[QueuedRefresh]:
    """Three parts: of two dependent views, of a failing view, and of another agency."""
    create_custom_manifest("reporting.a", "SELECT 1 AS n")
    create_custom_manifest("reporting.b", "SELECT n FROM reporting.a")
    create_custom_manifest("Reporting.C", "SELECT 1 / 0 AS n")
    create_custom_manifest("reporting.d", "SELECT 1 AS n", agency="metro")
    enqueue_refresh(AllReports(), requested_by="an operator")
    by_view = {row.views[-1][1]: row for row in QueuedRefresh.objects.all()}
    return [by_view["reporting.b"], by_view["reporting.c"], by_view["reporting.d"]]


def test_overview_lists_running_queued_and_ended_parts(parts: list[QueuedRefresh]) -> None:
    queued_part, failing_part, running_part = parts
    run_part(failing_part.pk)
    part_rows.claim(running_part, run_id="alive", worker="host:7")
    with another_session() as other_session:
        other_session.execute("SELECT pg_advisory_lock(hashtextextended('seeder.run alive', 0))")
        overview = queue_overview.read_queue_overview()
    [running], [queued], [ended] = overview.running, overview.queued, overview.ended
    assert (running.pk, running.worker) == (running_part.pk, "host:7")
    assert (running.is_worker_alive, running.done) == (True, 0)
    assert (queued.pk, queued.requested_by) == (queued_part.pk, "an operator")
    assert (queued.done, len(queued.views)) == (0, 2)
    assert (ended.id, ended.done, ended.succeeded, ended.failed) == (failing_part.pk, 1, 0, 1)
    assert overview.waiting == 3
    assert not queue_overview.read_queue_overview().running[0].is_worker_alive, "its worker is lost"


def test_progress_counts_views_of_earlier_runs_of_the_part(parts: list[QueuedRefresh]) -> None:
    part = parts[0]
    run_part(part.pk)
    sql("UPDATE reporting.seeder_run_history SET status = 'error' WHERE table_name = 'reporting.b'")
    assert queue_overview.read_queue_overview().ended[0].done == 2
    QueuedRefresh.objects.filter(pk=part.pk).update(state="queued")
    assert queue_overview.read_queue_overview().queued[0].done == 1, "b will be retried"
    part.refresh_from_db()
    QueuedRefresh.objects.filter(pk=part.pk).update(state="running")
    assert queue_overview.read_queue_overview().running[0].done == 1, "its worker is lost, and b will be retried"
    part_rows.claim(part, run_id="next", worker="host:7")
    assert queue_overview.read_queue_overview().running[0].done == 1, "b is retried"


def test_view_of_two_reports_counts_as_two_reports(manage: Manage) -> None:
    create_canned_report("reporting.shared", "SELECT 1 AS n", agencies=("demo", "metro"))
    enqueue_refresh(AllReports(), requested_by="an operator")
    part = QueuedRefresh.objects.get()
    run_part(part.pk)
    assert len(part.views) == 1
    assert manage("queue_status").lines[1].endswith("UTC, 2 reports succeeded, 0 failed")


def test_overview_of_an_agency_shows_only_its_parts(parts: list[QueuedRefresh]) -> None:
    assert [part.id for part in queue_overview.read_queue_overview(agencies=["metro"]).queued] == [parts[2].pk]
    assert queue_overview.read_queue_overview(agencies=[]).queued == []
    assert queue_overview.read_queue_overview(agencies=["metro"]).waiting is None, (
        "the number includes tasks of other agencies"
    )


def test_overview_of_an_agency_hides_schedules_of_others(settings: Settings) -> None:
    create_custom_manifest("reporting.a", "SELECT 1 AS n")
    create_custom_manifest("reporting.d", "SELECT 1 AS n", agency="metro")
    settings.SEEDER = {"AGENCY_CRONS": {"demo": "0 3 * * *", "metro": "0 4 * * *"}}
    schedules.sync_schedules()
    for agencies, expected in ((None, {"demo", "metro"}), (["demo"], {"demo"}), (["de", "dem"], set())):
        names = [schedule.name for schedule in queue_overview.read_queue_overview(agencies=agencies).schedules]
        assert {name.removeprefix("seeder: agency ") for name in names if "agency" in name} == expected
        assert "seeder: every report" in names


def test_query_count_does_not_grow_with_the_parts(parts: list[QueuedRefresh]) -> None:
    def query_count() -> int:
        with CaptureQueriesContext(connection) as captured:
            queue_overview.read_queue_overview()
        return len(captured)

    QueuedRefresh.objects.filter(pk=parts[0].pk).update(state="running", run_ids=["r"])
    count_of_three = query_count()
    for _ in range(20):
        enqueue_refresh(AgencyReports(slug="demo"), requested_by="")
        QueuedRefresh.objects.filter(state="queued").update(state="running", run_ids=["r"])
    assert query_count() == count_of_three


def test_overview_without_the_table_is_empty(manage: Manage) -> None:
    sql("DROP TABLE reporting.seeder_queued_refresh")
    assert queue_overview.read_queue_overview().queued == []
    summary, missing = manage("queue_status").lines
    assert summary == "parts: 0 running, 0 queued, 0 ended recently; 0 tasks waiting"
    assert missing.startswith("Nothing can be queued: reporting.seeder_queued_refresh: a table in the contract,")


def test_invalid_schedule_arguments_are_reported(manage: Manage) -> None:
    assert queue_overview.read_queue_overview().problems == []
    Schedule.objects.create(name="foreign", func="os.getcwd", args="'fine',", schedule_type="O")
    Schedule.objects.create(name="wrong\n", func="os.getcwd", args="((", schedule_type="O")
    [problem] = queue_overview.read_queue_overview().problems
    assert problem.startswith(r"The arguments of the schedule 'wrong\n' (id ")
    assert problem in manage("queue_status").lines
    assert "The arguments of the schedule" in manage("queue_status", "--table").out
    assert manage("queue_status", "--json").document["problems"] == [problem]
    assert queue_overview.read_queue_overview(agencies=["demo"]).problems == ()


def test_queue_status_command_has_lines_table_and_json(parts: list[QueuedRefresh], manage: Manage) -> None:
    queued_part, failing_part, running_part = parts
    run_part(failing_part.pk)
    part_rows.claim(running_part, run_id="dead", worker="host:7")
    schedules.sync_schedules()
    summary, running, queued, ended, *schedule_lines = manage("queue_status").lines
    assert summary == "parts: 1 running, 1 queued, 1 ended recently; 3 tasks waiting"
    assert f"every report, part {running_part.part} of 3, requested by an operator: running for " in running
    assert running.endswith(" by host:7, 0 of 1 view done; its worker is lost, and the part will be retried")
    assert f"part {queued_part.part} of 3, requested by an operator: queued for" in queued
    assert ended.endswith("UTC, 0 reports succeeded, 1 failed")
    assert sorted(line.partition(": next due")[0] for line in schedule_lines) == [
        "seeder: every report (0 2 * * *)",
        "seeder: resume the queue",
    ]
    sql("UPDATE django_q_schedule SET next_run = now() - interval '1 hour' WHERE cron IS NOT NULL")
    assert "seeder: every report (0 2 * * *): overdue for 1 h" in manage("queue_status").out
    table = manage("queue_status", "--table")
    assert table.exit_code == 0
    assert "request" in table.out
    assert "every few minutes" in table.out
    assert "(overdue)" in table.out
    document = manage("queue_status", "--json").document
    assert [part["status"] for part in document["parts"]] == ["running", "queued", "ended"]
    assert document["waitingTasks"] == 3
