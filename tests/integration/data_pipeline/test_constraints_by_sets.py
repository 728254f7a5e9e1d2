"""Rows that violate a constraint are found by one query each: their reasons are those of the query."""

from pathlib import Path

import pytest

from data_pipeline.services.load_options import Loaded
from tests.acceptance.data_pipeline.file_loads import TABLE, create, load, rows
from tests.conftest import sql
from tests.integration.data_pipeline.undo_scene import table_hash, undo

pytestmark = pytest.mark.usefixtures("load_tables")


def upsert(folder: Path, *records: str, columns: str = "id,code") -> dict[int, str]:
    return reasons(load(folder, "\n".join([columns, *records, ""]).encode(), mode="upsert"))


def reasons(loaded: Loaded) -> dict[int, str]:
    """Return the details of the first problem of each reject, by record number."""
    return {one.record_no: one.problems[0].reason.partition(": ")[2] for one in loaded.rejects}


def create_codes(constraint: str = "UNIQUE") -> None:
    create(f"id integer PRIMARY KEY, code text {constraint}")
    sql(f"INSERT INTO {TABLE} VALUES (1, 'A'), (2, 'B'), (3, 'C')")


def test_swapped_unique_values_are_refused_with_the_cure(tmp_path: Path) -> None:
    create_codes()
    found = upsert(tmp_path, "1,B", "2,A", "3,D", "4,C")
    swap = "is that of the row of record {}, which the file changes, too. Such a swap needs a DEFERRABLE constraint"
    assert found == {1: f"Key (code)=(B) {swap.format(2)}", 2: f"Key (code)=(A) {swap.format(1)}"}
    assert rows() == [(1, "A"), (2, "B"), (3, "D"), (4, "C")]


@pytest.mark.parametrize("deferred", ["", "INITIALLY DEFERRED"])
def test_swapped_values_of_a_deferrable_constraint_are_loaded(tmp_path: Path, deferred: str) -> None:
    create_codes(f"UNIQUE DEFERRABLE {deferred}")
    sql(f"INSERT INTO {TABLE} VALUES (7, 'X')")
    before = table_hash(TABLE)
    loaded = load(tmp_path, b"id,code\n1,B\n2,A\n3,X\n", mode="upsert")
    assert reasons(loaded) == {3: "Key (code)=(X) is in the table already"}
    assert rows() == [(1, "B"), (2, "A"), (3, "C"), (7, "X")]
    undo(loaded.load_id)
    assert table_hash(TABLE) == before


def test_update_to_a_value_of_a_refused_update_is_refused(tmp_path: Path) -> None:
    """Record 2 keeps its value, because its new one violates the check."""
    create_codes("CHECK (code < 'X'), UNIQUE (code) DEFERRABLE")
    assert upsert(tmp_path, "1,B", "2,Y", "3,E", "1,D") == {
        1: "Key (code)=(B) is in the table already",
        2: "",
    }
    assert rows() == [(1, "D"), (2, "B"), (3, "E")]


def test_updates_to_the_same_value_keep_the_first(tmp_path: Path) -> None:
    create_codes()
    assert upsert(tmp_path, "1,Z", "2,Z", "3,C") == {2: "Key (code)=(Z) is in record 1 already"}
    assert rows() == [(1, "Z"), (2, "B"), (3, "C")]


EXCLUSION = (
    "id integer PRIMARY KEY, r int4range, is_open boolean, amount integer CHECK (amount > 0), EXCLUDE USING gist"
)


def bookings(folder: Path, *records: str, mode: str = "append") -> Loaded:
    return load(
        folder, "\n".join(["id;r;is_open;amount", *records, ""]).encode(), mode=mode, dialect='delimiter = ";"\n'
    )


@pytest.mark.parametrize("mode", ["append", "upsert", "replace"])
def test_conflicts_of_an_exclusion_constraint_keep_the_first(tmp_path: Path, mode: str) -> None:
    create(f"{EXCLUSION} (r WITH &&) WHERE (is_open)")
    if mode != "replace":
        sql(f"INSERT INTO {TABLE} VALUES (1, '[1,5)', true, 1)")
    records = ["2;[4,8);t;1", "3;[20,30);t;1", "4;[25,35);t;1", "5;[34,40);t;1", "6;[3,9);f;1", "7;;t;1", "8;[7,8);t;1"]
    expected = {1: "Key (r)=([4,8)) conflicts with a row of the table", 3: "Key (r)=([25,35)) conflicts with record 2"}
    if mode == "replace":
        expected[7] = "Key (r)=([7,8)) conflicts with record 1"
        del expected[1]
    assert reasons(bookings(tmp_path, *records, mode=mode)) == expected


def test_conflict_with_a_row_that_is_refused_itself_is_loaded(tmp_path: Path) -> None:
    create(f"{EXCLUSION} (r WITH &&)")
    loaded = bookings(tmp_path, "1;[1,5);t;-1", "2;[4,8);t;1", "3;[7,9);t;1")
    assert reasons(loaded) == {1: "", 3: "Key (r)=([7,9)) conflicts with record 2"}
    assert [number for (number,) in rows("id")] == [2]


def test_update_that_an_exclusion_constraint_refuses_is_rejected(tmp_path: Path) -> None:
    create(f"{EXCLUSION} (r WITH &&)")
    sql(f"INSERT INTO {TABLE} VALUES (1, '[1,5)', true, 1), (2, '[5,9)', true, 1)")
    loaded = bookings(tmp_path, "1;[1,7);t;1", "2;[6,9);t;1", mode="upsert")
    assert list(reasons(loaded)) == [1]


@pytest.mark.parametrize("mode", ["append", "upsert"])
def test_rows_without_a_partition_are_found(tmp_path: Path, mode: str) -> None:
    create("id integer PRIMARY KEY, code text) PARTITION BY RANGE (id")
    sql(
        f"CREATE TABLE landing.low PARTITION OF {TABLE} FOR VALUES FROM (0) TO (50) PARTITION BY HASH (id);"
        "CREATE TABLE landing.odd PARTITION OF landing.low FOR VALUES WITH (MODULUS 2, REMAINDER 0);"
        f"CREATE TABLE landing.high PARTITION OF {TABLE} FOR VALUES FROM (100) TO (200)"
    )
    numbers = [*range(40, 60), 99, 100, 199, 200]
    loaded = load(tmp_path, "\n".join(["id,code", *(f"{one},x" for one in numbers), ""]).encode(), mode=mode)
    loaded_numbers = [number for (number,) in rows("id")]
    assert 0 < len(set(range(40, 50)) & set(loaded_numbers)) < 10
    assert loaded_numbers[-2:] == [100, 199]
    refused = [numbers[one - 1] for one in reasons(loaded)]
    assert sorted([*loaded_numbers, *refused]) == numbers
    assert {one.problems[0].reason for one in loaded.rejects} == {
        f"no partition of {TABLE} accepts the row: (id) is ({one})" for one in refused
    }


def test_rows_that_a_partition_itself_refuses_are_found(tmp_path: Path) -> None:
    create("id integer PRIMARY KEY, code text) PARTITION BY RANGE (id")
    sql(f"CREATE TABLE landing.low PARTITION OF {TABLE} FOR VALUES FROM (0) TO (5)")
    loaded = load(tmp_path, b"id,code\n4,a\n5,b\n", table="landing.low")
    assert [one.problems[0].reason for one in loaded.rejects] == [
        "no partition of landing.low accepts the row: (id) is (5)"
    ]
