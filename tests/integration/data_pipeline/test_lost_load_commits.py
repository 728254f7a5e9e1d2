"""A connection that is lost during the commit of a load: its row shows whether the rows are committed."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event, current_thread
from typing import Any

import psycopg
import pytest
from django.db import connections
from pytest_django import Settings

from data_pipeline.models import LoadEvent, LoadLog
from data_pipeline.postgres import load_log
from data_pipeline.services.load_file import load_file
from data_pipeline.services.load_options import Loaded
from seeder.errors import SeederError
from tests.acceptance.data_pipeline import load_states
from tests.blocked_calls import BLOCKED_BY
from tests.conftest import another_session, default_database, sql
from tests.injection.injected_failures import cut
from tests.polling import eventually
from tests.server_proxy import proxy_to_server

pytestmark = pytest.mark.usefixtures("load_tables")
ROWS = 500
# A load checks constraints at once, so the trigger of the commit is deferred again. The server does not notice that its
# client is gone.
GATE = """
    CREATE FUNCTION landing.gate() RETURNS trigger LANGUAGE plpgsql AS
        $$BEGIN PERFORM pg_advisory_xact_lock_shared(4711); {} RETURN NULL; END$$;
    CREATE CONSTRAINT TRIGGER load_gate AFTER UPDATE ON load_log DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW WHEN (NEW.status = 'success') EXECUTE FUNCTION landing.gate();
    CREATE FUNCTION landing.defer() RETURNS trigger LANGUAGE plpgsql AS
        $$BEGIN SET CONSTRAINTS load_gate DEFERRED; PERFORM set_config('client_connection_check_interval', '0', true);
        RETURN NEW; END$$;
    CREATE TRIGGER defer BEFORE UPDATE ON load_log FOR EACH ROW EXECUTE FUNCTION landing.defer()"""
WAITING = "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND objid = 4711 AND NOT granted"


@pytest.fixture
def path(load_tables: None, tmp_path: Path, settings: Settings) -> Path:
    settings.DATA_PIPELINE = {"REFRESH_AFTER_LOAD": False}
    sql(
        "CREATE TABLE landing.orders (id integer PRIMARY KEY,"
        " load_id bigint DEFAULT nullif(current_setting('data_pipeline.load_id', true), '')::bigint)"
    )
    path = tmp_path / "orders.csv"
    path.write_text("id\n" + "".join(f"{number}\n" for number in range(ROWS)))
    return path


def load(path: Path) -> Loaded:
    return load_file(str(path), table="landing.orders")


class LostAnswer:
    """An answer of the server that never arrives, because the connection is lost."""

    def __init__(self) -> None:
        self.is_armed = Event()

    def transform(self, data: bytes) -> bytes:
        if self.is_armed.is_set() and b"COMMIT\0" in data:
            self.is_armed.clear()
            raise OSError("the connection is lost")
        return data


def test_commit_with_a_lost_answer_is_a_success(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lost, complete = LostAnswer(), load_log.complete

    def complete_and_arm(*args: Any, **kwargs: Any) -> bool:
        lost.is_armed.set()
        return complete(*args, **kwargs)

    monkeypatch.setattr(load_log, "complete", complete_and_arm)
    with (
        proxy_to_server(transform=lost.transform) as (host, port),
        default_database({"DB_HOST": host, "DB_PORT": str(port)}),
    ):
        loaded = load(path)
        load_states.assert_no_locks()
    assert not lost.is_armed.is_set(), "an answer was lost"
    assert (loaded.status, loaded.counts.rows_inserted) == ("success", ROWS)
    load_states.assert_nothing_without_success()
    assert load_states.row_count() == ROWS
    assert load(path).status == "skipped"


@pytest.fixture
def gate_session(path: Path) -> Iterator["psycopg.Connection[Any]"]:
    """A session that lets commits wait."""
    with another_session() as session:
        session.execute("SELECT pg_advisory_lock(4711)")
        yield session


@pytest.mark.parametrize("succeeds", [True, False], ids=["committed", "rolled back"])
def test_lost_connection_in_a_commit_waits_for_its_result(
    path: Path,
    gate_session: "psycopg.Connection[Any]",
    monkeypatch: pytest.MonkeyPatch,
    succeeds: bool,  # noqa: FBT001  # parameter of pytest
) -> None:
    sql(GATE.format("" if succeeds else "RAISE 'refused';"))
    complete, wait, lost_pids = load_log.complete, psycopg.Connection.wait, list[int]()

    def complete_and_lose_connection(*args: Any, **kwargs: Any) -> bool:
        result = complete(*args, **kwargs)
        monkeypatch.setattr(psycopg.Connection, "wait", lose_connection_in_commit)
        return result

    def lose_connection_in_commit(connection: "psycopg.Connection[Any]", call: Any, *args: Any, **kwargs: Any) -> Any:
        if current_thread().name.startswith("loader"):  # it sends COMMIT next
            monkeypatch.setattr(psycopg.Connection, "wait", wait)
            next(call)
            [(pid,)] = eventually(lambda: gate_session.execute(WAITING).fetchall())
            lost_pids.append(pid)
            cut(connection)
        return wait(connection, call, *args, **kwargs)

    def load_as_another_process() -> Loaded | Exception:
        try:
            return load(path)
        except SeederError as error:
            return error
        finally:
            connections.close_all()

    monkeypatch.setattr(load_log, "complete", complete_and_lose_connection)
    with ThreadPoolExecutor(1, thread_name_prefix="loader") as thread:
        running = thread.submit(load_as_another_process)
        eventually(lambda: lost_pids or running.done())
        eventually(lambda: gate_session.execute(BLOCKED_BY, lost_pids).fetchone() or running.done())
        assert not running.done(), "the result is not known yet"
        gate_session.execute("SELECT pg_advisory_unlock(4711)")
        result = running.result(60)
    row = LoadLog.objects.get()
    if succeeds:
        assert isinstance(result, Loaded)
        assert (row.status, load_states.row_count()) == ("success", ROWS)
    else:
        assert isinstance(result, SeederError)
        assert (row.status, row.error_code) == ("failed", "08006")
        assert LoadEvent.objects.latest("id").event == "failed"
    load_states.assert_nothing_without_success()
