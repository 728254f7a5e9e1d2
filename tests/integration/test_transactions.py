"""Transactions of seeder on connections whose defaults are different."""

import psycopg
import pytest
from django.db import Error, connection

from seeder.postgres.transactions import BatchedTransaction, atomic, read_only_snapshot
from tests.conftest import another_session, sql

pytestmark = pytest.mark.usefixtures("bare_database")

LEVEL = "SHOW transaction_isolation"


@pytest.mark.parametrize("level", ["repeatable read", "serializable"])
def test_transactions_begin_read_committed(level: str) -> None:
    sql(f"SET default_transaction_isolation = '{level}'")
    with atomic():
        assert sql(LEVEL) == [("read committed",)]
        with atomic():
            assert sql(LEVEL) == [("read committed",)]
    with BatchedTransaction("default") as transaction:
        assert transaction.begin((f"{LEVEL};",), {}) == [[("read committed",)]]
    assert sql(LEVEL) == [(level,)]


def test_isolation_level_of_the_host_is_kept() -> None:
    connection.ensure_connection()
    connection.connection.isolation_level = psycopg.IsolationLevel.SERIALIZABLE
    with atomic():
        assert sql(LEVEL) == [("read committed",)]
    assert connection.connection.isolation_level is psycopg.IsolationLevel.SERIALIZABLE


def test_read_only_snapshot_sees_no_later_commit_and_cannot_write(contract_tables: None) -> None:
    with read_only_snapshot():
        before = sql("SELECT count(*) FROM reporting.seeder_run")
        with another_session() as other:
            other.execute(
                "INSERT INTO reporting.seeder_run (run_id, description, requested_by, started_at, workers, manifests,"
                " agencies) VALUES ('r', '', '', now(), 1, 0, '{}')"
            )
        assert sql("SELECT count(*) FROM reporting.seeder_run") == before
        with pytest.raises(Error, match="read-only"), atomic():
            sql("DELETE FROM reporting.seeder_run")
    sql("DELETE FROM reporting.seeder_run")


def test_read_only_snapshot_inside_a_transaction_is_refused(contract_tables: None) -> None:
    with atomic(), pytest.raises(RuntimeError, match="durable"), read_only_snapshot():
        pass
