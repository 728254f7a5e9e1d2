"""The server stops during a run."""

import os
import signal
from collections.abc import Callable

import pytest
from django.db import OperationalError, connection

from seeder.models import RunHistory
from tests.acceptance.refresh_processes import start
from tests.conftest import CompletedCommand, create_custom_manifest, sql
from tests.faults.gated_views import GATED_QUERY, build_gate, latest_statuses, open_gate, wait_until_at_gate
from tests.faults.private_server import PrivateServer, wait_until

Manage = Callable[..., CompletedCommand]
pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("contract_tables")]

# Delays between attempts are random; this number of them exceeds any restart here.
WITH_RETRIES = {"SEEDER_MAX_WORKERS": "3", "SEEDER_MAX_RETRIES": "12"}
VIEWS = [f"v{number}" for number in range(6)]


@pytest.fixture(autouse=True)
def _views(contract_tables: None) -> None:
    build_gate()
    for name in VIEWS:
        create_custom_manifest(f"reporting.{name}", GATED_QUERY)


def assert_filled_by_one_run() -> None:
    """Assert that all views and history rows name one run."""
    assert latest_statuses() == dict.fromkeys(VIEWS, ("success", None))
    [run] = RunHistory.objects.values_list("run_id", flat=True).distinct()
    for name in VIEWS:
        assert sql(f"SELECT run FROM reporting.{name}") == [(f"seeder {run}",)]


@pytest.mark.parametrize("immediately", [False, True], ids=["fast", "immediate"])
def test_running_views_are_retried_after_a_server_restart(
    immediately: bool,  # noqa: FBT001  # parameter of pytest
    server: PrivateServer,
    manage: Manage,
) -> None:
    process = start(**WITH_RETRIES)
    wait_until_at_gate(3)
    server.restart(immediately=immediately)
    wait_until_at_gate(3)
    open_gate()
    out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
    assert out.count(", at attempt ") == 3, "the views that were running"
    assert "6 succeeded, 0 failed in" in out
    assert_filled_by_one_run()
    assert manage("recover_runs").out.startswith("Nothing to close: ")


def test_views_are_retried_after_a_backend_crash() -> None:
    process = start(**WITH_RETRIES)
    victim, *_ = wait_until_at_gate(3)
    [(own_pid,)] = sql("SELECT pg_backend_pid()")
    os.kill(victim, signal.SIGKILL)
    wait_until(lambda: has_reconnected(own_pid))
    wait_until_at_gate(3)
    open_gate()
    out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
    assert out.count(", at attempt ") == 3
    assert_filled_by_one_run()


def has_reconnected(pid: int) -> bool:
    """Return whether the server has closed and reopened the session."""
    try:
        return sql("SELECT pg_backend_pid()") != [(pid,)]
    except OperationalError:
        connection.close()
        return False


def test_run_without_a_server_ends_and_the_next_closes_its_rows(server: PrivateServer, manage: Manage) -> None:
    process = start(SEEDER_MAX_WORKERS="3", SEEDER_MAX_RETRIES="1")
    wait_until_at_gate(3)
    wait_until(RunHistory.objects.filter(status="running").exists)
    server.stop()
    _, err = process.communicate(timeout=60)
    assert process.returncode == 2
    [line] = err.splitlines()
    assert "Cannot connect to PostgreSQL at" in line
    server.restart()
    assert set(RunHistory.objects.values_list("status", flat=True)) == {"pending", "running"}
    open_gate()
    assert manage("refresh_agency", "demo").exit_code == 0
    assert latest_statuses() == dict.fromkeys(VIEWS, ("success", None))
    error = "interrupted: the run ended before it could report the result"
    first = RunHistory.objects.order_by("id")[: len(VIEWS)]
    assert {(row.status, row.errors) for row in first} == {("error", error)}
