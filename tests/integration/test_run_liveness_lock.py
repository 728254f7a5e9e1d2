"""The lock that shows that a run is alive."""

import pytest
from django.db import OperationalError, connection

from seeder.postgres import advisory_locks, sessions
from seeder.services.run.run_liveness_lock import RunLock
from tests.conftest import another_session, sql
from tests.polling import eventually

pytestmark = pytest.mark.usefixtures("bare_database")

DEAD = "SELECT pg_try_advisory_xact_lock(hashtextextended('seeder.run r1', 0))"


def looks_dead() -> bool:
    with another_session() as other_session:
        found = other_session.execute(DEAD).fetchone()
        return bool(found and found[0])


def test_run_is_alive_while_it_holds_its_lock() -> None:
    assert looks_dead()
    with RunLock("r1"):
        assert not looks_dead()
    assert looks_dead()


def test_lost_connection_is_replaced_at_the_next_keepalive() -> None:
    now = [0.0]
    with RunLock("r1", clock=lambda: now[0]) as run_lock:
        connection.close()
        run_lock.on_tick()
        assert looks_dead()
        now[0] = 5.0
        run_lock.on_tick()
        assert not looks_dead()
        assert sql("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()") == [(1,)]
        now[0] = 10.0
        run_lock.on_tick()
        assert sql("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()") == [(1,)]


def test_terminated_connection_is_replaced() -> None:
    now = [0.0]
    with RunLock("r1", clock=lambda: now[0]) as run_lock:
        [(pid,)] = sql("SELECT pg_backend_pid()")
        with another_session() as other_session:
            other_session.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
        now[0] = 5.0
        run_lock.on_tick()  # finds the connection broken
        now[0] = 10.0
        run_lock.on_tick()  # reconnects
        assert not looks_dead()


def test_unlock_on_a_lost_connection_is_no_error() -> None:
    with RunLock("r1"):
        [(pid,)] = sql("SELECT pg_backend_pid()")
        with another_session() as other_session:
            other_session.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
    sessions.discard_if_broken("default")
    assert looks_dead()


def test_lock_taken_twice_is_held_once_and_released() -> None:
    with RunLock("r1") as run_lock:
        run_lock.ensure_held()
        assert sql("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()") == [(1,)]
    assert looks_dead()


def test_locks_of_two_runs_in_a_session_are_independent() -> None:
    with RunLock("r2"):
        with RunLock("r1"):
            assert not looks_dead()
        assert looks_dead()


def test_failed_unlock_closes_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OperationalError

    with RunLock("r1"):
        monkeypatch.setattr(advisory_locks, "unlock", fail)
    eventually(looks_dead)  # a backend ends shortly after its client
