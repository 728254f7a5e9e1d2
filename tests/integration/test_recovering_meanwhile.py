"""Recovery of orphaned runs while others write: no deadlock."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection, connections
from django.db.transaction import atomic

from seeder.domain.outcomes import Failure, Outcome, RefreshResult
from seeder.domain.refresh_requests import AllReports, SingleView
from seeder.domain.view_names import ViewName
from seeder.models import JobStatus, RunHistory
from seeder.postgres import sessions
from seeder.services.history_rows import RunHistoryWriter
from seeder.services.run import orchestrator, orphan_recovery
from tests.conftest import another_session, create_custom_manifest, sql
from tests.polling import eventually

pytestmark = pytest.mark.usefixtures("contract_tables")

BLOCKED = (
    "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND cardinality(pg_blocking_pids(pid)) > 0"
)


def recover() -> int:
    try:
        return sum(orphan_recovery.recover_orphaned_runs().values())
    finally:
        connections.close_all()


def wait_until_blocked(recovering: "Future[int]") -> None:
    with another_session() as other_session:
        eventually(lambda: recovering.done() or other_session.execute(BLOCKED).fetchone())


def test_run_taken_for_dead_still_records_its_failure() -> None:
    create_custom_manifest("reporting.a", "SELECT 1 AS n")
    plan, record, now = (
        orchestrator.preview(AllReports()),
        RunHistoryWriter("not really dead"),
        sessions.server_time("default"),
    )
    record.insert_pending(plan)
    failure = Failure(reason="division_by_zero", message="division by zero")
    failed = RefreshResult(outcome=Outcome.FAILED, started_at=now, finished_at=now, failure=failure)
    recovering: list[Future[int]] = []

    def recover_after_update(execute: Callable[..., Any], statement: str, *args: Any) -> Any:
        result = execute(statement, *args)
        if statement.startswith("UPDATE") and not recovering:
            recovering.append(thread.submit(recover))
            wait_until_blocked(recovering[0])
        return result

    with ThreadPoolExecutor(1) as thread:
        with connection.execute_wrapper(recover_after_update), atomic(durable=True):
            record.record_result(plan.views[0].spec, failed)
        assert recovering[0].result(20) == 0
    row, status = RunHistory.objects.get(), JobStatus.objects.get()
    assert row.errors == status.last_errors == "division by zero"
    assert row.consecutive_failures == status.consecutive_failures == 1


def test_row_that_has_ended_is_not_marked_as_running() -> None:
    create_custom_manifest("reporting.a", "SELECT 1 AS n")
    plan, record = orchestrator.preview(AllReports()), RunHistoryWriter("taken for dead")
    record.insert_pending(plan)
    orphan_recovery.recover_orphaned_runs()
    record.mark_running([view.spec for view in plan.views])
    assert (RunHistory.objects.get().status, JobStatus.objects.get().status) == ("error", "error")


@pytest.mark.parametrize("close", ["another run", "the run itself"])
def test_statuses_are_locked_in_one_order(close: str) -> None:
    record = RunHistoryWriter("gone")
    for name in "ba":  # in reverse order on disk
        create_custom_manifest(f"reporting.{name}", "SELECT 1 AS n")
        record.insert_pending(orchestrator.preview(SingleView(name=ViewName.parse(name))))
    if close == "the run itself":
        RunHistory.objects.all().delete()
        record.insert_pending(orchestrator.preview(AllReports()))

    def interrupt() -> int:
        try:
            record.mark_interrupted("SIGTERM")
        finally:
            connections.close_all()
        return 2

    lock = "SELECT table_name FROM reporting.seeder_job_status WHERE table_name = %s FOR UPDATE"
    with another_session() as other_session, ThreadPoolExecutor(1) as thread:
        other_session.execute("BEGIN")
        other_session.execute(lock, ["reporting.a"])
        future = thread.submit(recover if close == "another run" else interrupt)
        wait_until_blocked(future)
        other_session.execute(lock, ["reporting.b"])
        other_session.execute("COMMIT")
        assert future.result(20) == 2
    assert sql("SELECT DISTINCT status FROM reporting.seeder_run_history") == [("error",)]
