"""`process_once`: success with the rows, failure after a rollback, duplicates, takeovers and lost commits."""

import threading
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.db import DataError, OperationalError, ProgrammingError, connection, connections, transaction

from data_pipeline import compute_idempotency_key, process_once
from data_pipeline.errors import BadIdempotencyKey, BadSource, InsideTransaction, LoadInProgress, LoadTakenOver
from data_pipeline.models import LoadEvent, LoadLog
from data_pipeline.services import recovery
from tests.conftest import sql

pytestmark = pytest.mark.usefixtures("load_tables")
KEY = compute_idempotency_key(payload=b"one")


@pytest.fixture(autouse=True)
def numbers(load_tables: None) -> None:
    sql("CREATE TABLE landing.numbers (n integer, load_id bigint)")


def load(
    *,
    fail: BaseException | None = None,
    on_duplicate: str = "skip",
    finish: Callable[[], object] = lambda: None,
    **meta: object,
) -> bool:
    """Load a row. Return False for a duplicate."""
    with process_once(source="test", payload_meta=meta, idempotency_key=KEY, on_duplicate=on_duplicate) as handle:
        if handle is None:
            return False
        with handle.session.cursor() as cursor:
            cursor.execute("INSERT INTO landing.numbers VALUES (1, current_setting('data_pipeline.load_id')::bigint)")
        handle.update_meta(rows=1)
        finish()
        if fail:
            raise fail
    return True


def rows() -> list[tuple[object, ...]]:
    return sql("SELECT n, load_id FROM landing.numbers")


def row() -> LoadLog:
    return LoadLog.objects.get()


def events() -> list[str]:
    return list(LoadEvent.objects.order_by("id").values_list("event", flat=True))


def test_success_and_rows_have_one_commit() -> None:
    assert load(etag="x") is True
    assert rows() == [(1, row().pk)]
    assert (row().status, row().payload_meta, row().attempts) == ("success", {"etag": "x", "rows": 1}, 1)
    assert row().duration_ms is not None
    assert sql("SELECT xid IS NOT NULL, pg_xact_status(xid) FROM load_log") == [(True, "committed")]
    assert events() == ["claimed", "loaded"]
    assert sql("SELECT current_setting('data_pipeline.load_id')") == [("",)]


def test_duplicate_is_skipped_and_keeps_that_it_succeeded() -> None:
    load(etag="x")
    succeeded_at = row().succeeded_at
    assert load(etag="y") is False
    assert load(etag="y") is False
    assert len(rows()) == 1
    assert (row().status, row().succeeded_at, row().attempts) == ("skipped", succeeded_at, 1)
    assert row().payload_meta == {"etag": "x", "rows": 1}


def test_duplicate_with_update_meta_refreshes_the_metadata() -> None:
    load(etag="x")
    assert load(etag="y", on_duplicate="update_meta") is False
    assert (row().status, row().payload_meta) == ("skipped", {"etag": "y", "rows": 1})


def test_failure_rolls_back_and_keeps_1024_characters() -> None:
    with pytest.raises(ValueError, match="é"):
        load(fail=ValueError("é" * 2000))
    assert rows() == []
    assert (row().status, row().error_message, row().error_code) == ("failed", "é" * 1024, "ValueError")
    assert events() == ["claimed", "failed"]


def test_failed_load_is_attempted_again() -> None:
    with suppress(ValueError):
        load(fail=ValueError("no"))
    assert load() is True
    assert (row().status, row().attempts, row().error_message) == ("success", 2, None)
    assert len(rows()) == 1


def test_database_error_is_recorded_with_its_sqlstate() -> None:
    with pytest.raises(DataError):
        load(finish=lambda: sql("SELECT 1/0"))
    assert (row().status, row().error_code) == ("failed", "22012")


def test_interrupt_is_recorded_and_raised() -> None:
    with pytest.raises(KeyboardInterrupt):
        load(fail=KeyboardInterrupt("SIGTERM"))
    assert (row().status, row().error_message) == ("failed", "interrupted: SIGTERM")


@pytest.fixture
def other_process(load_tables: None) -> Iterator[threading.Event]:
    """Another session that is loading the same key until the event is set."""
    release, is_loading = threading.Event(), threading.Event()

    def work() -> None:
        try:
            with process_once(source="test", payload_meta={}, idempotency_key=KEY):
                is_loading.set()
                assert release.wait(60)
        finally:
            connections.close_all()

    thread = threading.Thread(target=work)
    thread.start()
    assert is_loading.wait(60)
    yield release
    release.set()
    thread.join(60)


def test_load_in_another_session_is_reported(other_process: threading.Event) -> None:
    with pytest.raises(LoadInProgress, match="is being loaded by"):
        load()
    assert row().status == "pending"


def test_load_waits_for_another_session(other_process: threading.Event) -> None:
    threading.Timer(0.1, other_process.set).start()
    with process_once(source="test", payload_meta={}, idempotency_key=KEY, wait=timedelta(seconds=60)) as handle:
        assert handle is None
    assert row().status == "skipped"


def test_dead_load_is_taken_over() -> None:
    sql("INSERT INTO load_log (source, idempotency_key, status) VALUES ('test', %s, 'pending')", KEY)
    assert load() is True
    assert (row().status, row().attempts) == ("success", 2)
    assert events() == ["attempted", "loaded"]


def test_dead_load_is_recovered_and_a_live_one_is_not(other_process: threading.Event) -> None:
    other_key = compute_idempotency_key(payload=b"two")
    sql("INSERT INTO load_log (source, idempotency_key, status) VALUES ('test', %s, 'pending')", other_key)
    assert recovery.recover_loads(actor="test") == [LoadLog.objects.get(idempotency_key=other_key).pk]
    stuck = LoadLog.objects.get(idempotency_key=other_key)
    assert (stuck.status, stuck.error_code) == ("failed", "interrupted")
    assert LoadLog.objects.get(idempotency_key=KEY).status == "pending"


def test_lost_session_leaves_no_rows_and_a_failed_load() -> None:
    with pytest.raises(OperationalError):
        load(finish=lambda: sql("SELECT pg_terminate_backend(pg_backend_pid())"))
    assert rows() == []
    assert (row().status, row().error_code) == ("failed", "57P01")


def test_load_taken_over_meanwhile_is_rolled_back() -> None:
    def take_over() -> None:
        with closing(connection.copy()) as other, other.cursor() as cursor:
            cursor.execute("UPDATE load_log SET attempts = attempts + 1")

    with pytest.raises(LoadTakenOver):
        load(finish=take_over)
    assert rows() == []
    assert row().status == "pending"


def test_call_inside_a_transaction_is_refused() -> None:
    with pytest.raises(InsideTransaction), transaction.atomic():
        load()
    assert not LoadLog.objects.exists()


@pytest.mark.parametrize("source", ["", "x" * 129, "a\0b"])
def test_bad_source_is_refused(source: str) -> None:
    with pytest.raises(BadSource), process_once(source=source, payload_meta={}, idempotency_key=KEY):
        pass


@pytest.mark.parametrize("key", ["", "A" * 64, "0" * 63])
def test_bad_key_is_refused(key: str) -> None:
    with pytest.raises(BadIdempotencyKey), process_once(source="test", payload_meta={}, idempotency_key=key):
        pass


def test_guard_takes_one_round_trip_in_and_two_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """The claim, and then the success and COMMIT. Calls that only use the connection's state have none."""
    calls, wait = list[str](), psycopg.Connection.wait

    def counting_wait(connection: psycopg.Connection, call: Any, *args: Any) -> Any:
        calls.extend([call.__name__] if call.__name__ in {"_execute_gen", "_commit_gen"} else [])
        return wait(connection, call, *args)

    sql("SELECT 1")  # opens the connection
    monkeypatch.setattr(psycopg.Connection, "wait", counting_wait)
    with process_once(source="test", payload_meta={}, idempotency_key=KEY):
        calls.append("block")
    assert calls == ["_execute_gen", "block", "_execute_gen", "_commit_gen"]


def test_connection_factory_can_be_given() -> None:
    with process_once(lambda: connection, source="test", payload_meta={}, idempotency_key=KEY) as handle:
        assert handle is not None
    assert row().status == "success"


def test_audit_cannot_be_changed() -> None:
    load()
    for statement in ("UPDATE load_event SET actor = ''", "DELETE FROM load_event", "TRUNCATE load_event"):
        with pytest.raises(ProgrammingError, match="append-only"):
            sql(statement)
