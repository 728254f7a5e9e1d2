"""Nothing that was visible before a view's `data_as_of` is missing in it, while others write.

Rows by commit timestamps would be missing: a commit has its timestamp before others see it.
"""

import os
import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from threading import Event, Thread
from typing import Any

import psycopg
import pytest
from pytest_django import Settings

from seeder.domain.refresh_requests import SingleView
from seeder.domain.view_names import ViewName
from seeder.services.run import orchestrator
from tests.conftest import another_session, create_custom_manifest, sql

pytestmark = pytest.mark.usefixtures("contract_tables")

REFRESHES, WRITERS, SEED = int(os.environ.get("SEEDER_AS_OF_REFRESHES", "40")), 3, 7


class Writer(Thread):
    """Inserts rows, and knows when each was certainly visible."""

    def __init__(self, session: "psycopg.Connection[Any]", stop: Event, seed: int) -> None:
        super().__init__()
        self._session, self._stop_event = session, stop
        self._random = random.Random(seed)  # noqa: S311  # a fixed sequence, not used for security
        self.visible_since: dict[int, datetime] = {}

    def run(self) -> None:
        while not self._stop_event.is_set():
            [(number,)] = self._session.execute("INSERT INTO reporting.source DEFAULT VALUES RETURNING n").fetchall()
            [(visible_at,)] = self._session.execute("SELECT clock_timestamp()").fetchall()
            self.visible_since[number] = visible_at
            self._stop_event.wait(self._random.random() * 0.004)


@contextmanager
def writers() -> Iterator[list[Writer]]:
    """Run writers until the end of the block."""
    stop, running = Event(), list[Writer]()
    sessions = [another_session() for _ in range(WRITERS)]
    try:
        for number, session in enumerate(sessions):
            running.append(Writer(session.__enter__(), stop, number))
            running[-1].start()
        yield running
    finally:
        stop.set()
        for writer in running:
            writer.join()
        for session in sessions:
            session.__exit__(None, None, None)


@pytest.mark.slow
@pytest.mark.parametrize("concurrently", ["false", "true"])
def test_no_row_visible_before_data_as_of_is_missing(settings: Settings, concurrently: str) -> None:
    settings.SEEDER = {"REFRESH_CONCURRENTLY": concurrently == "true"}
    sql("CREATE TABLE reporting.source (n bigserial PRIMARY KEY)")
    sql("CREATE VIEW reporting.between_1 AS TABLE reporting.source")
    create_custom_manifest("reporting.a", "SELECT n FROM reporting.between_1")
    refresh("a")
    sql("CREATE VIEW reporting.between_2 AS TABLE reporting.a")
    create_custom_manifest("reporting.b", "SELECT n FROM reporting.between_2")
    create_custom_manifest("reporting.c", "SELECT n FROM reporting.b UNION SELECT n FROM reporting.source")
    refresh("b")
    refresh("c")
    for name in "abc":
        sql(f"CREATE UNIQUE INDEX ON reporting.{name} (n)")
    chosen = random.Random(SEED)  # noqa: S311  # a fixed sequence, not used for security
    checked = 0
    with writers() as running:
        for _ in range(REFRESHES):
            name = chosen.choice("aabbc")
            refresh(name)
            visible = {number: at for writer in running for number, at in dict(writer.visible_since).items()}
            [(as_of,)] = sql("SELECT data_as_of FROM reporting.seeder_view_state WHERE view_name = %s", name)
            rows = {number for (number,) in sql(f"SELECT n FROM reporting.{name}")}
            expected = {number for number, at in visible.items() if at <= as_of}
            assert expected <= rows
            checked += len(expected)
    assert checked > 0, "the writers have written rows"


def refresh(name: str) -> None:
    summary = orchestrator.execute_run(SingleView(name=ViewName(schema="reporting", name=name)))
    assert summary.failed == 0
