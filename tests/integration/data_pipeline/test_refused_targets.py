"""Tables into which nothing is loaded, and rows of other tables that a load or an undo must not delete."""

from pathlib import Path

import pytest

from data_pipeline.correction_errors import UndoRefused
from data_pipeline.domain.verifications import RowsState
from data_pipeline.errors import RowsReferenced, TableHasChildren, TableHasRule, TableOfLoads
from data_pipeline.services.load_file import load_file
from data_pipeline.services.verifying import verify_load
from tests.conftest import sql
from tests.integration.data_pipeline.undo_scene import FILES, LoadText, create_orders, loader, table_hash, undo

pytestmark = pytest.mark.usefixtures("load_tables")
DELETING = ["replace", "snapshot"]


@pytest.fixture
def load(tmp_path: Path, load_tables: None) -> LoadText:
    return loader(tmp_path)


@pytest.fixture(autouse=True)
def orders(load_tables: None) -> None:
    create_orders()


@pytest.mark.parametrize("event", ["INSERT", "UPDATE", "DELETE"])
def test_table_with_a_rule_is_refused(load: LoadText, event: str) -> None:
    sql(f"CREATE RULE ignored AS ON {event} TO landing.orders DO INSTEAD NOTHING")
    with pytest.raises(TableHasRule, match="ignored"):
        load(FILES["append"])


def test_table_with_a_disabled_rule_is_loaded(load: LoadText) -> None:
    sql("CREATE RULE ignored AS ON INSERT TO landing.orders DO INSTEAD NOTHING")
    sql("ALTER TABLE landing.orders DISABLE RULE ignored")
    assert load(FILES["append"]).counts.rows_inserted == 2


@pytest.mark.parametrize("mode", ["upsert", *DELETING])
def test_table_from_which_others_inherit_is_only_appended(load: LoadText, mode: str) -> None:
    sql("CREATE TABLE landing.child () INHERITS (landing.orders); INSERT INTO landing.child VALUES (2, 7, 'child')")
    before = table_hash()
    with pytest.raises(TableHasChildren, match=r"landing\.child inherits"):
        load(FILES[mode], mode)
    loaded = load(FILES["append"])
    assert verify_load(loaded.load_id, actor="test").rows is RowsState.EQUAL
    undo(loaded.load_id)
    assert table_hash() == before


def test_tables_of_the_loads_are_refused(load: LoadText, tmp_path: Path) -> None:
    """A file can be named after one, and most have the column of tracked tables."""
    with pytest.raises(TableOfLoads):
        load("source\nx\n", table="public.load_log")
    path = tmp_path / "load_event.csv"
    path.write_text("event,actor,facts\nloaded,me,{}\n")
    with pytest.raises(TableOfLoads):
        load_file(str(path), table="auto")
    assert sql("SELECT count(*) FROM load_event WHERE actor = 'me'") == [(0,)]


@pytest.mark.parametrize("action", ["CASCADE", "SET NULL", "SET DEFAULT"])
@pytest.mark.parametrize("mode", DELETING)
def test_load_that_would_delete_rows_of_other_tables_is_refused(load: LoadText, mode: str, action: str) -> None:
    sql(f"CREATE TABLE landing.lines (id integer REFERENCES landing.orders ON DELETE {action})")
    sql("INSERT INTO landing.lines VALUES (3), (3)")
    before = table_hash()
    with pytest.raises(RowsReferenced, match=r"2 rows of landing\.lines"):
        load(FILES[mode], mode)
    assert sql("SELECT id FROM landing.lines") == [(3,), (3,)]
    assert table_hash() == before


def test_snapshot_that_keeps_referenced_rows_is_loaded(load: LoadText) -> None:
    sql("CREATE TABLE landing.lines (id integer REFERENCES landing.orders ON DELETE CASCADE)")
    sql("INSERT INTO landing.lines VALUES (1)")
    assert load(FILES["snapshot"], "snapshot").counts.rows_deleted == 1
    assert sql("SELECT id FROM landing.lines") == [(1,)]


def test_undo_that_would_delete_rows_of_other_tables_is_refused(load: LoadText) -> None:
    loaded = load(FILES["upsert"], "upsert")
    sql(
        "CREATE TABLE landing.lines (id integer REFERENCES landing.orders ON DELETE CASCADE) PARTITION BY LIST (id);"
        "CREATE TABLE landing.part PARTITION OF landing.lines DEFAULT; INSERT INTO landing.lines VALUES (2), (5)"
    )
    with pytest.raises(UndoRefused, match=r"1 row of landing\.lines"):
        undo(loaded.load_id)
    assert sql("SELECT id FROM landing.lines ORDER BY 1") == [(2,), (5,)]
    assert undo(loaded.load_id, force=True).rows.removed == 1
    assert sql("SELECT id FROM landing.lines") == [(2,)]


def test_rows_of_the_table_itself_are_deleted_with_it(load: LoadText) -> None:
    sql("CREATE TABLE landing.tree (id integer PRIMARY KEY, parent integer REFERENCES landing.tree ON DELETE CASCADE)")
    sql("INSERT INTO landing.tree VALUES (1, 1), (2, 1)")
    assert load("id,parent\n3,3\n4,3\n", "replace", "landing.tree").counts.rows_deleted == 2
    assert sql("SELECT id FROM landing.tree ORDER BY id") == [(3,), (4,)]
