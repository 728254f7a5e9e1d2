"""`track_loads`: the column, its default and index, on tables of every kind."""

from collections.abc import Callable
from pathlib import Path

import pytest

from data_pipeline.services.load_file import load_file
from tests.conftest import CompletedCommand, another_session, sql

pytestmark = pytest.mark.usefixtures("load_tables")
Manage = Callable[..., CompletedCommand]


@pytest.fixture(autouse=True)
def orders(load_tables: None) -> None:
    sql("CREATE TABLE landing.orders (id integer, amount numeric); INSERT INTO landing.orders VALUES (1, 10)")


def load_ids(tmp_path: Path, table: str = "landing.orders") -> set[object]:
    """Load a file, and return the load ids in the table, without null."""
    (tmp_path / "orders.csv").write_text("id,amount\n2,20\n")
    loaded = load_file(str(tmp_path / "orders.csv"), table=table)
    assert sql(f"SELECT DISTINCT load_id FROM {table} WHERE load_id IS NOT NULL") == [(loaded.load_id,)]
    return {row[0] for row in sql(f"SELECT load_id FROM {table}")}


def test_tracked_table_gets_the_id_of_the_load(manage: Manage, tmp_path: Path) -> None:
    result = manage("track_loads", "landing.orders")
    assert (result.exit_code, result.lines[-1]) == (
        0,
        "landing.orders is tracked. Rows of earlier loads have no load id.",
    )
    assert None in load_ids(tmp_path)
    [(definition,)] = sql("SELECT indexdef FROM pg_indexes WHERE schemaname = 'landing'")
    assert definition.endswith("USING btree (load_id) WHERE (load_id IS NOT NULL)")


def test_existing_rows_get_no_id_of_a_load_in_progress(manage: Manage) -> None:
    sql("ALTER ROLE CURRENT_USER SET data_pipeline.load_id = '7'")
    try:
        assert manage("track_loads", "landing.orders").exit_code == 0
    finally:
        sql("ALTER ROLE CURRENT_USER RESET data_pipeline.load_id")
    assert sql("SELECT load_id FROM landing.orders") == [(None,)]


def test_dry_run_prints_statements_that_can_be_pasted(manage: Manage, tmp_path: Path) -> None:
    result = manage("track_loads", "landing.orders", "--dry-run")
    assert sql(
        "SELECT count(*) FROM pg_attribute WHERE attname = 'load_id' AND attrelid = 'landing.orders'::regclass"
    ) == [(0,)]
    assert len(result.lines) == 3
    for line in result.lines:
        sql(line)
    assert manage("track_loads", "landing.orders").lines == ["landing.orders is tracked already."]
    assert len(load_ids(tmp_path)) == 2


def test_tracking_twice_changes_nothing(manage: Manage) -> None:
    manage("track_loads", "landing.orders")
    document = manage("track_loads", "landing.orders", "--json").document
    assert document == {"table": "landing.orders", "dryRun": False, "steps": []}


def test_index_that_was_not_completed_is_created_again(manage: Manage) -> None:
    manage("track_loads", "landing.orders")
    sql("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'landing.orders_load_id_idx'::regclass")
    assert manage("track_loads", "landing.orders").exit_code == 0
    assert sql("SELECT indisvalid FROM pg_index WHERE indrelid = 'landing.orders'::regclass") == [(True,)]


def test_partitioned_table_with_odd_names_is_tracked(manage: Manage, tmp_path: Path) -> None:
    sql(
        'CREATE TABLE landing."Odd ""name"" 100%" (id integer, amount numeric) PARTITION BY RANGE (id);'
        'CREATE TABLE landing.p1 PARTITION OF landing."Odd ""name"" 100%" FOR VALUES FROM (0) TO (100)'
    )
    name = 'landing."Odd ""name"" 100%"'
    assert manage("track_loads", name).exit_code == 0
    (tmp_path / "orders.csv").write_text("id,amount\n2,20\n")
    loaded = load_file(str(tmp_path / "orders.csv"), table=name)
    assert sql("SELECT load_id FROM landing.p1") == [(loaded.load_id,)]


@pytest.mark.parametrize(
    ("definition", "problem"),
    [
        ("TABLE landing.t (load_id text)", "has the type text, but must be bigint"),
        ("TABLE landing.t (load_id bigint DEFAULT 5)", "has the default"),
        ("VIEW landing.t AS SELECT 1 AS x", "is a view"),
    ],
)
def test_unsuitable_table_is_refused_in_one_line(manage: Manage, definition: str, problem: str) -> None:
    sql(f"CREATE {definition}")
    result = manage("track_loads", "landing.t")
    assert (result.exit_code, len(result.err.splitlines())) == (2, 1)
    assert problem in result.err


def test_other_owner_gets_the_statements(manage: Manage) -> None:
    sql("DROP ROLE IF EXISTS loader; CREATE ROLE loader LOGIN PASSWORD 'x'; GRANT USAGE ON SCHEMA landing TO loader")
    try:
        result = manage("track_loads", "landing.orders", DB_USER="loader", DB_PASSWORD="x")
        assert (result.exit_code, len(result.err.splitlines())) == (2, 1)
        assert "Only the owner of landing.orders can track it." in result.err
        assert 'ALTER TABLE "landing"."orders" ADD COLUMN "load_id" bigint;' in result.err
    finally:
        sql("DROP OWNED BY loader; DROP ROLE loader")


def test_table_in_use_is_reported(manage: Manage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("data_pipeline.postgres.tracking.LOCK_TIMEOUT_SECONDS", 0.1)
    with another_session() as session, session.transaction():
        session.execute("SELECT * FROM landing.orders")
        result = manage("track_loads", "landing.orders")
    assert (result.exit_code, len(result.err.splitlines())) == (2, 1)
    assert "is in use" in result.err
