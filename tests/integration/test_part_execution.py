"""Parts that are taken up: once, by whoever is told first; again, where the run of whoever had it is dead."""

import json
import os
import signal
from collections.abc import Callable
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
from seeder.errors import BadTaskArgument, ConfigurationError, SchemaMissing, UnknownAgency
from seeder.models import QueuedRefresh, RunHistory
from seeder.services.queue import dispatch, part_execution, part_rows
from seeder.services.queue.enqueue import enqueue_refresh
from seeder.services.queue.part_execution import TIME_LIMIT, PartResult, run_part
from seeder.services.queue.rescue import rescue_stalled_parts
from seeder.services.run import orchestrator
from seeder.services.run_history import RunHistoryWriter
from seeder.services.stop_signal import StopSignal
from tests.conftest import another_session, create_canned_report, create_custom_manifest, sql
from tests.polling import eventually

pytestmark = pytest.mark.usefixtures("empty_queue")


@pytest.fixture
def part() -> QueuedRefresh:
    """Two views that count how often they are refreshed, and one that fails."""
    sql("CREATE SEQUENCE reporting.refreshes")
    create_custom_manifest("reporting.a", "SELECT nextval('reporting.refreshes') AS n")
    create_canned_report("reporting.b", "SELECT nextval('reporting.refreshes') AS n", agencies=("demo",))
    create_custom_manifest("reporting.c", "SELECT 1 / 0 AS n")
    [queued] = enqueue_refresh(AgencyReports(slug="demo"), requested_by="somebody").parts
    return QueuedRefresh.objects.get(pk=queued.id)


def refreshes() -> int:
    [(last, called)] = sql("SELECT last_value, is_called FROM reporting.refreshes")
    return last if called else 0


def killed(part: QueuedRefresh, *, after: int) -> None:
    """As if a worker had taken the part up and been killed when so many of its views were done."""
    run_id = orchestrator.new_run_id()
    part.refresh_from_db()
    part_rows.claim(part, run_id=run_id, worker="host:1")
    record = RunHistoryWriter(run_id)
    record.insert_pending(orchestrator.preview(AgencyReports(slug="demo")))
    done = RunHistory.objects.filter(run_id=run_id, table_name__in=["reporting.a", "reporting.b"][:after])
    done.update(status="success", finish_time=part.requested_at)


def test_a_part_is_refreshed_and_says_how_it_ended(part: QueuedRefresh) -> None:
    assert part.started_at is None
    worked = run_part(part.pk)
    assert (worked.result, worked.succeeded, worked.failed) == ("done", 2, 1)
    part.refresh_from_db()
    assert (part.state, part.succeeded, part.failed, part.error) == ("ended", 2, 1, None)
    assert part.run_ids == [worked.run_id]
    assert part.started_at
    assert part.finished_at
    assert part.worker
    assert part.requested_at < part.started_at < part.finished_at
    assert part.worker.endswith(f":{os.getpid()}")
    assert refreshes() == 2


def test_a_second_delivery_does_nothing(part: QueuedRefresh) -> None:
    run_part(part.pk)
    assert run_part(part.pk).result == "nothing: it has ended"
    assert run_part(part.pk + 1).result == "nothing: no such part"
    assert refreshes() == 2
    assert RunHistory.objects.count() == 3


def test_a_part_whose_run_is_alive_is_left_alone(part: QueuedRefresh) -> None:
    part_rows.claim(part, run_id="alive", worker="host:1")
    with another_session() as other:
        other.execute("SELECT pg_advisory_lock(hashtextextended('seeder.run alive', 0))")
        assert run_part(part.pk).result == "nothing: it is being worked on"
        assert not rescue_stalled_parts().dispatched
    assert refreshes() == 0


def test_two_who_are_told_at_once_refresh_once(part: QueuedRefresh) -> None:
    together = Barrier(2, timeout=20)

    def work(_: int) -> str:
        together.wait()
        try:
            return run_part(part.pk).result
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as threads:
        assert "done" in set(threads.map(work, range(2)))
    assert refreshes() == 2
    assert RunHistory.objects.count() == 3


def test_part_that_another_transaction_ends_is_not_taken_up(part: QueuedRefresh) -> None:
    blocked = "SELECT 1 FROM pg_stat_activity WHERE %s = ANY (pg_blocking_pids(pid))"

    def work() -> str:
        try:
            return run_part(part.pk).result
        finally:
            connection.close()

    with another_session() as other, ThreadPoolExecutor(1) as thread:
        other.execute("BEGIN")
        other.execute("UPDATE reporting.seeder_queued_refresh SET state = 'ended' WHERE id = %s", [part.pk])
        did = thread.submit(work)
        eventually(lambda: did.done() or sql(blocked, other.info.backend_pid))
        other.execute("COMMIT")
        assert did.result() == "nothing: it has ended"


def test_part_of_a_later_run_is_left_alone_by_the_earlier_one(part: QueuedRefresh) -> None:
    part_rows.claim(part, run_id="earlier", worker="host:1")
    part_rows.claim(part, run_id="later", worker="host:2")
    assert not part_rows.end(part.pk, run_ids=["earlier"], succeeded=3, failed=0)
    assert not part_rows.release(part.pk, run_ids=["earlier"])
    part.refresh_from_db()
    assert (part.state, part.worker, part.succeeded) == ("running", "host:2", None)


def test_part_that_has_ended_is_neither_put_back_nor_ended_again(part: QueuedRefresh) -> None:
    part_rows.claim(part, run_id="only", worker="host:1")
    assert part_rows.end(part.pk, run_ids=["only"], succeeded=2, failed=1)
    assert not part_rows.release(part.pk, run_ids=["only"])
    assert not part_rows.end(part.pk, run_ids=["only"], succeeded=3, failed=0)
    part.refresh_from_db()
    assert (part.state, part.succeeded) == ("ended", 2)


def test_where_a_worker_was_killed_the_next_one_goes_on(part: QueuedRefresh) -> None:
    killed(part, after=1)
    worked = run_part(part.pk)
    assert (worked.result, worked.succeeded, worked.failed) == ("done", 2, 1)
    assert refreshes() == 1, "what the dead run had finished is not refreshed again"
    assert not RunHistory.objects.filter(status__in=("pending", "running")).exists()
    part.refresh_from_db()
    assert len(part.run_ids) == 2


def test_where_everything_was_done_already_nothing_is_run(part: QueuedRefresh) -> None:
    killed(part, after=2)
    RunHistory.objects.filter(table_name="reporting.c").update(status="success")
    assert run_part(part.pk).succeeded == 3
    assert refreshes() == 0


def test_after_some_attempts_in_a_row_that_got_nothing_done_it_is_given_up(part: QueuedRefresh) -> None:
    for _ in range(MAX_ATTEMPTS_WITHOUT_PROGRESS):
        killed(part, after=0)
    assert run_part(part.pk).result == "nothing: given up"
    part.refresh_from_db()
    assert (part.state, part.succeeded, part.failed) == ("ended", 0, 3)
    assert part.error == "given up: 5 runs in a row ended before any of its views was refreshed"
    assert set(RunHistory.objects.values_list("status", flat=True)) == {"error"}
    assert refreshes() == 0


def test_an_attempt_that_got_something_done_is_none_of_those(part: QueuedRefresh) -> None:
    for after in (0, 0, 1, 0, 0, 0, 0):
        killed(part, after=after)
    assert run_part(part.pk).result == "done"


def test_a_refresh_from_before_somebody_joined_is_not_good_enough_for_him(part: QueuedRefresh) -> None:
    orchestrator.execute_run(AgencyReports(slug="demo"))
    assert enqueue_refresh(AllReports(), requested_by="").joined
    run_part(part.pk)
    assert refreshes() == 4


def test_a_refresh_from_after_it_was_asked_for_is(part: QueuedRefresh) -> None:
    orchestrator.execute_run(AgencyReports(slug="demo"))
    assert run_part(part.pk).succeeded == 2
    assert refreshes() == 2


def test_a_run_that_is_stopped_puts_the_part_back_and_rings_again(part: QueuedRefresh) -> None:
    stop = StopSignal()
    stop.request(TIME_LIMIT)
    assert run_part(part.pk, stop=stop).result == "stopped by the time limit of the queue"
    part.refresh_from_db()
    assert (part.state, part.worker) == ("queued", None)
    assert OrmQ.objects.count() == 2
    assert set(RunHistory.objects.values_list("errors", flat=True)) == {"interrupted: the time limit of the queue"}
    assert run_part(part.pk).succeeded == 2


def test_the_queue_s_time_limit_stops_a_run_before_the_queue_does(
    part: QueuedRefresh, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatch, "time_limit", lambda: timedelta(seconds=0.2))
    sql("CREATE MATERIALIZED VIEW reporting.a AS SELECT 1 AS n FROM pg_sleep(30) WITH NO DATA")
    assert run_part(part.pk).result == "stopped by the time limit of the queue"


def test_a_database_that_cannot_leaves_the_part_to_be_taken_up_again(part: QueuedRefresh) -> None:
    sql("ALTER TABLE reporting.seeder_job_status RENAME TO gone")
    with pytest.raises(SchemaMissing):
        run_part(part.pk)
    part.refresh_from_db()
    assert part.state == "queued"
    sql("ALTER TABLE reporting.gone RENAME TO seeder_job_status")
    assert run_part(part.pk).result == "done"


def test_another_foreseeable_error_ends_the_part_and_is_kept(
    part: QueuedRefresh, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cannot(*_: object, **__: object) -> None:
        raise ConfigurationError(setting="SEEDER_X", value=1, expected="2")

    monkeypatch.setattr(part_execution, "execute_locked", cannot)
    assert run_part(part.pk).result == "ended in error"
    part.refresh_from_db()
    assert (part.state, part.error) == ("ended", "SEEDER_X is 1, but must be 2.")


def test_settings_that_cannot_be_read_leave_a_part_as_it_is(part: QueuedRefresh, settings: Settings) -> None:
    settings.SEEDER = {"MAX_WORKERS": 0}
    with pytest.raises(ConfigurationError):
        run_part(part.pk)
    part.refresh_from_db()
    assert (part.state, part.run_ids) == ("queued", [])


def test_what_a_killed_worker_has_left_is_dispatched_at_once(part: QueuedRefresh) -> None:
    OrmQ.objects.all().delete()
    killed(part, after=1)
    rescued = rescue_stalled_parts()
    assert rescued.dispatched == (part.pk,)
    assert len(rescued.recovered) == 1
    part.refresh_from_db()
    assert part.state == "queued"
    assert [message.task["args"] for message in OrmQ.objects.all()] == [(part.pk,)]
    assert not rescue_stalled_parts().dispatched, "its doorbell is on the way"


def test_what_the_queue_has_lost_is_dispatched_after_a_while(part: QueuedRefresh) -> None:
    assert not rescue_stalled_parts().dispatched
    sql("UPDATE reporting.seeder_queued_refresh SET dispatched_at = now() - interval '2 minutes'")
    assert not rescue_stalled_parts().dispatched, "it waits in the queue"
    sql("UPDATE reporting.seeder_queued_refresh SET dispatched_at = now() - interval '11 minutes'")
    assert rescue_stalled_parts().dispatched == (part.pk,), "what waits may be of others"
    sql("UPDATE reporting.seeder_queued_refresh SET dispatched_at = now() - interval '2 minutes'")
    OrmQ.objects.all().delete()
    assert rescue_stalled_parts().dispatched == (part.pk,)
    assert not rescue_stalled_parts().dispatched
    sql("UPDATE reporting.seeder_queued_refresh SET dispatched_at = NULL")
    assert not rescue_stalled_parts().dispatched, "whoever asks may be about to"
    sql("UPDATE reporting.seeder_queued_refresh SET requested_at = now() - interval '2 minutes'")
    assert rescue_stalled_parts().dispatched == (part.pk,)


def test_a_sweep_where_there_is_no_queue_does_nothing(part: QueuedRefresh) -> None:
    sql("DROP TABLE reporting.seeder_queued_refresh")
    assert tasks.resume_queue() == {"dispatched": [], "recovered": []}


def test_the_tasks_say_what_they_did_in_plain_values(part: QueuedRefresh) -> None:
    assert json.loads(json.dumps(tasks.refresh_queued(part.pk)))["succeeded"] == 2
    asked = tasks.refresh_table("reporting.a")
    assert set(asked) == {"requestId", "parts", "joined"}
    assert tasks.refresh_table("Reporting.A") == {**asked, "joined": True}
    assert QueuedRefresh.objects.get(pk=asked["parts"][0]).requested_by == "a task"
    assert tasks.refresh_agency("demo")["joined"] is False
    assert tasks.refresh_all("canned")["joined"] is True


def test_a_task_that_is_delivered_twice_asks_once(part: QueuedRefresh) -> None:
    delivered = {"id": "0123", "group": "seeder: agency demo"}
    tasks._remember_task(task=delivered)
    first = tasks.refresh_table("reporting.a")
    QueuedRefresh.objects.update(state="ended", run_ids=["r"])
    tasks._forget_task()
    tasks._remember_task(task=delivered)
    assert tasks.refresh_table("reporting.a")["requestId"] == first["requestId"]
    tasks._forget_task()
    again = tasks.refresh_table("reporting.a")
    assert again["requestId"] != first["requestId"]


@pytest.mark.parametrize("value", [None, "", "everything", 7, True])
def test_what_is_no_report_type_is_not_taken_for_everything(part: QueuedRefresh, value: object) -> None:
    with pytest.raises(BadTaskArgument, match="report_type"):
        tasks.refresh_all(value)  # type: ignore[arg-type]


def test_no_task_takes_silence_for_everything(part: QueuedRefresh) -> None:
    every: list[Callable[..., object]]
    every = [tasks.refresh_all, tasks.refresh_agency, tasks.refresh_table, tasks.refresh_queued]
    for task in every:
        with pytest.raises(TypeError):
            task()
        with pytest.raises(BadTaskArgument):
            task(None)
    with pytest.raises(UnknownAgency):
        tasks.refresh_agency("")
    with pytest.raises(BadTaskArgument):
        tasks.refresh_queued(True)  # noqa: FBT003  # what a bad caller may do
    assert QueuedRefresh.objects.count() == 1


def test_sigterm_in_a_task_stops_its_run_and_is_heeded_afterwards(
    part: QueuedRefresh, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[int] = []

    def terminated(part_id: int, *, stop: StopSignal) -> PartResult:
        signal.raise_signal(signal.SIGTERM)
        assert not heard
        return run_part(part_id, stop=stop)

    monkeypatch.setattr(part_execution, "run_part", terminated)
    before = signal.signal(signal.SIGTERM, lambda number, _: heard.append(number))
    try:
        assert tasks.refresh_queued(part.pk)["result"] == "stopped by SIGTERM"
    finally:
        signal.signal(signal.SIGTERM, before)
    assert heard == [signal.SIGTERM]
