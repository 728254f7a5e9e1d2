"""Queries with a deadline."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Event
from time import monotonic

import pytest
from django.db import OperationalError

from seeder.postgres import sessions
from seeder.postgres.deadline_query import DeadlineQuery
from tests.conftest import sql
from tests.polling import eventually

SOON = timedelta(seconds=1)


@pytest.fixture
def gate(bare_database: None) -> Iterator[Event]:
    """An event that is set when the test ends."""
    event = Event()
    yield event
    event.set()


def connection_count() -> int:
    [(count,)] = sql("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
    return int(count)


def test_concurrent_callers_share_one_query(gate: Event) -> None:
    connection_count: list[int] = []

    def run_query() -> int:
        connection_count.append(sessions.query("default", "SELECT pg_backend_pid()")[0][0])
        gate.wait()
        return connection_count[-1]

    query = DeadlineQuery("default", run_query, timeout=timedelta(seconds=30))
    # A thread that starts late finds the answer of the others.
    with ThreadPoolExecutor(8) as pool:
        answers = [pool.submit(lambda: query.start(max_age=timedelta(hours=1)).answer()) for _ in range(8)]
        eventually(lambda: connection_count or any(answer.done() for answer in answers))
        assert connection_count
        gate.set()
        assert len({answer.result() for answer in answers}) == 1
    assert len(connection_count) == 1
    assert query.start(max_age=timedelta(hours=1)).answer() == connection_count[0]  # still fresh
    assert query.start().answer() != connection_count[0]  # a new query on a new connection


@pytest.mark.slow
def test_query_that_hangs_is_not_started_twice(gate: Event) -> None:
    """The thread hangs, but the next caller fails immediately."""
    started_queries: list[None] = []

    def run_query() -> None:
        started_queries.append(None)
        gate.wait()

    query = DeadlineQuery("default", run_query, timeout=SOON)
    with pytest.raises(OperationalError, match="no answer within 1 s"):
        query.start().answer()
    started = monotonic()
    with pytest.raises(OperationalError):
        query.start().answer()
    assert monotonic() - started < SOON.total_seconds()
    assert len(started_queries) == 1


def test_statement_exceeding_the_deadline_is_rolled_back(bare_database: None) -> None:
    sql("CREATE TABLE public.probed (n integer)")
    try:
        query = DeadlineQuery(
            "default", lambda: sql("INSERT INTO public.probed SELECT 1 FROM pg_sleep(9)"), timeout=SOON
        )
        with pytest.raises(OperationalError):
            query.start().answer()
        assert sql("SELECT * FROM public.probed") == []
    finally:
        sql("DROP TABLE public.probed")


def test_connection_of_the_query_is_closed(bare_database: None) -> None:
    before = connection_count()
    query = DeadlineQuery("default", connection_count, timeout=SOON)
    assert query.start().answer() == before + 1
    eventually(lambda: connection_count() <= before)  # the server needs a moment to close it
