"""Loads that the server or a signal ends: `failed` with SQLSTATE, nothing is kept, and the session can be used."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connections
from pytest_django import Settings

from data_pipeline.models import LoadLog
from data_pipeline.services.load_file import load_file
from seeder.errors import SeederError
from tests.acceptance.data_pipeline import load_states
from tests.conftest import another_session, sql
from tests.polling import eventually

pytestmark = pytest.mark.usefixtures("load_tables")
ROWS = 3_000
MODES = ["append", "upsert", "replace", "snapshot"]
# A trigger that ends the load in its own way. A row that a trigger refuses with RAISE would only be rejected.
TRIGGER = """
    CREATE FUNCTION landing.act() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN {}; RETURN NEW; END$$;
    CREATE TRIGGER act BEFORE INSERT ON landing.orders FOR EACH ROW WHEN (NEW.id = 2500)
        EXECUTE FUNCTION landing.act()"""
SLEEP = TRIGGER.format("PERFORM pg_sleep(60)")
ENDINGS = {
    "statement timeout": (SLEEP, "SET statement_timeout = '300ms'", "57014"),
    "lock timeout": (TRIGGER.format("LOCK TABLE landing.locked"), "SET lock_timeout = '50ms'", "55P03"),
    "cancelled": (TRIGGER.format("PERFORM pg_cancel_backend(pg_backend_pid()), pg_sleep(60)"), "SELECT 1", "57014"),
    "terminated": (TRIGGER.format("PERFORM pg_terminate_backend(pg_backend_pid(), 5000)"), "SELECT 1", "57P01"),
}


@pytest.fixture
def path(load_tables: None, tmp_path: Path, settings: Settings) -> Iterator[Path]:
    """A file of several chunks, with rejects in the first one."""
    settings.DATA_PIPELINE = {"INGEST_STREAMING_CHUNK_SIZE": 500, "REFRESH_AFTER_LOAD": False}
    sql(
        "CREATE TABLE landing.orders (id integer PRIMARY KEY, note varchar(4),"
        " load_id bigint DEFAULT nullif(current_setting('data_pipeline.load_id', true), '')::bigint);"
        " CREATE TABLE landing.locked ();"
        " INSERT INTO landing.orders VALUES (-1, 'old'), (1, 'old')"
    )
    path = tmp_path / "orders.csv"
    path.write_text("id,note\n0,too long\n" + "".join(f"{number},x\n" for number in range(2, ROWS)))
    yield path
    connections["default"].close()  # with its settings


def load(path: Path, mode: str, meanwhile: Callable[[], object] = lambda: None) -> None:
    def on_progress(_: object) -> None:
        meanwhile()

    load_file(str(path), table="landing.orders", mode=mode, max_rejects=1, on_progress=on_progress)


def old_rows() -> list[tuple[object, ...]]:
    return sql("SELECT id, note FROM landing.orders WHERE load_id IS NULL ORDER BY id")


def assert_failed(code: str) -> None:
    """Assert that nothing of the load is kept, and that this session is as before."""
    row = LoadLog.objects.get()
    assert (row.status, row.error_code) == ("failed", code)
    assert row.error_message
    load_states.assert_nothing_without_success()
    load_states.assert_no_locks()
    assert old_rows() == [(-1, "old"), (1, "old")]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("ending", ENDINGS)
def test_load_that_the_server_ends_is_failed_with_its_sqlstate(path: Path, mode: str, ending: str) -> None:
    action, setting, code = ENDINGS[ending]
    sql(action)
    sql(setting)
    with another_session() as other:
        other.execute("BEGIN; LOCK TABLE landing.locked")
        with pytest.raises(SeederError):
            load(path, mode)
    assert_failed(code)
    sql("DROP TRIGGER act ON landing.orders; RESET ALL")
    load(path, mode)
    assert load_states.row_count() == ROWS - 2
    load_states.assert_nothing_without_success()


def test_merge_that_waits_too_long_for_the_table_is_failed(path: Path) -> None:
    sql("SET lock_timeout = '50ms'")
    with another_session() as other:
        other.execute("BEGIN; DELETE FROM landing.orders WHERE false")
        with pytest.raises(SeederError):
            load(path, "upsert")
    assert_failed("55P03")


@pytest.mark.parametrize("mode", MODES)
def test_signal_during_a_load_is_recorded(path: Path, mode: str) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt("SIGTERM")

    with pytest.raises(KeyboardInterrupt):
        load(path, mode, interrupt)
    assert_failed("interrupted")
    assert LoadLog.objects.get().error_message == "interrupted: SIGTERM"
    load(path, mode)
    assert load_states.row_count() == ROWS - 2


@pytest.mark.parametrize("mode", MODES)
def test_session_lost_while_the_client_works_fails_the_load(path: Path, mode: str) -> None:
    def terminate() -> None:
        [(pid,)] = sql("SELECT pg_backend_pid()")
        with another_session() as other:
            other.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])

    with pytest.raises(SeederError):
        load(path, mode, terminate)
    assert_failed("57P01")
    load(path, mode)
    assert load_states.row_count() == ROWS - 2


def test_idle_client_loses_its_session_and_fails_the_load(path: Path) -> None:
    sql("SET idle_in_transaction_session_timeout = '50ms'")
    [(pid,)] = sql("SELECT pg_backend_pid()")
    with another_session() as other, pytest.raises(SeederError):
        load(path, "append", lambda: wait_until_gone(other, pid))
    assert_failed("25P03")


def wait_until_gone(session: "psycopg.Connection[Any]", pid: int) -> None:
    eventually(lambda: not session.execute("SELECT 1 FROM pg_stat_activity WHERE pid = %s", [pid]).fetchall())
