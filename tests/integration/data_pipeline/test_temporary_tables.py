"""The temporary tables of a load: beside those of the session, and for the widest tables."""

from pathlib import Path

import pytest

from data_pipeline.errors import TooManyColumns
from tests.acceptance.data_pipeline.file_loads import TABLE, create, load, rows
from tests.conftest import sql
from tests.integration.data_pipeline.undo_scene import undo

pytestmark = pytest.mark.usefixtures("load_tables")
EARLIER_NAMES = ["load_texts", "load_typed", "load_rows", "load_changed", "load_again", "undo_changes"]


def test_temporary_tables_of_the_session_remain(tmp_path: Path) -> None:
    create("id integer PRIMARY KEY, load_id bigint, amount integer")
    for name in EARLIER_NAMES:
        sql(f"CREATE TEMPORARY TABLE {name} AS SELECT 7 AS one")
    loaded = load(tmp_path, b"id,amount\n1,1\n2,x\n1,3\n", mode="upsert")
    assert loaded.counts.rows_rejected == 2
    sql(f"UPDATE {TABLE} SET load_id = {loaded.load_id}")
    undo(loaded.load_id, force=True)
    assert [sql(f"SELECT one FROM {name}") for name in EARLIER_NAMES] == [[(7,)]] * len(EARLIER_NAMES)


@pytest.mark.parametrize("mode", ["append", "upsert"])
def test_column_named_load_record_no_is_loaded(tmp_path: Path, mode: str) -> None:
    create("load_record_no integer PRIMARY KEY, old text")
    loaded = load(tmp_path, b"load_record_no,old\n8,a\nx,b\n9,c\n", mode=mode)
    assert [one.record_no for one in loaded.rejects] == [2]
    assert rows() == [(8, "a"), (9, "c")]


WIDE = [f"c{at}" for at in range(1600)]


def create_wide() -> bytes:
    """Create a table with as many columns as PostgreSQL allows. Return a file with three records, one of them bad."""
    create(", ".join(f"{name} smallint{' PRIMARY KEY' if name == 'c0' else ''}" for name in WIDE))
    records = [["1"] * 1600, ["2", "x", *["2"] * 1598], ["3"] * 1600]
    return "".join(",".join(one) + "\n" for one in [WIDE, *records]).encode()


@pytest.mark.slow
def test_file_with_1600_columns_is_appended(tmp_path: Path) -> None:
    assert load(tmp_path, create_wide()).counts.rows_inserted == 2


def test_file_with_1600_columns_is_refused_in_another_mode(tmp_path: Path) -> None:
    with pytest.raises(TooManyColumns, match="beside 1,600 columns"):
        load(tmp_path, create_wide(), mode="upsert")


@pytest.mark.slow
def test_file_with_1599_columns_is_upserted(tmp_path: Path) -> None:
    lines = create_wide().splitlines()
    content = b"".join(line.rpartition(b",")[0] + b"\n" for line in lines)
    assert load(tmp_path, content, mode="upsert").counts.rows_inserted == 2
