"""The server stops or is full during a load. Nothing of it is kept, and the next attempt completes it."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.db import connections

from data_pipeline.models import LoadLog
from data_pipeline.services import recovery
from data_pipeline.services.load_file import load_file
from seeder.errors import SeederError, ServerUnreachable
from tests.acceptance.data_pipeline import load_states
from tests.conftest import sql
from tests.faults.data_pipeline.conftest import ROWS
from tests.faults.private_server import PrivateServer

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("load_tables")]


def load(path: Path, mode: str, meanwhile: Callable[[], object] = lambda: None) -> None:
    """Load a file. `meanwhile` is called once, after a chunk was loaded."""
    calls = iter([meanwhile])

    def call_once(_: object) -> None:
        for call in calls:
            call()

    load_file(str(path), table="landing.orders", mode=mode, on_progress=call_once)


def complete(path: Path, mode: str) -> None:
    """Load the file as the next process does. Its rows are complete."""
    connections.close_all()
    load(path, mode)
    assert load_states.row_count() == ROWS
    load_states.assert_nothing_without_success()
    load_states.assert_no_locks()


@pytest.fixture(params=["append", "upsert"])
def mode(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.parametrize("immediately", [False, True], ids=["fast", "immediate"])
def test_restart_fails_the_load_with_its_sqlstate(
    path: Path,
    mode: str,
    immediately: bool,  # noqa: FBT001  # parameter of pytest
    server: PrivateServer,
) -> None:
    def restart() -> None:
        server.stop(immediately=immediately)
        server.start()

    with pytest.raises(ServerUnreachable):
        load(path, mode, restart)
    row = LoadLog.objects.get()
    assert row.status == "failed"
    assert row.error_code in ({"57P02", "08006"} if immediately else {"57P01"})
    load_states.assert_nothing_without_success()
    complete(path, mode)


def test_load_without_a_server_remains_pending_and_is_recovered(path: Path, mode: str, server: PrivateServer) -> None:
    with pytest.raises(ServerUnreachable):
        load(path, mode, server.stop)
    server.start()
    connections.close_all()
    assert LoadLog.objects.get().status == "pending"
    load_states.assert_nothing_without_success()
    assert recovery.recover_loads(actor="test") == [LoadLog.objects.get().pk]
    load_states.assert_nothing_without_success()
    complete(path, mode)


@pytest.fixture
def full_disk(small_disk: Path, path: Path) -> Iterator[Path]:
    """Move the table to a disk that has less space than the file needs."""
    sql("ALTER TABLE landing.orders SET TABLESPACE small_disk")
    filler = small_disk / "filler"
    filler.write_bytes(b"x" * (os.statvfs(small_disk).f_bavail * os.statvfs(small_disk).f_frsize - 150_000))
    yield filler
    filler.unlink(missing_ok=True)
    sql("DROP TABLE landing.orders")


def test_full_disk_fails_the_load_and_keeps_nothing(full_disk: Path, path: Path, mode: str) -> None:
    path.write_text("id,note\n" + "".join(f"{number},{'x' * 200}\n" for number in range(ROWS)))
    with pytest.raises(SeederError):
        load(path, mode)
    row = LoadLog.objects.get()
    assert (row.status, row.error_code) == ("failed", "53100")
    load_states.assert_nothing_without_success()
    load_states.assert_no_locks()
    full_disk.unlink()
    complete(path, mode)
