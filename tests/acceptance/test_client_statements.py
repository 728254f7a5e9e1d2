"""`DjangoORMClient`: statements, transactions and errors."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, suppress
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.db import IntegrityError
from django.utils.connection import ConnectionDoesNotExist

from seeder.client import DjangoORMClient
from seeder.errors import (
    ColumnsNamedTwice,
    SeederError,
    ServerUnreachable,
    StatementRefused,
    TransactionRolledBack,
)
from tests.conftest import sql

pytestmark = pytest.mark.usefixtures("bare_database")


def test_rows_are_dictionaries_of_python_values() -> None:
    [row] = DjangoORMClient().fetch_all(
        "SELECT 1 AS n, 1.5 AS d, jsonb '{\"a\": [1]}' AS j, ARRAY['x'] AS a, NULL AS nothing,"
        " 'pg_class'::regclass AS r, timestamptz '2026-01-01 12:00+01' AS at"
    )
    assert row == {
        "n": 1,
        "d": Decimal("1.5"),
        "j": {"a": [1]},
        "a": ["x"],
        "nothing": None,
        "r": "pg_class",
        "at": datetime(2026, 1, 1, 11, tzinfo=UTC),
    }


def test_fetch_one_and_value_without_rows_return_none() -> None:
    client = DjangoORMClient()
    assert client.fetch_one("SELECT n FROM generate_series(7, 9) AS n") == {"n": 7}
    assert client.fetch_value("SELECT n, 1 FROM generate_series(7, 9) AS n") == 7
    assert client.fetch_all("SELECT 1 AS n WHERE false") == []
    assert client.fetch_one("SELECT 1 AS n WHERE false") is None
    assert client.fetch_value("SELECT 1 AS n WHERE false") is None


def test_percent_without_parameters_is_an_ordinary_character() -> None:
    client = DjangoORMClient()
    assert client.fetch_value("SELECT '100%s %(x)s %'") == "100%s %(x)s %"
    assert client.fetch_value("SELECT '100%'", []) == "100%"
    assert client.fetch_value("SELECT %s || '%%'", ["100"]) == "100%"
    assert client.fetch_value("SELECT %(name)s", {"name": "O'Neil; DROP TABLE x"}) == "O'Neil; DROP TABLE x"


def test_execute_returns_number_of_affected_rows() -> None:
    client = DjangoORMClient()
    assert client.execute("CREATE SCHEMA desk; CREATE TABLE desk.notes (n int)") == 0
    assert client.execute("INSERT INTO desk.notes SELECT generate_series(1, %s)", [5]) == 5
    assert client.execute("DELETE FROM desk.notes WHERE n > 3") == 2
    assert client.fetch_all("DELETE FROM desk.notes WHERE n = 3") == []
    assert client.fetch_all("INSERT INTO desk.notes VALUES (4) RETURNING n") == [{"n": 4}]
    assert sql("SELECT n FROM desk.notes ORDER BY n") == [(1,), (2,), (4,)]


def test_several_statements_are_one_transaction_with_last_result() -> None:
    client = DjangoORMClient()
    assert client.fetch_all("SELECT 1 AS first; SELECT 2 AS last") == [{"last": 2}]
    with pytest.raises(StatementRefused, match="division by zero"):
        client.execute("CREATE SCHEMA desk; SELECT 1/0")
    assert sql("SELECT 1 FROM pg_namespace WHERE nspname = 'desk'") == []


@pytest.mark.parametrize("block", [nullcontext, DjangoORMClient().transaction], ids=["autocommit", "transaction"])
def test_fetch_iter_reads_chunks_from_a_server_side_cursor(
    block: Callable[[], AbstractContextManager[None]],
) -> None:
    client = DjangoORMClient()

    with block():
        rows = client.fetch_iter("SELECT n, jsonb '[]' AS j FROM generate_series(1, %s) AS n", [10], size=3)
        assert next(rows) == {"n": 1, "j": []}
        assert client.fetch_value("SELECT count(*) FROM pg_cursors") == 1
        assert [row["n"] for row in rows] == [*range(2, 11)]
        unread = client.fetch_iter("SELECT generate_series(1, 10) AS n", size=3)
        next(unread)
        del unread  # as after a break
        assert client.fetch_value("SELECT count(*) FROM pg_cursors") == 0


def test_transaction_commits_all_or_none_and_nested_is_a_savepoint() -> None:
    client = DjangoORMClient()
    client.execute("CREATE SCHEMA desk; CREATE TABLE desk.notes (n int UNIQUE)")

    def rolled_back(last: str) -> None:
        with client.transaction():
            client.execute("INSERT INTO desk.notes VALUES (2)")
            client.execute(last)

    with client.transaction():
        client.execute("INSERT INTO desk.notes VALUES (1)")
        with pytest.raises(StatementRefused):
            rolled_back("INSERT INTO desk.notes VALUES (1)")
        client.execute("INSERT INTO desk.notes VALUES (3)")
    assert sql("SELECT n FROM desk.notes ORDER BY n") == [(1,), (3,)]
    with pytest.raises(StatementRefused):
        rolled_back("SELECT 1/0")
    assert sql("SELECT n FROM desk.notes ORDER BY n") == [(1,), (3,)]


def test_transaction_with_caught_error_raises_rolled_back() -> None:
    client = DjangoORMClient()
    client.execute("CREATE SCHEMA desk; CREATE TABLE desk.notes (n int UNIQUE DEFERRABLE INITIALLY DEFERRED)")

    def caught(last: str) -> None:
        with client.transaction():
            client.execute("INSERT INTO desk.notes VALUES (1)")
            with suppress(SeederError):
                client.execute(last)

    def failing_at_commit() -> None:
        with client.transaction():
            client.execute("INSERT INTO desk.notes VALUES (2), (2)")

    for last in ("SELECT 1/0", "COPY desk.notes TO STDOUT", "SELECT pg_terminate_backend(pg_backend_pid())"):
        with pytest.raises(TransactionRolledBack):
            caught(last)
    with pytest.raises(StatementRefused, match="duplicate key"):
        failing_at_commit()
    with client.transaction():
        with pytest.raises(TransactionRolledBack):
            caught("SELECT 1/0")
        client.execute("INSERT INTO desk.notes VALUES (3)")
    assert sql("SELECT n FROM desk.notes") == [(3,)]
    with pytest.raises(IntegrityError), client.transaction():
        raise IntegrityError  # of the ORM: raised unchanged


def test_client_uses_the_database_of_its_alias() -> None:
    name = "SELECT current_database()"
    assert DjangoORMClient("archive").fetch_value(name) != DjangoORMClient().fetch_value(name)
    with pytest.raises(ConnectionDoesNotExist, match="'attic' doesn't exist"):
        DjangoORMClient("attic").fetch_value(name)


def test_failed_statement_raises_one_line_with_sqlstate() -> None:
    client = DjangoORMClient()
    with pytest.raises(StatementRefused) as raised:
        client.fetch_all("SELECT nope\nFROM pg_class")
    assert str(raised.value) == 'The statement could not be run: column "nope" does not exist (SQLSTATE 42703)'
    assert raised.value.facts["sqlstate"] == "42703"
    with pytest.raises(StatementRefused, match="1 placeholders but 2 parameters"):
        client.fetch_all("SELECT %s", [1, 2])
    client.execute("CREATE SCHEMA desk; CREATE TABLE desk.notes (n int UNIQUE)")
    with pytest.raises(StatementRefused) as duplicate:
        client.execute("INSERT INTO desk.notes VALUES (1), (1)")
    assert isinstance(duplicate.value.__cause__, IntegrityError)


@pytest.mark.parametrize("statement", ["INSERT INTO pg_am VALUES (1)", "SELECT 1; SELECT 2"])
def test_fetch_iter_of_anything_but_one_query_is_refused(statement: str) -> None:
    with pytest.raises(StatementRefused, match="42601"):
        next(DjangoORMClient().fetch_iter(statement))


def test_duplicate_column_names_raise_columns_named_twice() -> None:
    with pytest.raises(ColumnsNamedTwice, match=r"the same name: n\. Give"):
        DjangoORMClient().fetch_all("SELECT 1 AS n, 2 AS n, 3 AS m")


def test_lost_connection_is_replaced_for_the_next_statement() -> None:
    client = DjangoORMClient()
    with pytest.raises(ServerUnreachable):
        client.execute("SELECT pg_terminate_backend(pg_backend_pid())")
    assert client.fetch_value("SELECT 1") == 1
    client.close()
    assert client.fetch_value("SELECT 1") == 1


@pytest.mark.parametrize("statement", ["COPY pg_am TO STDOUT", "COPY pg_am FROM STDIN"])
def test_copy_is_refused_and_connection_stays_usable(statement: str) -> None:
    client = DjangoORMClient()
    with pytest.raises(StatementRefused, match="COPY cannot be used"):
        client.execute(statement)
    assert client.fetch_value("SELECT 1") == 1
