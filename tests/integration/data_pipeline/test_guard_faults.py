"""`process_once` after unusual failures: the session keeps no lock and no id, and the row tells the truth."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import IntegrityError, OperationalError, connections, transaction
from django.db.transaction import TransactionManagementError

from data_pipeline import compute_idempotency_key, process_once
from data_pipeline.errors import LoadInProgress
from data_pipeline.models import LoadLog
from data_pipeline.postgres import load_log
from data_pipeline.services import recovery
from data_pipeline.services.process_handle import ProcessHandle
from tests.blocked_calls import blocked_call
from tests.conftest import another_session, sql
from tests.polling import eventually

KEY = compute_idempotency_key(payload=b"one")
LOCK = f"pg_advisory_lock(hashtextextended('{load_log.lock_key('test', KEY)}', 0))"
DEFERRED_CHECK = """
    CREATE FUNCTION landing.refuse() RETURNS trigger LANGUAGE plpgsql AS
        $$BEGIN RAISE 'refused' USING ERRCODE = 'check_violation'; END$$;
    CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON landing.numbers DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION landing.refuse()"""


@pytest.fixture(autouse=True)
def _numbers(load_tables: None) -> Iterator[None]:
    sql("CREATE TABLE landing.numbers (n integer)")
    yield
    assert_session_is_clean()
    connections["default"].close()


def assert_session_is_clean() -> None:
    """Assert that this session holds no lock and no id of a load, and can be used."""
    held = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()"
    assert sql(f"SELECT ({held}), coalesce(current_setting('data_pipeline.load_id', true), '')") == [(0, "")]
    assert connections["default"].get_autocommit()


@contextmanager
def loading() -> Iterator[ProcessHandle]:
    """Load a row, and then run the block."""
    with process_once(source="test", payload_meta={}, idempotency_key=KEY) as handle:
        assert handle is not None
        with handle.connection.cursor() as cursor:
            cursor.execute("INSERT INTO landing.numbers VALUES (1)")
        yield handle


def load() -> bool:
    """Load a row. Return False for a duplicate."""
    with process_once(source="test", payload_meta={}, idempotency_key=KEY) as handle:
        if handle is not None:
            sql("INSERT INTO landing.numbers VALUES (1)")
    return handle is not None


def load_and_fail(keep: str = "SELECT", meanwhile: Callable[[], object] = lambda: None) -> None:
    """Fail after a row was loaded. `keep` is executed with the failure."""

    def after_failure(_: BaseException) -> None:
        sql(keep)

    with loading() as handle:
        handle.after_failure = after_failure
        meanwhile()
        raise ValueError("no")


def outcome() -> tuple[Any, ...]:
    row = LoadLog.objects.get()
    return row.status, row.error_code, sql("SELECT count(*) FROM landing.numbers")[0][0]


def test_failed_commit_is_recorded_and_forgets_the_load_id() -> None:
    sql(DEFERRED_CHECK)
    with pytest.raises(IntegrityError), loading():
        pass
    assert outcome() == ("failed", "23514", 0)


def test_rollback_of_a_swallowed_error_is_no_success() -> None:
    with pytest.raises(TransactionManagementError), loading():
        transaction.set_rollback(True)
    assert outcome() == ("failed", "TransactionManagementError", 0)
    assert load() is True


def test_claim_that_waits_too_long_releases_its_lock() -> None:
    sql("INSERT INTO load_log (source, idempotency_key, status) VALUES ('test', %s, 'pending')", KEY)
    sql("SET lock_timeout = '50ms'")
    with another_session() as other, other.transaction():
        other.execute("SELECT FROM load_log FOR UPDATE")
        with pytest.raises(OperationalError):
            load()
    assert_session_is_clean()
    assert load() is True
    assert outcome() == ("success", None, 1)


def test_signal_in_the_claim_releases_its_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    claim = load_log.claim

    def claim_and_be_interrupted(*args: Any, **kwargs: Any) -> None:
        claim(*args, **kwargs)
        raise KeyboardInterrupt("SIGTERM")

    monkeypatch.setattr(load_log, "claim", claim_and_be_interrupted)
    with pytest.raises(KeyboardInterrupt):
        load()
    assert outcome() == ("pending", None, 0)
    assert_session_is_clean()
    assert recovery.recover_loads(actor="test") == [LoadLog.objects.get().pk]


def test_failure_that_cannot_be_written_releases_the_lock() -> None:
    sql("SET lock_timeout = '50ms'")
    with another_session() as other, pytest.raises(ValueError, match="no"):
        load_and_fail(meanwhile=lambda: other.execute("BEGIN; SELECT FROM load_log FOR UPDATE"))
    assert outcome() == ("pending", None, 0)
    assert_session_is_clean()
    assert load() is True


def test_lock_that_cannot_be_released_ends_with_the_session(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OperationalError

    [(pid,)] = sql("SELECT pg_backend_pid()")
    with monkeypatch.context() as patch:
        patch.setattr(load_log, "release", fail)
        with pytest.raises(ValueError, match="no"):
            load_and_fail()
    assert sql("SELECT pg_backend_pid()") != [(pid,)]
    eventually(lambda: not sql("SELECT 1 FROM pg_stat_activity WHERE pid = %s", pid))
    assert load() is True


def test_dead_load_is_not_closed_once_it_lives_again() -> None:
    sql("INSERT INTO load_log (source, idempotency_key, status) VALUES ('test', %s, 'pending')", KEY)
    [stuck] = load_log.stuck_loads("default")
    with another_session() as other:
        other.execute(f"SELECT {LOCK}")
        assert load_log.interrupt("default", stuck, actor="test") is False
        assert load_log.stuck_loads("default") == []
        sql("UPDATE load_log SET attempts = 2")
        other.execute(f"SELECT {LOCK.replace('lock', 'unlock', 1)}")
    assert load_log.interrupt("default", stuck, actor="test") is False
    assert outcome() == ("pending", None, 0)


def test_what_cannot_be_kept_does_not_hide_the_failure() -> None:
    with pytest.raises(ValueError, match="no"):
        load_and_fail(keep="SELECT 1 / 0")
    assert outcome() == ("failed", "ValueError", 0)


def test_kept_rows_commit_with_the_failure() -> None:
    with pytest.raises(ValueError, match="no"):
        load_and_fail(keep="INSERT INTO landing.numbers VALUES (2)")
    assert outcome() == ("failed", "ValueError", 1)
    assert sql("SELECT n.xmin = l.xmin FROM landing.numbers AS n, load_log AS l") == [(True,)]


def test_attempt_that_was_taken_over_keeps_nothing() -> None:
    take_over = "UPDATE load_log SET attempts = attempts + 1"
    with another_session() as other, pytest.raises(ValueError, match="no"):
        load_and_fail(keep="INSERT INTO landing.numbers VALUES (2)", meanwhile=lambda: other.execute(take_over))
    assert outcome() == ("pending", None, 0)


def test_duplicate_keeps_no_lock() -> None:
    assert load() is True
    assert load() is False
    assert_session_is_clean()


def test_duplicate_is_skipped_even_if_the_lock_is_taken() -> None:
    load()
    with another_session() as other:
        other.execute(f"SELECT {LOCK}")
        assert load() is False
    assert outcome() == ("skipped", None, 1)


def test_claim_reads_what_was_committed_while_it_waited() -> None:
    sql("INSERT INTO load_log (source, idempotency_key, status) VALUES ('test', %s, 'pending')", KEY)

    def load_with_one_snapshot() -> bool:
        sql("SET default_transaction_isolation = 'repeatable read'")
        return load()

    with another_session() as other:
        other.execute("BEGIN; UPDATE load_log SET status = 'success'")
        with blocked_call(other, load_with_one_snapshot) as result:
            other.execute("COMMIT")
    assert result.result() is False
    assert outcome() == ("skipped", None, 0)


def test_failed_load_whose_lock_is_taken_is_in_progress() -> None:
    with pytest.raises(ValueError, match="no"):
        load_and_fail()
    with another_session() as other:
        other.execute(f"SELECT {LOCK}")
        with pytest.raises(LoadInProgress):
            load()
    assert outcome() == ("failed", "ValueError", 0)


def test_metadata_that_jsonb_refuses_are_stored_escaped() -> None:
    with loading() as handle:
        handle.update_meta({"name": "a\0\udc80"}, at=datetime(2025, 1, 2, tzinfo=UTC))
    meta = {"name": "a\\x00\\udc80", "at": "2025-01-02T00:00:00+00:00"}
    assert LoadLog.objects.get().payload_meta == meta


def test_metadata_of_an_unknown_type_fail_the_load() -> None:
    with pytest.raises(TypeError), loading() as handle:
        handle.update_meta(what=object())
    assert outcome() == ("failed", "TypeError", 0)
