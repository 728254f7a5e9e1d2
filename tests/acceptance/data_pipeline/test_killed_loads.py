"""Loads that are killed with SIGKILL: no row without success, no success without its rows, and the next attempt ends.

DATA_PIPELINE_KILLS is the number of kills at random moments (default: 30; `make soak` sets 500).
"""

import os
import random
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from time import monotonic
from typing import Any

import pytest

from data_pipeline import tasks
from data_pipeline.domain.dialects import Mode
from data_pipeline.models import LoadLog, LoadRefresh, LoadRequest
from data_pipeline.services import dependent_refreshes, recovery
from data_pipeline.services.load_file import load_file
from data_pipeline.services.load_options import Loaded, LoadOptions
from data_pipeline.services.load_requests import enqueue_load, rescue_requests
from tests.acceptance.data_pipeline import load_states
from tests.acceptance.data_pipeline.killable_loads import LoadProcesses
from tests.acceptance.data_pipeline.load_moments import MOMENTS, TASK_MOMENTS
from tests.conftest import another_session, create_custom_manifest, sql
from tests.database_reset import mark_all_used
from tests.load_fixtures import forget_loads
from tests.polling import eventually

KILLS = int(os.environ.get("DATA_PIPELINE_KILLS", "30"))
ROWS, REJECTS = 12_000, 30
OPTIONS: dict[str, Any] = {"table": "landing.orders", "max_rejects": REJECTS}
MODES = ("append", "upsert", "replace", "snapshot")
CREATE_TABLE = (
    "CREATE TABLE landing.orders (id integer PRIMARY KEY, amount integer,"
    " load_id bigint DEFAULT nullif(current_setting('data_pipeline.load_id', true), '')::bigint)"
)
OTHERS = (
    "FROM pg_stat_activity"
    " WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
)
GATE = """
    CREATE FUNCTION landing.gate() RETURNS trigger LANGUAGE plpgsql AS
        $$BEGIN PERFORM pg_advisory_xact_lock_shared(4711); RETURN NULL; END$$;
    CREATE TRIGGER gate AFTER INSERT ON landing.orders FOR EACH STATEMENT EXECUTE FUNCTION landing.gate()"""
# A load checks constraints at once, so the trigger of the commit is deferred again.
COMMIT_GATE = """
    CREATE FUNCTION landing.gate() RETURNS trigger LANGUAGE plpgsql AS
        $$BEGIN PERFORM pg_advisory_xact_lock_shared(4711); RETURN NULL; END$$;
    CREATE CONSTRAINT TRIGGER load_gate AFTER UPDATE ON load_log DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW WHEN (NEW.status = 'success') EXECUTE FUNCTION landing.gate();
    CREATE FUNCTION landing.defer() RETURNS trigger LANGUAGE plpgsql AS
        $$BEGIN SET CONSTRAINTS load_gate DEFERRED; {} RETURN NEW; END$$;
    CREATE TRIGGER defer BEFORE UPDATE ON load_log FOR EACH ROW EXECUTE FUNCTION landing.defer()"""
WAITING = "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND objid = 4711 AND NOT granted"


@pytest.fixture
def path(load_tables: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file of several chunks with bad records, for a table with rows that no load inserted."""
    mark_all_used()
    monkeypatch.setenv("DATA_PIPELINE_LOCK_WAIT_S", "20")
    sql(CREATE_TABLE)
    path = tmp_path / "orders.csv"
    bad = ROWS // REJECTS
    path.write_text("id,amount\n" + "".join(f"{n},{n}{'x' * (n % bad == 0)}\n" for n in range(1, ROWS + 1)))
    return path


@pytest.fixture(scope="module")
def shared_process(django_databases: None) -> Iterator[LoadProcesses]:
    """One process for all tests, because its start takes a second."""
    processes = LoadProcesses(INGEST_STREAMING_CHUNK_SIZE="1500")
    yield processes
    processes.close()


@pytest.fixture
def loads(shared_process: LoadProcesses) -> Iterator[LoadProcesses]:
    """The shared process, which a failed test leaves without a load."""
    yield shared_process
    shared_process.clean()


def enqueue(path: Path, mode: str) -> int:
    """Queue the load of the file for a worker. Return the id of the request."""
    options = LoadOptions(table="landing.orders", mode=Mode(mode), max_rejects=REJECTS)
    return enqueue_load(str(path), options, requested_by="test").request_id


def complete(path: Path, mode: str) -> Loaded:
    """Load the file here. The server may not have noticed yet that the client of the killed load is gone."""
    loaded = load_file(str(path), mode=mode, **OPTIONS)
    assert load_states.row_count() == ROWS - REJECTS
    load_states.assert_nothing_without_success()
    load_states.assert_no_locks()
    assert LoadLog.objects.get().status == loaded.status
    return loaded


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("mode", ["append", "upsert"])
def test_kill_at_a_named_moment_leaves_all_or_nothing(path: Path, loads: LoadProcesses, moment: str, mode: str) -> None:
    if (moment, mode) == ("before the merge", "append"):
        pytest.skip("rows are appended without a merge")
    pid = loads.start(path, mode=mode, stop_at=moment, **OPTIONS)
    assert loads.reached() == "stopped"
    loads.kill(pid)
    assert loads.end() == -9
    load_states.assert_nothing_without_success()
    statuses = list(LoadLog.objects.values_list("status", flat=True))
    expected = {"before the pending row": [], "after the commit": ["success"]}
    assert statuses == expected.get(moment, ["pending"])
    loaded = complete(path, mode)
    assert loaded.status == ("skipped" if moment == "after the commit" else "success")
    assert LoadLog.objects.get().attempts == (2 if statuses == ["pending"] else 1)


@pytest.mark.usefixtures("empty_queue")
@pytest.mark.parametrize("moment", TASK_MOMENTS)
def test_request_of_a_killed_worker_is_completed_by_the_next(path: Path, loads: LoadProcesses, moment: str) -> None:
    request_id = enqueue(path, "upsert")
    pid = loads.start_task(request_id, stop_at=moment)
    assert loads.reached() == "stopped"
    loads.kill(pid)
    assert loads.end() == -9
    load_states.assert_nothing_without_success()
    assert LoadRequest.objects.get().state == "running"
    eventually(lambda: rescue_requests().dispatched)  # the backend of the killed worker may not have ended yet
    was_loaded = moment in {"after the commit", "before the end of the request"}
    assert tasks.import_file(request_id)["result"] == ("skipped" if was_loaded else "success")
    request = LoadRequest.objects.get()
    assert (request.state, request.attempts, request.error_message) == ("ended", 2, None)
    assert (request.load_id, load_states.row_count()) == (LoadLog.objects.get().pk, ROWS - REJECTS)
    load_states.assert_nothing_without_success()
    load_states.assert_no_locks()


@pytest.mark.slow
@pytest.mark.parametrize("gate", [GATE, COMMIT_GATE.format("")], ids=["merge", "commit"])
def test_statement_of_a_killed_load_ends_and_frees_its_lock(path: Path, loads: LoadProcesses, gate: str) -> None:
    sql(gate)
    with another_session() as holder:
        holder.execute("SELECT pg_advisory_lock(4711)")
        pid = loads.start(path, mode="upsert", **OPTIONS)
        [(backend,)] = eventually(lambda: sql(WAITING))
        loads.kill(pid)
        assert loads.end() == -9
        eventually(lambda: not sql("SELECT 1 FROM pg_stat_activity WHERE pid = %s", backend))
        load_states.assert_nothing_without_success()
        assert recovery.recover_loads(actor="test") == [LoadLog.objects.get().pk]
        load_states.assert_nothing_without_success()
    complete(path, "upsert")


def test_commit_of_a_killed_load_is_kept(path: Path, loads: LoadProcesses) -> None:
    # The server does not notice meanwhile that its client is gone.
    sql(COMMIT_GATE.format("PERFORM set_config('client_connection_check_interval', '0', true);"))
    with another_session() as holder:
        holder.execute("SELECT pg_advisory_lock(4711)")
        pid = loads.start(path, mode="append", **OPTIONS)
        eventually(lambda: sql(WAITING))
        loads.kill(pid)
    assert loads.end() == -9
    assert complete(path, "append").status == "skipped"


def test_refresh_of_a_killed_load_is_dispatched_by_a_rescue(path: Path, loads: LoadProcesses) -> None:
    create_custom_manifest("reporting.orders", "SELECT count(*) FROM landing.orders")
    pid = loads.start(path, mode="append", stop_at="after the commit", **OPTIONS)
    assert loads.reached() == "stopped"
    loads.kill(pid)
    assert loads.end() == -9
    assert LoadRefresh.objects.get().dispatched_at is None
    sql("UPDATE load_refresh SET created_at = created_at - interval '1 minute'")
    assert len(dependent_refreshes.rescue_refreshes().dispatches) == 1
    assert LoadRefresh.objects.get().dispatched_at is not None


@pytest.mark.slow
@pytest.mark.usefixtures("empty_queue")
def test_kill_at_a_random_moment_leaves_all_or_nothing(
    path: Path, loads: LoadProcesses, capsys: pytest.CaptureFixture[str]
) -> None:
    generator = random.Random(20261121)  # noqa: S311  # moments, not secrets
    found = Counter[str]()
    longest = seconds_of_a_load(path, loads)
    for number in range(KILLS):
        mode = generator.choice(MODES)
        is_queued = generator.random() < 0.3
        pid = loads.start_task(enqueue(path, mode)) if is_queued else loads.start(path, mode=mode, **OPTIONS)
        # A moment after the start, or after the row was inserted.
        early = generator.random() < 0.2
        eventually(lambda: early or LoadLog.objects.exists())  # noqa: B023  # called at once
        Event().wait(generator.uniform(0, longest if early else longest / 3))  # a random moment of the load
        if number % 4:
            loads.kill(pid)
        else:
            sql(f"SELECT pg_terminate_backend(pid, 5000) {OTHERS}")
        assert loads.end() in ({0, -9} if number % 4 else {0, 1})
        eventually(lambda: not sql(f"SELECT pid {OTHERS}"))
        load_states.assert_nothing_without_success()
        row = LoadLog.objects.first()
        found[row.status if row else "nothing"] += 1
        if generator.random() < 0.5:
            recovery.recover_loads(actor="test")
            load_states.assert_nothing_without_success()
            assert not LoadLog.objects.filter(status="pending").exists()
        complete(path, mode)
        sql("TRUNCATE landing.orders")
        forget_loads()
    with capsys.disabled():
        sys.stdout.write(f"\n{KILLS} kills left {dict(found)}\n")
    assert found["pending"] + found["failed"] > KILLS // 10, "some kills came in the middle"


def seconds_of_a_load(path: Path, loads: LoadProcesses) -> float:
    """Return how long a load takes that is not killed."""
    begun = monotonic()
    loads.start(path, mode="append", **OPTIONS)
    assert loads.end() == 0
    seconds = monotonic() - begun
    sql("TRUNCATE landing.orders")
    forget_loads()
    return seconds
