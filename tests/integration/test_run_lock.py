"""The lock by which a run shows that it lives."""

import pytest
from django.db import OperationalError, connection

from seeder.postgres import advisory_locks, sessions
from seeder.services.run.run_lock import RunLock
from tests.conftest import another_session, sql
from tests.polling import eventually

pytestmark = pytest.mark.usefixtures("bare_database")

DEAD = "SELECT pg_try_advisory_xact_lock(hashtextextended('seeder.run r1', 0))"


def looks_dead() -> bool:
    with another_session() as other:
        found = other.execute(DEAD).fetchone()
        return bool(found and found[0])


def test_a_run_is_alive_for_others_from_its_begin_to_its_end() -> None:
    assert looks_dead()
    with RunLock("r1"):
        assert not looks_dead()
        assert advisory_locks.holds_run_lock("default", "r1")
        assert not advisory_locks.holds_run_lock("default", "r2")
    assert looks_dead()


def test_a_lost_connection_is_replaced_at_the_next_beat_and_not_before_it_is_due() -> None:
    now = [0.0]
    with RunLock("r1", clock=lambda: now[0]) as life:
        connection.close()
        life.on_tick()
        assert looks_dead()
        now[0] = 5.0
        life.on_tick()
        assert not looks_dead()
        assert sql("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()") == [(1,)]
        now[0] = 10.0
        life.on_tick()
        assert sql("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()") == [(1,)]


def test_a_connection_that_the_server_has_cut_is_replaced_too() -> None:
    now = [0.0]
    with RunLock("r1", clock=lambda: now[0]) as life:
        [(pid,)] = sql("SELECT pg_backend_pid()")
        with another_session() as other:
            other.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
        now[0] = 5.0
        life.on_tick()  # finds it broken
        now[0] = 10.0
        life.on_tick()  # and mends it
        assert not looks_dead()


def test_ending_a_life_whose_connection_is_gone_is_no_error() -> None:
    with RunLock("r1"):
        [(pid,)] = sql("SELECT pg_backend_pid()")
        with another_session() as other:
            other.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
    sessions.discard_if_broken("default")
    assert looks_dead()


def test_a_lock_is_given_back_however_often_it_was_taken() -> None:
    with RunLock("r1"):
        advisory_locks.lock_run("default", "r1")
    assert looks_dead()


def test_a_lock_that_cannot_be_given_back_ends_with_its_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    def is_cancelled(*_: object) -> None:
        raise OperationalError

    with RunLock("r1"):
        monkeypatch.setattr(advisory_locks, "unlock_run", is_cancelled)
    eventually(looks_dead)  # a backend leaves shortly after its client
