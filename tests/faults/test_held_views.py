"""Readers never see rows that a data check holds, also if the refresh is killed.

The checks run inside a plain or a concurrent refresh, or before a plain one.

SEEDER_HELD_REFRESHES is the number of held refreshes in each mode (default: 5; `make soak` sets 1000), and
SEEDER_HELD_KILLS the number of kills in each mode (default: 2; `make soak` sets 150).
"""

import os
import random
import subprocess
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, suppress
from threading import Event
from typing import Any

import psycopg
import pytest
from pytest_django import Settings

from seeder.domain.data_checks import check_order
from seeder.domain.outcomes import Outcome
from seeder.domain.refresh_requests import AllReports
from seeder.models import CustomReportManifest, DataCheck, RunHistory
from seeder.services.run import orchestrator
from tests.acceptance.refresh_processes import start
from tests.conftest import create_custom_manifest, sql
from tests.faults.background_readers import running
from tests.faults.gated_views import refresh_everything
from tests.faults.killed_refreshes import kill, refreshing_backends, wait_for_recovery
from tests.faults.private_server import PrivateServer, wait_until

REFRESHES = int(os.environ.get("SEEDER_HELD_REFRESHES", "5"))
KILLS = int(os.environ.get("SEEDER_HELD_KILLS", "2"))
MODES: dict[str, dict[str, Any]] = {
    "plain": {},
    "concurrent": {"REFRESH_CONCURRENTLY": True},
    "checked before": {"READER_WAIT_BUDGET_MS": 0},
}
# Takes 0.1 s. It runs once for the refresh, once for the scan and once for each check of uniqueness.
_SLOW_QUERY = "SELECT id, version FROM reporting.source WHERE length(repeat(md5(id::text), 60)) > 0"
pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("contract_tables")]


class Reader:
    """Reads the version of the rows all the time, and connects again if the server was down."""

    def __init__(self, server: PrivateServer) -> None:
        self.versions = set[tuple[int, int]]()  # the lowest and the highest version of each read
        self.reads = 0
        self._server, self.done = server, Event()

    def read(self) -> None:
        while not self.done.is_set():
            with suppress(psycopg.OperationalError), self._server.session("test_faults") as session:
                while not self.done.is_set():
                    [version] = session.execute("SELECT min(version), max(version) FROM reporting.a").fetchall()
                    self.versions.add(version)
                    self.reads += 1


def reader(server: PrivateServer) -> AbstractContextManager[Reader]:
    """Run a reader in the context."""
    return running(Reader(server))


@pytest.fixture(autouse=True)
def _checked_view(contract_tables: None) -> None:
    """Version 0 is published. A check accepts only even versions."""
    sql("CREATE TABLE reporting.source AS SELECT i AS id, 0 AS version FROM generate_series(1, 2000) AS i")
    create_custom_manifest("reporting.a", "SELECT id, version FROM reporting.source")
    refresh_everything()
    sql("CREATE UNIQUE INDEX ON reporting.a (id)")
    DataCheck.objects.create(
        table_name="reporting.a",
        check_name="even",
        kind="condition",
        arguments={"expression": "version % 2 = 0"},
    )


def load(version: int) -> None:
    sql(f"UPDATE reporting.source SET version = {version}")


@pytest.mark.parametrize("mode", [*MODES, "checked before and inside"])
def test_reader_never_sees_held_rows(
    server: PrivateServer, settings: Settings, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    settings.SEEDER = MODES.get(mode, {"READER_WAIT_BUDGET_MS": 0})
    monkeypatch.setattr(check_order, "_MIN_SHARE", 0)
    if mode == "checked before and inside":
        DataCheck.objects.update(kind="query", arguments={"query": "SELECT 1 FROM reporting.a WHERE version % 2 <> 0"})
        DataCheck.objects.create(table_name="reporting.a", check_name="id", kind="not_null", arguments={"column": "id"})
    assert_checked_before(mode)
    with reader(server) as one:
        for number in range(REFRESHES):
            load(2 * number + 1)
            assert refresh_everything()["a"].outcome is Outcome.HELD
            if number % 100 == 0:
                vacuum()
        assert one.versions == {(0, 0)}
        load(2)
        assert refresh_everything()["a"].outcome is Outcome.REFRESHED
        reads = one.reads
        wait_until(lambda: one.reads > reads + 1)
    assert one.versions == {(0, 0), (2, 2)}


def test_reader_never_sees_unchecked_rows_of_a_busy_source(
    server: PrivateServer, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.SEEDER = {"READER_WAIT_BUDGET_MS": 0}
    monkeypatch.setattr(check_order, "_MIN_SHARE", 0)
    DataCheck.objects.update(enabled=False)
    create_custom_manifest("reporting.b", "SELECT version, version % 2 AS odd FROM reporting.source")
    refresh_everything()
    DataCheck.objects.create(
        table_name="reporting.b", check_name="even", kind="range", arguments={"column": "odd", "max": 0}
    )
    done, outcomes = Event(), list[Outcome]()

    def write() -> None:
        with server.session("test_faults") as session:
            while not done.is_set():
                session.execute("UPDATE reporting.source SET version = version + 1 WHERE id <= 50")
                session.execute("UPDATE reporting.source SET version = version + 1 WHERE id <= 50")

    sql("DELETE FROM reporting.source WHERE id > 50")
    with ThreadPoolExecutor(1) as threads:
        future = threads.submit(write)
        try:
            for _ in range(max(REFRESHES, 20)):
                outcomes.append(refresh_everything()["b"].outcome)
                assert sql("SELECT count(*) FROM reporting.b WHERE odd <> 0") == [(0,)]
        finally:
            done.set()
        future.result()
    assert set(outcomes) == {Outcome.HELD, Outcome.REFRESHED}


@pytest.mark.parametrize("mode", MODES)
def test_reader_never_sees_rows_of_a_killed_refresh(server: PrivateServer, settings: Settings, mode: str) -> None:
    if mode == "checked before":
        recreate_with_slow_query()
    else:
        arguments = {"query": "SELECT 1 FROM pg_sleep(0.2) AS slept WHERE slept::text <> ''"}
        DataCheck.objects.create(table_name="reporting.a", check_name="slow", kind="query", arguments=arguments)
    settings.SEEDER = MODES[mode]
    assert_checked_before(mode)
    variables = {f"SEEDER_{name}": str(value).lower() for name, value in MODES[mode].items()}
    generator = random.Random(20261130)  # noqa: S311  # not used for security
    published, versions, [(first,)] = 0, {(0, 0)}, sql("SELECT max(id) FROM reporting.seeder_run_history")
    with reader(server) as one:
        for number in range(1, KILLS + 1):
            version, before = 2 * number - generator.randint(0, 1), published
            load(version)
            process = start(SEEDER_MAX_RETRIES="0", **variables)
            backends = refreshing_backends(process)
            with suppress(subprocess.TimeoutExpired):
                process.wait(generator.uniform(0, 0.4))
            kill(process, backends, of_server=generator.random() < 0.5)
            wait_for_recovery()
            [(published,)] = sql("SELECT DISTINCT version FROM reporting.a")
            later = RunHistory.objects.filter(pk__gt=first)
            succeeded = later.filter(status="success").exists()
            assert published == (version if succeeded else before), "the row and the view commit together"
            assert published % 2 == 0
            versions.add((published, published))
            later.delete()  # the first is the duration that decides when checks run
    assert one.versions <= versions


def recreate_with_slow_query() -> None:
    """Give the view a slow query, and enough rows that checks of the query pay."""
    sql("INSERT INTO reporting.source SELECT i, 0 FROM generate_series(2001, 20000) AS i")
    sql("DROP MATERIALIZED VIEW reporting.a")
    CustomReportManifest.objects.update(query=_SLOW_QUERY)
    for columns in (["id"], ["id", "version"]):
        DataCheck.objects.create(
            table_name="reporting.a", check_name=f"{columns}", kind="unique", arguments={"columns": columns}
        )
    refresh_everything()


def assert_checked_before(mode: str) -> None:
    """Require that the checks run when the mode says."""
    [view] = orchestrator.preview(AllReports()).views
    order = view.check_order
    assert (order is not None and order.runs_before) == mode.startswith("checked before")


def vacuum() -> Any:
    return sql("VACUUM reporting.a, reporting.source")
