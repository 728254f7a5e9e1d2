"""kill -9 of a run, at random moments. What is left is closed by the next one, and no row says what is not true.

SEEDER_KILLS says how often; `make soak` kills 500 times.
"""

import os
import random
import signal
import subprocess
from collections.abc import Callable
from contextlib import suppress

import pytest

from seeder.models import JobStatus, RunHistory
from seeder.services.run import orphan_recovery
from tests.acceptance.refresh_processes import SLEEPING, start, wait_until
from tests.conftest import CompletedCommand, create_custom_manifest, sql
from tests.polling import eventually

KILLS = int(os.environ.get("SEEDER_KILLS", "6"))
VIEWS = 12
Manage = Callable[..., CompletedCommand]
pytestmark = pytest.mark.usefixtures("contract_tables", "kill_processes_after")


def until_nothing_is_open() -> None:
    """Recover until no row is open. A killed run's backends may need two seconds to notice."""

    def nothing_is_open() -> bool:
        if not RunHistory.objects.filter(status__in=("pending", "running")).exists():
            return True
        orphan_recovery.recover_orphaned_runs()
        return False

    eventually(nothing_is_open)
    assert not JobStatus.objects.filter(status__in=("pending", "running")).exists()


def has_come_to(successes: int) -> bool:
    done = list(RunHistory.objects.values_list("status", flat=True))
    return bool(done) and done.count("success") >= successes


def refreshed_by() -> dict[str, str]:
    """Which run filled each view, as its rows themselves say."""
    return {
        f"reporting.v{number}": sql(f"SELECT run FROM reporting.v{number}")[0][0].removeprefix("seeder ")
        for number in range(VIEWS)
        if sql("SELECT to_regclass(%s) IS NOT NULL", f"reporting.v{number}")[0][0]
    }


@pytest.mark.slow
def test_no_kill_leaves_a_row_open_lost_or_false() -> None:
    for number in range(VIEWS):
        create_custom_manifest(
            f"reporting.v{number}", "SELECT current_setting('application_name') AS run FROM pg_sleep(0.05)"
        )
    chance = random.Random(20261121)  # noqa: S311  # moments, not secrets
    in_the_middle = 0
    for _ in range(KILLS):
        before = refreshed_by()
        process = start(SEEDER_MAX_WORKERS="4")
        # Before there are rows, when there are, or when so many views have succeeded: and then a moment more.
        early, seen = chance.random() < 0.1, chance.choice([0, chance.randint(1, VIEWS - 2)])
        eventually(lambda: early or process.poll() is not None or has_come_to(seen))  # noqa: B023  # called at once
        with suppress(subprocess.TimeoutExpired):
            process.wait(chance.uniform(0, 0.3 if early else 0.05 if seen else 0.2))
        process.send_signal(signal.SIGKILL)
        process.wait(10)
        until_nothing_is_open()
        after = refreshed_by()
        rows = {row.table_name: row for row in RunHistory.objects.all()}
        assert len(rows) in (0, VIEWS), "either every manifest has its row or none has"
        for name, row in rows.items():
            if row.status == "success":
                assert after[name] == row.run_id, "a success is one"
            else:
                assert after.get(name) == before.get(name), "an interrupted view is as it was"
                assert (row.errors or "").startswith("interrupted: ")
        in_the_middle += len({row.status for row in rows.values()}) == 2
        RunHistory.objects.all().delete()
    assert in_the_middle > KILLS // 10, "many of the moments have to be interesting ones"


def test_the_next_run_closes_what_a_killed_one_left(manage: Manage) -> None:
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
    why = "interrupted: the process that ran it ended before it could say how"
    assert (first.status, first.errors, second.status) == ("error", why, "success")
    assert JobStatus.objects.get(table_name="reporting.b").consecutive_failures == 0


def test_recovering_never_touches_a_living_run(manage: Manage) -> None:
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


def test_a_run_that_was_taken_for_dead_undoes_what_it_can_no_longer_record(manage: Manage) -> None:
    create_custom_manifest("reporting.a", "SELECT 1 AS n FROM pg_sleep(60)")
    create_custom_manifest("reporting.b", "SELECT n FROM reporting.a")
    create_custom_manifest("reporting.c", "SELECT 1 AS n FROM pg_sleep(0.1)")
    process = start()
    wait_until(process, "SELECT 1" + SLEEPING)
    # The connection that shows it lives is the one that does not sleep.
    assert sql(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = current_database()"
        " AND backend_type = 'client backend' AND pid <> pg_backend_pid() AND wait_event <> 'PgSleep'"
    )
    assert manage("recover_runs").out.endswith(": 2 rows closed as interrupted\n"), "all but the one that is refreshed"
    sql("SELECT pg_cancel_backend(pid)" + SLEEPING)
    _, err = process.communicate(timeout=20)
    assert process.returncode == 2
    assert "another run closed its rows while it refreshed reporting." in err
    assert sql("SELECT to_regclass('reporting.b'), to_regclass('reporting.c')") == [(None, None)]
    assert set(RunHistory.objects.values_list("status", flat=True)) == {"error"}


def test_recover_runs_says_what_it_closed_and_leaves_a_later_run_s_word_alone(manage: Manage) -> None:
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
