"""Somebody ends what a run does on the server, or keeps it from connecting at all."""

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

pytestmark = [pytest.mark.slow, pytest.mark.versions, pytest.mark.usefixtures("contract_tables")]

VIEWS = [f"v{number}" for number in range(6)]
REFUSED = {"role": "too many connections for role", "server": "remaining connection slots are reserved"}
# Of the run: one that plans and shows that it lives, and two seats. Somebody else has as many.
SLOTS, SEATS = 4, 2


def test_a_refresh_that_somebody_cancels_fails_as_cancelled_and_the_others_go_on(settings: Settings) -> None:
    settings.SEEDER = {"MAX_WORKERS": 1}
    create_gated_view("a")
    create_custom_manifest("reporting.b", "SELECT 1 AS n")
    with run_in_background() as run:
        [pid] = wait_until_at_gate(1)
        assert sql(f"SELECT pg_cancel_backend({pid})") == [(True,)]
        results = results_by_name(run.result(MAX_WAIT_SECONDS))
    assert sqlstate_of(results["a"]) == "57014"
    assert results["a"].attempts == 1, "whoever cancels it does not want it again"
    assert results["b"].outcome is Outcome.CREATED
    assert latest_statuses()["a"][0] == "error"


def test_a_backend_that_is_terminated_is_tried_again(settings: Settings) -> None:
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
def crowded(request: pytest.FixtureRequest, server: PrivateServer) -> str:
    """A server, or a role, with few slots; what it says to one too many."""
    for name in VIEWS:
        create_custom_manifest(f"reporting.{name}", "SELECT current_setting('application_name') AS run")
    if request.param == "server":
        server.restart(max_connections=str(SLOTS + 1), superuser_reserved_connections="1")
    sql(f"CREATE ROLE seeder LOGIN CONNECTION LIMIT {SLOTS if request.param == 'role' else -1}")
    sql("GRANT ALL ON SCHEMA reporting TO seeder")
    sql("GRANT ALL ON ALL TABLES IN SCHEMA reporting TO seeder")
    sql("GRANT ALL ON ALL SEQUENCES IN SCHEMA reporting TO seeder")
    return REFUSED[str(request.param)]


both = pytest.mark.parametrize("crowded", REFUSED, indirect=True)
AS_SEEDER = {"DB_USER": "seeder", "SEEDER_MAX_WORKERS": str(SEATS)}


@both
def test_who_finds_no_free_slot_waits_for_one_and_no_view_is_lost(crowded: str, server: PrivateServer) -> None:
    with another_session(user="seeder"), another_session(user="seeder"):
        process = start(**AS_SEEDER, SEEDER_MAX_RETRIES="12")
        wait_until(lambda: crowded in server.log)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
    assert "6 succeeded, 0 failed in" in out
    assert latest_statuses() == dict.fromkeys(VIEWS, ("success", None))


@contextmanager
def only_so_many_free(slots: int, crowded: str) -> Iterator[None]:
    """Of those of a server the session that looks for rows has one."""
    with ExitStack() as others:
        for _ in range(SLOTS - slots - (crowded == REFUSED["server"])):
            others.enter_context(another_session(user="seeder"))
        yield


@both
def test_with_more_seats_than_slots_the_seats_that_have_one_do_the_work(crowded: str) -> None:
    with only_so_many_free(2, crowded):
        process = start(**AS_SEEDER, SEEDER_MAX_RETRIES="1")
        out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
    assert "One worker fewer in default, " in out
    assert crowded in out
    assert latest_statuses() == dict.fromkeys(VIEWS, ("success", None))


@both
def test_without_a_slot_for_any_seat_that_is_told_in_one_line_and_no_row_stays_open(crowded: str) -> None:
    with only_so_many_free(1, crowded):
        process = start(**AS_SEEDER, SEEDER_MAX_RETRIES="1")
        _, err = process.communicate(timeout=60)
    assert process.returncode == 2
    [line] = err.splitlines()
    assert crowded in line
    assert [(word, (error or "")[:13]) for word, error in latest_statuses().values()] == [
        ("error", "interrupted: ")
    ] * len(VIEWS)
