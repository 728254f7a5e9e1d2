"""What the queue is doing, for who looks."""

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
from tests.conftest import CompletedCommand, another_session, create_custom_manifest, sql

Manage = Callable[..., CompletedCommand]
pytestmark = pytest.mark.usefixtures("empty_queue")


@pytest.fixture
def parts() -> list[QueuedRefresh]:
    """Three: one of two views, one that fails, one of another agency."""
    create_custom_manifest("reporting.a", "SELECT 1 AS n")
    create_custom_manifest("reporting.b", "SELECT n FROM reporting.a")
    create_custom_manifest("reporting.c", "SELECT 1 / 0 AS n")
    create_custom_manifest("reporting.d", "SELECT 1 AS n", agency="metro")
    enqueue_refresh(AllReports(), requested_by="somebody")
    by_view = {row.views[-1][1]: row for row in QueuedRefresh.objects.all()}
    return [by_view["reporting.b"], by_view["reporting.c"], by_view["reporting.d"]]


def test_what_waits_is_worked_on_and_has_ended(parts: list[QueuedRefresh]) -> None:
    waits, fails, works = parts
    run_part(fails.pk)
    part_rows.claim(works, run_id="alive", worker="host:7")
    with another_session() as other:
        other.execute("SELECT pg_advisory_lock(hashtextextended('seeder.run alive', 0))")
        state = queue_overview.read_queue_overview()
    [running], [queued], [ended] = state.running, state.queued, state.ended
    assert (running.id, running.worker, running.is_worker_alive, running.done) == (works.pk, "host:7", True, 0)
    assert (queued.id, queued.done, len(queued.views), queued.requested_by) == (waits.pk, 0, 2, "somebody")
    assert (ended.id, ended.done, ended.succeeded, ended.failed) == (fails.pk, 1, 0, 1)
    assert state.waiting == 3
    assert not queue_overview.read_queue_overview().running[0].is_worker_alive, "its worker is gone"


def test_of_a_run_that_goes_on_after_another_the_views_of_both_are_done(parts: list[QueuedRefresh]) -> None:
    part = parts[0]
    run_part(part.pk)
    sql("UPDATE reporting.seeder_run_history SET status = 'error' WHERE table_name = 'reporting.b'")
    assert queue_overview.read_queue_overview().ended[0].done == 2
    QueuedRefresh.objects.filter(pk=part.pk).update(state="queued")
    assert queue_overview.read_queue_overview().queued[0].done == 1, "b will be tried again"
    part.refresh_from_db()
    QueuedRefresh.objects.filter(pk=part.pk).update(state="running")
    assert queue_overview.read_queue_overview().running[0].done == 1, "its worker is gone, and b will be tried again"
    part_rows.claim(part, run_id="next", worker="host:7")
    assert queue_overview.read_queue_overview().running[0].done == 1, "b is tried again"


def test_who_may_see_one_agency_sees_its_parts(parts: list[QueuedRefresh]) -> None:
    assert [part.id for part in queue_overview.read_queue_overview(agencies=["metro"]).queued] == [parts[2].pk]
    assert queue_overview.read_queue_overview(agencies=[]).queued == ()
    assert queue_overview.read_queue_overview(agencies=["metro"]).waiting is None, "others' tasks are among them"


def test_who_may_see_one_agency_is_not_told_of_the_schedules_of_others(settings: Settings) -> None:
    create_custom_manifest("reporting.a", "SELECT 1 AS n")
    create_custom_manifest("reporting.d", "SELECT 1 AS n", agency="metro")
    settings.SEEDER = {"AGENCY_CRONS": {"demo": "0 3 * * *", "metro": "0 4 * * *"}}
    schedules.sync_schedules()
    for agencies, told in ((None, {"demo", "metro"}), (["demo"], {"demo"}), (["de", "dem"], set())):
        names = [one.name for one in queue_overview.read_queue_overview(agencies=agencies).schedules]
        assert {name.removeprefix("seeder: agency ") for name in names if "agency" in name} == told
        assert "seeder: every report" in names


def test_it_takes_as_many_queries_for_many_parts_as_for_one(parts: list[QueuedRefresh]) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            queue_overview.read_queue_overview()
        return len(captured)

    QueuedRefresh.objects.filter(pk=parts[0].pk).update(state="running", run_ids=["r"])
    few = queries()
    for _ in range(20):
        enqueue_refresh(AgencyReports(slug="demo"), requested_by="")
        QueuedRefresh.objects.filter(state="queued").update(state="running", run_ids=["r"])
    assert queries() == few


def test_without_the_table_nothing_is_queued(manage: Manage) -> None:
    sql("DROP TABLE reporting.seeder_queued_refresh")
    assert queue_overview.read_queue_overview().queued == ()
    summary, missing = manage("queue_status").lines
    assert summary == "parts: 0 running, 0 queued, 0 ended lately; 0 tasks waiting"
    assert missing.startswith("Nothing can be queued: reporting.seeder_queued_refresh: a table in the contract,")


def test_a_schedule_that_stops_all_others_is_named(manage: Manage) -> None:
    assert queue_overview.read_queue_overview().problems == ()
    Schedule.objects.create(name="somebody's", func="os.getcwd", args="'fine',", schedule_type="O")
    Schedule.objects.create(name="wrong\n", func="os.getcwd", args="((", schedule_type="O")
    [problem] = queue_overview.read_queue_overview().problems
    assert problem.startswith(r"The arguments of the schedule 'wrong\n' (id ")
    assert problem in manage("queue_status").lines
    assert "The arguments of the schedule" in manage("queue_status", "--table").out
    assert manage("queue_status", "--json").document["problems"] == [problem]
    assert queue_overview.read_queue_overview(agencies=["demo"]).problems == ()


def test_the_command_shows_it_in_lines_tables_and_json(parts: list[QueuedRefresh], manage: Manage) -> None:
    waits, fails, works = parts
    run_part(fails.pk)
    part_rows.claim(works, run_id="dead", worker="host:7")
    schedules.sync_schedules()
    summary, running, queued, ended, *due = manage("queue_status").lines
    assert summary == "parts: 1 running, 1 queued, 1 ended lately; 3 tasks waiting"
    assert f"every report, part {works.part} of 3, requested by somebody: running for " in running
    assert running.endswith(" by host:7, 0 of 1 view done, whose worker is gone: taken up again soon")
    assert f"part {waits.part} of 3, requested by somebody: queued for" in queued
    assert ended.endswith("UTC, 0 succeeded, 1 failed")
    assert sorted(line.partition(": next due")[0] for line in due) == [
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
    assert [part["state"] for part in document["parts"]] == ["running", "queued", "ended"]
    assert document["waiting"] == 3
