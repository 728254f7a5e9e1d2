"""`undo_load`: the table as it was before, and refusals if others have changed its rows since."""

from collections.abc import Callable
from pathlib import Path

import pytest

from data_pipeline import compute_idempotency_key, process_once
from data_pipeline.correction_errors import LaterLoads, OldValuesMissing, RowsChanged, UndoRefused
from data_pipeline.errors import UnknownLoad
from data_pipeline.models import LoadChange, LoadEvent, LoadLog
from data_pipeline.services.load_file import load_file
from data_pipeline.services.tracking import track_loads
from seeder.domain.refresh_requests import AllReports
from seeder.services.run.orchestrator import execute_run
from tests.conftest import CompletedCommand, create_custom_manifest, sql
from tests.integration.data_pipeline.undo_scene import FILES, ORDERS, LoadText, create_orders, loader, table_hash, undo

pytestmark = pytest.mark.usefixtures("load_tables")


@pytest.fixture
def load(tmp_path: Path, load_tables: None) -> LoadText:
    return loader(tmp_path)


@pytest.fixture(autouse=True)
def orders(load_tables: None) -> None:
    create_orders()


@pytest.mark.parametrize("mode", FILES)
def test_undone_load_leaves_the_table_as_before(load: LoadText, mode: str) -> None:
    before = table_hash()
    loaded = load(FILES[mode], mode)
    assert table_hash() != before
    undo(loaded.load_id)
    assert table_hash() == before
    assert not LoadChange.objects.exists()


@pytest.mark.parametrize("mode", FILES)
def test_undone_file_can_be_loaded_again(load: LoadText, mode: str, tmp_path: Path) -> None:
    loaded = load(FILES[mode], mode)
    after = sql("SELECT id, amount, note FROM landing.orders ORDER BY id")
    undo(loaded.load_id)
    again = load_file(str(tmp_path / "0.csv"), table=ORDERS, mode=mode)
    assert (again.load_id, again.status) == (loaded.load_id, "success")
    assert sql("SELECT id, amount, note FROM landing.orders ORDER BY id") == after
    assert LoadLog.objects.get().undone_at is None


def test_undone_load_is_marked_and_requests_a_refresh(load: LoadText, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATA_PIPELINE_REFRESH_AFTER_LOAD", "false")  # so that the request remains
    loaded = load(FILES["upsert"], "upsert")
    sql("UPDATE load_refresh SET dispatched_at = now(), request_id = 'x', views = '[]'")
    undone = undo(loaded.load_id)
    assert (undone.rows.removed, undone.rows.restored, undone.rows.reinserted) == (1, 2, 0)
    row = LoadLog.objects.get()
    assert (row.status, row.error_code, row.undone_at is not None) == ("failed", "undone", True)
    assert row.error_message == "Undone by test. The file can be loaded again."
    event = LoadEvent.objects.latest("id")
    assert (event.event, event.actor, event.facts["removed"]) == ("undone", "test", 1)
    assert sql("SELECT relations, dispatched_at, request_id, views FROM load_refresh") == [
        ('[["landing", "orders"]]', None, None, None)
    ]


def test_undo_queues_a_refresh_of_the_dependent_views(load: LoadText, empty_queue: None) -> None:
    create_custom_manifest("reporting.totals", "SELECT sum(amount) AS total FROM landing.orders")
    execute_run(AllReports())
    loaded = load(FILES["upsert"], "upsert")
    sql("UPDATE reporting.seeder_queued_refresh SET state = 'ended', finished_at = now()")
    refresh = undo(loaded.load_id).refresh
    assert refresh is not None
    assert loaded.refresh is not None
    assert (refresh.outcome, list(refresh.views)) == ("queued", ["reporting.totals"])
    assert refresh.request_id != loaded.refresh.request_id


def test_loads_are_undone_from_the_last_to_the_first(load: LoadText) -> None:
    hashes, loads = [], []
    for mode, text in FILES.items():
        hashes.append(table_hash())
        loads.append(load(text, mode).load_id)
    for load_id in loads[:-1]:
        with pytest.raises(LaterLoads):
            undo(load_id)
    for load_id in reversed(loads):
        undo(load_id)
        assert table_hash() == hashes.pop()


def test_later_loads_of_the_same_rows_are_named(load: LoadText) -> None:
    first = load("id,amount,note\n4,40,d\n5,50,e\n6,60,f\n")
    second = load("id,amount,note\n4,41,d\n", "upsert")
    third = load("id,amount,note\n5,51,e\n", "upsert")
    load("id,amount,note\n7,70,g\n")
    with pytest.raises(LaterLoads, match=f"loads {third.load_id} and {second.load_id} changed the same rows"):
        undo(first.load_id)
    undo(third.load_id)
    undo(second.load_id)
    undo(first.load_id)
    assert sql("SELECT id FROM landing.orders ORDER BY id") == [(1,), (2,), (3,), (7,)]


def test_row_that_a_load_deleted_and_a_later_one_inserted_is_found(load: LoadText) -> None:
    first = load("id,amount,note\n1,10,a\n", "snapshot")
    second = load("id,amount,note\n2,99,x\n")
    with pytest.raises(LaterLoads, match=f"load {second.load_id} "):
        undo(first.load_id)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE landing.orders SET amount = 0 WHERE id = 5",
        "UPDATE landing.orders SET amount = 0 WHERE id = 2",
        "DELETE FROM landing.orders WHERE id = 5",
        "DELETE FROM landing.orders WHERE id = 2",
        "UPDATE landing.orders SET load_id = NULL WHERE id = 5",
        "UPDATE landing.orders SET id = 50 WHERE id = 5",
    ],
)
def test_manual_change_is_refused_and_lost_with_force(load: LoadText, change: str) -> None:
    loaded = load(FILES["upsert"], "upsert")
    sql(change)
    changed = table_hash()
    with pytest.raises(RowsChanged, match=r"1 of its 3 rows in landing\.orders"):
        undo(loaded.load_id)
    assert table_hash() == changed
    undo(loaded.load_id, force=True)
    assert LoadLog.objects.get().error_code == "undone"


def test_manual_row_in_place_of_a_deleted_one_is_refused(load: LoadText) -> None:
    loaded = load("id,amount,note\n1,10,a\n", "snapshot")
    sql("INSERT INTO landing.orders VALUES (3, 0, 'manual')")
    with pytest.raises(RowsChanged):
        undo(loaded.load_id)
    with pytest.raises(UndoRefused, match="already exists"):
        undo(loaded.load_id, force=True)
    assert sql("SELECT note FROM landing.orders WHERE id = 3") == [("manual",)]


def test_manual_change_of_other_rows_does_not_matter(load: LoadText) -> None:
    loaded = load(FILES["upsert"], "upsert")
    sql("UPDATE landing.orders SET note = 'manual' WHERE id = 1")
    sql("VACUUM FREEZE landing.orders")
    undo(loaded.load_id)
    assert sql("SELECT note FROM landing.orders ORDER BY id") == [("manual",), (None,), ("",)]


def test_untracked_table_is_refused_if_rows_were_inserted(load: LoadText) -> None:
    sql("ALTER TABLE landing.orders DROP COLUMN load_id")
    loaded = load(FILES["upsert"], "upsert")
    with pytest.raises(UndoRefused, match="track_loads landing.orders"):
        undo(loaded.load_id)


def test_untracked_table_is_restored_if_rows_were_only_updated(load: LoadText) -> None:
    sql("ALTER TABLE landing.orders DROP COLUMN load_id")
    before = table_hash()
    first = load("id,amount,note\n2,21,b\n", "upsert")
    second = load("id,amount,note\n2,22,c\n", "upsert")
    with pytest.raises(LaterLoads, match=f"load {second.load_id} "):
        undo(first.load_id)
    undo(second.load_id)
    sql("UPDATE landing.orders SET note = 'manual' WHERE id = 2")
    with pytest.raises(RowsChanged):
        undo(first.load_id)
    undo(first.load_id, force=True)
    assert table_hash() == before


def test_load_that_changed_no_row_of_an_untracked_table_is_undone(load: LoadText) -> None:
    sql("CREATE TABLE landing.plain (id integer PRIMARY KEY); INSERT INTO landing.plain VALUES (1)")
    loaded = load("id\n1\n", "upsert", "landing.plain")
    undone = undo(loaded.load_id)
    assert (undone.rows.removed, undone.rows.restored, undone.rows.reinserted) == (0, 0, 0)
    assert LoadLog.objects.get().error_code == "undone"


def test_load_before_the_table_was_tracked_is_refused(load: LoadText) -> None:
    sql("ALTER TABLE landing.orders DROP COLUMN load_id")
    loaded = load(FILES["append"])
    track_loads(ORDERS)
    for force in (False, True):  # otherwise the load would be undone with its rows in the table
        with pytest.raises(UndoRefused, match="its rows in landing.orders have no load id"):
            undo(loaded.load_id, force=force)


def test_missing_old_values_are_refused(load: LoadText) -> None:
    loaded = load(FILES["upsert"], "upsert")
    sql('DELETE FROM load_change WHERE key = \'{"id": "2"}\'')
    with pytest.raises(OldValuesMissing, match="the previous values of 1 row are not kept"):
        undo(loaded.load_id)


def test_row_that_others_reference_is_refused_in_one_line(
    load: LoadText, manage: Callable[..., CompletedCommand]
) -> None:
    loaded = load(FILES["append"])
    sql("CREATE TABLE landing.lines (o integer REFERENCES landing.orders); INSERT INTO landing.lines VALUES (4)")
    result = manage("undo_load", str(loaded.load_id))
    assert (result.exit_code, len(result.err.splitlines())) == (1, 1)
    assert "violates foreign key constraint" in result.err
    assert LoadLog.objects.get().status == "success"


def test_values_that_moved_from_row_to_row_are_refused_in_one_line(
    load: LoadText, manage: Callable[..., CompletedCommand]
) -> None:
    """PostgreSQL checks each row at once, so that only one order of the updates can work."""
    sql("CREATE TABLE landing.queue (id integer PRIMARY KEY, place integer CONSTRAINT one_place UNIQUE)")
    sql("INSERT INTO landing.queue SELECT i, i FROM generate_series(1, 400) AS i")
    before = table_hash("landing.queue")
    lines = "\n".join(f"{number},{number - 1}" for number in range(1, 401))
    loaded = load(f"id,place\n{lines}\n", "upsert", "landing.queue")
    result = manage("undo_load", str(loaded.load_id))
    assert (result.exit_code, len(result.err.splitlines())) == (1, 1)
    assert "because another row of landing.queue has a value that would be restored: Key (place)=(" in result.err
    assert "drop one_place, undo the load, and create it again" in result.err
    sql("ALTER TABLE landing.queue DROP CONSTRAINT one_place")
    undo(loaded.load_id)
    assert table_hash("landing.queue") == before


def test_load_that_is_not_in_a_table_is_refused(load: LoadText) -> None:
    with pytest.raises(UnknownLoad):
        undo(404)
    loaded = load(FILES["append"])
    undo(loaded.load_id)
    with pytest.raises(UndoRefused, match="undone already, on"):
        undo(loaded.load_id)
    for status, reason in (("pending", "is being loaded"), ("failed", "it failed")):
        LoadLog.objects.update(status=status, undone_at=None)
        with pytest.raises(UndoRefused, match=reason):
            undo(loaded.load_id)
    for unknown in ({"target": None}, {"rows_updated": None}):
        LoadLog.objects.update(status="success", target=ORDERS, rows_updated=0)
        LoadLog.objects.update(**unknown)
        with pytest.raises(UndoRefused, match="does not record its table and its numbers of rows"):
            undo(loaded.load_id)


def test_dry_run_reports_and_changes_nothing(load: LoadText, manage: Callable[..., CompletedCommand]) -> None:
    loaded = load(FILES["upsert"], "upsert")
    after = table_hash()
    document = manage("undo_load", str(loaded.load_id), "--dry-run", "--json").document
    assert document == {
        "loadId": loaded.load_id,
        "table": ORDERS,
        "dryRun": True,
        "rowsRemoved": 1,
        "rowsRestored": 2,
        "rowsReinserted": 0,
        "refresh": None,
    }
    assert (table_hash(), LoadLog.objects.get().status) == (after, "success")
    assert manage("undo_load", str(loaded.load_id)).lines[0] == (
        f"landing.orders: load {loaded.load_id} is undone: 1 row removed, 2 restored, 0 inserted again"
    )


def test_load_of_several_tables_is_not_undone_in_one_of_them() -> None:
    sql("CREATE TABLE landing.lines (id integer)")
    track_loads("landing.lines")
    with process_once(source="test", payload_meta={}, idempotency_key=compute_idempotency_key(payload=b"x")) as handle:
        assert handle is not None
        handle.load([{"id": 4}], into=ORDERS)
        handle.load([{"id": 4}], into="landing.lines")
    for force in (False, True):
        with pytest.raises(UndoRefused, match="it changed 2 tables"):
            undo(handle.load_id, force=force)
    assert sql("SELECT count(*) FROM landing.orders") == [(4,)]
