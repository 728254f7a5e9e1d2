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
from seeder.services import runs
from seeder.services.stopping import Stop
from tests.conftest import custom, sql
from tests.faults.servers import PATIENCE, until

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
THROUGH_THE_GATE = "SELECT reporting.pass_gate() AS run"
AT_THE_GATE = (
    "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    " AND wait_event = 'PgSleep' AND application_name ~ '^seeder '"
)


def build_gate() -> None:
    """Closed at first: whatever refreshes a view behind it waits there for as long as it takes."""
    sql(_GATE)


def open_gate(*, opened: bool = True) -> None:
    sql("UPDATE reporting.gate SET open = " + str(opened).lower())


def until_at_the_gate(count: int) -> list[int]:
    """The backends that wait there, once they are so many."""
    until(lambda: len(sql(AT_THE_GATE)) == count)
    return [pid for (pid,) in sql(AT_THE_GATE)]


def filled(name: str, query: str = "SELECT n FROM reporting.source") -> None:
    """A manifest whose view exists, with what was true when it was filled."""
    sql(f"CREATE MATERIALIZED VIEW reporting.{name} AS {query}")
    custom(f"reporting.{name}", query)


def filled_behind_the_gate(name: str) -> None:
    """A view that exists, and whose next refresh waits at the gate."""
    build_gate()
    open_gate()
    filled(name, THROUGH_THE_GATE)
    open_gate(opened=False)


def refreshed() -> dict[str, RefreshResult]:
    """How the views end when everything is refreshed now; a run that hangs is stopped, and fails the test."""
    with in_the_background() as run:
        return by_name(run.result(PATIENCE))


def by_name(summary: RunSummary) -> dict[str, RefreshResult]:
    return {view.key.name.name: result for view, result in summary.results.items()}


def reason(result: RefreshResult) -> str | None:
    """The SQLSTATE of a view that failed."""
    assert result.failure
    return result.failure.sqlstate


@contextmanager
def in_the_background() -> "Iterator[Future[RunSummary]]":
    """A run meanwhile, which is stopped where the test does not wait for it."""
    stop = Stop()

    def run() -> RunSummary:
        try:
            return runs.execute(AllReports(), stop=stop)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as threads:
        future = threads.submit(run)
        try:
            yield future
        finally:
            if not future.done():
                stop.request("the end of the test")


def until_queued_for(relation: str) -> None:
    """Until a refresh waits for a lock on it."""
    until(
        lambda: sql(
            "SELECT 1 FROM pg_locks JOIN pg_stat_activity USING (pid)"
            " WHERE relation = to_regclass(%s) AND NOT granted AND application_name ~ '^seeder '",
            relation,
        )
    )


def lock_wait(session: "psycopg.Connection[Any]", milliseconds: int) -> None:
    """Bound how long this session waits for a lock."""
    session.execute(f"SET lock_timeout = {milliseconds}".encode())


def rows() -> dict[str, tuple[str, str | None]]:
    """Status and error of the latest row of each view, where both tables agree on the status."""
    latest = {
        row.table_name.removeprefix("reporting."): (row.status, row.errors) for row in RunHistory.objects.order_by("id")
    }
    status = dict(JobStatus.objects.values_list("table_name", "status"))
    assert {name.removeprefix("reporting."): word for name, word in status.items()} == {
        name: word for name, (word, _) in latest.items()
    }
    return latest
