"""Execution of queued parts: claimed once, resumed if the run of an earlier worker is dead."""

import os
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import connection
from django_q.models import OrmQ
from pytest_django import Settings

from seeder import tasks
from seeder.domain.queue.queued_requests import MAX_ATTEMPTS_WITHOUT_PROGRESS
from seeder.domain.refresh_requests import AgencyReports, AllReports
from seeder.errors import ConfigurationError, SchemaMissing
from seeder.models import QueuedRefresh, RunHistory
from seeder.services.history_rows import RunHistoryWriter
from seeder.services.queue import dispatch, part_execution, part_rows
from seeder.services.queue.enqueue import enqueue_refresh
from seeder.services.queue.part_execution import TIME_LIMIT, run_part
from seeder.services.queue.rescue import rescue_stalled_parts
from seeder.services.run import orchestrator
from seeder.services.run.run_liveness_lock import new_run_id
from seeder.services.stop_signal import StopSignal
from tests.blocked_calls import blocked_call
from tests.conftest import another_session, sql
from tests.integration.queued_parts import enqueue_part

pytestmark = pytest.mark.usefixtures("empty_queue")


@pytest.fixture
def part() -> QueuedRefresh:
    return enqueue_part()


def refreshes() -> int:
    [(last, called)] = sql("SELECT last_value, is_called FROM reporting.refreshes")
    return last if called else 0


def simulate_killed_worker(part: QueuedRefresh, *, refreshed_views: int) -> None:
    """Leave a part as if its worker was killed after some views."""
    run_id = new_run_id()
    part.refresh_from_db()
    part_rows.claim(part, run_id=run_id, worker="host:1")
    record = RunHistoryWriter(run_id)
    record.insert_pending(orchestrator.preview(AgencyReports(slug="demo")))
    succeeded_rows = RunHistory.objects.filter(
        run_id=run_id, table_name__in=["reporting.a", "reporting.b"][:refreshed_views]
    )
    succeeded_rows.update(status="success", finish_time=part.requested_at)


def test_part_is_executed_and_records_its_result(part: QueuedRefresh) -> None:
    assert part.started_at is None
    result = run_part(part.pk)
    assert (result.result, result.succeeded, result.failed) == ("done", 2, 1)
    part.refresh_from_db()
    assert (part.state, part.succeeded, part.failed, part.error) == ("ended", 2, 1, None)
    assert part.run_ids == [result.run_id]
    assert part.started_at
    assert part.finished_at
    assert part.worker
    assert part.requested_at < part.started_at < part.finished_at
    assert part.worker.endswith(f":{os.getpid()}")
    assert refreshes() == 2


def test_second_delivery_does_nothing(part: QueuedRefresh) -> None:
    run_part(part.pk)
    assert run_part(part.pk).result == "nothing: it has ended"
    assert run_part(part.pk + 1).result == "nothing: no such part"
    assert refreshes() == 2
    assert RunHistory.objects.count() == 3


def test_part_of_a_living_run_is_not_claimed(part: QueuedRefresh) -> None:
    part_rows.claim(part, run_id="alive", worker="host:1")
    with another_session() as other_session:
        other_session.execute("SELECT pg_advisory_lock(hashtextextended('seeder.run alive', 0))")
        assert run_part(part.pk).result == "nothing: it is being worked on"
        assert not rescue_stalled_parts().dispatched
    assert refreshes() == 0


def test_concurrent_deliveries_refresh_once(part: QueuedRefresh) -> None:
    barrier = Barrier(2, timeout=20)

    def execute(_: int) -> str:
        barrier.wait()
        try:
            return run_part(part.pk).result
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as threads:
        assert "done" in set(threads.map(execute, range(2)))
    assert refreshes() == 2
    assert RunHistory.objects.count() == 3


def test_part_ended_by_another_transaction_is_not_claimed(part: QueuedRefresh) -> None:
    with another_session() as other_session:
        other_session.execute("BEGIN")
        other_session.execute("UPDATE reporting.seeder_queued_refresh SET state = 'ended' WHERE id = %s", [part.pk])
        with blocked_call(other_session, lambda: run_part(part.pk).result) as execution:
            other_session.execute("COMMIT")
            assert execution.result() == "nothing: it has ended"


def test_earlier_run_cannot_end_the_part_of_a_later_run(part: QueuedRefresh) -> None:
    part_rows.claim(part, run_id="earlier", worker="host:1")
    part_rows.claim(part, run_id="later", worker="host:2")
    assert not part_rows.end(part.pk, run_ids=["earlier"], succeeded=3, failed=0)
    assert not part_rows.release(part.pk, run_ids=["earlier"])
    part.refresh_from_db()
    assert (part.state, part.worker, part.succeeded) == ("running", "host:2", None)


def test_ended_part_is_neither_released_nor_ended_again(part: QueuedRefresh) -> None:
    part_rows.claim(part, run_id="only", worker="host:1")
    assert part_rows.end(part.pk, run_ids=["only"], succeeded=2, failed=1)
    assert not part_rows.release(part.pk, run_ids=["only"])
    assert not part_rows.end(part.pk, run_ids=["only"], succeeded=3, failed=0)
    part.refresh_from_db()
    assert (part.state, part.succeeded) == ("ended", 2)


def test_next_worker_resumes_the_part_of_a_killed_one(part: QueuedRefresh) -> None:
    simulate_killed_worker(part, refreshed_views=1)
    result = run_part(part.pk)
    assert (result.result, result.succeeded, result.failed) == ("done", 2, 1)
    assert refreshes() == 1, "views that the dead run refreshed are not refreshed again"
    assert not RunHistory.objects.filter(status__in=("pending", "running")).exists()
    part.refresh_from_db()
    assert len(part.run_ids) == 2


def test_completely_refreshed_part_starts_no_run(part: QueuedRefresh) -> None:
    simulate_killed_worker(part, refreshed_views=2)
    RunHistory.objects.filter(table_name="reporting.c").update(status="success")
    assert run_part(part.pk).succeeded == 3
    assert refreshes() == 0


def test_part_without_progress_is_given_up_after_some_attempts(part: QueuedRefresh) -> None:
    for _ in range(MAX_ATTEMPTS_WITHOUT_PROGRESS):
        simulate_killed_worker(part, refreshed_views=0)
    assert run_part(part.pk).result == "nothing: given up"
    part.refresh_from_db()
    assert (part.state, part.succeeded, part.failed) == ("ended", 0, 3)
    assert part.error == "given up: 5 runs in a row ended before any of its views was refreshed"
    assert set(RunHistory.objects.values_list("status", flat=True)) == {"error"}
    assert refreshes() == 0


def test_attempt_with_progress_resets_the_attempt_count(part: QueuedRefresh) -> None:
    for refreshed_views in (0, 0, 1, 0, 0, 0, 0):
        simulate_killed_worker(part, refreshed_views=refreshed_views)
    assert run_part(part.pk).result == "done"


def test_refresh_before_a_request_joined_does_not_satisfy_it(part: QueuedRefresh) -> None:
    orchestrator.execute_run(AgencyReports(slug="demo"))
    assert enqueue_refresh(AllReports(), requested_by="").joined
    run_part(part.pk)
    assert refreshes() == 4


def test_refresh_after_the_request_satisfies_it(part: QueuedRefresh) -> None:
    orchestrator.execute_run(AgencyReports(slug="demo"))
    assert run_part(part.pk).succeeded == 2
    assert refreshes() == 2


def test_stopped_run_releases_and_dispatches_the_part_again(part: QueuedRefresh) -> None:
    stop = StopSignal()
    stop.request(TIME_LIMIT)
    assert run_part(part.pk, stop=stop).result == "stopped by the time limit of the queue"
    part.refresh_from_db()
    assert (part.state, part.worker) == ("queued", None)
    assert OrmQ.objects.count() == 2
    assert set(RunHistory.objects.values_list("errors", flat=True)) == {"interrupted: the time limit of the queue"}
    assert run_part(part.pk).succeeded == 2


def test_time_limit_of_the_queue_stops_the_run_before_it(part: QueuedRefresh, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatch, "time_limit", lambda: timedelta(seconds=0.2))
    sql("CREATE MATERIALIZED VIEW reporting.a AS SELECT 1 AS n FROM pg_sleep(30) WITH NO DATA")
    assert run_part(part.pk).result == "stopped by the time limit of the queue"


def test_unusable_database_leaves_the_part_queued(part: QueuedRefresh) -> None:
    sql("ALTER TABLE reporting.seeder_job_status RENAME TO gone")
    with pytest.raises(SchemaMissing):
        run_part(part.pk)
    part.refresh_from_db()
    assert part.state == "queued"
    sql("ALTER TABLE reporting.gone RENAME TO seeder_job_status")
    assert run_part(part.pk).result == "done"


def test_expected_error_ends_the_part_and_is_recorded(part: QueuedRefresh, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ConfigurationError(setting="SEEDER_X", value=1, expected="2")

    monkeypatch.setattr(part_execution, "execute_locked", fail)
    assert run_part(part.pk).result == "ended in error"
    part.refresh_from_db()
    assert (part.state, part.error) == ("ended", "SEEDER_X is 1, but must be 2.")


def test_invalid_settings_leave_the_part_unchanged(part: QueuedRefresh, settings: Settings) -> None:
    settings.SEEDER = {"MAX_WORKERS": 0}
    with pytest.raises(ConfigurationError):
        run_part(part.pk)
    part.refresh_from_db()
    assert (part.state, part.run_ids) == ("queued", [])


def test_part_of_a_killed_worker_is_dispatched_immediately(part: QueuedRefresh) -> None:
    OrmQ.objects.all().delete()
    simulate_killed_worker(part, refreshed_views=1)
    rescued = rescue_stalled_parts()
    assert rescued.dispatched == (part.pk,)
    assert len(rescued.recovered) == 1
    part.refresh_from_db()
    assert part.state == "queued"
    assert [message.task["args"] for message in OrmQ.objects.all()] == [(part.pk,)]
    assert not rescue_stalled_parts().dispatched, "its message is in the queue"


def test_lost_message_is_dispatched_again_after_a_delay(part: QueuedRefresh) -> None:
    assert not rescue_stalled_parts().dispatched
    sql("UPDATE reporting.seeder_queued_refresh SET dispatched_at = now() - interval '2 minutes'")
    assert not rescue_stalled_parts().dispatched, "its message may be in the queue"
    sql("UPDATE reporting.seeder_queued_refresh SET dispatched_at = now() - interval '11 minutes'")
    assert rescue_stalled_parts().dispatched == (part.pk,), "the waiting messages may be of other parts"
    sql("UPDATE reporting.seeder_queued_refresh SET dispatched_at = now() - interval '2 minutes'")
    OrmQ.objects.all().delete()
    assert rescue_stalled_parts().dispatched == (part.pk,)
    assert not rescue_stalled_parts().dispatched
    sql("UPDATE reporting.seeder_queued_refresh SET dispatched_at = NULL")
    assert not rescue_stalled_parts().dispatched, "the request may be about to dispatch it"
    sql("UPDATE reporting.seeder_queued_refresh SET requested_at = now() - interval '2 minutes'")
    assert rescue_stalled_parts().dispatched == (part.pk,)


def test_rescue_without_the_queue_table_does_nothing(part: QueuedRefresh) -> None:
    sql("DROP TABLE reporting.seeder_queued_refresh")
    assert tasks.resume_queue() == {"dispatched": [], "recovered": []}


def started_seconds_ago(seconds: float) -> None:
    """Let the last refresh of a view of the part have started some time ago."""
    sql(
        "INSERT INTO reporting.seeder_job_status (table_name, manifest_id, report_name, report_type, agency_id,"
        " agency_slug, status, start_time) VALUES ('reporting.a', 1, 'a', 'custom', 1, 'demo', 'success',"
        " clock_timestamp() - %s * interval '1 second')",
        int(seconds),
    )


@pytest.mark.parametrize(("seconds_ago", "waits"), [(0, 1), (30, 0)])
def test_part_waits_while_its_views_were_just_refreshed(
    part: QueuedRefresh, monkeypatch: pytest.MonkeyPatch, seconds_ago: int, waits: int
) -> None:
    started_seconds_ago(seconds_ago)
    waited: list[timedelta] = []
    monkeypatch.setattr(StopSignal, "wait", lambda _, span: waited.append(span))
    run_part(part.pk, min_interval=timedelta(seconds=5))
    assert sum(timedelta() < span <= timedelta(seconds=5) for span in waited) == waits


def test_request_joins_a_part_while_it_waits(part: QueuedRefresh, monkeypatch: pytest.MonkeyPatch) -> None:
    started_seconds_ago(0)
    joined: list[bool] = []

    def wait(*_: object) -> None:
        joined.append(enqueue_refresh(AgencyReports(slug="demo"), requested_by="another").joined)

    with monkeypatch.context() as patch:
        patch.setattr(StopSignal, "wait", wait)
        part_execution._wait_for_joins(part.pk, timedelta(seconds=5), StopSignal())
    assert joined == [True]
    assert run_part(part.pk).result == "done"


def test_part_that_is_stopped_while_it_waits_is_queued_again(part: QueuedRefresh) -> None:
    started_seconds_ago(0)
    stop = StopSignal()
    stop.request("SIGTERM")
    assert run_part(part.pk, min_interval=timedelta(minutes=1), stop=stop).result == "stopped by SIGTERM"
    part.refresh_from_db()
    assert part.state == "queued"
