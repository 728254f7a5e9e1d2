"""A backend or the postmaster is killed during a load. Nothing of it is kept, and the next attempt completes it.

DATA_PIPELINE_SERVER_KILLS is the number of kills at random moments (default: 3; `make soak` sets 50).
"""

import os
import random
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from threading import Timer
from time import monotonic
from typing import Any

import psycopg
import pytest
from django.db import connection, connections

from data_pipeline.models import LoadLog
from data_pipeline.services.load_file import load_file
from embedded import server as embedded_server
from seeder.errors import SeederError, ServerUnreachable
from tests.acceptance.data_pipeline import load_states
from tests.acceptance.data_pipeline.load_moments import MOMENTS, act_at
from tests.conftest import another_session, sql
from tests.faults.data_pipeline.conftest import ROWS
from tests.faults.private_server import PrivateServer, wait_until
from tests.load_fixtures import forget_loads

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("load_tables")]
KILLS = int(os.environ.get("DATA_PIPELINE_SERVER_KILLS", "3"))
MODES = ("append", "upsert", "replace", "snapshot")


class Victim:
    """The process that is killed: the backend of this thread's session, or the postmaster."""

    def __init__(self, name: str, server: PrivateServer, other: "psycopg.Connection[Any]") -> None:
        self._is_backend, self._server, self._other = name == "backend", server, other

    def find(self) -> int:
        """Return the id of the process."""
        if self._is_backend:
            return int(sql("SELECT pg_backend_pid()")[0][0])
        running = embedded_server.status(self._server.folder).server
        assert running
        return running.pid

    def kill(self, pid: int) -> None:
        """Kill the process, and wait until the server has ended the other sessions."""
        os.kill(pid, signal.SIGKILL)
        wait_until(self._has_ended)

    def recover(self) -> None:
        """Start the server, or wait until it has recovered by itself."""
        if not self._is_backend:
            self._server.stop()
            self._server.start()
        connections.close_all()
        wait_until(can_connect)

    def _has_ended(self) -> bool:
        with suppress(psycopg.OperationalError):
            self._other.execute("SELECT 1")
        return self._other.broken


def can_connect() -> bool:
    connection.close()
    with suppress(Exception):
        return sql("SELECT 1") == [(1,)]
    return False


@pytest.fixture(params=["backend", "postmaster"])
def victim(request: pytest.FixtureRequest, path: Path, server: PrivateServer) -> Iterator[Victim]:
    with another_session() as other:
        yield Victim(request.param, server, other)


def load(path: Path, mode: str) -> str:
    return str(load_file(str(path), table="landing.orders", mode=mode).status)


def complete(path: Path, mode: str) -> None:
    """Load the file as the next process does. Its rows are complete."""
    load(path, mode)
    assert load_states.row_count() == ROWS
    load_states.assert_nothing_without_success()
    load_states.assert_no_locks()


@pytest.mark.parametrize("moment", MOMENTS)
def test_kill_at_a_named_moment_leaves_all_or_nothing(
    path: Path, victim: Victim, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    act_at(moment, lambda: victim.kill(victim.find()), replace=monkeypatch.setattr)
    if moment == "after the commit":
        assert load(path, "upsert") == "success"  # the refresh is dispatched later
    else:
        with pytest.raises(ServerUnreachable):
            load(path, "upsert")
    victim.recover()
    load_states.assert_nothing_without_success()
    found = [one.status for one in LoadLog.objects.all()]
    expected: dict[str, list[list[str]]] = {"before the pending row": [[]], "after the commit": [["success"]]}
    assert found in expected.get(moment, [["pending"], ["failed"]])
    complete(path, "upsert")


def test_kill_at_a_random_moment_leaves_all_or_nothing(path: Path, server: PrivateServer) -> None:
    generator = random.Random(20261121)  # noqa: S311  # moments, not secrets
    begun = monotonic()
    load(path, "append")
    seconds = monotonic() - begun
    for number in range(KILLS):
        sql("TRUNCATE landing.orders")
        forget_loads()
        mode = generator.choice(MODES)
        with another_session() as other:
            victim = Victim("postmaster" if number % 3 == 0 else "backend", server, other)
            timer = Timer(generator.uniform(0, seconds), victim.kill, [victim.find()])
            timer.start()
            with suppress(SeederError):  # unless the kill came after the load
                load(path, mode)
            timer.join()
            victim.recover()
        load_states.assert_nothing_without_success()
        complete(path, mode)
