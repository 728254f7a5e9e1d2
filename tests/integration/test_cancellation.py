"""Cancelled requests: queued parts end at once, workers stop running ones, and nothing starts them again."""

import re
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import OperationalError, connection, connections
from django.db.models.functions import Now

from seeder.cancel_errors import RequestEnded, RequestShared
from seeder.domain.outcomes import RunSummary
from seeder.domain.queue.queued_requests import QueuedPartState, request_state
from seeder.domain.refresh_requests import AgencyReports, AllReports
from seeder.errors import SchemaMissing, UnknownRequest, UnknownRun
from seeder.models import JobStatus, QueuedRefresh, Run, RunHistory
from seeder.services.queue import part_execution, part_rows
from seeder.services.queue.cancellation import cancel_request, cancel_run
from seeder.services.queue.enqueue import enqueue_refresh
from seeder.services.queue.part_execution import PartResult, run_part
from seeder.services.queue.rescue import rescue_stalled_parts
from seeder.services.run.cancel_listener import CancelListener
from seeder.services.run.orchestrator import execute_run
from seeder.services.stop_signal import StopSignal
from tests.blocked_calls import blocked_call
from tests.conftest import another_session, create_custom_manifest, sql
from tests.integration.queued_parts import enqueue_part
from tests.polling import eventually

pytestmark = pytest.mark.usefixtures("empty_queue")


@pytest.fixture
def part() -> QueuedRefresh:
    return enqueue_part()


def cancel(part: QueuedRefresh, requested_by: str = "operator") -> list[str]:
    return [one.state for one in cancel_request(part.request_id, requested_by=requested_by)]


def run_in_thread(part_id: int, statements: list[str]) -> PartResult:
    def record(execute: Any, statement: str, *rest: Any) -> Any:
        statements.append(str(statement))
        return execute(statement, *rest)

    try:
        with connection.execute_wrapper(record):
            return run_part(part_id)
    finally:
        connections.close_all()


def execute_in_thread() -> RunSummary:
    try:
        return execute_run(AllReports())
    finally:
        connections.close_all()


def is_sleeping() -> bool:
    return bool(sql("SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND state = 'active'"))


def test_queued_part_is_cancelled_and_never_claimed(part: QueuedRefresh) -> None:
    assert cancel(part) == ["cancelled"]
    assert run_part(part.pk).result == "nothing: it was cancelled"
    sql("UPDATE reporting.seeder_queued_refresh SET dispatched_at = now() - interval '1 hour'")
    assert not rescue_stalled_parts().dispatched
    part.refresh_from_db()
    assert (part.state, part.succeeded, part.failed, part.error) == ("cancelled", 0, 0, None)
    assert part.cancel_requested_by == "operator"
    assert part.cancel_requested_at
    assert part.finished_at
    assert not RunHistory.objects.exists()


def test_second_cancel_changes_nothing(part: QueuedRefresh) -> None:
    cancel(part)
    part.refresh_from_db()
    finished = part.finished_at
    assert cancel(part, "another") == ["cancelled"]
    part.refresh_from_db()
    assert (part.cancel_requested_by, part.finished_at) == ("operator", finished)


def test_cancelled_request_is_not_joined(part: QueuedRefresh) -> None:
    cancel(part)
    again = enqueue_refresh(AgencyReports(slug="demo"), requested_by="")
    assert (again.joined, again.request_id != part.request_id) == (False, True)


def test_ended_request_is_not_cancelled(part: QueuedRefresh) -> None:
    run_part(part.pk)
    with pytest.raises(RequestEnded):
        cancel(part)
    part.refresh_from_db()
    assert (part.state, part.cancel_requested_at) == ("ended", None)


def test_unknown_request_is_not_cancelled(part: QueuedRefresh) -> None:
    with pytest.raises(UnknownRequest):
        cancel_request("unknown", requested_by="operator")
    with pytest.raises(UnknownRequest):
        cancel_request(part.request_id, requested_by="operator", agencies=["metro"])


def test_request_with_hidden_agencies_is_not_cancelled() -> None:
    create_custom_manifest("reporting.a", "SELECT 1 AS n")
    create_custom_manifest("reporting.b", "SELECT 1 AS n", agency="metro")
    request_id = str(enqueue_refresh(AllReports(), requested_by="").request_id)
    with pytest.raises(RequestShared):
        cancel_request(request_id, requested_by="operator", agencies=["demo"])
    assert {one.state for one in QueuedRefresh.objects.all()} == {"queued"}
    parts = cancel_request(request_id, requested_by="operator", agencies=["demo", "metro"])
    assert [one.state for one in parts] == ["cancelled", "cancelled"]


def test_part_that_ended_keeps_its_state() -> None:
    for name in "ab":
        create_custom_manifest(f"reporting.{name}", "SELECT 1 AS n")
    first, _ = enqueue_refresh(AllReports(), requested_by="").parts
    run_part(first.pk)
    assert cancel(first) == ["ended", "cancelled"]
    assert cancel(first) == ["ended", "cancelled"]


def test_worker_stops_a_cancelled_part() -> None:
    create_custom_manifest("reporting.done", "SELECT 1 AS n")
    create_custom_manifest("reporting.sleeping", "SELECT 1 AS n FROM pg_sleep(60)")
    create_custom_manifest("reporting.unstarted", "SELECT n FROM reporting.sleeping")
    [part] = enqueue_refresh(AgencyReports(slug="demo"), requested_by="").parts
    statements: list[str] = []
    with ThreadPoolExecutor(1) as threads:
        result = threads.submit(run_in_thread, part.pk, statements)
        eventually(lambda: is_sleeping() and RunHistory.objects.filter(status="success").exists())
        assert cancel(part) == ["running"]
        assert result.result(20).result == "cancelled"
    assert cancel(part) == ["cancelled"]
    interrupted = "interrupted: cancelled by operator"
    assert dict(RunHistory.objects.values_list("table_name", "errors")) == {
        "reporting.done": None,
        "reporting.sleeping": interrupted,
        "reporting.unstarted": interrupted,
    }
    assert JobStatus.objects.get(table_name="reporting.done").status == "success"
    assert Run.objects.get().stopped_by == "cancelled by operator"
    part = QueuedRefresh.objects.get()
    assert (part.state, part.succeeded, part.failed) == ("cancelled", 1, 2)
    assert not rescue_stalled_parts().dispatched
    assert not is_sleeping()
    polls = {one for one in statements if re.match('SELECT [^,]*"cancel_requested_by" AS', one)}
    assert [re.findall('FROM "reporting"."([a-z_]+)"', one) for one in polls] == [["seeder_queued_refresh"]]


def test_run_is_cancelled_by_its_own_id(part: QueuedRefresh) -> None:
    part_rows.claim(part, run_id="first", worker="host:1")
    assert [one.state for one in cancel_request("first", requested_by="operator")] == ["running"]
    assert part_rows.cancel_requested_by(part.pk) == "operator"
    with pytest.raises(UnknownRequest):
        cancel_request("fir", requested_by="operator")


def test_run_outside_the_queue_is_cancelled_by_its_row() -> None:
    create_custom_manifest("reporting.done", "SELECT 1 AS n")
    create_custom_manifest("reporting.sleeping", "SELECT 1 AS n FROM pg_sleep(60)", agency="metro")
    with ThreadPoolExecutor(1) as threads:
        result = threads.submit(execute_in_thread)
        eventually(lambda: is_sleeping() and RunHistory.objects.filter(status="success").exists())
        run_id = Run.objects.get().run_id
        with pytest.raises(RequestShared):
            cancel_run(run_id, requested_by="stranger", agencies=["demo"])
        with pytest.raises(UnknownRun):
            cancel_run(run_id, requested_by="stranger", agencies=["other"])
        cancel_run(run_id, requested_by="operator", agencies=["demo", "metro"])
        cancel_run(run_id, requested_by="another")
        assert result.result(20).stopped_by == "cancelled by operator"
    assert dict(RunHistory.objects.values_list("table_name", "errors")) == {
        "reporting.done": None,
        "reporting.sleeping": "interrupted: cancelled by operator",
    }
    assert cancel_run(run_id, requested_by="another").cancel_requested_by == "operator"
    Run.objects.update(stopped_by=None)  # it ended before it looked
    with pytest.raises(RequestEnded):
        cancel_run(run_id, requested_by="operator")


def test_dead_run_is_closed_instead_of_cancelled() -> None:
    Run.objects.create(run_id="dead", description="all reports", started_at=Now(), workers=1, manifests=0, agencies={})
    with pytest.raises(RequestEnded):
        cancel_run("dead", requested_by="operator")
    assert Run.objects.get().stopped_by == "killed"
    with pytest.raises(UnknownRun):
        cancel_run("\0", requested_by="operator")


def test_killed_worker_of_a_cancelled_part_has_no_successor(part: QueuedRefresh) -> None:
    part_rows.claim(part, run_id="dead", worker="host:1")
    assert cancel(part) == ["running"]
    assert run_part(part.pk).result == "nothing: it was cancelled"
    assert not rescue_stalled_parts().dispatched
    part.refresh_from_db()
    assert (part.state, part.run_ids) == ("cancelled", ["dead"])
    assert not rescue_stalled_parts().dispatched


def test_cancelled_part_that_loses_its_database_ends(part: QueuedRefresh, monkeypatch: pytest.MonkeyPatch) -> None:
    def cancel_claimed_part(*_: object, **__: object) -> None:
        cancel(part)
        raise SchemaMissing(database="d", address="a", cause="c", alias="default")

    monkeypatch.setattr(part_execution, "execute_locked", cancel_claimed_part)
    with pytest.raises(SchemaMissing):
        run_part(part.pk)
    part.refresh_from_db()
    assert part.state == "cancelled"


def test_claim_waits_for_a_cancellation_and_gives_up(part: QueuedRefresh) -> None:
    with another_session() as other_session:
        other_session.execute("BEGIN")
        other_session.execute(
            "UPDATE reporting.seeder_queued_refresh"
            " SET state = 'cancelled', cancel_requested_at = now(), cancel_requested_by = 'operator'"
        )
        with blocked_call(other_session, lambda: run_part(part.pk).result) as execution:
            other_session.execute("COMMIT")
            assert execution.result() == "nothing: it was cancelled"


def test_cancellation_waits_for_a_claim_and_stops_its_worker(part: QueuedRefresh) -> None:
    with another_session() as other_session:
        other_session.execute("BEGIN")
        other_session.execute("UPDATE reporting.seeder_queued_refresh SET state = 'running', run_ids = '[\"r\"]'")
        with blocked_call(other_session, lambda: cancel(part)) as cancellation:
            other_session.execute("COMMIT")
            assert cancellation.result() == ["running"]
    assert part_rows.cancel_requested_by(part.pk) == "operator"


def test_cancellation_waits_for_the_end_and_is_refused(part: QueuedRefresh) -> None:
    part_rows.claim(part, run_id="r", worker="host:1")
    with another_session() as other_session:
        other_session.execute("BEGIN")
        other_session.execute("UPDATE reporting.seeder_queued_refresh SET state = 'ended', finished_at = now()")
        with blocked_call(other_session, lambda: cancel(part)) as cancellation:
            other_session.execute("COMMIT")
            with pytest.raises(RequestEnded):
                cancellation.result()


def test_end_after_the_last_view_wins_against_a_cancellation(part: QueuedRefresh) -> None:
    part_rows.claim(part, run_id="r", worker="host:1")
    cancel(part)
    assert part_rows.end(part.pk, run_ids=["r"], succeeded=3, failed=0)
    assert cancel_states(part) == "ended"
    with pytest.raises(RequestEnded):
        cancel(part)


def cancel_states(part: QueuedRefresh) -> str:
    part.refresh_from_db()
    return part.state


@pytest.mark.slow
@pytest.mark.parametrize("number", range(10))
def test_race_of_claim_and_cancellation_has_one_winner(part: QueuedRefresh, number: int) -> None:
    barrier = Barrier(2, timeout=20)

    def race(*, is_worker: bool) -> str:
        barrier.wait()
        try:
            return run_part(part.pk).result if is_worker else cancel(part)[0]
        except RequestEnded:
            return "ended"
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as threads:
        worker = threads.submit(race, is_worker=True)
        cancellation = threads.submit(race, is_worker=False)
        outcome = worker.result(), cancellation.result()
    state = cancel_states(part)
    assert outcome in {
        ("nothing: it was cancelled", "cancelled"),
        ("cancelled", "running"),
        ("done", "running"),  # it ended before the worker looked
        ("done", "ended"),
    }
    assert (state == "cancelled") == (outcome[0] != "done")
    assert RunHistory.objects.exists() == (outcome[0] in {"done", "cancelled"})
    assert not RunHistory.objects.filter(status__in=("pending", "running")).exists()


def test_listener_reads_the_row_once_a_second(part: QueuedRefresh) -> None:
    part_rows.claim(part, run_id="r", worker="host:1")
    now, stop, reads = [0.0], StopSignal(), list[float]()

    def requester() -> str | None:
        reads.append(now[0])
        if now[0] < 2:
            raise OperationalError
        return part_rows.cancel_requested_by(part.pk)

    listener = CancelListener(requester, stop, clock=lambda: now[0])
    cancel(part)
    for now[0] in (0.9, 1.0, 1.9):
        listener.on_tick()
    assert (reads, stop.requested) == ([1.0], False)
    now[0] = 2.0
    listener.on_tick()
    assert stop.reason == "cancelled by operator"


@pytest.mark.parametrize(
    ("parts", "state"),
    [
        (["queued", "queued"], QueuedPartState.QUEUED),
        (["queued", "ended"], QueuedPartState.RUNNING),
        (["running", "cancelled"], QueuedPartState.RUNNING),
        (["ended", "cancelled"], QueuedPartState.CANCELLED),
        (["ended"], QueuedPartState.ENDED),
    ],
)
def test_state_of_a_request_follows_its_parts(parts: list[str], state: QueuedPartState) -> None:
    assert request_state(parts) is state
