"""Each database call of a load fails in many ways. All of it is there afterwards, or nothing.

SEEDER_INJECTIONS is the number of failures; `make soak` lets every call fail in every way.
"""

import os
import random
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
from django.db import connection, connections
from pytest_django import Settings

from data_pipeline.models import LoadLog, LoadReject
from data_pipeline.services import recovery
from data_pipeline.services.load_file import load_file
from data_pipeline.services.load_options import Loaded
from seeder.errors import SeederError
from tests.acceptance.data_pipeline import load_states
from tests.conftest import sql
from tests.injection.database_calls import RUN, DatabaseCalls, counted_calls
from tests.injection.injected_failures import SERVER_SURVIVES, FailureKind, LockedWork
from tests.load_fixtures import forget_loads

pytestmark = [pytest.mark.slow]

INJECTIONS = int(os.environ.get("SEEDER_INJECTIONS", "52"))
MAX_WAIT = 60  # seconds
ROWS, REJECTS = 500, 3
LOAD = LockedWork(
    "SELECT 'data_pipeline.load ' || source || ' ' || idempotency_key FROM load_log",
    lambda: recovery.recover_loads(actor="another process"),
)


@pytest.fixture
def path(load_tables: None, tmp_path: Path, settings: Settings) -> Path:
    """A file of several chunks with rejects, for a table that has some of its rows already."""
    settings.DATA_PIPELINE = {"INGEST_STREAMING_CHUNK_SIZE": 150, "LOCK_WAIT_S": 20}
    sql(
        "CREATE TABLE landing.orders (id integer PRIMARY KEY, amount integer,"
        " load_id bigint DEFAULT nullif(current_setting('data_pipeline.load_id', true), '')::bigint)"
    )
    path = tmp_path / "orders.csv"
    bad = ROWS // REJECTS
    path.write_text("id,amount\n" + "".join(f"{n},{n}{'x' * (n % bad == 0)}\n" for n in range(1, ROWS + 1)))
    return path


def load(path: Path, mode: str) -> Loaded:
    return load_file(str(path), table="landing.orders", mode=mode, max_rejects=REJECTS)


def load_as_another_process(
    path: Path, mode: str, kind: FailureKind | None, number: int
) -> tuple[Loaded | None, DatabaseCalls]:
    """Load in a thread whose connections end with it. Only an expected error may end it."""
    loaded = None
    try:
        with counted_calls(kind, number, work=LOAD) as calls, suppress(SeederError):
            loaded = load(path, mode)
        assert loaded or calls.failed
        if not connection.is_usable():  # it may have been cut unnoticed
            connection.close()
        load_states.assert_no_locks()
    finally:
        connections.close_all()
    return loaded, calls


def fail(path: Path, mode: str, kind: FailureKind | None = None, number: int = 0) -> DatabaseCalls:
    """Load with a failing call. Assert that everything or nothing is there, and that the next attempt ends."""
    sql("TRUNCATE landing.orders; INSERT INTO landing.orders VALUES (-1, 0)")
    forget_loads()
    connections.close_all()
    with ThreadPoolExecutor(1, thread_name_prefix=RUN) as thread:
        loaded, calls = thread.submit(load_as_another_process, path, mode, kind, number).result(MAX_WAIT)
    row = LoadLog.objects.first()
    load_states.assert_nothing_without_success()
    assert not loaded or (row and row.status == "success"), f"the result is that of the row: {calls.failed}"
    if kind in SERVER_SURVIVES:
        assert not row or row.status != "pending", f"the failure is recorded: {calls.failed}"
    if loaded and mode == "append":
        assert sql("SELECT amount FROM landing.orders WHERE load_id IS NULL") == [(0,)]
    recovery.recover_loads(actor="test")
    load_states.assert_nothing_without_success()
    load(path, mode)
    load_states.assert_nothing_without_success()
    assert (load_states.row_count(), LoadReject.objects.count()) == (ROWS - REJECTS, REJECTS), calls.failed
    return calls


@pytest.mark.parametrize("mode", ["append", "snapshot"])
@pytest.mark.parametrize("kind", FailureKind, ids=lambda kind: kind.name)
def test_failing_call_leaves_all_of_a_load_or_nothing(
    path: Path, mode: str, kind: FailureKind, capsys: pytest.CaptureFixture[str]
) -> None:
    calls, samples = fail(path, mode).count(), INJECTIONS // len(FailureKind)
    generator = random.Random(kind)  # noqa: S311  # not used for security
    numbers = generator.sample(range(1, calls + 1), min(samples, calls))
    failed = {injected.failed for injected in (fail(path, mode, kind, number) for number in numbers)}
    if samples >= calls:
        with capsys.disabled():
            sys.stdout.write(f"\n{len(numbers)} calls of a load failed, from {len(failed)} places: {kind}\n")
    assert len(failed - {None}) > min(samples, calls) // 3, "the failures are in different places"
