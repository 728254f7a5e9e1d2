"""Undos at once, beside loads, and interrupted: each load is in its table as a whole, or not at all."""

import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from django.db import connection, connections

from data_pipeline.correction_errors import RowsChanged, UndoRefused
from data_pipeline.errors import PipelineError
from data_pipeline.models import LoadLog
from data_pipeline.services.load_file import load_file
from data_pipeline.services.load_options import Loaded
from data_pipeline.services.undoing import UndoneLoad
from seeder.errors import SeederError
from tests.conftest import another_session, sql
from tests.integration.data_pipeline.undo_scene import FILES, ORDERS, LoadText, create_orders, loader, table_hash, undo
from tests.polling import eventually

pytestmark = pytest.mark.usefixtures("load_tables")


@pytest.fixture
def load(tmp_path: Path, load_tables: None) -> LoadText:
    return loader(tmp_path)


@pytest.fixture(autouse=True)
def orders(load_tables: None) -> None:
    create_orders()


def in_threads(*works: Callable[[], object]) -> list[object]:
    """Run functions at once. Return their results or expected errors."""
    results, barrier = list[object]([None] * len(works)), threading.Barrier(len(works))

    def run(at: int, work: Callable[[], object]) -> None:
        try:
            barrier.wait(60)
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
        assert started.wait(60)
        cursor.execute("UPDATE load_log SET status = 'pending'; COMMIT")
        thread.join(60)
    [error] = result
    assert isinstance(error, UndoRefused)
    assert connection.is_usable()


def test_change_by_a_transaction_begun_during_the_load_is_kept(load: LoadText) -> None:
    """Its transaction id is between those of the load."""
    sql("CREATE TABLE landing.others (n integer)")
    with another_session() as other:
        other.execute(
            "CREATE FUNCTION landing.wait() RETURNS trigger LANGUAGE plpgsql AS"
            " $$BEGIN PERFORM pg_advisory_xact_lock(4711); RETURN NULL; END$$;"
            "CREATE TRIGGER waiting AFTER INSERT ON landing.orders EXECUTE FUNCTION landing.wait()"
        )
        with other.transaction():
            other.execute("SELECT pg_advisory_lock(4711)")
            results: list[object] = []
            thread = threading.Thread(target=lambda: results.extend(in_threads(lambda: load(FILES["append"]))))
            thread.start()
            eventually(lambda: sql("SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"))
            other.execute("INSERT INTO landing.others VALUES (1)")
            with other.transaction():  # a savepoint with an id of its own
                other.execute("INSERT INTO landing.others VALUES (2)")
                other.execute("SELECT pg_advisory_unlock(4711)")
                thread.join(60)
                other.execute("UPDATE landing.orders SET amount = 42 WHERE id = 4")
    [loaded] = results
    assert isinstance(loaded, Loaded)
    with pytest.raises(RowsChanged, match="1 of its 2 rows"):
        undo(loaded.load_id)
