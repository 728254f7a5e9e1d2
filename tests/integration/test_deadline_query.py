"""Questions that are answered in time, or not at all."""

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
    """Whatever waits for it ends with the test."""
    event = Event()
    yield event
    event.set()


def pids() -> int:
    [(count,)] = sql("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
    return int(count)


def test_who_asks_meanwhile_gets_the_same_answer_by_the_same_connection(gate: Event) -> None:
    asked: list[int] = []

    def ask() -> int:
        asked.append(sessions.query("default", "backend_pid")[0][0])
        gate.wait()
        return asked[-1]

    question = DeadlineQuery("default", ask, timeout=timedelta(seconds=30))
    # A thread that is slow to begin finds the answer of the others.
    with ThreadPoolExecutor(8) as pool:
        answers = [pool.submit(lambda: question.start(max_age=timedelta(hours=1)).answer()) for _ in range(8)]
        eventually(lambda: asked or any(answer.done() for answer in answers))
        assert asked
        gate.set()
        assert len({answer.result() for answer in answers}) == 1
    assert len(asked) == 1
    assert question.start(max_age=timedelta(hours=1)).answer() == asked[0]  # which holds for so long
    assert question.start().answer() != asked[0]  # a question of its own, by a connection of its own


def test_what_no_end_of_the_socket_ends_is_not_asked_twice(gate: Event) -> None:
    """As a name that nobody resolves: the thread hangs, and whoever asks next is told at once."""
    asked: list[None] = []

    def ask() -> None:
        asked.append(None)
        gate.wait()

    question = DeadlineQuery("default", ask, timeout=SOON)
    with pytest.raises(OperationalError, match="no answer within 1 s"):
        question.start().answer()
    begun = monotonic()
    with pytest.raises(OperationalError):
        question.start().answer()
    assert monotonic() - begun < SOON.total_seconds()
    assert len(asked) == 1


def test_a_statement_has_the_same_limit_and_its_transaction_is_undone(bare_database: None) -> None:
    sql("CREATE TABLE public.probed (n integer)")
    try:
        question = DeadlineQuery(
            "default", lambda: sql("INSERT INTO public.probed SELECT 1 FROM pg_sleep(9)"), timeout=SOON
        )
        with pytest.raises(OperationalError):
            question.start().answer()
        assert sql("SELECT * FROM public.probed") == []
    finally:
        sql("DROP TABLE public.probed")


def test_nothing_of_it_stays(bare_database: None) -> None:
    before = pids()
    question = DeadlineQuery("default", pids, timeout=SOON)
    assert question.start().answer() == before + 1
    eventually(lambda: pids() <= before)  # the server takes a moment to let go
