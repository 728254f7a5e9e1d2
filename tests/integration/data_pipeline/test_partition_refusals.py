"""`partition_table` refuses what a partitioned table would lose, and waits for others for a limited time."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from data_pipeline.postgres import partition_runs
from tests.conftest import CompletedCommand, another_session, sql
from tests.polling import eventually

pytestmark = pytest.mark.usefixtures("load_tables")
Manage = Callable[..., CompletedCommand]


@pytest.fixture
def partition(manage: Manage) -> Callable[..., CompletedCommand]:
    """Return a function that runs the command for the table `landing.t` and its column `at`."""

    def run(*arguments: str) -> CompletedCommand:
        options = ("landing.t", "--by", "at", "--every", "month", *arguments)
        return manage("partition_table", *options, RETURNS_PARTITION_SCAFFOLD="1")

    return run


@pytest.mark.parametrize(
    ("statements", "problem"),
    [
        ("ALTER TABLE landing.t ADD PRIMARY KEY (n)", "the unique index t_pkey must contain the column at"),
        ("CREATE UNIQUE INDEX u ON landing.t (n) INCLUDE (at)", "the unique index u must contain the column at"),
        ("ALTER TABLE landing.t ADD EXCLUDE (n WITH =)", "t_n_excl is an exclusion constraint"),
        ("CREATE MATERIALIZED VIEW landing.m AS SELECT * FROM landing.t", "the materialized view landing.m reads it"),
        ("CREATE TABLE landing.c () INHERITS (landing.t)", "table landing.c depends on it"),
        ("ALTER TABLE landing.t ENABLE ROW LEVEL SECURITY", "it has row security"),
        ("CREATE POLICY p ON landing.t USING (n > 0)", "policy p on table landing.t depends on it"),
        ("ALTER TABLE landing.t REPLICA IDENTITY FULL", "it has a replica identity"),
        ("ALTER TABLE landing.t ADD CHECK (n > 1) NOT VALID", "the constraint t_n_check is not validated"),
        ("ALTER TABLE landing.t ADD CHECK (n > 0) NO INHERIT", "the constraint t_n_check is not inherited"),
        ("ALTER TABLE landing.t SET UNLOGGED", "it is temporary or unlogged"),
        (
            "CREATE FUNCTION landing.f() RETURNS bigint BEGIN ATOMIC SELECT count(*) FROM landing.t; END",
            "function landing.f()",
        ),
        (
            "CREATE FUNCTION landing.f(landing.t) RETURNS integer LANGUAGE sql AS 'SELECT 1'",
            "function landing.f(landing.t)",
        ),
        ("CREATE FUNCTION landing.f(landing.t[]) RETURNS integer LANGUAGE sql AS 'SELECT 1'", "depends on its type"),
        ("CREATE VIEW landing.v AS SELECT t FROM landing.t", "view landing.v depends on it"),
        (
            """ALTER TABLE landing.t ADD UNIQUE (n, at);
            CREATE TABLE landing.c (n integer, at date, FOREIGN KEY (n, at) REFERENCES landing.t (n, at))""",
            "constraint c_n_at_fkey on table landing.c depends on it",
        ),
        (
            """ALTER TABLE landing.t ADD UNIQUE (n, at), ADD m integer,
            ADD FOREIGN KEY (m, at) REFERENCES landing.t (n, at)""",
            "the foreign key t_m_at_fkey refers to the table itself",
        ),
        (
            "ALTER TABLE landing.t ALTER COLUMN at TYPE text",
            "the column has the type text, but must be a date or a timestamp",
        ),
        ("ALTER TABLE landing.t RENAME COLUMN at TO day", "it has no such column"),
    ],
)
def test_form_that_would_lose_something_is_refused_with_its_name(
    partition: Callable[..., CompletedCommand], statements: str, problem: str
) -> None:
    sql(f"CREATE TABLE landing.t (n integer, at date); INSERT INTO landing.t VALUES (1, '2026-01-01'); {statements}")
    for options in ([], ["--apply"]):
        refused = partition(*options)
        assert (refused.exit_code, refused.out, len(refused.err.splitlines())) == (2, "", 1)
        assert problem in refused.err
    assert sql("SELECT relkind::text FROM pg_class WHERE oid = 'landing.t'::regclass") == [("r",)]


def test_statement_that_postgresql_refuses_changes_nothing(partition: Callable[..., CompletedCommand]) -> None:
    sql("CREATE TABLE landing.t (at date); CREATE TABLE landing.t_default ()")
    refused = partition("--apply")
    assert (refused.exit_code, len(refused.err.splitlines())) == (2, 1)
    assert 'relation "t_default" already exists' in refused.err
    assert sql("SELECT relkind::text FROM pg_class WHERE oid = 'landing.t'::regclass") == [("r",)]


def test_switch_that_is_off_refuses_even_a_dry_run(manage: Manage) -> None:
    sql("CREATE TABLE landing.t (at date)")
    refused = manage("partition_table", "landing.t", "--by", "at", "--every", "month")
    assert (refused.exit_code, refused.out, len(refused.err.splitlines())) == (2, "", 1)
    assert "RETURNS_PARTITION_SCAFFOLD" in refused.err


def test_table_that_a_writer_uses_is_busy(
    partition: Callable[..., CompletedCommand], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(partition_runs, "LOCK_TIMEOUT_SECONDS", 1)
    sql("CREATE TABLE landing.t (at date)")
    with another_session() as writer, writer.transaction():
        writer.execute("INSERT INTO landing.t VALUES ('2026-01-01')")
        refused = partition("--apply")
    assert (refused.exit_code, "its lock was not granted within 1 s" in refused.err) == (2, True)


def test_reader_of_the_table_is_waited_for(partition: Callable[..., CompletedCommand]) -> None:
    sql("CREATE TABLE landing.t (at date); CREATE VIEW landing.v AS SELECT * FROM landing.t")
    sql("INSERT INTO landing.t VALUES ('2026-01-01')")
    waits = "SELECT waitstart FROM pg_locks WHERE waitstart IS NOT NULL AND relation = 'landing.t'::regclass"
    attempts = set()
    with another_session() as reader, another_session() as observer, ThreadPoolExecutor() as thread:
        reader.execute("BEGIN; SELECT * FROM landing.v")

        def is_tried_again() -> bool:
            attempts.update(observer.execute(waits).fetchall())
            return len(attempts) > 1

        def leave_when_waited_for() -> None:
            eventually(is_tried_again)
            reader.execute("SELECT * FROM landing.v; COMMIT")  # the view is still usable

        leaving = thread.submit(leave_when_waited_for)
        done = partition("--apply")
        leaving.result()
    assert (done.exit_code, done.err) == (0, "")
    assert sql("SELECT at::text FROM landing.v") == [("2026-01-01",)]


def test_copy_that_differs_from_the_rows_is_discarded(partition: Callable[..., CompletedCommand]) -> None:
    """The function of a generated column has changed, so the copy gets other values."""
    function = (
        "CREATE OR REPLACE FUNCTION landing.f(n integer) RETURNS integer IMMUTABLE LANGUAGE sql AS 'SELECT n * {}'"
    )
    sql(f"""
        {function.format(2)};
        CREATE TABLE landing.t (n integer, m integer GENERATED ALWAYS AS (landing.f(n)) STORED, at date);
        INSERT INTO landing.t VALUES (1, DEFAULT, '2026-01-01');
        {function.format(3)};
    """)
    refused = partition("--apply")
    assert (refused.exit_code, len(refused.err.splitlines())) == (2, 1)
    assert "the copied rows differ" in refused.err
    assert sql("SELECT m, tableoid = 'landing.t'::regclass FROM landing.t") == [(2, True)]
