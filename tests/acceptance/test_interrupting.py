"""Runs that are interrupted: signals, terminated backends, closed pipes."""

import re
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from time import monotonic

import pytest
from pytest_django import Settings

from seeder.models import JobStatus, RunHistory
from tests.acceptance.refresh_processes import SLEEPING, start, wait_until
from tests.conftest import CompletedCommand, another_session, create_custom_manifest, sql
from tests.faults.gated_views import run_in_background
from tests.polling import eventually

Manage = Callable[..., CompletedCommand]
pytestmark = pytest.mark.usefixtures("contract_tables", "kill_processes_after")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.slow
def test_signal_interrupts_running_and_pending_views(number: signal.Signals, code: int) -> None:
    for name in "abcd":
        create_custom_manifest(f"reporting.{name}", "SELECT 1 AS n FROM pg_sleep(60)")
    create_custom_manifest("reporting.done", "SELECT 1 AS n")
    create_custom_manifest("reporting.later", "SELECT n FROM reporting.a")
    process = start(SEEDER_MAX_WORKERS="5")
    succeeded = " AND EXISTS (SELECT FROM reporting.seeder_run_history WHERE status = 'success')"
    wait_until(process, "SELECT 1" + SLEEPING + succeeded + " HAVING count(*) = 4")
    before = monotonic()
    process.send_signal(number)
    out, err = process.communicate(timeout=20)
    assert monotonic() - before < 10, "about two seconds on an idle machine, never the 60 of the views"
    assert (process.returncode, err) == (code, "")
    assert f"stopped ({number.name}): 1 succeeded, 0 failed, 5 interrupted in" in out
    assert re.findall("^interrupted: (.+)", out, re.MULTILINE) == [f"reporting.{name}" for name in "abcd"]
    assert "not started: reporting.later\n" in out
    errors = set(RunHistory.objects.values_list("status", "errors")) | set(
        JobStatus.objects.values_list("status", "last_errors")
    )
    assert errors == {("success", None), ("error", f"interrupted: {number.name}")}
    assert RunHistory.objects.get(table_name="reporting.done").status == "success"
    assert not sql("SELECT 1" + SLEEPING)
    assert sql("SELECT to_regclass('reporting.a')") == [(None,)]


@pytest.mark.slow
def test_second_signal_exits_at_once() -> None:
    """Both signals arrive before the process has handled the first."""
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


def test_retry_refreshes_what_failed_or_was_interrupted(manage: Manage) -> None:
    create_custom_manifest("reporting.a", "SELECT 1 AS n")
    create_custom_manifest("reporting.bad", "SELECT 1 / 0 AS n")
    *_, command = manage("refresh_all").lines
    assert command.startswith("retry: manage.py ")
    sql("UPDATE reporting.seeder_custom_report_manifest SET query = 'SELECT 1 AS n' WHERE table_name LIKE '%bad'")
    retried = manage(*command.removeprefix("retry: manage.py ").split(), "--json")
    assert (retried.exit_code, [view["view"] for view in retried.document["views"]]) == (0, ["reporting.bad"])
    unknown = manage("retry_run", "none")
    assert (unknown.exit_code, "There is no run 'none'" in unknown.err) == (2, True)


def refresh_with_terminated_backend(manage: Manage, before: str = "SELECT 1", **environment: str) -> CompletedCommand:
    """Refresh the agency and terminate the first sleeping backend, after the statement `before`."""
    with another_session() as session, ThreadPoolExecutor(1) as threads:

        def terminate() -> None:
            eventually(lambda: session.execute(("SELECT 1" + SLEEPING).encode()).fetchall())
            session.execute(before.encode())
            assert session.execute(("SELECT pg_terminate_backend(pid)" + SLEEPING).encode()).fetchall()

        terminated = threads.submit(terminate)
        ended = manage("refresh_agency", "demo", SEEDER_MAX_WORKERS="1", **environment)
        terminated.result()
    return ended


def test_terminated_backend_without_retries_fails_only_its_view(manage: Manage) -> None:
    create_custom_manifest("reporting.a", "SELECT 1 AS n FROM pg_sleep(60)")
    create_custom_manifest("reporting.b", "SELECT 1 AS n")
    ended = refresh_with_terminated_backend(manage, SEEDER_MAX_RETRIES="0")
    assert (ended.exit_code, ended.err) == (1, "")
    assert "terminating connection due to administrator command" in ended.out
    assert "1 succeeded, 1 failed in" in ended.out
    assert dict(RunHistory.objects.values_list("table_name", "status")) == {
        "reporting.a": "error",
        "reporting.b": "success",
    }


def test_terminated_backend_is_replaced_and_its_view_refreshed(manage: Manage) -> None:
    sql("CREATE TABLE reporting.gate AS SELECT 60 AS seconds")
    create_custom_manifest("reporting.a", "SELECT 1 AS n FROM pg_sleep((SELECT seconds FROM reporting.gate))")
    ended = refresh_with_terminated_backend(manage, "UPDATE reporting.gate SET seconds = 0")
    assert (ended.exit_code, ended.err) == (0, "")
    assert ", at attempt 2" in ended.out


def test_run_uses_one_connection_per_worker_and_one_for_its_lock(settings: Settings) -> None:
    settings.SEEDER = {"MAX_WORKERS": 1}
    create_custom_manifest("reporting.a", "SELECT 1 AS n FROM pg_sleep(60)")
    others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    with run_in_background() as run:
        eventually(lambda: run.done() or sql("SELECT 1" + SLEEPING))
        connections_of_run = sql(others + " AND backend_type = 'client backend'")
    assert connections_of_run == [(2,)]
    assert run.result().stopped_by == "end of test"


@pytest.mark.slow
def test_run_continues_after_its_output_is_closed() -> None:
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
