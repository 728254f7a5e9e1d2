"""Two runs that want one view: who comes second takes what the first has done, where that is as good as its own."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from threading import Thread

import pytest
from django.db import connections
from pytest_django import Settings

from seeder.domain.outcomes import Outcome, RefreshResult
from seeder.domain.refresh_requests import AgencyReports, AllReports
from seeder.domain.run_events import RunEvent, RunStarted, ViewEnded
from seeder.models import JobStatus, RunHistory
from seeder.services.run import orchestrator
from tests.conftest import another_session, create_canned_report, create_custom_manifest, sql
from tests.polling import eventually

pytestmark = pytest.mark.usefixtures("contract_tables")


def while_asked(
    act: Callable[[], object], request: AllReports | AgencyReports | None = None
) -> dict[str, RefreshResult]:
    """A run that finds, when it begins to refresh, that `act` has happened since it was asked for."""

    def hear(event: RunEvent) -> None:
        if isinstance(event, RunStarted):
            act()

    summary = orchestrator.execute_run(request or AllReports(), on_event=hear)
    return {view.key.name.name: result for view, result in summary.results.items()}


def in_a_thread(act: Callable[[], object]) -> None:
    def apart() -> None:
        try:
            act()
        finally:
            connections.close_all()

    thread = Thread(target=apart)
    thread.start()
    thread.join()


def test_a_refresh_that_began_after_we_were_asked_is_ours_as_well() -> None:
    create_canned_report(
        "reporting.shared", "SELECT current_setting('application_name') AS run", agencies=("demo", "metro")
    )
    results = while_asked(
        lambda: in_a_thread(lambda: orchestrator.execute_run(AgencyReports(slug="metro"))), AgencyReports(slug="demo")
    )
    ours, other = RunHistory.objects.get(agency_slug="demo"), RunHistory.objects.get(agency_slug="metro")
    assert results["shared"].satisfied_by == other.run_id
    assert sql("SELECT run FROM reporting.shared") == [(f"seeder {other.run_id}",)], "done once"
    assert (ours.status, ours.start_time, ours.finish_time) == ("success", other.start_time, other.finish_time)
    assert ours.records_processed == 1
    assert ours.errors == f"Refreshed by run {other.run_id}, which started after this run was requested."
    assert JobStatus.objects.get().last_run_id == ours.run_id


def test_a_refresh_that_began_before_we_were_asked_is_not() -> None:
    create_custom_manifest("reporting.a", "SELECT 1 AS n")
    orchestrator.execute_run(AllReports())
    assert while_asked(lambda: None)["a"].satisfied_by is None


def test_a_refresh_that_failed_is_not() -> None:
    sql("CREATE TABLE reporting.source AS SELECT 0 AS n")
    create_custom_manifest("reporting.a", "SELECT 1 / n AS n FROM reporting.source")

    def fail_and_mend() -> None:
        in_a_thread(lambda: orchestrator.execute_run(AllReports()))
        sql("UPDATE reporting.source SET n = 1")

    result = while_asked(fail_and_mend)["a"]
    assert (result.satisfied_by, result.failure) == (None, None)


def test_a_refresh_from_older_inputs_than_ours_is_not() -> None:
    sql("CREATE TABLE reporting.source AS SELECT 1 AS n")
    create_custom_manifest("reporting.input", "SELECT n FROM reporting.source")
    create_custom_manifest("reporting.output", "SELECT n FROM reporting.input", agency="metro")
    orchestrator.execute_run(AllReports())
    sql("UPDATE reporting.source SET n = 2")
    # The other run refreshes the output alone, and does not refresh what that reads.
    results = while_asked(lambda: in_a_thread(lambda: orchestrator.execute_run(AgencyReports(slug="metro"))))
    assert results["output"].satisfied_by is None
    assert sql("SELECT n FROM reporting.output") == [(2,)]


def test_a_view_of_the_same_name_in_another_database_is_not_ours(settings: Settings) -> None:
    settings.SEEDER = {"DATABASES": {1: "default", 2: "archive"}}
    sql("CREATE SCHEMA reporting", using="archive")
    create_custom_manifest("reporting.a", "SELECT 1 AS n")
    create_custom_manifest("reporting.a", "SELECT 1 AS n", agency="metro")
    sql("UPDATE reporting.seeder_custom_report_manifest SET database_id = 2 WHERE agency_slug = 'metro'")
    results = while_asked(
        lambda: in_a_thread(lambda: orchestrator.execute_run(AgencyReports(slug="metro"))), AgencyReports(slug="demo")
    )
    assert results["a"].satisfied_by is None
    assert sql("SELECT n FROM reporting.a") == [(1,)]


def test_the_second_waits_for_the_first_and_that_is_no_part_of_its_duration(settings: Settings) -> None:
    settings.SEEDER = {"LOCK_TIMEOUT_MS": 20_000}
    sql("CREATE TABLE reporting.gate ()")
    create_custom_manifest("reporting.a", "SELECT count(*) AS n FROM reporting.gate")
    orchestrator.execute_run(AllReports())
    ended: list[RefreshResult] = []

    def hear(event: RunEvent) -> None:
        if isinstance(event, ViewEnded):
            ended.append(event.result)

    def waiting(number: int) -> bool:
        refreshes = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND application_name ~ '^seeder '"
        return len(sql(refreshes)) == number

    with another_session() as keeper:
        keeper.execute("BEGIN; LOCK reporting.gate")
        both = [
            Thread(target=_apart, args=(lambda: orchestrator.execute_run(AllReports(), on_event=hear),)) for _ in "12"
        ]
        for number, thread in enumerate(both):
            thread.start()
            eventually(partial(waiting, number + 1))
        keeper.execute("SELECT pg_sleep(1.2); ROLLBACK")
    for thread in both:
        thread.join(20)
    assert [result.failure for result in ended] == [None, None]
    [second] = [result for result in ended if result.satisfied_by is None and result.cost.lock_wait.total_seconds() > 1]
    assert second.duration.total_seconds() < 1, "the first had begun before the second was asked for"


@contextmanager
def at(view: str) -> Iterator[None]:
    """Somebody has the view to himself, as another run does while it refreshes it."""
    with another_session() as other:
        other.execute("SET application_name = 'seeder other'")
        other.execute(f"SELECT pg_advisory_lock(hashtextextended('seeder.view {view}', 0))")
        yield


def test_another_run_is_waited_for_longer_than_any_other_lock(settings: Settings) -> None:
    settings.SEEDER = {"LOCK_TIMEOUT_MS": 1100, "STATEMENT_TIMEOUT_MS": 1000, "MAX_RETRIES": 0}
    create_custom_manifest("reporting.a", "SELECT 1 AS n")
    results: list[RefreshResult] = []
    ours = Thread(
        target=_apart, args=(lambda: results.extend(orchestrator.execute_run(AllReports()).results.values()),)
    )
    with at("reporting.a"):
        ours.start()
        waiting = (
            "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'advisory' AND now() - query_start > interval '1.3 s'"
        )
        eventually(lambda: sql(waiting) or not ours.is_alive())
        assert ours.is_alive(), results
    ours.join(20)
    [result] = results
    assert (result.outcome, result.attempts) == (Outcome.CREATED, 1)
    assert result.cost.lock_wait.total_seconds() > 1.1


def test_another_run_is_waited_for_no_longer_than_anything_is(settings: Settings) -> None:
    settings.SEEDER = {"LOCK_TIMEOUT_MS": 1100, "MAX_WAIT_SECONDS": 2, "MAX_RETRIES": 0}
    create_custom_manifest("reporting.a", "SELECT 1 AS n")
    with at("reporting.a"):
        [result] = orchestrator.execute_run(AllReports()).results.values()
    assert result.failure
    assert result.failure.reason == "lock_not_available"
    assert ", seeder other, of " in result.failure.message
    assert 2 <= result.cost.lock_wait.total_seconds() < 10


def _apart(act: Callable[[], object]) -> None:
    try:
        act()
    finally:
        connections.close_all()


def test_who_was_in_the_way_is_named(settings: Settings) -> None:
    settings.SEEDER = {"LOCK_TIMEOUT_MS": 1100, "MAX_RETRIES": 0}
    create_custom_manifest("reporting.a", "SELECT 1 AS n")
    orchestrator.execute_run(AllReports())
    with another_session() as reader:
        reader.execute("SET application_name = 'a dashboard'")
        reader.execute("BEGIN; SELECT n FROM reporting.a")
        [result] = orchestrator.execute_run(AllReports()).results.values()
        pid = reader.info.backend_pid
    assert result.failure
    assert f"In the way: pid {pid}, a dashboard, of " in result.failure.message
    assert re.search(r"idle in transaction, its transaction open for \d s\.", result.failure.message)
    assert 1 < result.cost.lock_wait.total_seconds() < 10
