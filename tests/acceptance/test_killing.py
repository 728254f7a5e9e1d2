"""Runs that are killed with SIGKILL: their rows are closed later and stay correct.

SEEDER_KILLS is the number of kills at random moments in each way of transactions (default: 3; `make soak` sets 250).
"""

import os
import random
import signal
import subprocess
from collections.abc import Callable
from contextlib import suppress

import pytest
from django.db.models import QuerySet

from seeder.domain.refresh_requests import AllReports
from seeder.models import JobStatus, RunHistory
from seeder.services.run import orchestrator, orphan_recovery
from tests.acceptance.refresh_processes import SLEEPING, start, wait_until
from tests.conftest import CompletedCommand, create_custom_manifest, sql
from tests.polling import eventually

KILLS = int(os.environ.get("SEEDER_KILLS", "3"))
VIEWS = 12
Manage = Callable[..., CompletedCommand]
pytestmark = pytest.mark.usefixtures("contract_tables", "kill_processes_after")


def recover_until_no_row_is_open() -> None:
    """Recover until no row is open. The backends of a killed run can need two seconds to end."""

    def no_row_is_open() -> bool:
        if not RunHistory.objects.filter(status__in=("pending", "running")).exists():
            return True
        orphan_recovery.recover_orphaned_runs()
        return False

    eventually(no_row_is_open)
    assert not JobStatus.objects.filter(status__in=("pending", "running")).exists()


def has_successes(rows: "QuerySet[RunHistory]", count: int) -> bool:
    statuses = list(rows.values_list("status", flat=True))
    return bool(statuses) and statuses.count("success") >= count


def run_ids_in_views() -> dict[str, str]:
    """Return the run that filled each existing view, which is its only row."""
    return {
        f"reporting.v{number}": sql(f"SELECT run FROM reporting.v{number}")[0][0].removeprefix("seeder ")
        for number in range(VIEWS)
        if sql("SELECT to_regclass(%s) IS NOT NULL", f"reporting.v{number}")[0][0]
    }


@pytest.mark.slow
@pytest.mark.parametrize("shared_refresh_ms", [0, 40], ids=["own transactions", "shared transactions"])
def test_kill_at_a_random_moment_leaves_correct_closed_rows(shared_refresh_ms: int) -> None:
    seconds = 0.01 if shared_refresh_ms else 0.05
    for number in range(VIEWS):
        create_custom_manifest(
            f"reporting.v{number}", f"SELECT current_setting('application_name') AS run FROM pg_sleep({seconds})"
        )
    first = orchestrator.execute_run(AllReports()).run_id  # it says how long the views take
    killed = RunHistory.objects.exclude(run_id=first)
    random_source = random.Random(20261121)  # noqa: S311  # moments, not secrets
    partial_runs = 0
    for _ in range(KILLS):
        before = run_ids_in_views()
        process = start(SEEDER_MAX_WORKERS="4", SEEDER_SHARED_REFRESH_MS=str(shared_refresh_ms))
        # A moment after the start, after the rows were inserted, or after some views have succeeded.
        early, seen = random_source.random() < 0.1, random_source.choice([0, random_source.randint(1, VIEWS - 2)])
        eventually(lambda: early or process.poll() is not None or has_successes(killed, seen))  # noqa: B023  # called at once
        with suppress(subprocess.TimeoutExpired):
            process.wait(random_source.uniform(0, 0.3 if early else 0.05 if seen else 0.2))
        process.send_signal(signal.SIGKILL)
        process.wait(10)
        recover_until_no_row_is_open()
        after = run_ids_in_views()
        rows = {row.table_name: row for row in killed.all()}
        assert len(rows) in (0, VIEWS), "rows of all manifests or of none"
        for name, row in rows.items():
            if row.status == "success":
                assert after[name] == row.run_id, "the run of a success has filled the view"
            else:
                assert after.get(name) == before.get(name), "an interrupted view is unchanged"
                assert (row.errors or "").startswith("interrupted: ")
        partial_runs += len({row.status for row in rows.values()}) == 2
        killed.all().delete()
    assert partial_runs > KILLS // 10, "some kills came between two views"


@pytest.mark.slow
def test_next_run_closes_rows_of_a_killed_run(manage: Manage) -> None:
    create_custom_manifest("reporting.a", "SELECT 1 AS n")
    create_custom_manifest("reporting.b", "SELECT 1 AS n FROM pg_sleep(60)")
    process = start()
    wait_until(process, "SELECT 1" + SLEEPING)
    process.kill()
    process.wait(10)
    sql("SELECT pg_cancel_backend(pid)" + SLEEPING)
    sql("UPDATE reporting.seeder_custom_report_manifest SET query = 'SELECT 1 AS n'")
    assert manage("refresh_agency", "demo").exit_code == 0
    first, second = RunHistory.objects.filter(table_name="reporting.b").order_by("id")
    why = "interrupted: the run ended before it could report the result"
    assert (first.status, first.errors, second.status) == ("error", why, "success")
    assert JobStatus.objects.get(table_name="reporting.b").consecutive_failures == 0


@pytest.mark.slow
def test_recovery_leaves_a_living_run_unchanged(manage: Manage) -> None:
    sql("CREATE TABLE reporting.gate AS SELECT 60 AS seconds")
    create_custom_manifest("reporting.a", "SELECT 1 AS n FROM pg_sleep((SELECT seconds FROM reporting.gate))")
    create_custom_manifest("reporting.b", "SELECT n FROM reporting.a")
    process = start()
    wait_until(process, "SELECT 1" + SLEEPING)
    for _ in range(3):
        ended = manage("recover_runs")
        assert (ended.exit_code, ended.out.partition(":")[0]) == (0, "Nothing to close")
    eventually(lambda: set(RunHistory.objects.values_list("status", flat=True)) == {"pending", "running"})
    sql("SELECT pg_cancel_backend(pid)" + SLEEPING)
    assert process.wait(20) == 1


@pytest.mark.slow
def test_run_whose_rows_were_closed_rolls_back_its_refreshes(manage: Manage) -> None:
    create_custom_manifest("reporting.a", "SELECT 1 AS n FROM pg_sleep(60)")
    create_custom_manifest("reporting.b", "SELECT n FROM reporting.a")
    create_custom_manifest("reporting.c", "SELECT 1 AS n FROM pg_sleep(0.1)")
    process = start()
    wait_until(process, "SELECT 1" + SLEEPING)
    # The connection that holds the run's lock is the only one that does not sleep.
    assert sql(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = current_database()"
        " AND backend_type = 'client backend' AND pid <> pg_backend_pid() AND wait_event <> 'PgSleep'"
    )
    assert manage("recover_runs").out.endswith(": 2 rows closed as interrupted\n"), "all except the running one"
    sql("SELECT pg_cancel_backend(pid)" + SLEEPING)
    _, err = process.communicate(timeout=20)
    assert process.returncode == 2
    assert "another run closed its rows while it refreshed reporting." in err
    assert sql("SELECT to_regclass('reporting.b'), to_regclass('reporting.c')") == [(None, None)]
    assert set(RunHistory.objects.values_list("status", flat=True)) == {"error"}


@pytest.mark.slow
def test_recover_runs_reports_closed_rows_and_keeps_later_status(manage: Manage) -> None:
    create_custom_manifest("reporting.a", "SELECT 1 AS n")
    assert manage("refresh_agency", "demo").exit_code == 0
    [row] = RunHistory.objects.all()
    RunHistory.objects.create(
        run_id="gone",
        status="running",
        **{name: getattr(row, name) for name in ("manifest_id", "table_name", "report_name", "report_type")},
        **{name: getattr(row, name) for name in ("agency_id", "agency_slug")},
    )
    assert manage("recover_runs").out == "run gone: 1 row closed as interrupted\n"
    assert RunHistory.objects.get(run_id="gone").status == "error"
    status = JobStatus.objects.get()
    assert (status.status, status.last_run_id, status.consecutive_failures) == ("success", row.run_id, 0)
