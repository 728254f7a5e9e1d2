"""Sessions of a run are cancelled, terminated, or refused by the server."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest
from pytest_django import Settings

from seeder.domain.outcomes import Outcome
from tests.acceptance.refresh_processes import start
from tests.conftest import another_session, create_custom_manifest, sql
from tests.faults.gated_views import (
    GATED_QUERY,
    build_gate,
    create_gated_view,
    latest_statuses,
    open_gate,
    results_by_name,
    run_in_background,
    sqlstate_of,
    wait_until_at_gate,
)
from tests.faults.private_server import MAX_WAIT_SECONDS, PrivateServer, wait_until

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("contract_tables")]

VIEWS = [f"v{number}" for number in range(6)]
REFUSED = {"role": "too many connections for role", "server": "remaining connection slots are reserved"}
# One connection of the run for planning and its lock, and two workers. Other sessions have as many.
SLOTS, WORKERS = 4, 2


def test_cancelled_refresh_fails_and_others_continue(settings: Settings) -> None:
    settings.SEEDER = {"MAX_WORKERS": 1}
    create_gated_view("a")
    create_custom_manifest("reporting.b", "SELECT 1 AS n")
    with run_in_background() as run:
        [pid] = wait_until_at_gate(1)
        assert sql(f"SELECT pg_cancel_backend({pid})") == [(True,)]
        results = results_by_name(run.result(MAX_WAIT_SECONDS))
    assert sqlstate_of(results["a"]) == "57014"
    assert results["a"].attempts == 1, "a cancelled refresh is not retried"
    assert results["b"].outcome is Outcome.CREATED
    assert latest_statuses()["a"][0] == "error"


def test_refresh_of_a_terminated_backend_is_retried(settings: Settings) -> None:
    settings.SEEDER = {"MAX_WORKERS": 2}
    build_gate()
    for name in "ab":
        create_custom_manifest(f"reporting.{name}", GATED_QUERY)
    with run_in_background() as run:
        victim, _ = wait_until_at_gate(2)
        assert sql(f"SELECT pg_terminate_backend({victim}, 5000)") == [(True,)]
        assert victim not in wait_until_at_gate(2)
        open_gate()
        results = results_by_name(run.result(MAX_WAIT_SECONDS))
    assert sorted(result.attempts for result in results.values()) == [1, 2]
    assert latest_statuses() == {"a": ("success", None), "b": ("success", None)}


@pytest.fixture
def full_server(request: pytest.FixtureRequest, server: PrivateServer) -> str:
    """Limit the connections of the server or the role. Return the message for one connection too many."""
    for name in VIEWS:
        create_custom_manifest(f"reporting.{name}", "SELECT current_setting('application_name') AS run")
    if request.param == "server":
        server.restart(max_connections=str(SLOTS + 1), superuser_reserved_connections="1")
    sql(f"CREATE ROLE seeder LOGIN CONNECTION LIMIT {SLOTS if request.param == 'role' else -1}")
    sql("GRANT ALL ON SCHEMA reporting TO seeder")
    sql("GRANT ALL ON ALL TABLES IN SCHEMA reporting TO seeder")
    sql("GRANT ALL ON ALL SEQUENCES IN SCHEMA reporting TO seeder")
    return REFUSED[str(request.param)]


for_role_and_server = pytest.mark.parametrize("full_server", REFUSED, indirect=True)
AS_SEEDER = {"DB_USER": "seeder", "SEEDER_MAX_WORKERS": str(WORKERS)}


@for_role_and_server
def test_run_waits_for_a_free_connection_and_loses_no_view(full_server: str, server: PrivateServer) -> None:
    with another_session(user="seeder"), another_session(user="seeder"):
        process = start(**AS_SEEDER, SEEDER_MAX_RETRIES="12")
        wait_until(lambda: full_server in server.log)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
    assert "6 succeeded, 0 failed in" in out
    assert latest_statuses() == dict.fromkeys(VIEWS, ("success", None))


@contextmanager
def with_free_connections(slots: int, full_server: str) -> Iterator[None]:
    """Leave a number of connections free.

    On a full server, the test's own session uses one of them.
    """
    with ExitStack() as other_sessions:
        for _ in range(SLOTS - slots - (full_server == REFUSED["server"])):
            other_sessions.enter_context(another_session(user="seeder"))
        yield


@for_role_and_server
def test_fewer_connections_than_workers_lose_no_view(full_server: str) -> None:
    with with_free_connections(2, full_server):
        process = start(**AS_SEEDER, SEEDER_MAX_RETRIES="1")
        out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
    assert "One worker fewer in default, " in out
    assert full_server in out
    assert latest_statuses() == dict.fromkeys(VIEWS, ("success", None))


@for_role_and_server
def test_run_without_any_connection_ends_in_one_line(full_server: str) -> None:
    with with_free_connections(1, full_server):
        process = start(**AS_SEEDER, SEEDER_MAX_RETRIES="1")
        _, err = process.communicate(timeout=60)
    assert process.returncode == 2
    [line] = err.splitlines()
    assert full_server in line
    assert [(status, (error or "")[:13]) for status, error in latest_statuses().values()] == [
        ("error", "interrupted: ")
    ] * len(VIEWS)
