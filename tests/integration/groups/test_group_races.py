"""Groups of views while other sessions refresh members, reload inputs or queue runs."""

from collections.abc import Callable
from datetime import datetime

import psycopg
import pytest
from pytest_django import Settings

from seeder.domain.outcomes import GroupReason
from seeder.domain.refresh_requests import AllReports
from seeder.models import JobStatus, RunHistory
from seeder.postgres import group_queries, group_transaction, sessions
from seeder.services.groups import member_refresh
from seeder.services.run import orchestrator
from seeder.services.run.orchestrator import RunOrigin, execute_locked
from seeder.services.run.run_liveness_lock import RunLock, new_run_id
from seeder.services.stop_signal import StopSignal
from tests.conftest import another_session, sql
from tests.integration.groups.grouped_views import GROUP, create_grouped_views, load, published_versions, refresh

pytestmark = pytest.mark.usefixtures("contract_tables")
AfterSnapshot = Callable[..., None]


@pytest.fixture(autouse=True)
def _group(settings: Settings, contract_tables: None) -> None:
    settings.SEEDER = {"CONSISTENT_GROUPS": {"month": GROUP}, "MAX_RETRIES": 1, "LOCK_TIMEOUT_MS": 1500}
    create_grouped_views()
    load(1)


@pytest.fixture
def after_snapshot(monkeypatch: pytest.MonkeyPatch) -> AfterSnapshot:
    """Run statements in another session after each of the first snapshots of a group."""
    take = group_transaction.take_snapshot

    def run(*statements: str, times: int = 1) -> None:
        left = [times]

        def take_snapshot(database: str) -> tuple[datetime, str]:
            taken = take(database)
            if left[0]:
                left[0] -= 1
                with another_session() as session:
                    for statement in statements:
                        session.execute(statement)
            return taken

        monkeypatch.setattr(group_transaction, "take_snapshot", take_snapshot)

    return run


@pytest.mark.parametrize("option", ["", "CONCURRENTLY"])
@pytest.mark.parametrize("is_new", [True, False], ids=["new data", "same data"])
def test_refresh_by_others_after_the_snapshot_repeats_the_group(
    after_snapshot: AfterSnapshot, option: str, *, is_new: bool
) -> None:
    newer = "UPDATE reporting.source SET version = 2" if is_new else "SELECT 1"
    after_snapshot(newer, f"REFRESH MATERIALIZED VIEW {option} reporting.a")
    members = {name: one for name, one in refresh().items() if name != "outside"}
    assert {one.attempts for one in members.values()} == {2}
    note = "The consistent group month was refreshed again, because other sessions changed reporting.a or their tables."
    assert {one.notes for one in members.values()} == {(note,)}
    assert published_versions() == ((2, 2, 2) if is_new else (1, 1, 1))


def test_refresh_by_others_of_the_last_member_is_not_mixed_in(after_snapshot: AfterSnapshot) -> None:
    refresh()
    after_snapshot("UPDATE reporting.divisor SET n = -1", "REFRESH MATERIALIZED VIEW CONCURRENTLY reporting.c")
    assert refresh()["c"].attempts == 2
    assert sql("SELECT id FROM reporting.c") == [(-1,)]


def test_group_that_loses_every_race_says_so(after_snapshot: AfterSnapshot) -> None:
    after_snapshot("REFRESH MATERIALIZED VIEW reporting.b", times=9)
    results = refresh()
    failure = results["a"].failure
    assert failure is not None
    assert (failure.reason, results["a"].attempts) == (GroupReason.LOST_RACE, 2)
    assert "In each of 2 attempts" in failure.message
    assert published_versions()[0] == 0


def test_reload_cannot_empty_a_member(after_snapshot: AfterSnapshot) -> None:
    after_snapshot("SET lock_timeout = 100", "TRUNCATE reporting.source")
    with pytest.raises(psycopg.errors.LockNotAvailable):
        refresh()
    assert sql("SELECT count(*) FROM reporting.a") == [(20,)]


def test_status_row_that_another_run_has_written_does_not_end_the_group(after_snapshot: AfterSnapshot) -> None:
    queue = "UPDATE reporting.seeder_job_status SET status = 'pending', last_run_id = 'other'"
    after_snapshot(f"{queue} WHERE table_name = 'reporting.b'")
    results = refresh()
    assert {one.attempts for one in results.values()} == {1}
    assert published_versions() == (1, 1, 1)
    [run_id] = RunHistory.objects.values_list("run_id", flat=True).distinct()
    statuses = JobStatus.objects.values_list("status", "last_run_id", "start_time")
    assert set(statuses.exclude(table_name="reporting.outside")) == {("success", run_id, results["b"].started_at)}


def test_change_between_two_members_is_in_none_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    refreshed = []

    def change_and_look(database: str, state: group_queries.MemberState) -> bool:
        refreshed.append(state.oid)
        with another_session() as session:
            session.execute("UPDATE reporting.source SET version = version + 1")
        return group_queries.is_replaced(database, state)

    monkeypatch.setattr(member_refresh, "is_replaced", change_and_look)
    refresh()
    assert (len(refreshed), published_versions()) == (3, (1, 1, 1))


def test_group_that_another_run_has_refreshed_together_is_reused() -> None:
    origin = RunOrigin(requested_at=sessions.server_time("default"), requested_by="")
    refresh()
    [first_run] = RunHistory.objects.values_list("run_id", flat=True).distinct()

    def refresh_again() -> dict[str, str | None]:
        with RunLock(new_run_id()) as lock:
            summary = execute_locked(AllReports(), lock, origin, stop=StopSignal())
        return {view.key.name.name: result.satisfied_by for view, result in summary.results.items()}

    assert refresh_again() == dict.fromkeys(("a", "b", "c", "outside"), first_run)
    RunHistory.objects.filter(table_name="reporting.b").delete()  # then it is unknown if all were refreshed together
    assert refresh_again() == {"a": None, "b": None, "c": None, "outside": None}


def test_group_that_cannot_lock_an_input_names_the_session(settings: Settings) -> None:
    settings.SEEDER = {**settings.SEEDER, "MAX_RETRIES": 0, "LOCK_TIMEOUT_MS": 1100}
    with another_session() as loader:
        loader.execute("BEGIN; LOCK TABLE reporting.divisor")
        results = refresh()
    failure = results["c"].failure
    assert failure is not None
    assert (failure.reason, results["a"].failure.reason) == ("lock_not_available", GroupReason.FAILED)  # type: ignore[union-attr]
    assert "Blocked by" in failure.message


def test_stopped_run_publishes_nothing_of_a_group(monkeypatch: pytest.MonkeyPatch) -> None:
    stop, take = StopSignal(), group_transaction.take_snapshot

    def take_snapshot(database: str) -> tuple[datetime, str]:
        stop.request("SIGTERM")
        return take(database)

    monkeypatch.setattr(group_transaction, "take_snapshot", take_snapshot)
    summary = orchestrator.execute_run(AllReports(), stop=stop)
    assert (len(summary.interrupted), published_versions()) == (4, (0, 0, 0))
    assert set(RunHistory.objects.values_list("status", "errors")) == {("error", "interrupted: SIGTERM")}
    assert sql("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == [(0,)]
