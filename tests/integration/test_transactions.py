"""Transactions of seeder on connections whose defaults are different."""

import psycopg
import pytest
from django.db import connection

from seeder.postgres.transactions import BatchedTransaction, atomic
from tests.conftest import sql

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
