"""The watcher stops a server without users, and no other."""

import pytest

from tests.embedded.server_processes import EmbeddedServer, wait_until

pytestmark = pytest.mark.slow

_DECISIONS = "SELECT coalesce(sum(calls), 0) FROM pg_stat_statements WHERE query LIKE '%backend_type%pid <>%'"


def test_server_stops_after_its_last_user(embedded_server: EmbeddedServer) -> None:
    (user := embedded_server.start_user(idle_after=0.2)).server()
    user.finish()

    wait_until(lambda: not embedded_server.processes())


def test_server_stops_after_its_last_user_was_killed(embedded_server: EmbeddedServer) -> None:
    (user := embedded_server.start_user(idle_after=0.2)).server()
    user.kill()

    wait_until(lambda: not embedded_server.processes())


def test_remaining_user_keeps_the_server(embedded_server: EmbeddedServer) -> None:
    (remaining_user := embedded_server.start_user(idle_after=0.05)).server()
    (other_user := embedded_server.start_user()).server()
    other_user.finish()
    with embedded_server.connect() as connection:
        # The watcher still waits for the last user and has not started to check.
        assert connection.execute(_DECISIONS).fetchone() == (0,)

    remaining_user.finish()

    wait_until(lambda: not embedded_server.processes())


def test_client_without_a_lock_keeps_the_server(embedded_server: EmbeddedServer) -> None:
    (user := embedded_server.start_user(idle_after=0.05)).server()
    with embedded_server.connect() as connection:
        user.finish()

        wait_until(lambda: connection.execute(_DECISIONS).fetchone() >= (2,))  # type: ignore[operator]  # always one row

    wait_until(lambda: not embedded_server.processes())


def test_user_who_arrives_during_the_stop_gets_a_server(embedded_server: EmbeddedServer) -> None:
    for _ in range(8):
        user = embedded_server.start_user(idle_after=0.01)
        user.server()
        assert embedded_server.is_running()
        user.finish()
