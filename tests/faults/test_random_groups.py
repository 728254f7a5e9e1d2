"""Readers see the members of random groups from one instant, with other sessions beside them.

SEEDER_RANDOM_GROUPS is the number of random graphs of views (default: 2; `make soak` sets 200).
"""

import os
import random
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from threading import Event
from typing import Any

import psycopg
import pytest
from django.db import connections
from pytest_django import Settings

from seeder.domain.refresh_requests import AllReports, RefreshRequest, SingleView
from seeder.domain.view_names import ViewName
from seeder.errors import SeederError
from seeder.models import RunHistory
from seeder.services.run import orchestrator
from tests.conftest import create_custom_manifest, sql
from tests.faults.killed_refreshes import REFRESHING
from tests.faults.private_server import PrivateServer, wait_until

GRAPHS = int(os.environ.get("SEEDER_RANDOM_GROUPS", "2"))
ROUNDS, VIEWS, TABLES = 6, 8, 3
pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("contract_tables")]


class Graph:
    """Random views over tables that change together. Each shows the version of the table that it reads itself."""

    def __init__(self, generator: random.Random) -> None:
        self.generator, self.version = generator, 0
        self.names = [f"v{number}" for number in range(VIEWS)]
        self.reads = {
            name: set(generator.sample(self.names[:number], generator.randint(0, min(number, 2))))
            for number, name in enumerate(self.names)
        }
        self.group = set(generator.sample(self.names, generator.randint(2, 4)))
        self.members = self.group | {name for name in self.names if self._is_between(name)}

    def _is_between(self, name: str) -> bool:
        above = any(name in self._needs(member) for member in self.group)
        return above and bool(self._needs(name) & self.group)

    def _needs(self, name: str) -> set[str]:
        return set().union(*({read} | self._needs(read) for read in self.reads[name]))

    def create(self) -> None:
        sql("DROP SCHEMA IF EXISTS graph CASCADE; CREATE SCHEMA graph")
        for number in range(TABLES):
            sql(f"CREATE TABLE graph.t{number} AS SELECT 0 AS version")
        for name in self.names:
            joined = "".join(f" CROSS JOIN (SELECT count(*) FROM graph.{read}) AS {read}" for read in self.reads[name])
            query = f"SELECT 1 AS id, t.version FROM graph.t{self.generator.randrange(TABLES)} AS t{joined}"
            sql(f"CREATE MATERIALIZED VIEW graph.{name} AS {query}; CREATE UNIQUE INDEX ON graph.{name} (id)")
            create_custom_manifest(f"graph.{name}", query)

    def load(self) -> None:
        """Change all tables in one transaction, one of them by TRUNCATE."""
        self.version += 1
        statements = [f"UPDATE graph.t{number} SET version = {self.version}" for number in range(TABLES)]
        reloaded = self.generator.randrange(TABLES)
        statements[reloaded] = f"TRUNCATE graph.t{reloaded}; INSERT INTO graph.t{reloaded} VALUES ({self.version})"
        sql("; ".join(statements))

    def versions(self) -> str:
        selects = (f"SELECT (SELECT version FROM graph.{name}) AS version" for name in sorted(self.members))
        return f"SELECT array_agg(DISTINCT version) FROM ({' UNION ALL '.join(selects)}) AS members"

    def request(self) -> RefreshRequest:
        if self.generator.random() < 0.5:
            return AllReports()
        return SingleView(name=ViewName.parse(f"graph.{self.generator.choice(self.names)}"))


@contextmanager
def reader(server: PrivateServer, statement: str) -> Iterator[None]:
    """Run a reader in the context. It must have seen one version in each read."""
    done, torn, reads = Event(), list[Any](), list[int]()

    def read() -> None:
        with server.session("test_faults") as session:
            while not done.is_set():
                [(versions,)] = session.execute(statement.encode()).fetchall()
                reads.append(len(versions))
                if len(versions) != 1 or None in versions:
                    torn.append(versions)

    with ThreadPoolExecutor(1) as threads:
        future = threads.submit(read)
        try:
            yield
        finally:
            wait_until(lambda: reads or future.done())
            done.set()
        future.result()
    assert not torn


def run(request: RefreshRequest) -> None:
    try:
        with suppress(SeederError):  # the run that was terminated
            orchestrator.execute_run(request)
    finally:
        connections.close_all()


def terminate(_: Graph) -> None:
    """End a session that refreshes, if there is one."""
    with suppress(psycopg.Error):
        sql(f"SELECT pg_terminate_backend(pid) FROM ({REFRESHING}) AS refreshing ORDER BY random() LIMIT 1")


def refresh_outside(graph: Graph) -> None:
    """Refresh a view outside the group, as another program would."""
    if outside := sorted(set(graph.names) - graph.members):
        option = graph.generator.choice(["", "CONCURRENTLY"])
        sql(f"REFRESH MATERIALIZED VIEW {option} graph.{graph.generator.choice(outside)}")


@pytest.mark.parametrize("seed", range(GRAPHS))
def test_reader_sees_members_of_random_group_from_one_instant(
    server: PrivateServer, settings: Settings, seed: int
) -> None:
    graph = Graph(random.Random(seed))  # noqa: S311  # not used for security
    graph.create()
    settings.SEEDER = {"CONSISTENT_GROUPS": {"group": {"views": [f"graph.{name}" for name in sorted(graph.group)]}}}
    actions: list[Callable[[Graph], None]] = [Graph.load, Graph.load, refresh_outside, terminate]
    with reader(server, graph.versions()), ThreadPoolExecutor(2) as threads:
        for _ in range(ROUNDS):
            runs = [threads.submit(run, graph.request()) for _ in range(2)]
            for action in graph.generator.choices(actions, k=3):
                action(graph)
            for one in runs:
                one.result()
        graph.load()
        assert orchestrator.execute_run(AllReports()).failed == 0
    [(versions,)] = sql(graph.versions())
    assert versions == [graph.version]
    assert not RunHistory.objects.filter(status__in=("pending", "running")).exists()
