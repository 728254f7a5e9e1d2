"""A connection that is lost while the server still commits: for a while nobody can see how that ends."""

from concurrent.futures import ThreadPoolExecutor
from threading import current_thread
from typing import Any

import psycopg
import pytest

from seeder.domain.outcomes import Outcome, RunSummary
from seeder.domain.refresh_requests import AllReports
from seeder.models import JobStatus, RunHistory
from seeder.postgres import sessions
from seeder.services.run import orchestrator
from seeder.services.run_history import RunHistoryWriter
from seeder.services.stop_signal import StopSignal
from tests.conftest import another_session, create_custom_manifest, sql
from tests.injection.injected_failures import cut
from tests.polling import eventually

pytestmark = pytest.mark.usefixtures("contract_tables")

# Whoever commits the end of a row waits at the gate for as long as somebody keeps it.
GATE = """
    CREATE FUNCTION reporting.gate() RETURNS trigger LANGUAGE plpgsql AS
        $$BEGIN PERFORM pg_advisory_xact_lock_shared(4711); RETURN NULL; END$$;
    CREATE CONSTRAINT TRIGGER gate AFTER UPDATE ON reporting.seeder_run_history DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW WHEN (NEW.status IN ('success', 'error')) EXECUTE FUNCTION reporting.gate()"""
COMMITS = "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND objid = 4711 AND NOT granted"
WAITS_FOR_IT = "SELECT pid FROM pg_stat_activity WHERE %s = ANY (pg_blocking_pids(pid))"


def run() -> RunSummary:
    try:
        return orchestrator.execute_run(AllReports())
    finally:
        sessions.close_thread_connections()


def until(session: "psycopg.Connection[Any]", statement: str, *parameters: int) -> int:
    """Ask until there is a row; its number."""
    row = eventually(lambda: session.execute(statement, parameters).fetchone(), describe_failure=lambda: statement)
    assert row
    return int(row[0])


@pytest.mark.parametrize(("query", "outcome"), [("SELECT 1 AS n", Outcome.CREATED), ("SELECT 1 / 0", Outcome.FAILED)])
def test_a_connection_lost_while_the_server_commits_is_waited_for(
    query: str, outcome: Outcome, monkeypatch: pytest.MonkeyPatch
) -> None:
    create_custom_manifest("reporting.a", query)
    sql(GATE)
    how = "record_success" if outcome is Outcome.CREATED else "record_result"
    recorded, wait, lost = getattr(RunHistoryWriter, how), psycopg.Connection.wait, list[int]()

    def records(*args: Any, **kwargs: Any) -> Any:
        result = recorded(*args, **kwargs)
        monkeypatch.setattr(RunHistoryWriter, how, recorded)
        monkeypatch.setattr(psycopg.Connection, "wait", waits)
        return result

    def waits(connection: "psycopg.Connection[Any]", call: Any, *args: Any, **kwargs: Any) -> Any:
        if current_thread().name.startswith("worker-"):  # what it sends next is COMMIT
            monkeypatch.setattr(psycopg.Connection, "wait", wait)
            next(call)
            lost.append(until(keeper, COMMITS))
            cut(connection)
        return wait(connection, call, *args, **kwargs)

    monkeypatch.setattr(RunHistoryWriter, how, records)
    monkeypatch.setattr(StopSignal, "wait", lambda *_: None)
    with another_session() as keeper, ThreadPoolExecutor(1) as thread:
        keeper.execute("SELECT pg_advisory_lock(4711)")
        running = thread.submit(run)
        eventually(lambda: lost or running.done())
        assert lost
        until(keeper, WAITS_FOR_IT, *lost)
        keeper.execute("SELECT pg_advisory_unlock(4711)")
        [result] = running.result(20).results.values()
    assert result.outcome is outcome
    row, status = RunHistory.objects.get(), JobStatus.objects.get()
    assert row.status == status.status == outcome.status
    assert row.consecutive_failures == status.consecutive_failures == (outcome is Outcome.FAILED)
