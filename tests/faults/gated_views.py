"""Views that wait at a gate, background runs, and waiting sessions."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import psycopg
from django.db import connections

from seeder.domain.outcomes import RefreshResult, RunSummary
from seeder.domain.refresh_requests import AllReports
from seeder.domain.run_events import RunEvent
from seeder.models import JobStatus, RunHistory
from seeder.services.run import orchestrator
from seeder.services.stop_signal import StopSignal
from tests.conftest import create_custom_manifest, sql
from tests.faults.private_server import MAX_WAIT_SECONDS, wait_until

# Names are qualified, because a refresh has no search_path since PostgreSQL 17.
_GATE = """
CREATE TABLE reporting.gate AS SELECT false AS open;
CREATE FUNCTION reporting.pass_gate() RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    WHILE NOT (SELECT open FROM reporting.gate) LOOP
        PERFORM pg_sleep(0.02);
    END LOOP;
    RETURN current_setting('application_name');
END $$;
"""
# A gated view shows the run that filled it.
GATED_QUERY = "SELECT reporting.pass_gate() AS run"
WAITING_AT_GATE = (
    "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    " AND wait_event = 'PgSleep' AND application_name ~ '^seeder '"
)


def build_gate() -> None:
    """Create a closed gate, at which refreshes of gated views wait."""
    sql(_GATE)


def open_gate(*, opened: bool = True) -> None:
    sql("UPDATE reporting.gate SET open = " + str(opened).lower())


def wait_until_at_gate(count: int) -> list[int]:
    """Wait until exactly `count` backends wait at the gate. Return their pids."""
    wait_until(lambda: len(sql(WAITING_AT_GATE)) == count)
    return [pid for (pid,) in sql(WAITING_AT_GATE)]


def create_missing_view(name: str, query: str = "SELECT n FROM reporting.source") -> None:
    """Create a manifest without its view."""
    create_custom_manifest(f"reporting.{name}", query)


def create_filled_view(name: str, query: str = "SELECT n FROM reporting.source") -> None:
    """Create a manifest and its filled view."""
    sql(f"CREATE MATERIALIZED VIEW reporting.{name} AS {query}")
    create_missing_view(name, query)


def create_gated_view(name: str) -> None:
    """Create a filled view whose next refresh waits at the gate."""
    build_gate()
    open_gate()
    create_filled_view(name, GATED_QUERY)
    open_gate(opened=False)


def refresh_everything() -> dict[str, RefreshResult]:
    """Execute a run of all reports and return its results.

    A run that hangs is stopped and fails the test.
    """
    with run_in_background() as run:
        return results_by_name(run.result(MAX_WAIT_SECONDS))


def results_by_name(summary: RunSummary) -> dict[str, RefreshResult]:
    return {view.key.name.name: result for view, result in summary.results.items()}


def sqlstate_of(result: RefreshResult) -> str | None:
    """Return the SQLSTATE of a failed view."""
    assert result.failure
    return result.failure.sqlstate


@contextmanager
def run_in_background(
    on_event: Callable[[RunEvent], object] = lambda _: None,
) -> "Iterator[Future[RunSummary]]":
    """Execute a run in the background. It is stopped at the end."""
    stop = StopSignal()

    def run() -> RunSummary:
        try:
            return orchestrator.execute_run(AllReports(), stop=stop, on_event=on_event)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as threads:
        future = threads.submit(run)
        try:
            yield future
        finally:
            if not future.done():
                stop.request("end of test")


def wait_until_lock_is_queued(relation: str, *, by: str = "seeder ") -> None:
    """Wait until a refresh, or another application, waits for a lock on a relation."""
    wait_until(
        lambda: sql(
            "SELECT 1 FROM pg_locks JOIN pg_stat_activity USING (pid)"
            " WHERE relation = to_regclass(%s) AND NOT granted AND application_name ^@ %s",
            relation,
            by,
        )
    )


def set_lock_timeout(session: "psycopg.Connection[Any]", milliseconds: int) -> None:
    """Limit the lock wait of a session."""
    session.execute(f"SET lock_timeout = {milliseconds}".encode())


def latest_statuses() -> dict[str, tuple[str, str | None]]:
    """Return status and error of the latest row of each view.

    The statuses of both tables have to match.
    """
    latest = {
        row.table_name.removeprefix("reporting."): (row.status, row.errors) for row in RunHistory.objects.order_by("id")
    }
    status = dict(JobStatus.objects.values_list("table_name", "status"))
    assert {name.removeprefix("reporting."): status_value for name, status_value in status.items()} == {
        name: row_status for name, (row_status, _) in latest.items()
    }
    return latest
