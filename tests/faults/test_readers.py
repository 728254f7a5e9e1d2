"""How long those who only want to read are kept waiting."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event

import pytest
from django.db import connections
from pytest_django import Settings

from seeder.domain.outcomes import RefreshMode
from tests.conftest import another_session, sql
from tests.faults.gated_views import (
    create_filled_view,
    create_gated_view,
    open_gate,
    results_by_name,
    run_in_background,
    set_lock_timeout,
    sqlstate_of,
    wait_until_at_gate,
)
from tests.faults.private_server import MAX_WAIT_SECONDS, wait_until

pytestmark = pytest.mark.usefixtures("contract_tables")

# Milliseconds. PostgreSQL measures them where somebody waits for a lock, so that a busy machine counts for little: the
# margin is for the time in which the refresh that gives up is not yet woken.
LIMIT, MARGIN = 600, 1500
HOLDS = "SELECT 1 FROM pg_locks WHERE relation = 'reporting.a'::regclass AND granted AND mode = "
READER_WAITS = (
    "SELECT 1 FROM pg_locks WHERE relation = 'reporting.a'::regclass AND NOT granted AND mode = 'AccessShareLock'"
)


class Reader:
    """Reads the view again and again, and fails when it has to wait for the lock longer than it bears."""

    def __init__(self, patience: int, done: Event) -> None:
        self.reads = 0
        self._patience, self._done = patience, done

    def read(self) -> None:
        try:
            with another_session() as session:
                set_lock_timeout(session, self._patience)
                while not self._done.is_set():
                    session.execute("SELECT count(*) FROM reporting.a")
                    self.reads += 1
        finally:
            connections.close_all()


@contextmanager
def readers(*, patience: int) -> "Iterator[list[Reader]]":
    """Four of them, until the end; what one of them could not bear is raised there."""
    done = Event()
    everybody = [Reader(patience, done) for _ in range(4)]
    with ThreadPoolExecutor(len(everybody)) as threads:
        futures: list[Future[None]] = [threads.submit(reader.read) for reader in everybody]
        try:
            wait_until(lambda: all(reader.reads for reader in everybody) or any(future.done() for future in futures))
            yield everybody
        finally:
            done.set()
        for future in futures:
            future.result()


def test_behind_a_refresh_that_waits_nobody_waits_longer_than_the_lock_limit(settings: Settings) -> None:
    settings.SEEDER = {"LOCK_TIMEOUT_MS": LIMIT, "MAX_RETRIES": 1}
    create_filled_view("a", "SELECT 1 AS n")
    with readers(patience=LIMIT + MARGIN) as everybody, another_session() as idle:
        idle.execute("BEGIN; SELECT n FROM reporting.a")
        with run_in_background() as run:
            wait_until(lambda: sql(READER_WAITS))
            result = results_by_name(run.result(MAX_WAIT_SECONDS))["a"]
        before = [reader.reads for reader in everybody]
        wait_until(lambda: all(reader.reads > count for reader, count in zip(everybody, before, strict=True)))
    assert (sqlstate_of(result), result.attempts) == ("55P03", 2)


def test_during_a_concurrent_refresh_nobody_waits_for_a_lock_at_all(settings: Settings) -> None:
    settings.SEEDER = {"REFRESH_CONCURRENTLY": True}
    create_gated_view("a")
    sql("CREATE UNIQUE INDEX ON reporting.a (run)")
    with readers(patience=1) as everybody, run_in_background() as run:
        wait_until_at_gate(1)
        assert sql(HOLDS + "'ExclusiveLock'")
        before = [reader.reads for reader in everybody]
        wait_until(lambda: all(reader.reads > count + 10 for reader, count in zip(everybody, before, strict=True)))
        open_gate()
        result = results_by_name(run.result(MAX_WAIT_SECONDS))["a"]
        assert sql("SELECT count(*) FROM reporting.a") == [(1,)]
    assert (result.mode, result.failure) == (RefreshMode.CONCURRENT, None)
