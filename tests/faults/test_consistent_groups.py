"""Readers never see views of a consistent group from two instants, also if the refresh is killed.

SEEDER_GROUPS is the number of groups that are refreshed beside a reader and a writer (default: 10; `make soak` sets
1000), SEEDER_GROUP_RACES that of races with single refreshes (default: 5; 200), and SEEDER_GROUP_KILLS that of kills
(default: 2; 300).
"""

import os
import random
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from threading import Event
from typing import Any

import psycopg
import pytest
from django.db import connections
from pytest_django import Settings

from seeder.domain import lock_keys
from seeder.domain.refresh_requests import AllReports
from seeder.domain.view_names import ViewName
from seeder.models import DataCheck, RunHistory
from seeder.services.run import orchestrator
from tests.acceptance.refresh_processes import start
from tests.conftest import sql
from tests.faults.background_readers import running
from tests.faults.gated_views import run_in_background
from tests.faults.killed_refreshes import kill, refreshing_backends, wait_for_recovery
from tests.faults.private_server import PrivateServer, wait_until
from tests.integration.groups.grouped_views import GROUP, VERSIONS, create_grouped_views, load, published_versions

GROUPS = int(os.environ.get("SEEDER_GROUPS", "10"))
RACES = int(os.environ.get("SEEDER_GROUP_RACES", "5"))
KILLS = int(os.environ.get("SEEDER_GROUP_KILLS", "2"))
DEADLOCKS = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("contract_tables")]


@pytest.fixture(autouse=True)
def _group(settings: Settings, contract_tables: None) -> None:
    settings.SEEDER = {"CONSISTENT_GROUPS": {"month": GROUP}}
    create_grouped_views()


def add_slow_check(name: str) -> None:
    DataCheck.objects.create(
        table_name=f"reporting.{name}",
        check_name="slow",
        kind="query",
        arguments={"query": "SELECT 1 FROM pg_sleep(0.1) AS slept WHERE slept::text <> ''"},
    )


class Reader:
    """Reads the versions in the views all the time, in one statement and in one transaction."""

    def __init__(self, server: PrivateServer) -> None:
        self.reads = 0
        self.versions = set[int]()
        self.torn: list[tuple[Any, ...]] = []
        self._server, self.done = server, Event()

    def read(self) -> None:
        while not self.done.is_set():
            with suppress(psycopg.OperationalError), self._server.session("test_faults") as session:
                while not self.done.is_set():
                    [versions] = session.execute(VERSIONS).fetchall()
                    self._compare(versions)
                    self._compare(self._read_one_after_another(session))

    def _read_one_after_another(self, session: "psycopg.Connection[Any]") -> tuple[Any, ...]:
        session.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        [(first,)] = session.execute("SELECT max(version) FROM reporting.a").fetchall()
        [(last,)] = session.execute("SELECT max(version) FROM reporting.c").fetchall()
        session.execute("COMMIT")
        return first, last

    def _compare(self, versions: tuple[Any, ...]) -> None:
        self.reads += 1
        self.versions.update(versions)
        if len({*versions}) != 1 or None in versions:  # a reload must not empty a member
            self.torn.append(versions)


@contextmanager
def reader(server: PrivateServer) -> Iterator[Reader]:
    """Run a reader in the context. It must not have seen views from two instants."""
    with running(Reader(server)) as one:
        yield one
    assert not one.torn


def write_and_reload(server: PrivateServer, done: Event) -> int:
    """Change all rows all the time, also by TRUNCATE and a reload. Return the number of versions."""
    version = 0
    with server.session("test_faults") as session:
        while not done.wait(0.005):
            version += 1
            session.execute("BEGIN")
            if version % 3:
                session.execute(f"UPDATE reporting.source SET version = {version}".encode())
            else:
                session.execute("TRUNCATE reporting.source")
                rows = f"SELECT i, {version} FROM generate_series(1, 20) AS i"
                session.execute(f"INSERT INTO reporting.source {rows}".encode())
            session.execute("COMMIT")
    return version


def test_reader_sees_members_from_one_instant(server: PrivateServer) -> None:
    done = Event()
    with ThreadPoolExecutor(1) as threads, reader(server) as one:
        writer = threads.submit(write_and_reload, server, done)
        try:
            for number in range(GROUPS):
                assert orchestrator.execute_run(AllReports()).failed == 0
                if number % 10 == 0:
                    sql("VACUUM reporting.a, reporting.b, reporting.c, reporting.source")
        finally:
            done.set()
        orchestrator.execute_run(AllReports())
        assert published_versions() == (writer.result(),) * 3
    assert len(one.versions) > GROUPS / 2


def refresh_alone(server: PrivateServer, name: str) -> None:
    """Refresh one view with the locks of a single refresh."""
    with server.session("test_faults") as session, session.transaction():
        key = lock_keys.of_view(ViewName.parse(f"reporting.{name}"))
        session.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [key])
        session.execute(f"REFRESH MATERIALIZED VIEW CONCURRENTLY reporting.{name}".encode())


def run_all(_: PrivateServer) -> None:
    try:
        assert orchestrator.execute_run(AllReports()).failed == 0
    finally:
        connections.close_all()


def test_group_cannot_deadlock_with_single_refreshes(server: PrivateServer) -> None:
    generator = random.Random(20261130)  # noqa: S311  # not used for security
    [(before,)] = sql(DEADLOCKS)
    singles = [lambda server, name=name: refresh_alone(server, name) for name in ("a", "b", "c", "outside")]
    racers: list[Callable[[PrivateServer], None]] = [run_all, run_all, *singles]
    with ThreadPoolExecutor(len(racers)) as threads:
        for version in range(1, RACES + 1):
            load(version)
            generator.shuffle(racers)
            for racer in [threads.submit(racer, server) for racer in racers]:
                racer.result()
            assert published_versions() == (version,) * 3
    sql("SELECT pg_stat_clear_snapshot()")
    assert sql(DEADLOCKS) == [(before,)]


def test_reader_of_plainly_refreshed_members_is_not_ended_by_a_deadlock(
    server: PrivateServer, settings: Settings
) -> None:
    settings.SEEDER = {"CONSISTENT_GROUPS": {"month": {**GROUP, "allow_blocking": True}}, "MAX_RETRIES": 20}
    server.restart(deadlock_timeout="1s")  # as by default: after it, PostgreSQL would end the session below
    sql("DROP INDEX reporting.a_id_idx; DROP INDEX reporting.b_id_idx")
    add_slow_check("a")
    load(1)
    with server.session("test_faults") as one:
        one.execute("BEGIN")
        one.execute("SELECT FROM reporting.b")
        with run_in_background() as run:
            held = "SELECT 1 FROM pg_locks WHERE relation = 'reporting.a'::regclass AND mode ~ 'AccessExclusive'"
            wait_until(lambda: sql(held))
            one.execute("SELECT FROM reporting.a")  # it waits for the group, which then waits for it
            one.execute("COMMIT")
            assert run.result().failed == 0
    assert published_versions() == (1, 1, 1)


def test_killed_group_is_published_entirely_or_not_at_all(server: PrivateServer) -> None:
    for name in "abc":
        add_slow_check(name)
    generator = random.Random(20261130)  # noqa: S311  # not used for security
    published = 0
    with reader(server):
        for version in range(1, KILLS + 1):
            load(version)
            process = start(DJANGO_SETTINGS_MODULE="tests.faults.grouped_settings", SEEDER_MAX_RETRIES="0")
            backends = refreshing_backends(process)
            with suppress(subprocess.TimeoutExpired):
                process.wait(generator.uniform(0, 0.5))
            kill(process, backends, of_server=generator.random() < 0.5)
            wait_for_recovery()
            rows = RunHistory.objects.filter(table_name__in=[f"reporting.{name}" for name in "abc"])
            statuses = set(rows.values_list("status", flat=True))
            published = version if statuses == {"success"} else published
            assert len(statuses) == 1, "the rows of all members commit together"
            assert published_versions() == (published,) * 3, "the rows and the views commit together"
            RunHistory.objects.all().delete()
