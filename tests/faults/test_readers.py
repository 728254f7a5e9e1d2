"""How long a refresh blocks readers."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event
from time import monotonic

import pytest
from django.db import connections
from pytest_django import Settings

from seeder.domain.mode_predictor import RefreshMode
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

# Milliseconds, measured by PostgreSQL during the lock wait, so that a busy machine matters little. The margin is the
# time until the refresh that times out is scheduled again.
LIMIT, MARGIN = 600, 1500
HOLDS = "SELECT 1 FROM pg_locks WHERE relation = 'reporting.a'::regclass AND granted AND mode = "


class Reader:
    """Reads the view repeatedly, unless a lock wait is too long."""

    def __init__(self, max_lock_wait: int, done: Event) -> None:
        self.reads = 0
        self.longest_read = 0.0  # seconds
        self._max_lock_wait, self._done = max_lock_wait, done

    def read(self) -> None:
        try:
            with another_session() as session:
                set_lock_timeout(session, self._max_lock_wait)
                while not self._done.is_set():
                    started_at = monotonic()
                    session.execute("SELECT count(*) FROM reporting.a")
                    self.longest_read = max(self.longest_read, monotonic() - started_at)
                    self.reads += 1
        finally:
            connections.close_all()


@contextmanager
def readers(*, max_lock_wait: int) -> "Iterator[list[Reader]]":
    """Run four readers in the context. Their errors are raised at the end."""
    done = Event()
    all_readers = [Reader(max_lock_wait, done) for _ in range(4)]
    with ThreadPoolExecutor(len(all_readers)) as threads:
        futures: list[Future[None]] = [threads.submit(reader.read) for reader in all_readers]
        try:
            wait_until(lambda: all(reader.reads for reader in all_readers) or any(future.done() for future in futures))
            yield all_readers
        finally:
            done.set()
        for future in futures:
            future.result()


@pytest.mark.slow
def test_reader_behind_a_waiting_refresh_waits_at_most_the_limit(settings: Settings) -> None:
    settings.SEEDER = {"LOCK_TIMEOUT_MS": LIMIT, "MAX_RETRIES": 1}
    create_filled_view("a", "SELECT 1 AS n")
    with readers(max_lock_wait=LIMIT + MARGIN) as all_readers, another_session() as idle:
        idle.execute("BEGIN; SELECT n FROM reporting.a")
        with run_in_background() as run:
            result = results_by_name(run.result(MAX_WAIT_SECONDS))["a"]
        counts_before = [reader.reads for reader in all_readers]
        wait_until(lambda: all(reader.reads > count for reader, count in zip(all_readers, counts_before, strict=True)))
    assert (sqlstate_of(result), result.attempts) == ("55P03", 2)
    assert max(reader.longest_read for reader in all_readers) > 0.1, "a reader has waited behind the refresh"


def test_reader_never_waits_during_a_concurrent_refresh(settings: Settings) -> None:
    settings.SEEDER = {"REFRESH_CONCURRENTLY": True}
    create_gated_view("a")
    sql("CREATE UNIQUE INDEX ON reporting.a (run)")
    with readers(max_lock_wait=1) as all_readers, run_in_background() as run:
        wait_until_at_gate(1)
        assert sql(HOLDS + "'ExclusiveLock'")
        counts_before = [reader.reads for reader in all_readers]
        wait_until(
            lambda: all(reader.reads > count + 10 for reader, count in zip(all_readers, counts_before, strict=True))
        )
        open_gate()
        result = results_by_name(run.result(MAX_WAIT_SECONDS))["a"]
        assert sql("SELECT count(*) FROM reporting.a") == [(1,)]
    assert (result.mode, result.failure) == (RefreshMode.CONCURRENT, None)
