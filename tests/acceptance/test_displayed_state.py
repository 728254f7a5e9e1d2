"""The status of a view is that of its last refresh, after failures and interruptions."""

import signal
from collections.abc import Callable
from typing import Any

import pytest

from seeder.models import JobStatus, RunHistory
from tests.acceptance.refresh_processes import SLEEPING, start, wait_until
from tests.conftest import CompletedCommand, create_custom_manifest, sql

Manage = Callable[..., CompletedCommand]
pytestmark = pytest.mark.usefixtures("contract_tables", "kill_processes_after")


def states() -> dict[str, dict[str, Any]]:
    return {row["table_name"]: dict(row) for row in JobStatus.objects.values()}


def interrupt_while_a_sleeps(number: signal.Signals) -> None:
    """Start a run of all views with one worker, and end it while `reporting.a` sleeps."""
    sql("UPDATE reporting.gate SET seconds = 60")
    process = start(SEEDER_MAX_WORKERS="1")
    running = " AND EXISTS (SELECT FROM reporting.seeder_run_history WHERE status = 'running')"
    wait_until(process, "SELECT 1" + SLEEPING + running)
    process.send_signal(number)
    process.communicate(timeout=20)
    sql("SELECT pg_terminate_backend(pid)" + SLEEPING)


def create_views(manage: Manage) -> None:
    """Create views that succeed and fail, and refresh them once. `reporting.a` starts first."""
    sql("CREATE TABLE reporting.gate AS SELECT 0.3::float8 AS seconds")
    create_custom_manifest("reporting.a", "SELECT pg_sleep(seconds)::text AS n FROM reporting.gate")
    create_custom_manifest("reporting.good", "SELECT 1 AS n")
    create_custom_manifest("reporting.bad", "SELECT 1 / 0 AS n")
    manage("refresh_all")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
@pytest.mark.slow
def test_interrupted_run_leaves_the_state_of_unstarted_views(manage: Manage, number: signal.Signals) -> None:
    create_views(manage)
    create_custom_manifest("reporting.z_new", "SELECT n FROM reporting.a")
    before = states()
    interrupt_while_a_sleeps(number)
    if number == signal.SIGKILL:
        manage("recover_runs")
    after = states()
    for name in ("reporting.good", "reporting.bad"):
        assert {**after[name], "updated_at": None} == {**before[name], "updated_at": None}
    assert after["reporting.bad"]["consecutive_failures"] == 1
    interrupted = after["reporting.a"]
    assert (interrupted["status"], interrupted["consecutive_failures"]) == ("error", 0)
    assert interrupted["last_errors"].startswith("interrupted: ")
    assert interrupted["start_time"] > before["reporting.a"]["start_time"]
    new = after["reporting.z_new"]
    assert (new["consecutive_failures"], new["start_time"]) == (0, None)
    assert not RunHistory.objects.filter(status__in=("pending", "running")).exists()
    assert manage("refresh_status", "--json").document["totals"]["failing"] == 1
    assert "reporting.z_new: never ran" in manage("refresh_status").out


@pytest.mark.slow
def test_later_success_clears_an_interruption(manage: Manage) -> None:
    create_views(manage)
    interrupt_while_a_sleeps(signal.SIGINT)
    sql("UPDATE reporting.gate SET seconds = 0")
    manage("refresh_table", "reporting.a")
    state = states()["reporting.a"]
    assert (state["status"], state["last_errors"], state["consecutive_failures"]) == ("success", None, 0)


def test_last_refresh_is_that_of_a_quick_failure(manage: Manage) -> None:
    sql("CREATE TABLE reporting.source AS SELECT 1 AS n")
    create_custom_manifest("reporting.a", "SELECT 1 / n AS n FROM reporting.source")
    manage("refresh_all")
    sql("UPDATE reporting.source SET n = 0")
    manage("refresh_all")
    rows = list(RunHistory.objects.order_by("start_time").values_list("start_time", flat=True))
    assert states()["reporting.a"]["start_time"] == rows[1] > rows[0]


def test_last_refresh_is_that_of_a_failed_creation(manage: Manage) -> None:
    create_custom_manifest("reporting.a", "SELECT 1 / 0 AS n")
    manage("refresh_all")
    assert states()["reporting.a"]["start_time"] == RunHistory.objects.get().start_time
    assert manage("refresh_status", "--json").document["jobs"][0]["startTime"]


@pytest.mark.slow
def test_view_given_up_on_hold_keeps_its_last_start(manage: Manage) -> None:
    create_custom_manifest("reporting.a", "SELECT 1 AS n")
    manage("refresh_all")
    before = states()["reporting.a"]["start_time"]
    sql(
        "INSERT INTO reporting.seeder_circuit_breaker (database_alias, failures, opened_at) VALUES"
        " ('default', 5, now())"
    )
    manage("refresh_all", SEEDER_MAX_WAIT_SECONDS="1")
    assert states()["reporting.a"]["status"] == "error"
    assert states()["reporting.a"]["start_time"] == before
