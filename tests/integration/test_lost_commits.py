"""A lost connection during a commit, whose result is unknown."""

from concurrent.futures import ThreadPoolExecutor
from threading import current_thread
from typing import Any

import psycopg
import pytest
from django.db import connections

from seeder.domain.outcomes import Outcome, RunSummary
from seeder.domain.refresh_requests import AllReports
from seeder.models import JobStatus, RunHistory
from seeder.services.history_rows import RunHistoryWriter
from seeder.services.run import orchestrator
from seeder.services.stop_signal import StopSignal
from tests.blocked_calls import BLOCKED_BY
from tests.conftest import another_session, create_custom_manifest, sql
from tests.injection.injected_failures import cut
from tests.polling import eventually

pytestmark = pytest.mark.usefixtures("contract_tables")

# A commit of a row's end waits for this gate while a test holds its lock.
GATE = """
    CREATE FUNCTION reporting.gate() RETURNS trigger LANGUAGE plpgsql AS
        $$BEGIN PERFORM pg_advisory_xact_lock_shared(4711); RETURN NULL; END$$;
    CREATE CONSTRAINT TRIGGER gate AFTER UPDATE ON reporting.seeder_run_history DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW WHEN (NEW.status IN ('success', 'error')) EXECUTE FUNCTION reporting.gate()"""
WAITING_COMMITS = "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND objid = 4711 AND NOT granted"


def run() -> RunSummary:
    try:
        return orchestrator.execute_run(AllReports())
    finally:
        connections.close_all()


def wait_for_row(session: "psycopg.Connection[Any]", statement: str, *parameters: int) -> int:
    """Wait until the query returns a row. Return its first value."""
    row = eventually(lambda: session.execute(statement, parameters).fetchone(), describe_failure=lambda: statement)
    assert row
    return int(row[0])


@pytest.mark.parametrize(("query", "outcome"), [("SELECT 1 AS n", Outcome.CREATED), ("SELECT 1 / 0", Outcome.FAILED)])
def test_lost_connection_during_commit_waits_for_its_result(
    query: str, outcome: Outcome, monkeypatch: pytest.MonkeyPatch
) -> None:
    create_custom_manifest("reporting.a", query)
    sql(GATE)
    method_name = "record_success" if outcome is Outcome.CREATED else "record_result"
    original, wait, lost_pids = getattr(RunHistoryWriter, method_name), psycopg.Connection.wait, list[int]()

    def record_and_lose_connection(*args: Any, **kwargs: Any) -> Any:
        result = original(*args, **kwargs)
        monkeypatch.setattr(RunHistoryWriter, method_name, original)
        monkeypatch.setattr(psycopg.Connection, "wait", lose_connection_in_commit)
        return result

    def lose_connection_in_commit(connection: "psycopg.Connection[Any]", call: Any, *args: Any, **kwargs: Any) -> Any:
        if current_thread().name.startswith("worker-"):  # it sends COMMIT next
            monkeypatch.setattr(psycopg.Connection, "wait", wait)
            next(call)
            lost_pids.append(wait_for_row(gate_session, WAITING_COMMITS))
            cut(connection)
        return wait(connection, call, *args, **kwargs)

    monkeypatch.setattr(RunHistoryWriter, method_name, record_and_lose_connection)
    monkeypatch.setattr(StopSignal, "wait", lambda *_: None)
    with another_session() as gate_session, ThreadPoolExecutor(1) as thread:
        gate_session.execute("SELECT pg_advisory_lock(4711)")
        running = thread.submit(run)
        eventually(lambda: lost_pids or running.done())
        assert lost_pids
        wait_for_row(gate_session, BLOCKED_BY, *lost_pids)
        gate_session.execute("SELECT pg_advisory_unlock(4711)")
        [result] = running.result(20).results.values()
    assert result.outcome is outcome
    row, status = RunHistory.objects.get(), JobStatus.objects.get()
    assert row.status == status.status == outcome.status
    assert row.consecutive_failures == status.consecutive_failures == (outcome is Outcome.FAILED)
