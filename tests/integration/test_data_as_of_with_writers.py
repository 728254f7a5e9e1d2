"""Nothing that was visible before a view's `data_as_of` is missing in it, while others write, load, refresh and kill.

Rows by commit timestamps would be missing: a commit has its timestamp before others see it.
SEEDER_AS_OF_REFRESHES is the number of refreshes in each mode.
"""

import logging
import os
import random
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from threading import Event, Thread
from typing import Any

import psycopg
import pytest
from pytest_django import Settings

from seeder.domain import skip_decision
from seeder.domain.manifests import ViewKey
from seeder.domain.refresh_requests import AllReports, SingleView
from seeder.domain.view_names import ViewName
from seeder.errors import ServerFault
from seeder.postgres.contract import OptionalTables
from seeder.services import view_states
from seeder.services.run import orchestrator
from tests.conftest import another_session, create_custom_manifest, sql

REFRESHES, WRITERS, SEED = int(os.environ.get("SEEDER_AS_OF_REFRESHES", "40")), 3, 7
REFRESHES_PER_EPISODE = 300  # then the tables begin empty again, so that they stay small

# n is a row of the source, and load the number of a load that replaced all rows of the loaded table.
VIEWS = {
    "a": "SELECT n, 0 AS load FROM reporting.between_1",
    "b": "SELECT n, load FROM reporting.between_2",
    "c": "SELECT n, 0 AS load FROM reporting.b UNION SELECT n, 0 FROM reporting.source",
    "d": "SELECT DISTINCT -load AS n, load FROM reporting.loaded",
    "e": "SELECT n, load FROM reporting.a UNION ALL SELECT n, load FROM reporting.d",
    "f": "SELECT n, load / (SELECT i FROM reporting.divisor) AS load FROM reporting.d",  # fails if it is zero
    "g": "SELECT n, load FROM reporting.f UNION SELECT n, 0 FROM reporting.c",
}
READS_SOURCE, READS_LOADED = set("abceg"), set("defg")


class Disturber(Thread):
    """A session that changes something again and again, unless it is paused."""

    def __init__(self, session: "psycopg.Connection[Any]", stop: Event, active: Event, seed: int) -> None:
        super().__init__()
        self._session, self._stop_event, self._active = session, stop, active
        self._random = random.Random(seed)  # noqa: S311  # a fixed sequence, not used for security
        self.visible_since: dict[int, datetime] = {}  # when a row or a load was certainly visible
        self._next = 1

    def run(self) -> None:
        while not self._stop_event.is_set():
            if self._active.is_set():
                with suppress(psycopg.errors.LockNotAvailable, psycopg.errors.QueryCanceled):
                    self.disturb()
            self._stop_event.wait(self._random.random() * 0.02)

    def disturb(self) -> None:
        raise NotImplementedError

    def note(self, number: int) -> None:
        # Statistics that are up to date show whether nothing is written, so that refreshes are skipped.
        [(at, _)] = self._session.execute("SELECT clock_timestamp(), pg_stat_force_next_flush()").fetchall()
        self.visible_since[number] = at


class Writer(Disturber):
    """Inserts rows."""

    def disturb(self) -> None:
        [(number,)] = self._session.execute("INSERT INTO reporting.source DEFAULT VALUES RETURNING n").fetchall()
        self.note(number)


class Loader(Disturber):
    """Replaces all rows of a table, and changes whether a view fails."""

    def disturb(self) -> None:
        clear = self._random.choice(["TRUNCATE reporting.loaded", "DELETE FROM reporting.loaded"])
        insert = f"INSERT INTO reporting.loaded SELECT {self._next} FROM generate_series(1, 3)"
        with self._session.transaction():
            self._session.execute("SET LOCAL lock_timeout = '50ms'")
            self._session.execute(clear.encode())
            self._stop_event.wait(0.002)
            self._session.execute(insert.encode())
        self.note(self._next)
        self._next += 1
        if self._random.random() < 0.1:
            self._session.execute("UPDATE reporting.divisor SET i = 1 - i")


class Outsider(Disturber):
    """Refreshes views by hand, and kills refreshes."""

    def disturb(self) -> None:
        kind, view = self._random.random(), self._random.choice("abd")
        if kind < 0.05:
            self._session.execute(f"SET lock_timeout = '50ms'; REFRESH MATERIALIZED VIEW reporting.{view}".encode())
        elif kind < 0.07:
            self._session.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'REFRESH%'"
                " AND state = 'active' AND datname = current_database() AND pid <> pg_backend_pid()"
            )


@contextmanager
def disturbers() -> Iterator[tuple[list[Writer], Loader, Event]]:
    """Run disturbers until the end of the block. The event is set while they are active."""
    stop, active = Event(), Event()
    kinds = [*[Writer] * WRITERS, Loader, Outsider]
    sessions = [another_session() for _ in kinds]
    running = list[Disturber]()
    try:
        for number, (kind, session) in enumerate(zip(kinds, sessions, strict=True)):
            running.append(kind(session.__enter__(), stop, active, number))
            running[-1].start()
        writers = [one for one in running if isinstance(one, Writer)]
        [loader] = [one for one in running if isinstance(one, Loader)]
        yield writers, loader, active
    finally:
        stop.set()
        for one in running:
            one.join()
        for session in sessions:
            session.__exit__(None, None, None)


@pytest.fixture
def views(contract_tables: None) -> None:
    """Views of views, of which one fails at times."""
    sql("CREATE TABLE reporting.source (n bigserial PRIMARY KEY)")
    sql("CREATE TABLE reporting.loaded (load int)")
    sql("CREATE TABLE reporting.divisor AS SELECT 1 AS i")
    sql("CREATE VIEW reporting.between_1 AS TABLE reporting.source")
    for name, query in VIEWS.items():
        create_custom_manifest(f"reporting.{name}", query)
        orchestrator.execute_run(SingleView(name=ViewName(schema="reporting", name=name)))
        sql(f"CREATE UNIQUE INDEX ON reporting.{name} (n)")
        if name == "a":
            sql("CREATE VIEW reporting.between_2 AS TABLE reporting.a")


@pytest.mark.slow
@pytest.mark.usefixtures("views")
@pytest.mark.parametrize("concurrently", ["false", "true"])
def test_no_row_visible_before_data_as_of_is_missing(
    settings: Settings, concurrently: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.SEEDER = {"REFRESH_CONCURRENTLY": concurrently == "true", "MAX_WORKERS": 2}
    monkeypatch.setattr(skip_decision, "MIN_DURATION", skip_decision.MIN_DURATION * 0)
    chosen = random.Random(SEED)  # noqa: S311  # a fixed sequence, not used for security
    counts = Counter[str]()
    while counts["ended"] < REFRESHES:
        sql("TRUNCATE reporting.source, reporting.loaded")
        most = min(REFRESHES, counts["ended"] + REFRESHES_PER_EPISODE)
        with disturbers() as (writers, loader, active):
            while counts["ended"] < most:
                if chosen.random() < 0.3:
                    active.clear() if active.is_set() else active.set()
                counts.update(refresh_some(chosen))
                counts.update(check_all(writers, loader))
    logging.getLogger(__name__).info("%s", dict(counts))  # to see it: pytest --log-cli-level=INFO
    assert counts["checked rows"] > 0, "the writers have written rows"
    assert counts["skipped"] > 0 or REFRESHES < 200, "pauses of the writers lead to skips"


def refresh_some(chosen: random.Random) -> Counter[str]:
    """Refresh one view or all, and count the outcomes."""
    request = AllReports() if chosen.random() < 0.3 else SingleView(name=ViewName(schema="reporting", name=one(chosen)))
    try:
        results = orchestrator.execute_run(request).results.values()
    except ServerFault:  # autovacuum has locked a catalog for longer than the plan waits
        return Counter({"not planned": 1})
    return Counter(ended=len(results)) + Counter(str(result.outcome) for result in results)


def one(chosen: random.Random) -> str:
    return chosen.choice("aabbcddefg")


def known_ages() -> dict[str, datetime]:
    """Return as of when the data of each view are, if that is known."""
    keys = [ViewKey(database="default", name=ViewName(schema="reporting", name=name)) for name in VIEWS]
    ages = view_states.data_ages(keys, OptionalTables.read("default"))
    return {key.name.name: age.as_of for key, age in ages.items() if age.as_of is not None}


def check_all(writers: list[Writer], loader: Loader) -> Counter[str]:
    """Assert that each view has what was visible as of its data, and count it."""
    rows_since = {number: at for writer in writers for number, at in dict(writer.visible_since).items()}
    loads_since = dict(loader.visible_since)
    before = known_ages()
    rows_of = {name: sql(f"SELECT n, load FROM reporting.{name}") for name in before}
    after = known_ages()
    # A view that was refreshed by hand meanwhile has other rows than its age says.
    ages = {name: as_of for name, as_of in before.items() if after.get(name) == as_of}
    counts = Counter({"known age": len(ages), "unknown age": len(VIEWS) - len(ages)})
    for name, as_of in ages.items():
        rows = rows_of[name]
        if name in READS_SOURCE:
            expected = {number for number, at in rows_since.items() if at <= as_of}
            assert expected <= {n for n, _ in rows}, name
            counts["checked rows"] += len(expected)
        if name in READS_LOADED and (expected := {load for load, at in loads_since.items() if at <= as_of}):
            assert max((load for _, load in rows), default=0) >= max(expected), name
            counts["checked loads"] += 1
    return counts
