"""The server goes away in the middle of a run."""

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
pytestmark = [pytest.mark.slow, pytest.mark.versions, pytest.mark.usefixtures("contract_tables")]

# Waits between the attempts are at random; so many are longer than any restart here.
PATIENT = {"SEEDER_MAX_WORKERS": "3", "SEEDER_MAX_RETRIES": "12"}
VIEWS = [f"v{number}" for number in range(6)]


@pytest.fixture(autouse=True)
def _views(contract_tables: None) -> None:
    build_gate()
    for name in VIEWS:
        create_custom_manifest(f"reporting.{name}", GATED_QUERY)


def all_are_this_run_s() -> None:
    """What the rows say of the views, the views say themselves."""
    assert latest_statuses() == dict.fromkeys(VIEWS, ("success", None))
    [run] = RunHistory.objects.values_list("run_id", flat=True).distinct()
    for name in VIEWS:
        assert sql(f"SELECT run FROM reporting.{name}") == [(f"seeder {run}",)]


@pytest.mark.parametrize("immediately", [False, True], ids=["fast", "immediate"])
def test_views_in_flight_are_tried_again_when_the_server_comes_back(
    immediately: bool,  # noqa: FBT001  # a parameter of pytest's
    server: PrivateServer,
    manage: Manage,
) -> None:
    process = start(**PATIENT)
    wait_until_at_gate(3)
    server.restart(immediately=immediately)
    wait_until_at_gate(3)
    open_gate()
    out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
    assert out.count(", at attempt ") == 3, "those that were in flight"
    assert "6 succeeded, 0 failed in" in out
    all_are_this_run_s()
    assert manage("recover_runs").out.startswith("Nothing to close: ")


def test_a_backend_that_crashes_takes_all_sessions_with_it_and_their_views_are_tried_again() -> None:
    process = start(**PATIENT)
    victim, *_ = wait_until_at_gate(3)
    [(mine,)] = sql("SELECT pg_backend_pid()")
    os.kill(victim, signal.SIGKILL)
    wait_until(lambda: has_another_session(mine))
    wait_until_at_gate(3)
    open_gate()
    out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
    assert out.count(", at attempt ") == 3
    all_are_this_run_s()


def has_another_session(pid: int) -> bool:
    """Whether the server has thrown us out, and let us in again."""
    try:
        return sql("SELECT pg_backend_pid()") != [(pid,)]
    except OperationalError:
        connection.close()
        return False


def test_a_server_that_does_not_come_back_ends_the_run_in_one_line_and_the_next_run_closes_its_rows(
    server: PrivateServer, manage: Manage
) -> None:
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
    why = "interrupted: the process that ran it ended before it could say how"
    first = RunHistory.objects.order_by("id")[: len(VIEWS)]
    assert {(row.status, row.errors) for row in first} == {("error", why)}
