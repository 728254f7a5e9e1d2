"""A dry run says exactly what a load would do, and leaves every table, sequence and view as it was."""

from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

import pytest
from django.db import transaction
from pytest_django import Settings

from data_pipeline.domain.load_counts import LoadCounts
from data_pipeline.errors import InsideTransaction, SequenceNotHeld
from data_pipeline.services.dry_run import DryRun, dry_run
from data_pipeline.services.load_file import load_file
from data_pipeline.services.load_options import GivenOptions, LoadOptions
from seeder.domain.refresh_requests import AllReports
from seeder.errors import SeederError
from seeder.services.run.orchestrator import execute_run
from tests.conftest import CompletedCommand, another_session, create_custom_manifest, sql

pytestmark = pytest.mark.usefixtures("load_tables", "empty_queue")
Manage = Callable[..., CompletedCommand]
MODES = ["append", "upsert", "replace", "snapshot"]


@pytest.fixture(autouse=True)
def orders(load_tables: None, empty_queue: None) -> None:
    """A table with rows and sequences of each kind, a view of it, a view of the view, and a view of nothing."""
    sql("CREATE SEQUENCE landing.shared INCREMENT BY 5")
    sql(
        "CREATE TABLE landing.orders ("
        " id integer PRIMARY KEY, amount integer CHECK (amount > 0),"
        " no integer GENERATED ALWAYS AS IDENTITY, serial bigserial, five integer DEFAULT nextval('landing.shared'),"
        " load_id bigint DEFAULT nullif(current_setting('data_pipeline.load_id', true), '')::bigint)"
    )
    sql("INSERT INTO landing.orders (id, amount) VALUES (1, 10), (2, 20)")
    create_custom_manifest("reporting.amounts", "SELECT id, amount FROM landing.orders")
    create_custom_manifest("reporting.total", "SELECT sum(amount) AS total FROM reporting.amounts")
    create_custom_manifest("reporting.alone", "SELECT 1 AS n")
    execute_run(AllReports())


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "orders.csv"
    path.write_text("id,amount\n2,25\n3,30\n")
    return path


def try_out(path: Path, **options: object) -> DryRun:
    return dry_run(str(path), **{"table": "landing.orders", "mode": "upsert", **options})  # type: ignore[arg-type]


def state_of_everything() -> dict[str, object]:
    """Return the rows of each table and view, the state of each sequence, and the columns of each relation."""
    relations = sql(
        "SELECT c.oid::regclass::text, c.relkind::text"
        " FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = relnamespace"
        " WHERE n.nspname IN ('public', 'landing', 'reporting') AND c.relkind IN ('r', 'm', 'S', 'p', 'v')"
        " AND NOT EXISTS (SELECT FROM pg_depend AS d WHERE d.objid = c.oid AND d.deptype = 'e')"  # of an extension
    )
    state: dict[str, object] = {}
    for name, kind in relations:
        columns = "*" if kind == "S" else "count(*), md5(string_agg(t::text, chr(10) ORDER BY t::text))"
        state[name] = sql(f"SELECT {columns} FROM {name} AS t")
    state["columns"] = sql(
        "SELECT attrelid::regclass::text, attname, atttypid, attacl::text FROM pg_attribute AS a"
        " JOIN pg_class AS c ON c.oid = attrelid JOIN pg_namespace AS n ON n.oid = relnamespace"
        " WHERE n.nspname IN ('public', 'landing', 'reporting') ORDER BY 1, attnum"
    )
    return state


@pytest.mark.parametrize("mode", MODES)
def test_dry_run_leaves_everything_as_it_was(path: Path, mode: str) -> None:
    if mode == "append":
        path.write_text("id,amount\n3,30\n4,-1\nx,5\n")
    load_log = sql("SELECT count(*) FROM load_log")
    before = state_of_everything()
    result = try_out(path, mode=mode, max_rejects=5)
    assert result.counts.rows_inserted
    assert state_of_everything() == before
    assert sql("SELECT count(*) FROM load_log") == load_log == [(0,)]


def test_dry_run_counts_what_the_load_then_does(path: Path) -> None:
    expected = try_out(path)
    loaded = load_file(str(path), table="landing.orders", mode="upsert")
    assert loaded.counts == expected.counts
    assert (expected.counts.rows_inserted, expected.counts.rows_updated) == (1, 1)


def test_rows_that_would_change_are_counted_in_each_dependent_view(path: Path) -> None:
    result = try_out(path)
    assert [(one.view, one.rows_before, one.rows_after, one.rows_added, one.rows_removed) for one in result.views] == [
        ("reporting.amounts", 2, 3, 2, 1),
        ("reporting.total", 1, 1, 1, 1),
    ]


def test_load_that_changes_nothing_changes_no_view(path: Path) -> None:
    path.write_text("id,amount\n1,10\n")
    result = try_out(path)
    assert (result.counts.rows_unchanged, list(result.views)) == (1, [])


def test_rejected_records_are_listed_and_not_kept(path: Path) -> None:
    path.write_text("id,amount\n3,30\n4,-1\n")
    result = try_out(path, max_rejects=1)
    assert [(one.line_no, one.problems[0].sqlstate) for one in result.rejects] == [(3, "23514")]
    assert not result.would_fail
    assert sql("SELECT count(*) FROM load_reject") == [(0,)]


def test_too_many_rejects_would_load_nothing(path: Path) -> None:
    path.write_text("id,amount\n3,30\n4,-1\n")
    result = try_out(path)
    assert (result.would_fail, list(result.views), len(result.rejects)) == (True, [], 1)
    assert result.refusal == "1 of 2 records would be rejected, but the limit is 0"
    assert result.counts == LoadCounts(rows_in=2, rows_rejected=1), "no row would be inserted"


def test_unreadable_key_would_refuse_a_snapshot(path: Path) -> None:
    path.write_text("id,amount\n3,30\nx,1\n")
    result = try_out(path, mode="snapshot", max_rejects=1)
    assert result.refusal is not None
    assert result.refusal.startswith("1 of 1 rejected records have no key that can be read, and the snapshot would")


def test_missing_table_would_be_created(tmp_path: Path) -> None:
    path = tmp_path / "deliveries.csv"
    path.write_text("id,day\n1,2026-01-31\n")
    before = state_of_everything()
    result = dry_run(str(path))
    assert (result.target, result.creates_table) == ("public.deliveries", True)
    assert dict(result.added_columns)["day"] == "date"
    assert state_of_everything() == before


def test_added_column_is_reported(path: Path, tmp_path: Path) -> None:
    dialect = tmp_path / "orders.toml"
    dialect.write_text('target = "landing.orders"\nmode = "upsert"\nsurplus = "add"\n')
    path.write_text("id,amount,color\n2,25,red\n")
    before = state_of_everything()
    result = dry_run(str(path), dialect=str(dialect))
    assert (result.creates_table, dict(result.added_columns)) == (False, {"color": "text"})
    assert state_of_everything() == before


def test_file_that_was_loaded_before_would_be_skipped(path: Path) -> None:
    loaded = load_file(str(path), table="landing.orders", mode="upsert")
    assert try_out(path).loaded_before_as == loaded.load_id
    assert try_out(path, force=True).counts.rows_unchanged == 2


def test_view_that_would_fail_is_reported(path: Path) -> None:
    create_custom_manifest("reporting.ratio", "SELECT 1 / (amount - 30) AS n FROM landing.orders")
    execute_run(AllReports())
    result = try_out(path)
    assert result.would_fail
    assert [one.problem for one in result.views if one.view == "reporting.ratio"] == ["division by zero"]


def test_numbers_are_drawn_by_others_after_the_dry_run(path: Path) -> None:
    try_out(path)
    with another_session() as session:
        session.execute("INSERT INTO landing.orders (id) VALUES (9)")
        assert session.execute("SELECT no, serial, five FROM landing.orders WHERE id = 9").fetchall() == [(3, 3, 11)]


def test_sequence_of_another_role_is_refused(path: Path) -> None:
    sql("CREATE ROLE trial_loader")
    try:
        sql("GRANT USAGE ON SCHEMA landing, reporting, public TO trial_loader")
        sql("GRANT ALL ON ALL TABLES IN SCHEMA landing, reporting, public TO trial_loader")
        sql("SET ROLE trial_loader")
        with pytest.raises(SequenceNotHeld, match=r"its sequence landing\.orders_no_seq belongs to another role"):
            try_out(path)
    finally:
        sql("RESET ROLE; DROP OWNED BY trial_loader; DROP ROLE trial_loader")


def test_locked_table_is_waited_for_as_long_as_the_setting_says(path: Path, settings: Settings) -> None:
    settings.SEEDER = {"LOCK_TIMEOUT_MS": 100}
    with another_session() as session:
        session.execute("BEGIN; LOCK TABLE landing.orders")
        with pytest.raises(SeederError, match="lock timeout"):
            try_out(path)
    assert sql("SHOW lock_timeout") == [("0",)]


def test_readers_of_the_table_do_not_wait(path: Path) -> None:
    def read(_: object) -> None:
        with another_session(options="-c lock_timeout=100") as session:
            session.execute("SELECT FROM landing.orders")

    try_out(path, on_progress=read)


def test_dry_run_without_seeder_tries_no_view(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("data_pipeline.services.dry_run.apps.is_installed", lambda _: False)
    result = try_out(path)
    assert (result.counts.rows_inserted, list(result.views)) == (1, [])


def test_dry_run_inside_a_transaction_is_refused(path: Path) -> None:
    with transaction.atomic(), pytest.raises(InsideTransaction):
        try_out(path)


def test_command_shows_what_would_change(path: Path, manage: Manage) -> None:
    before = state_of_everything()
    done = manage("load_file", str(path), "--table", "landing.orders", "--mode", "upsert", "--dry-run")
    assert (done.exit_code, done.lines) == (
        0,
        [
            "landing.orders: would load 2 records of orders.csv: 1 inserted, 1 updated",
            "reporting.amounts: 2 rows would become 3: 2 new, 1 removed",
            "reporting.total: 1 row would become 1: 1 new, 1 removed",
            "Dry run: everything was rolled back.",
        ],
    )
    assert state_of_everything() == before


def test_command_prints_one_document_and_fails_like_the_load(path: Path, manage: Manage) -> None:
    path.write_text("id,amount\n3,30\n4,-1\n")
    done = manage("load_file", str(path), "--table", "landing.orders", "--dry-run", "--json")
    assert (done.exit_code, done.document["dryRun"]) == (1, True)
    [load] = done.document["loads"]
    assert (load["status"], load["rowsRejected"], load["views"], load["rejects"][0]["lineNo"]) == ("failed", 1, [], 3)


def test_other_files_are_tried_after_a_missing_one(path: Path, tmp_path: Path, manage: Manage) -> None:
    missing = str(tmp_path / "missing.csv")
    done = manage("load_file", missing, str(path), "--table", "landing.orders", "--mode", "upsert", "--dry-run")
    assert done.exit_code == 2
    assert done.lines[0] == "landing.orders: would load 2 records of orders.csv: 1 inserted, 1 updated"
    assert done.lines[-1] == f"There is no file {missing}. Check the path."


def test_options_are_those_of_a_load(path: Path) -> None:
    """Both take each option of a load by its name, and no others."""
    given = dict.fromkeys(GivenOptions.__annotations__)
    assert set(given) == {one.name for one in fields(LoadOptions)} - {"of_load", "label"}
    for function in (dry_run, load_file):
        with pytest.raises(TypeError, match="tabel"):
            function(str(path), tabel="landing.orders")  # type: ignore[call-arg]
