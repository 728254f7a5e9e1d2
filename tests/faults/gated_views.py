"""What the tests have in common: views that wait for a sign, runs in the background, and who waits for whom."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import psycopg
from django.db import connections

from seeder.domain.outcomes import RefreshResult, RunSummary
from seeder.domain.refresh_requests import AllReports
from seeder.models import JobStatus, RunHistory
from seeder.services.run import orchestrator
from seeder.services.stop_signal import StopSignal
from tests.conftest import create_custom_manifest, sql
from tests.faults.private_server import MAX_WAIT_SECONDS, wait_until

# Everything is written out, because from PostgreSQL 17 on a refresh has no search_path.
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
# A view through the gate says by which run it was filled.
GATED_QUERY = "SELECT reporting.pass_gate() AS run"
WAITING_AT_GATE = (
    "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    " AND wait_event = 'PgSleep' AND application_name ~ '^seeder '"
)


def build_gate() -> None:
    """Closed at first: whatever refreshes a view behind it waits there for as long as it takes."""
    sql(_GATE)


def open_gate(*, opened: bool = True) -> None:
    sql("UPDATE reporting.gate SET open = " + str(opened).lower())


def wait_until_at_gate(count: int) -> list[int]:
    """The backends that wait there, once they are so many."""
    wait_until(lambda: len(sql(WAITING_AT_GATE)) == count)
    return [pid for (pid,) in sql(WAITING_AT_GATE)]


def create_filled_view(name: str, query: str = "SELECT n FROM reporting.source") -> None:
    """A manifest whose view exists, with what was true when it was filled."""
    sql(f"CREATE MATERIALIZED VIEW reporting.{name} AS {query}")
    create_custom_manifest(f"reporting.{name}", query)


def create_gated_view(name: str) -> None:
    """A view that exists, and whose next refresh waits at the gate."""
    build_gate()
    open_gate()
    create_filled_view(name, GATED_QUERY)
    open_gate(opened=False)


def refresh_everything() -> dict[str, RefreshResult]:
    """How the views end when everything is refreshed now; a run that hangs is stopped, and fails the test."""
    with run_in_background() as run:
        return results_by_name(run.result(MAX_WAIT_SECONDS))


def results_by_name(summary: RunSummary) -> dict[str, RefreshResult]:
    return {view.key.name.name: result for view, result in summary.results.items()}


def sqlstate_of(result: RefreshResult) -> str | None:
    """The SQLSTATE of a view that failed."""
    assert result.failure
    return result.failure.sqlstate


@contextmanager
def run_in_background() -> "Iterator[Future[RunSummary]]":
    """A run meanwhile, which is stopped where the test does not wait for it."""
    stop = StopSignal()

    def run() -> RunSummary:
        try:
            return orchestrator.execute_run(AllReports(), stop=stop)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as threads:
        future = threads.submit(run)
        try:
            yield future
        finally:
            if not future.done():
                stop.request("the end of the test")


def wait_until_lock_is_queued(relation: str) -> None:
    """Until a refresh waits for a lock on it."""
    wait_until(
        lambda: sql(
            "SELECT 1 FROM pg_locks JOIN pg_stat_activity USING (pid)"
            " WHERE relation = to_regclass(%s) AND NOT granted AND application_name ~ '^seeder '",
            relation,
        )
    )


def set_lock_timeout(session: "psycopg.Connection[Any]", milliseconds: int) -> None:
    """Bound how long this session waits for a lock."""
    session.execute(f"SET lock_timeout = {milliseconds}".encode())


def latest_statuses() -> dict[str, tuple[str, str | None]]:
    """Status and error of the latest row of each view, where both tables agree on the status."""
    latest = {
        row.table_name.removeprefix("reporting."): (row.status, row.errors) for row in RunHistory.objects.order_by("id")
    }
    status = dict(JobStatus.objects.values_list("table_name", "status"))
    assert {name.removeprefix("reporting."): status_value for name, status_value in status.items()} == {
        name: word for name, (word, _) in latest.items()
    }
    return latest
