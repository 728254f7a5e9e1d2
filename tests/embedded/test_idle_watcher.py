"""The watcher stops a server that nobody uses, and no other."""

import pytest

from tests.embedded.server_processes import EmbeddedServer, wait_until

pytestmark = pytest.mark.slow

_DECISIONS = "SELECT coalesce(sum(calls), 0) FROM pg_stat_statements WHERE query LIKE '%backend_type%pid <>%'"


def test_the_last_user_leaves_and_the_server_stops(house: EmbeddedServer) -> None:
    (user := house.start_user(idle_after=0.2)).server()
    user.finish()

    wait_until(lambda: not house.processes())


def test_a_killed_last_user_is_as_good_as_one_who_left(house: EmbeddedServer) -> None:
    (user := house.start_user(idle_after=0.2)).server()
    user.kill()

    wait_until(lambda: not house.processes())


def test_a_user_who_stays_keeps_the_server(house: EmbeddedServer) -> None:
    (stays := house.start_user(idle_after=0.05)).server()
    (leaves := house.start_user()).server()
    leaves.finish()
    with house.connect() as connection:
        # The watcher still waits for the last user, and has not even begun to decide.
        assert connection.execute(_DECISIONS).fetchone() == (0,)

    stays.finish()

    wait_until(lambda: not house.processes())


def test_a_client_without_a_lock_keeps_the_server_until_it_disconnects(house: EmbeddedServer) -> None:
    (user := house.start_user(idle_after=0.05)).server()
    with house.connect() as connection:
        user.finish()

        wait_until(lambda: connection.execute(_DECISIONS).fetchone() >= (2,))  # type: ignore[operator]  # one row always

    wait_until(lambda: not house.processes())


def test_whoever_comes_while_the_watcher_stops_the_server_gets_one(house: EmbeddedServer) -> None:
    for _ in range(8):
        user = house.start_user(idle_after=0.01)
        user.server()
        assert house.is_running()
        user.finish()
