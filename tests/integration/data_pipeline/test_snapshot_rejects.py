"""A snapshot deletes no row because of a bad value: the key of a rejected record keeps its row."""

from pathlib import Path

import pytest

from data_pipeline.domain.dialects import Mode
from data_pipeline.domain.idempotency_keys import compute_idempotency_key
from data_pipeline.errors import KeysUnreadable
from data_pipeline.models import LoadLog, LoadReject
from data_pipeline.services.load_options import Loaded
from data_pipeline.services.process_once import process_once
from tests.acceptance.data_pipeline.file_loads import TABLE, create, load, rows
from tests.conftest import sql

pytestmark = pytest.mark.usefixtures("load_tables")
ROWS = [(1, "x", 10), (2, "x", 20), (3, "x", 30), (4, "x", 40)]


@pytest.fixture(autouse=True)
def table(load_tables: None) -> None:
    create("id integer, vendor text, amount integer, PRIMARY KEY (id, vendor)")
    sql(f"INSERT INTO {TABLE} SELECT n, 'x', n * 10 FROM generate_series(1, 4) AS n")


def snapshot(folder: Path, *records: str, dialect: str = "") -> Loaded:
    content = "\n".join(["id,vendor,amount", *records, ""]).encode()
    return load(folder, content, mode="snapshot", dialect=dialect)


@pytest.mark.parametrize("bad", ["bad", "99999999999"])
@pytest.mark.parametrize("chunk_records", ["0", "1"])
@pytest.mark.parametrize("dialect", ["", '[columns.vendor]\nrule = "lower"\n'])
def test_row_of_a_record_with_a_bad_value_remains(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bad: str, chunk_records: str, dialect: str
) -> None:
    monkeypatch.setenv("INGEST_STREAMING_CHUNK_SIZE", chunk_records)
    vendor = "X" if dialect else "x"
    loaded = snapshot(tmp_path, f"1,{vendor},11", f"2,{vendor},{bad}", f"5,{vendor},50", dialect=dialect)
    counts = loaded.counts
    assert (counts.rows_updated, counts.rows_inserted, counts.rows_deleted, counts.rows_rejected) == (1, 1, 2, 1)
    assert rows() == [(1, "x", 11), (2, "x", 20), (5, "x", 50)]


def test_row_of_a_record_that_a_constraint_refuses_remains(tmp_path: Path) -> None:
    sql(f"ALTER TABLE {TABLE} ADD CHECK (amount > 0)")
    assert snapshot(tmp_path, "1,x,-1", "2,x,20", "2,x,21").counts.rows_deleted == 2
    assert rows() == ROWS[:2]


@pytest.mark.parametrize(
    ("record", "problem"),
    [
        ("bad,x,30", 'invalid input syntax for type integer: "bad"'),
        (",x,30", 'null value in column "id" violates not-null constraint'),
        ("3,x", "2 fields instead of 3"),
        ('3,x,"30', "a quote is not closed"),
    ],
)
def test_snapshot_with_an_unreadable_key_is_refused(tmp_path: Path, record: str, problem: str) -> None:
    with pytest.raises(KeysUnreadable) as caught:
        snapshot(tmp_path, "1,x,11", "2,x,bad", record)
    message = str(caught.value)
    assert "1 of 2 rejected records have no key" in message
    assert "in line 4" in message
    assert rows() == ROWS
    [failed] = LoadLog.objects.all()
    assert (failed.status, failed.error_code) == ("failed", "keys_unreadable")
    assert LoadReject.objects.count() == 2


def test_snapshot_with_a_null_in_the_key_of_a_dialect_is_refused(tmp_path: Path) -> None:
    sql(f"ALTER TABLE {TABLE} DROP CONSTRAINT orders_pkey; ALTER TABLE {TABLE} ALTER id DROP NOT NULL")
    with pytest.raises(KeysUnreadable, match="null value in key column"):
        snapshot(tmp_path, "1,x,11", ",x,20", dialect='key = ["id"]\n')


@pytest.mark.parametrize("mode", ["upsert", "replace"])
def test_unreadable_key_does_not_fail_another_mode(tmp_path: Path, mode: str) -> None:
    content = b"id,vendor,amount\n1,x,11\nbad,x,30\n"
    assert load(tmp_path, content, mode=mode).counts.rows_rejected == 1


def test_snapshot_of_python_records_keeps_the_rows_of_rejected_ones() -> None:
    records = [{"id": 1, "vendor": "x", "amount": 11}, {"id": 2, "vendor": "x", "amount": "bad"}]
    key = compute_idempotency_key(payload=b"x")
    with process_once(source="test", payload_meta={}, idempotency_key=key) as handle:
        assert handle is not None
        handle.load(records, into=TABLE, key=["id", "vendor"], mode=Mode.SNAPSHOT, max_rejects=10)
    assert rows() == [(1, "x", 11), (2, "x", 20)]
