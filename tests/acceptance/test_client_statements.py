"""What a client of scripts and notebooks is asked, and how it is answered."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, suppress
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.db import IntegrityError

from seeder.client import DjangoORMClient
from seeder.errors import (
    ColumnsNamedTwice,
    ConfigurationError,
    SeederError,
    ServerUnreachable,
    StatementRefused,
    TransactionRolledBack,
)
from tests.conftest import sql

asking = pytest.mark.usefixtures("bare_database")


@asking
def test_rows_come_by_the_names_of_their_columns_as_values_of_python() -> None:
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


@asking
def test_one_row_one_value_and_none_where_there_is_nothing() -> None:
    client = DjangoORMClient()
    assert client.fetch_one("SELECT n FROM generate_series(7, 9) AS n") == {"n": 7}
    assert client.fetch_value("SELECT n, 1 FROM generate_series(7, 9) AS n") == 7
    assert client.fetch_all("SELECT 1 AS n WHERE false") == []
    assert client.fetch_one("SELECT 1 AS n WHERE false") is None
    assert client.fetch_value("SELECT 1 AS n WHERE false") is None


@asking
def test_a_percent_is_only_a_character_unless_there_are_parameters() -> None:
    client = DjangoORMClient()
    assert client.fetch_value("SELECT '100%s %(x)s %'") == "100%s %(x)s %"
    assert client.fetch_value("SELECT '100%'", []) == "100%"
    assert client.fetch_value("SELECT %s || '%%'", ["100"]) == "100%"
    assert client.fetch_value("SELECT %(who)s", {"who": "O'Neil; DROP TABLE x"}) == "O'Neil; DROP TABLE x"


@asking
def test_executing_says_how_many_rows_it_was_about() -> None:
    client = DjangoORMClient()
    assert client.execute("CREATE SCHEMA desk; CREATE TABLE desk.notes (n int)") == 0
    assert client.execute("INSERT INTO desk.notes SELECT generate_series(1, %s)", [5]) == 5
    assert client.execute("DELETE FROM desk.notes WHERE n > 3") == 2
    assert client.fetch_all("DELETE FROM desk.notes WHERE n = 3") == []
    assert client.fetch_all("INSERT INTO desk.notes VALUES (4) RETURNING n") == [{"n": 4}]
    assert sql("SELECT n FROM desk.notes ORDER BY n") == [(1,), (2,), (4,)]


@asking
def test_several_statements_are_one_transaction_and_answered_as_the_last_is() -> None:
    client = DjangoORMClient()
    assert client.fetch_all("SELECT 1 AS first; SELECT 2 AS last") == [{"last": 2}]
    with pytest.raises(StatementRefused, match="division by zero"):
        client.execute("CREATE SCHEMA desk; SELECT 1/0")
    assert sql("SELECT 1 FROM pg_namespace WHERE nspname = 'desk'") == []


@asking
@pytest.mark.parametrize("around", [nullcontext, DjangoORMClient().transaction], ids=["alone", "in a transaction"])
def test_many_rows_come_a_few_at_a_time_from_a_cursor_on_the_server(
    around: Callable[[], AbstractContextManager[None]],
) -> None:
    client = DjangoORMClient()

    with around():
        rows = client.fetch_iter("SELECT n, jsonb '[]' AS j FROM generate_series(1, %s) AS n", [10], size=3)
        assert next(rows) == {"n": 1, "j": []}
        assert client.fetch_value("SELECT count(*) FROM pg_cursors") == 1
        assert [row["n"] for row in rows] == [*range(2, 11)]
        left = client.fetch_iter("SELECT generate_series(1, 10) AS n", size=3)
        next(left)
        del left  # as a loop that is left does
        assert client.fetch_value("SELECT count(*) FROM pg_cursors") == 0


@asking
def test_a_transaction_holds_together_and_one_within_it_is_a_part() -> None:
    client = DjangoORMClient()
    client.execute("CREATE SCHEMA desk; CREATE TABLE desk.notes (n int UNIQUE)")

    def undone(last: str) -> None:
        with client.transaction():
            client.execute("INSERT INTO desk.notes VALUES (2)")
            client.execute(last)

    with client.transaction():
        client.execute("INSERT INTO desk.notes VALUES (1)")
        with pytest.raises(StatementRefused):
            undone("INSERT INTO desk.notes VALUES (1)")
        client.execute("INSERT INTO desk.notes VALUES (3)")
    assert sql("SELECT n FROM desk.notes ORDER BY n") == [(1,), (3,)]
    with pytest.raises(StatementRefused):
        undone("SELECT 1/0")
    assert sql("SELECT n FROM desk.notes ORDER BY n") == [(1,), (3,)]


@asking
def test_a_transaction_that_cannot_be_kept_says_so() -> None:
    client = DjangoORMClient()
    client.execute("CREATE SCHEMA desk; CREATE TABLE desk.notes (n int UNIQUE DEFERRABLE INITIALLY DEFERRED)")

    def swallowed(last: str) -> None:
        with client.transaction():
            client.execute("INSERT INTO desk.notes VALUES (1)")
            with suppress(SeederError):
                client.execute(last)

    def too_late() -> None:
        with client.transaction():
            client.execute("INSERT INTO desk.notes VALUES (2), (2)")

    for last in ("SELECT 1/0", "COPY desk.notes TO STDOUT", "SELECT pg_terminate_backend(pg_backend_pid())"):
        with pytest.raises(TransactionRolledBack):
            swallowed(last)
    with pytest.raises(StatementRefused, match="duplicate key"):
        too_late()
    with client.transaction():
        with pytest.raises(TransactionRolledBack):
            swallowed("SELECT 1/0")
        client.execute("INSERT INTO desk.notes VALUES (3)")
    assert sql("SELECT n FROM desk.notes") == [(3,)]
    with pytest.raises(IntegrityError), client.transaction():
        raise IntegrityError  # of the ORM, whose errors a script knows by their names


@asking
def test_it_asks_the_database_of_its_alias() -> None:
    name = "SELECT current_database()"
    assert DjangoORMClient("archive").fetch_value(name) != DjangoORMClient().fetch_value(name)
    with pytest.raises(ConfigurationError, match="alias is 'attic', but must be one of default, archive"):
        DjangoORMClient("attic").fetch_value(name)


# What goes wrong


@asking
def test_what_postgresql_refuses_is_one_line_with_its_sqlstate() -> None:
    client = DjangoORMClient()
    with pytest.raises(StatementRefused) as refused:
        client.fetch_all("SELECT nope\nFROM pg_class")
    assert str(refused.value) == 'The statement could not be run: column "nope" does not exist (SQLSTATE 42703)'
    assert refused.value.facts["sqlstate"] == "42703"
    with pytest.raises(StatementRefused, match="1 placeholders but 2 parameters"):
        client.fetch_all("SELECT %s", [1, 2])
    client.execute("CREATE SCHEMA desk; CREATE TABLE desk.notes (n int UNIQUE)")
    with pytest.raises(StatementRefused) as twice:
        client.execute("INSERT INTO desk.notes VALUES (1), (1)")
    assert isinstance(twice.value.__cause__, IntegrityError)


@asking
@pytest.mark.parametrize("statement", ["INSERT INTO pg_am VALUES (1)", "SELECT 1; SELECT 2"])
def test_a_cursor_takes_one_query_only(statement: str) -> None:
    with pytest.raises(StatementRefused, match="42601"):
        next(DjangoORMClient().fetch_iter(statement))


@asking
def test_no_column_is_lost_because_another_has_its_name() -> None:
    with pytest.raises(ColumnsNamedTwice, match=r"the same name: n\. Give"):
        DjangoORMClient().fetch_all("SELECT 1 AS n, 2 AS n, 3 AS m")


@asking
def test_a_lost_connection_is_one_line_and_the_next_statement_has_another() -> None:
    client = DjangoORMClient()
    with pytest.raises(ServerUnreachable):
        client.execute("SELECT pg_terminate_backend(pg_backend_pid())")
    assert client.fetch_value("SELECT 1") == 1
    client.close()
    assert client.fetch_value("SELECT 1") == 1


@asking
@pytest.mark.parametrize("statement", ["COPY pg_am TO STDOUT", "COPY pg_am FROM STDIN"])
def test_a_copy_is_refused_and_the_connection_is_as_good_as_before(statement: str) -> None:
    client = DjangoORMClient()
    with pytest.raises(StatementRefused, match="COPY cannot be used"):
        client.execute(statement)
    assert client.fetch_value("SELECT 1") == 1


# Whose class it is
