"""VACUUM of the views that concurrent refreshes left with dead rows."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Event, Timer
from time import monotonic

import pytest
from pytest_django import Settings

from seeder.domain.outcomes import Outcome, RunSummary
from seeder.domain.refresh_requests import AllReports
from seeder.domain.run_events import RunEvent, ViewEnded, ViewsVacuumed
from seeder.models import DataCheck, RunMetrics
from seeder.services.run import orchestrator
from seeder.services.stop_signal import StopSignal
from tests.conftest import another_session, create_custom_manifest, sql

pytestmark = pytest.mark.usefixtures("contract_tables")
ROWS = 2000
DEAD_ROWS = "SELECT pg_stat_get_dead_tuples('reporting.{}'::regclass)"  # exact after VACUUM
VACUUMS = "SELECT pg_stat_get_vacuum_count('reporting.a'::regclass)"


@pytest.fixture(autouse=True)
def _with_concurrent_refreshes(settings: Settings, contract_tables: None) -> None:
    settings.SEEDER = {"REFRESH_CONCURRENTLY": True, "MAX_RETRIES": 0}
    sql(f"CREATE TABLE reporting.source AS SELECT n, 0 AS v FROM generate_series(1, {ROWS}) AS n")


def create_view(name: str, query: str = "SELECT n, v FROM reporting.source") -> None:
    sql(f"CREATE MATERIALIZED VIEW reporting.{name} WITH (autovacuum_enabled = off) AS {query}")
    sql(f"CREATE UNIQUE INDEX {name}_n ON reporting.{name} (n)")
    create_custom_manifest(f"reporting.{name}", query)


def change_rows(percent: int) -> None:
    sql(f"UPDATE reporting.source SET v = v + 1 WHERE n <= {ROWS * percent // 100}")


def run(
    on_event: Callable[[RunEvent], object] = lambda _: None, stop: StopSignal | None = None
) -> tuple[RunSummary, list[ViewsVacuumed]]:
    events: list[RunEvent] = []

    def observe(event: RunEvent) -> None:
        events.append(event)
        on_event(event)

    summary = orchestrator.execute_run(AllReports(), on_event=observe, stop=stop)
    return summary, [event for event in events if isinstance(event, ViewsVacuumed)]


def test_view_with_many_dead_rows_is_vacuumed_and_says_so() -> None:
    create_view("a")
    change_rows(percent=5)
    summary, [vacuumed] = run()
    [result] = summary.results.values()
    assert (result.cost.rows_deleted, sql(DEAD_ROWS.format("a")), sql(VACUUMS)) == (100, [(0,)], [(1,)])
    assert result.cost.vacuum_time
    assert RunMetrics.objects.get().vacuum_seconds == pytest.approx(result.cost.vacuum_time.total_seconds())
    assert (vacuumed.views, vacuumed.skipped) == (tuple(summary.results), {})


def test_dead_rows_are_removed_although_another_view_was_refreshed_meanwhile() -> None:
    create_view("a")
    create_view("b", "SELECT n, v FROM reporting.source, (SELECT pg_sleep(0.7)) AS slow")
    change_rows(percent=50)
    with ThreadPoolExecutor(1) as thread:  # while b is refreshed, the dead rows of a cannot be removed
        ended = Event()

        def vacuum_meanwhile() -> None:
            assert ended.wait(20)
            with another_session() as session:
                session.execute("VACUUM reporting.a")
                [(dead,)] = session.execute("SELECT pg_stat_get_dead_tuples('reporting.a'::regclass)").fetchall()
                assert dead == ROWS // 2

        def signal_end(event: RunEvent) -> None:
            if isinstance(event, ViewEnded) and event.view.key.name.name == "a":
                ended.set()

        future = thread.submit(vacuum_meanwhile)
        summary, _ = run(signal_end)
        future.result()
    assert summary.failed == 0
    assert (sql(DEAD_ROWS.format("a")), sql(DEAD_ROWS.format("b"))) == ([(0,)], [(0,)])


def test_view_that_data_checks_held_is_vacuumed() -> None:
    create_view("a")
    arguments = {"column": "v", "min": 0, "max": 0}
    DataCheck.objects.create(table_name="reporting.a", check_name="range", kind="range", arguments=arguments)
    change_rows(percent=50)
    summary, [vacuumed] = run()
    [result] = summary.results.values()
    assert (result.outcome, vacuumed.views) == (Outcome.HELD, tuple(summary.results))
    assert sql(VACUUMS) == [(1,)]


@pytest.mark.parametrize(
    ("percent", "changes"),
    [(4, {}), (50, {"VACUUM_CHURN_PERCENT": 0}), (50, {"REFRESH_CONCURRENTLY": False})],
    ids=["few changes", "never", "plain"],
)
def test_view_is_not_vacuumed(percent: int, changes: dict[str, object], settings: Settings) -> None:
    settings.SEEDER = {**settings.SEEDER, **changes}
    create_view("a")
    change_rows(percent)
    summary, events = run()
    assert (summary.failed, events) == (0, [])
    assert RunMetrics.objects.get().vacuum_seconds is None


def test_locked_view_is_skipped_without_waiting() -> None:
    create_view("a")
    change_rows(percent=50)
    with another_session() as other:

        def lock(event: RunEvent) -> None:
            if isinstance(event, ViewEnded):
                other.execute("BEGIN; REFRESH MATERIALIZED VIEW CONCURRENTLY reporting.a")

        summary, [vacuumed] = run(lock)
    assert (summary.failed, vacuumed.views) == (0, ())
    assert "lock" in vacuumed.skipped[next(iter(summary.results))]
    assert sql(VACUUMS) == [(0,)]


def test_stop_skips_vacuum() -> None:
    create_view("a")
    change_rows(percent=50)
    stop = StopSignal()

    def request_stop(event: RunEvent) -> None:
        if isinstance(event, ViewEnded):
            stop.request("SIGTERM")

    summary, events = run(request_stop, stop)
    assert (summary.succeeded, summary.failed, events) == (1, 0, [])


def test_stop_cancels_a_running_vacuum() -> None:
    create_view("a")
    change_rows(percent=50)
    stop = StopSignal()
    with another_session() as other:

        def lock(event: RunEvent) -> None:  # VACUUM waits for a locked index, even if it skips locked views
            if isinstance(event, ViewEnded):
                other.execute("BEGIN; ALTER INDEX reporting.a_n SET TABLESPACE pg_default")
                Timer(0.5, stop.request, ["SIGTERM"]).start()

        begun = monotonic()
        summary, [vacuumed] = run(lock, stop)
    assert (summary.succeeded, summary.failed) == (1, 0), "the view was refreshed"
    assert (vacuumed.views, len(vacuumed.skipped)) == ((), 1)
    assert monotonic() - begun < 5
