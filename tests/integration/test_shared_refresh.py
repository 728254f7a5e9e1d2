"""Small views that are refreshed in one transaction."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from time import monotonic
from typing import Any

import pytest
from django.db import OperationalError, connections
from pytest_django import Settings

from seeder.domain.outcomes import Outcome, RefreshResult
from seeder.domain.refresh_requests import AllReports
from seeder.domain.run_events import RunEvent, RunStarted, ViewPostponed
from seeder.errors import RunLockLost
from seeder.models import JobStatus, RunHistory
from seeder.postgres import sessions, shared_refresh
from seeder.services.run import orchestrator
from seeder.services.run import shared_refresh as service
from tests.blocked_calls import blocked_call
from tests.conftest import another_session, create_canned_report, create_custom_manifest, sql
from tests.injection.injected_failures import cut

pytestmark = pytest.mark.usefixtures("contract_tables")

NAMES = ("a", "b", "c")
TRANSACTIONS = "SELECT count(DISTINCT xmin::text) FROM pg_class WHERE relname IN ('a', 'b', 'c') AND relkind = 'm'"


@pytest.fixture(autouse=True)
def small_views(contract_tables: None, settings: Settings) -> None:
    """Create three views that read one table, and of which the history says that they take a millisecond."""
    settings.SEEDER = {"MAX_WORKERS": 1}
    sql("CREATE TABLE reporting.source AS SELECT 1 AS a, 1 AS b, 1 AS c")
    for name in NAMES:
        create_custom_manifest(f"reporting.{name}", f"SELECT 1 / {name} AS n FROM reporting.source")
    orchestrator.execute_run(AllReports())
    sql("UPDATE reporting.seeder_run_history SET finish_time = start_time + interval '1 ms'")


def run(on_event: Callable[[RunEvent], object] = lambda _: None) -> Mapping[str, RefreshResult]:
    summary = orchestrator.execute_run(AllReports(), on_event=on_event)
    return {view.key.name.name: result for view, result in summary.results.items()}


def postponed(events: Sequence[RunEvent]) -> list[str]:
    return [event.view.key.name.name for event in events if isinstance(event, ViewPostponed)]


def test_views_and_their_rows_commit_together() -> None:
    create_canned_report("REPORTING.B", "SELECT 1 / b AS n FROM reporting.source", agencies=("demo", "metro"))
    sql("INSERT INTO reporting.source VALUES (1, 1, 1)")
    results = run()
    assert sql(TRANSACTIONS) == [(1,)]
    assert {result.outcome for result in results.values()} == {Outcome.REFRESHED}
    assert [result.rows for result in results.values()] == [2, 2, 2]
    assert all(result.cost.worker_number == 1 and result.snapshot and not result.notes for result in results.values())
    for name, result in results.items():
        rows = RunHistory.objects.filter(table_name__iexact=f"reporting.{name}").order_by("-id")[
            : 3 if name == "b" else 1
        ]
        for row in rows:
            assert (row.status, row.records_processed, row.errors) == ("success", 2, None)
            assert (row.start_time, row.finish_time) == (result.started_at, result.finished_at)
            assert row.bytes_processed == sql(f"SELECT pg_total_relation_size('reporting.{name}')")[0][0]
    assert JobStatus.objects.filter(status="success", consecutive_failures=0).count() == 4
    [ages] = sql("SELECT array_agg(data_as_of ORDER BY view_name) FROM reporting.seeder_view_state")
    assert ages == ([results[name].started_at for name in NAMES],)


def test_each_refresh_starts_when_the_one_before_has_ended() -> None:
    first, second, third = run().values()
    assert first.started_at < first.finished_at == second.started_at < second.finished_at == third.started_at


def test_setting_gives_each_view_its_own_transaction(settings: Settings) -> None:
    settings.SEEDER |= {"SHARED_REFRESH_MS": 0}
    run()
    assert sql(TRANSACTIONS) == [(3,)]


def test_failing_view_fails_alone() -> None:
    sql("UPDATE reporting.source SET b = 0")
    events: list[RunEvent] = []
    results = run(events.append)
    assert postponed(events) == ["a", "b", "c"]
    assert {name: result.outcome for name, result in results.items()} == {
        "a": Outcome.REFRESHED,
        "b": Outcome.FAILED,
        "c": Outcome.REFRESHED,
    }
    failure = results["b"].failure
    assert failure
    assert failure.sqlstate == "22012"
    assert dict(JobStatus.objects.values_list("table_name", "status")) == {
        "reporting.a": "success",
        "reporting.b": "error",
        "reporting.c": "success",
    }


@pytest.mark.parametrize("lock", ["LOCK TABLE reporting.source", "SELECT FROM reporting.b"])
def test_views_hardly_wait_for_a_lock_while_they_hold_others(lock: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first locks a table that all read. The second is a reader of one view."""
    monkeypatch.setattr(service, "STATEMENT_TIMEOUT_MS", 600_000)
    events, waits = list[RunEvent](), list[float]()
    begun = monotonic()
    with ExitStack() as locks:
        session = locks.enter_context(another_session())
        session.execute("BEGIN")
        session.execute(lock.encode())

        def release(event: RunEvent) -> None:
            events.append(event)
            if isinstance(event, ViewPostponed):
                waits.append(monotonic() - begun)
                locks.close()

        results = run(release)
    assert postponed(events) == ["a", "b", "c"]
    assert waits[0] < 5, "the limit is 0.05 s"
    assert {result.outcome for result in results.values()} == {Outcome.REFRESHED}


def test_view_that_another_run_has_refreshed_is_not_refreshed_again() -> None:
    def refresh_meanwhile(event: RunEvent) -> None:
        if isinstance(event, RunStarted):
            with ThreadPoolExecutor(1) as thread:
                other.append(thread.submit(in_thread).result())

    def in_thread() -> str:
        try:
            return orchestrator.execute_run(AllReports()).run_id
        finally:
            connections.close_all()

    other: list[str] = []
    assert {result.satisfied_by for result in run(refresh_meanwhile).values()} == {*other}


def test_run_whose_rows_were_closed_publishes_nothing() -> None:
    sql("UPDATE reporting.source SET a = -1, b = -1, c = -1")

    def close_rows(event: RunEvent) -> None:
        if isinstance(event, RunStarted):
            sql("UPDATE reporting.seeder_run_history SET status = 'error' WHERE status = 'pending'")

    with pytest.raises(RunLockLost):
        run(close_rows)
    assert sql("SELECT n FROM reporting.a UNION SELECT n FROM reporting.b UNION SELECT n FROM reporting.c") == [(1,)]


def test_commit_whose_answer_was_lost_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    original, lost = shared_refresh.refresh_together, list[object]()

    def refresh_and_lose_the_answer(*args: Any, **kwargs: Any) -> object:
        lost.extend(original(*args, **kwargs))
        cut(sessions.driver_connection("default"))
        raise OperationalError

    monkeypatch.setattr(shared_refresh, "refresh_together", refresh_and_lose_the_answer)
    results = run()
    assert len(lost) == 3
    assert sql(TRANSACTIONS) == [(1,)], "none was refreshed again"
    assert {(result.outcome, result.satisfied_by) for result in results.values()} == {(Outcome.REFRESHED, None)}
    rows = RunHistory.objects.order_by("-id")[:3]
    assert {(row.start_time, row.finish_time) for row in rows} == {
        (result.started_at, result.finished_at) for result in results.values()
    }


def test_view_that_has_become_slow_is_refreshed_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "STATEMENT_TIMEOUT_MS", 50)
    sql("CREATE TABLE reporting.delay AS SELECT 0.0 AS seconds")
    create_custom_manifest("reporting.slow", "SELECT 1 AS n FROM reporting.delay, pg_sleep(seconds)")
    run()
    sql("UPDATE reporting.seeder_run_history SET finish_time = start_time + interval '1 ms'")
    sql("UPDATE reporting.delay SET seconds = 0.2")
    events: list[RunEvent] = []
    results = run(events.append)
    assert "slow" in postponed(events)
    assert {result.outcome for result in results.values()} == {Outcome.REFRESHED}


def test_rows_are_counted_if_the_server_has_no_counters() -> None:
    sql("ALTER ROLE CURRENT_USER SET track_counts = off")
    try:
        connections.close_all()
        assert [result.rows for result in run().values()] == [1, 1, 1]
    finally:
        sql("ALTER ROLE CURRENT_USER RESET track_counts")
        connections.close_all()


def test_truncated_input_is_never_seen_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    """A loader replaces the rows of the table while the views wait for it."""
    monkeypatch.setattr(service, "LOCK_TIMEOUT_MS", 60_000)
    monkeypatch.setattr(service, "STATEMENT_TIMEOUT_MS", 60_000)

    events: list[RunEvent] = []
    with another_session() as loader:

        def replace_rows(event: RunEvent) -> None:
            events.append(event)
            if isinstance(event, RunStarted):
                loader.execute("BEGIN; TRUNCATE reporting.source; INSERT INTO reporting.source VALUES (1, 1, 1)")

        with blocked_call(loader, lambda: run(replace_rows)) as running:
            loader.execute("COMMIT")
            assert [result.rows for result in running.result().values()] == [1, 1, 1]
    assert postponed(events) == []


def test_view_that_was_dropped_or_replaced_is_created_alone() -> None:
    def drop(event: RunEvent) -> None:
        if isinstance(event, RunStarted):
            sql("DROP MATERIALIZED VIEW reporting.b")

    results = run(drop)
    assert results["b"].outcome is Outcome.CREATED
    assert results["a"].outcome is results["c"].outcome is Outcome.REFRESHED
