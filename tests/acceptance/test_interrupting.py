"""What is left when a run is broken off."""

import signal
import subprocess
from time import monotonic

import pytest

from seeder.models import JobStatus, RunHistory
from tests.acceptance.refresh_processes import SLEEPING, start, wait_until
from tests.conftest import create_custom_manifest, sql

pytestmark = pytest.mark.usefixtures("contract_tables", "kill_processes_after")


def told(process: "subprocess.Popen[str]", line: str) -> None:
    """Read the output up to this line."""
    assert process.stdout
    assert any(said.strip() == line for said in process.stdout)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_cancels_what_runs_leaves_soon_and_leaves_rows_that_tell_the_truth(
    number: signal.Signals, code: int
) -> None:
    for name in "abcdefgh":
        create_custom_manifest(f"reporting.{name}", "SELECT 1 AS n FROM pg_sleep(60)")
    create_custom_manifest("reporting.later", "SELECT 1 AS n")
    process = start(SEEDER_MAX_WORKERS="8")
    wait_until(process, "SELECT 1" + SLEEPING + " HAVING count(*) = 8")
    before = monotonic()
    process.send_signal(number)
    out, err = process.communicate(timeout=20)
    assert monotonic() - before < 10, "two seconds on a quiet machine; nowhere near the sixty of the views"
    assert (process.returncode, err) == (code, "")
    assert f"stopped by {number.name}: 0 succeeded, 0 failed, 9 interrupted in" in out
    assert out.count(": interrupted\n") == 9
    errors = set(RunHistory.objects.values_list("status", "errors")) | set(
        JobStatus.objects.values_list("status", "last_errors")
    )
    assert errors == {("error", f"interrupted: {number.name}")}
    assert not sql("SELECT 1" + SLEEPING)
    assert sql("SELECT to_regclass('reporting.a')") == [(None,)]


def test_a_view_that_had_ended_before_the_signal_stays_a_success() -> None:
    create_custom_manifest("reporting.a", "SELECT 1 AS n")
    create_custom_manifest("reporting.b", "SELECT 1 AS n FROM pg_sleep(60)")
    process = start()
    wait_until(process, "SELECT 1" + SLEEPING)
    process.send_signal(signal.SIGTERM)
    out, _ = process.communicate(timeout=20)
    assert "stopped by SIGTERM: 1 succeeded, 0 failed, 1 interrupted in" in out
    assert dict(RunHistory.objects.values_list("table_name", "status")) == {
        "reporting.a": "success",
        "reporting.b": "error",
    }


def test_a_second_signal_leaves_at_once() -> None:
    """Both are delivered before the process has done anything about the first."""
    create_custom_manifest("reporting.a", "SELECT 1 AS n FROM pg_sleep(60)")
    process = start()
    wait_until(process, "SELECT 1" + SLEEPING)
    process.send_signal(signal.SIGSTOP)
    process.send_signal(signal.SIGTERM)
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGCONT)
    process.communicate(timeout=20)
    assert process.returncode in (-signal.SIGINT, -signal.SIGTERM)
    sql("SELECT pg_terminate_backend(pid)" + SLEEPING)


def test_a_backend_that_is_terminated_fails_its_view_and_the_others_go_on() -> None:
    create_custom_manifest("reporting.a", "SELECT 1 AS n FROM pg_sleep(60)")
    create_custom_manifest("reporting.b", "SELECT 1 AS n")
    process = start(SEEDER_MAX_RETRIES="0")
    wait_until(process, "SELECT pg_terminate_backend(pid)" + SLEEPING)
    out, err = process.communicate(timeout=20)
    assert (process.returncode, err) == (1, "")
    assert "terminating connection due to administrator command" in out
    assert "1 succeeded, 1 failed in" in out
    assert dict(RunHistory.objects.values_list("table_name", "status")) == {
        "reporting.a": "error",
        "reporting.b": "success",
    }


def test_a_backend_that_is_terminated_is_replaced_and_the_view_refreshed_after_all() -> None:
    sql("CREATE TABLE reporting.gate AS SELECT 60 AS seconds")
    create_custom_manifest("reporting.a", "SELECT 1 AS n FROM pg_sleep((SELECT seconds FROM reporting.gate))")
    process = start()
    wait_until(process, "SELECT 1" + SLEEPING)
    sql("UPDATE reporting.gate SET seconds = 0")
    assert sql("SELECT pg_terminate_backend(pid)" + SLEEPING)
    out, err = process.communicate(timeout=20)
    assert (process.returncode, err) == (0, "")
    assert ", at attempt 2" in out


def test_a_run_holds_as_many_connections_as_it_has_seats_and_one_that_shows_it_lives() -> None:
    create_custom_manifest("reporting.a", "SELECT 1 AS n FROM pg_sleep(1)")
    process = start()
    told(process, "reporting.a: started")
    wait_until(process, "SELECT 1" + SLEEPING)
    others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    assert sql(others + " AND backend_type = 'client backend'") == [(2,)]
    process.communicate(timeout=20)
    assert process.returncode == 0


def test_a_reader_that_goes_away_does_not_stop_the_run() -> None:
    for name in "abcd":
        create_custom_manifest(f"reporting.{name}", "SELECT 1 AS n")
    process = start()
    assert process.stdout
    assert process.stdout.readline().startswith("run ")
    process.stdout.close()
    assert process.stderr
    err = process.stderr.read()
    assert process.wait(20) == 0
    assert err == "The output failed (Broken pipe). The run continues, and its rows have the results.\n"
    assert set(RunHistory.objects.values_list("status", flat=True)) == {"success"}
    process.stderr.close()
