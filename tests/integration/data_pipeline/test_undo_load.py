"""`undo_load`: the table as it was before, and refusals if others have changed its rows since."""

import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from django.db import connection, connections

from data_pipeline.correction_errors import LaterLoads, OldValuesMissing, RowsChanged, UndoRefused
from data_pipeline.errors import PipelineError, UnknownLoad
from data_pipeline.models import LoadChange, LoadEvent, LoadLog
from data_pipeline.services.load_file import load_file
from data_pipeline.services.load_values import Loaded
from data_pipeline.services.tracking import track_loads
from data_pipeline.services.undoing import UndoneLoad, undo_load
from seeder.domain.refresh_requests import AllReports
from seeder.errors import SeederError
from seeder.services.run.orchestrator import execute_run
from tests.conftest import CompletedCommand, create_custom_manifest, sql

pytestmark = pytest.mark.usefixtures("load_tables")
LoadText = Callable[..., Loaded]
ORDERS = "landing.orders"


@pytest.fixture
def load(tmp_path: Path, load_tables: None) -> LoadText:
    """Load a text as a file of its own."""

    def load_text(text: str, mode: str = "append", table: str = ORDERS) -> Loaded:
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.csv"
        path.write_text(text)
        return load_file(str(path), table=table, mode=mode)

    return load_text


@pytest.fixture(autouse=True)
def orders(load_tables: None) -> None:
    """A tracked table with three rows that no load inserted."""
    sql(
        "CREATE TABLE landing.orders (id integer PRIMARY KEY, amount numeric, note text);"
        "INSERT INTO landing.orders VALUES (1, 10, 'a'), (2, 20, NULL), (3, 30, '')"
    )
    track_loads(ORDERS)


def undo(load_id: int, *, dry_run: bool = False, force: bool = False) -> UndoneLoad:
    return undo_load(load_id, actor="test", dry_run=dry_run, force=force)


def table_hash(table: str = ORDERS) -> tuple[object, ...]:
    """The number of rows, and a hash of all their values that does not depend on their order."""
    return sql(f"SELECT count(*), sum(hashtextextended(t::text, 0)::numeric) FROM {table} AS t")[0]


FILES = {
    "append": "id,amount,note\n4,40,d\n5,50,\n",
    "upsert": "id,amount,note\n2,21,b\n3,30,\n5,50,e\n",
    "replace": "id,amount,note\n2,21,b\n9,90,\n",
    "snapshot": "id,amount,note\n1,10,a\n2,22,c\n6,60,f\n",
}


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


def test_load_before_the_table_was_tracked_is_refused(load: LoadText) -> None:
    sql("ALTER TABLE landing.orders DROP COLUMN load_id")
    loaded = load(FILES["append"])
    track_loads(ORDERS)
    with pytest.raises(RowsChanged, match="2 of its 2 rows"):
        undo(loaded.load_id)


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
    }
    assert (table_hash(), LoadLog.objects.get().status) == (after, "success")
    assert manage("undo_load", str(loaded.load_id)).lines[0] == (
        f"landing.orders: load {loaded.load_id} is undone: 1 row removed, 2 restored, 0 inserted again"
    )


EVERY_TYPE = """
CREATE TYPE landing.pair AS (a integer, b text);
CREATE DOMAIN landing.short AS varchar(5);
CREATE TABLE landing."Every ""type"" 100%" (
    "the key" text PRIMARY KEY,
    always integer GENERATED ALWAYS AS IDENTITY,
    twice numeric GENERATED ALWAYS AS (n * 2) STORED,
    n numeric(12, 4), f double precision, j json, jb jsonb, arr text[], c char(5), b bytea, ts timestamp,
    tz timestamptz, d date, i interval, m money, p landing.pair, s landing.short, r int4range, bits bit(4),
    "%s {} 'q'" text, load_id bigint
);
INSERT INTO landing."Every ""type"" 100%" VALUES
    ('k1', DEFAULT, DEFAULT, 1.5000, '-0', '{"b":1, "a":  2}', 'null', '{a,NULL,"b c"}', 'ab', '\\x00ff', 'infinity',
     '0044-03-15 12:00:00.123456+00 BC', '4713-01-01 BC', '1 year -2 days', 12.50, '(1,"x y")', 'abc', '[1,5)', '1010',
     '100%', NULL),
    ('k2', DEFAULT, DEFAULT, NULL, 'NaN', NULL, NULL, NULL, '', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'empty',
     NULL, '', NULL)
"""


@pytest.mark.parametrize("mode", ["upsert", "replace", "snapshot"])
def test_values_of_every_type_are_restored_exactly(load: LoadText, mode: str) -> None:
    sql(EVERY_TYPE)
    table = 'landing."Every ""type"" 100%"'
    track_loads(table)
    before, rows = table_hash(table), sql(f"SELECT t::text FROM {table} AS t ORDER BY 1")
    loaded = load("the key,n,f\nk1,2,3\nk3,1,1\n", mode, table)
    assert table_hash(table) != before
    undo(loaded.load_id)
    assert sql(f"SELECT t::text FROM {table} AS t ORDER BY 1") == rows
    assert table_hash(table) == before


def test_replaced_table_without_a_key_and_with_long_rows_is_restored(load: LoadText) -> None:
    columns = ", ".join(f"c{number} text" for number in range(120))
    sql(f"CREATE TABLE landing.wide ({columns}); INSERT INTO landing.wide (c0, c1) VALUES (repeat('x', 9000), NULL)")
    sql("INSERT INTO landing.wide SELECT * FROM landing.wide")
    track_loads("landing.wide")
    before = table_hash("landing.wide")
    loaded = load("c0\ny\n", "replace", "landing.wide")
    undo(loaded.load_id)
    assert table_hash("landing.wide") == before


@pytest.mark.parametrize("mode", FILES)
def test_rows_in_partitions_are_restored(load: LoadText, mode: str) -> None:
    sql(
        "CREATE TABLE landing.parts (id integer PRIMARY KEY, amount numeric, note text) PARTITION BY RANGE (id);"
        "CREATE TABLE landing.low PARTITION OF landing.parts FOR VALUES FROM (0) TO (3);"
        "CREATE TABLE landing.high PARTITION OF landing.parts DEFAULT;"
        "INSERT INTO landing.parts VALUES (1, 10, 'a'), (2, 20, NULL), (3, 30, '')"
    )
    track_loads("landing.parts")
    before = table_hash("landing.parts")
    loaded = load(FILES[mode], mode, "landing.parts")
    undo(loaded.load_id)
    assert table_hash("landing.parts") == before


def in_threads(*works: Callable[[], object]) -> list[object]:
    """Run functions at once. Return their results or expected errors."""
    results, barrier = list[object]([None] * len(works)), threading.Barrier(len(works))

    def run(at: int, work: Callable[[], object]) -> None:
        try:
            barrier.wait(30)
            results[at] = work()
        except PipelineError as error:
            results[at] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=one) for one in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return results


def test_only_one_of_several_undos_at_once_succeeds(load: LoadText) -> None:
    before = table_hash()
    loaded = load(FILES["upsert"], "upsert")
    results = in_threads(*[lambda: undo(loaded.load_id)] * 4)
    assert sum(isinstance(one, UndoneLoad) for one in results) == 1
    assert sum(isinstance(one, UndoRefused) for one in results) == 3
    assert table_hash() == before


@pytest.mark.slow
def test_undos_and_loads_at_once_leave_whole_loads(load: LoadText, tmp_path: Path) -> None:
    """Each load is in the table with all of its rows, or with none."""
    for round_no in range(8):
        sql("TRUNCATE landing.orders")
        loads = [load(_rows(start, round_no)) for start in range(0, 30, 10)]
        paths = [tmp_path / f"new{round_no}-{number}.csv" for number in range(3)]
        for number, path in enumerate(paths):
            path.write_text(_rows(100 + 10 * number, round_no))

        def upsert(path: Path) -> Callable[[], object]:
            return lambda: load_file(str(path), table=ORDERS, mode="upsert")

        in_threads(*(lambda one=one: undo(one.load_id) for one in loads), *map(upsert, paths))
        assert sql("SELECT id / 10, count(*) FROM landing.orders GROUP BY 1 ORDER BY 1") == [
            (10, 10),
            (11, 10),
            (12, 10),
        ]
        assert sql("SELECT count(*) FROM load_log WHERE error_code = 'undone'") == [(3 * (round_no + 1),)]


@pytest.mark.slow
def test_undo_and_another_load_of_the_same_file_at_once(load: LoadText, tmp_path: Path) -> None:
    """The file is skipped before the undo, or loaded after it."""
    outcomes = set[str]()
    sql("TRUNCATE landing.orders")
    for _ in range(12):
        loaded = load(_rows(0, 1))
        path = str(tmp_path / f"{len(list(tmp_path.iterdir())) - 1}.csv")
        in_threads(partial(undo, loaded.load_id), partial(load_file, path, table=ORDERS))
        status = LoadLog.objects.get(pk=loaded.load_id).status
        rows = sql("SELECT count(*) FROM landing.orders WHERE load_id = %s", loaded.load_id)
        assert (status, rows) in [("failed", [(0,)]), ("success", [(10,)])]
        outcomes.add(status)
        sql("TRUNCATE landing.orders")
    assert outcomes


def test_interrupted_undo_changes_nothing(load: LoadText) -> None:
    loaded = load(FILES["upsert"], "upsert")
    after = table_hash()
    sql(
        "CREATE FUNCTION landing.end_session() RETURNS trigger LANGUAGE plpgsql AS"
        " $$BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN OLD; END$$;"
        "CREATE TRIGGER ends AFTER DELETE ON landing.orders FOR EACH ROW EXECUTE FUNCTION landing.end_session()"
    )
    with pytest.raises(SeederError, match="terminat"):
        undo(loaded.load_id)
    connection.close()
    assert (table_hash(), LoadLog.objects.get().status) == (after, "success")
    sql("DROP TRIGGER ends ON landing.orders")
    undo(loaded.load_id)
    assert LoadLog.objects.get().status == "failed"


def _rows(start: int, salt: int) -> str:
    return "id,amount,note\n" + "".join(f"{number},{salt},x\n" for number in range(start, start + 10))


def test_undo_waits_for_the_same_load_that_is_about_to_commit(load: LoadText) -> None:
    """The row lock makes the undo see the outcome."""
    loaded = load(FILES["append"])
    started = threading.Event()
    with connections["default"].cursor() as cursor:
        cursor.execute("BEGIN; SELECT FROM load_log FOR UPDATE")
        result = list[object]()

        def work() -> None:
            started.set()
            result.extend(in_threads(lambda: undo(loaded.load_id)))

        thread = threading.Thread(target=work)
        thread.start()
        assert started.wait(30)
        cursor.execute("UPDATE load_log SET status = 'pending'; COMMIT")
        thread.join(60)
    [error] = result
    assert isinstance(error, UndoRefused)
    assert connection.is_usable()
