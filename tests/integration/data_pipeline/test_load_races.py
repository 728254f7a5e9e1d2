"""Several loads at once, of the same file or of different ones, into one table. DATA_PIPELINE_RACES repeats them."""

import os
import random
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from django.db import connections
from pytest_django import Settings

from data_pipeline.errors import LoadInProgress
from data_pipeline.models import LoadLog, LoadReject
from data_pipeline.services.load_file import load_file
from data_pipeline.services.load_options import Loaded
from seeder.domain.refresh_requests import AllReports
from seeder.services.run.orchestrator import execute_run
from tests.conftest import another_session, create_custom_manifest, sql
from tests.polling import eventually

pytestmark = pytest.mark.usefixtures("load_tables")
RACES = int(os.environ.get("DATA_PIPELINE_RACES", "1"))
KEYS = 400  # keys of which each file has half
TABLE = "landing.orders"
CREATE_TABLE = (
    f"CREATE TABLE {TABLE} (id integer PRIMARY KEY, note text,"
    " load_id bigint DEFAULT nullif(current_setting('data_pipeline.load_id', true), '')::bigint)"
)
IS_BLOCKED = "SELECT cardinality(pg_blocking_pids(%s)) > 0"
COUNTS = "SELECT sum(rows_inserted - rows_deleted), sum(rows_rejected) FROM load_log WHERE status = 'success'"


def write_files(folder: Path, count: int, generator: random.Random) -> list[Path]:
    """Write files with overlapping keys, each in an order of its own. The note names the file."""
    paths = [folder / f"{number}.csv" for number in range(count)]
    for path in paths:
        keys = generator.sample(range(KEYS), KEYS // 2)
        path.write_text("id,note\n" + "".join(f"{key},{path.stem}\n" for key in keys))
    return paths


def keys_of(path: Path) -> set[int]:
    return {int(line.partition(",")[0]) for line in path.read_text().splitlines()[1:]}


def load_at_once(paths: Sequence[Path], mode: str) -> list[Loaded | Exception]:
    """Load each path in a thread of its own, all at the same time."""
    barrier = Barrier(len(paths))

    def load(path: Path) -> Loaded | Exception:
        try:
            sql("SET deadlock_timeout = '50ms'")
            barrier.wait(60)
            return load_file(str(path), table=TABLE, mode=mode, max_rejects=KEYS)
        except LoadInProgress as error:
            return error
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(paths)) as threads:
        return list(threads.map(load, paths))


@pytest.mark.parametrize("count", [4, pytest.param(16, marks=pytest.mark.slow)])
@pytest.mark.parametrize("mode", ["append", "upsert", "replace", "snapshot"])
def test_different_files_into_one_table_have_exact_rows(
    tmp_path: Path, mode: str, count: int, settings: Settings
) -> None:
    settings.DATA_PIPELINE = {"INGEST_STREAMING_CHUNK_SIZE": 20}
    sql(CREATE_TABLE)
    generator = random.Random(f"{mode} {count}")  # noqa: S311  # not used for security
    for _ in range(RACES):
        sql(f"TRUNCATE {TABLE}, load_reject")
        LoadLog.objects.all().delete()
        paths = write_files(tmp_path, count, generator)
        results = load_at_once(paths, mode)
        assert all(isinstance(one, Loaded) for one in results), results
        files = {one.load_id: path for one, path in zip(results, paths, strict=True) if isinstance(one, Loaded)}
        rows = dict(sql(f"SELECT id, load_id FROM {TABLE}"))
        assert all(files[load_id].stem == note for load_id, note in sql(f"SELECT load_id, note FROM {TABLE}"))
        assert sql(COUNTS) == [(len(rows), LoadReject.objects.count())]
        match mode:
            case "append":
                assert rows.keys() == set().union(*map(keys_of, paths))
                assert LoadReject.objects.count() == count * KEYS // 2 - len(rows)
            case "upsert":
                last = {key: load_id for load_id in loads_in_order() for key in keys_of(files[load_id])}
                assert rows == last
            case _:
                last_load = loads_in_order()[-1]
                assert rows == dict.fromkeys(keys_of(files[last_load]), last_load)


def loads_in_order() -> list[int]:
    """The loads in the order in which they were merged: each holds the lock on the table until it commits."""
    return [load_id for (load_id,) in sql("SELECT id FROM load_log ORDER BY succeeded_at")]


@pytest.mark.parametrize("count", [2, pytest.param(16, marks=pytest.mark.slow)])
@pytest.mark.parametrize("wait", [0, 30])
def test_same_file_is_loaded_by_one_of_many(tmp_path: Path, count: int, wait: int, settings: Settings) -> None:
    settings.DATA_PIPELINE = {"LOCK_WAIT_S": wait}
    sql(CREATE_TABLE)
    for _ in range(RACES):
        sql(f"TRUNCATE {TABLE}")
        LoadLog.objects.all().delete()
        [path] = write_files(tmp_path, 1, random.Random(0))  # noqa: S311  # not used for security
        results = load_at_once([path] * count, "append")
        statuses = Counter(one.status if isinstance(one, Loaded) else "in progress" for one in results)
        assert statuses["success"] == 1
        assert not wait or statuses["skipped"] == count - 1
        assert sql(f"SELECT count(*), count(DISTINCT load_id) FROM {TABLE}") == [(KEYS // 2, 1)]


def test_duplicates_at_once_are_all_skipped(tmp_path: Path) -> None:
    sql(CREATE_TABLE)
    [path] = write_files(tmp_path, 1, random.Random(0))  # noqa: S311  # not used for security
    load_at_once([path], "append")
    results = load_at_once([path] * 8, "append")
    assert [one.status for one in results if isinstance(one, Loaded)] == ["skipped"] * 8


@pytest.mark.parametrize("mode", ["append", "upsert"])
def test_refresh_during_loads_shows_whole_loads_only(tmp_path: Path, mode: str, settings: Settings) -> None:
    settings.SEEDER, settings.DATA_PIPELINE = {"MAX_WORKERS": 1}, {"REFRESH_AFTER_LOAD": False}
    sql(CREATE_TABLE)
    create_custom_manifest("reporting.orders", f"SELECT load_id, count(*) AS rows FROM {TABLE} GROUP BY load_id")
    paths = [tmp_path / f"{number}.csv" for number in range(6)]
    for at, path in enumerate(paths):
        path.write_text("id,note\n" + "".join(f"{at * KEYS + key},x\n" for key in range(KEYS)))

    def load_all() -> list[Loaded | Exception]:
        return [result for at in range(0, len(paths), 2) for result in load_at_once(paths[at : at + 2], mode)]

    with ThreadPoolExecutor(1) as thread:
        loads = thread.submit(load_all)
        while not loads.done():
            summary = execute_run(AllReports())
            shown = {rows for (rows,) in sql("SELECT rows FROM reporting.orders")}
            assert (summary.failed, shown | {KEYS}) == (0, {KEYS})
        assert all(isinstance(one, Loaded) for one in loads.result())
    execute_run(AllReports())
    assert sql("SELECT count(*), sum(rows) FROM reporting.orders") == [(len(paths), len(paths) * KEYS)]


def test_deadlock_with_another_writer_is_attempted_again(tmp_path: Path, settings: Settings) -> None:
    settings.DATA_PIPELINE = {"INGEST_STREAMING_CHUNK_SIZE": 1}
    sql(f"SET deadlock_timeout = '50ms'; {CREATE_TABLE}")
    path = tmp_path / "orders.csv"
    path.write_text("id,note\n1,a\n2,b\n3,c\n")
    with another_session() as other, another_session() as watcher, ThreadPoolExecutor(1) as thread:
        other.execute("SET deadlock_timeout = '30s'")
        other.execute(f"BEGIN; INSERT INTO {TABLE} VALUES (2, 'other')")
        waiting = None

        def insert_after_first_chunk(_: object) -> None:
            nonlocal waiting
            if waiting is None:
                waiting = thread.submit(other.execute, f"INSERT INTO {TABLE} VALUES (1, 'other'); COMMIT")
                eventually(lambda: watcher.execute(IS_BLOCKED, [other.info.backend_pid]).fetchone() == (True,))

        loaded = load_file(str(path), table=TABLE, max_rejects=2, on_progress=insert_after_first_chunk)
        assert waiting is not None
        waiting.result(60)
    assert sql(f"SELECT id, note FROM {TABLE} ORDER BY id") == [(1, "other"), (2, "other"), (3, "c")]
    row = LoadLog.objects.get()
    assert (row.status, row.attempts, loaded.counts.rows_rejected) == ("success", 2, 2)
