"""Upserts and snapshots: which rows of the table are the same as records of the file, and which differ."""

from pathlib import Path
from random import Random
from string import ascii_letters

import pytest
from django.db import NotSupportedError

from data_pipeline.errors import KeyNotUnique
from data_pipeline.services.load_options import Loaded
from tests.acceptance.data_pipeline.file_loads import TABLE, create, load, rows
from tests.conftest import sql

pytestmark = pytest.mark.usefixtures("load_tables")


def merge(folder: Path, content: str, *, mode: str = "upsert", key: str = "id") -> Loaded:
    return load(folder, content.encode(), dialect=f'key = ["{key}"]\nmode = "{mode}"\n')


@pytest.mark.parametrize("mode", ["upsert", "snapshot"])
def test_key_that_several_rows_have_fails_the_load(tmp_path: Path, mode: str) -> None:
    create("id integer, note text")
    sql(f"INSERT INTO {TABLE} VALUES (1, 'a'), (1, 'a')")
    with pytest.raises(KeyNotUnique) as caught:
        merge(tmp_path, "id,note\n2,b\n1,a\n", mode=mode)
    assert "2 rows of the table have the key (1) of record 2" in str(caught.value)
    assert rows() == [(1, "a"), (1, "a")]


def test_key_that_is_not_unique_elsewhere_is_merged(tmp_path: Path) -> None:
    create("id integer, note text")
    sql(f"INSERT INTO {TABLE} VALUES (1, 'a'), (8, 'x'), (8, 'x')")
    counts = merge(tmp_path, "id,note\n2,b\n1,c\n").counts
    assert (counts.rows_inserted, counts.rows_updated, counts.rows_unchanged) == (1, 1, 0)
    assert rows() == [(1, "c"), (2, "b"), (8, "x"), (8, "x")]


@pytest.mark.parametrize("length", [1, 9000])
def test_duplicate_of_a_key_of_any_length_is_rejected(tmp_path: Path, length: int) -> None:
    key = "".join(Random(1).choices(ascii_letters, k=length))  # noqa: S311  # no secrets, but not compressible
    create("id text, note text")
    counts = merge(tmp_path, f"id,note\n{key},a\n{key}b,b\n{key},c\n").counts
    assert (counts.rows_inserted, counts.rows_rejected) == (2, 1)
    assert rows() == [(key, "a"), (f"{key}b", "b")]
    counts = merge(tmp_path, f"id,note\n{key}b,b\n{key},d\n").counts
    assert (counts.rows_updated, counts.rows_unchanged) == (1, 1)


@pytest.mark.parametrize(
    ("column_type", "old", "new"),
    [
        ("json", '"{""a"": 1}"', '"{""a"": 2}"'),
        ("json", "1.0", "1.00"),
        ("json[]", "{1}", "{2}"),
        ("point", '"(1,2)"', '"(1,3)"'),
        ("polygon", '"((0,0),(1,1))"', '"((0,0),(5,5))"'),
        ("pg_snapshot", "10:20:", "10:21:"),
        ("box", '"(2,3),(0,0)"', '"(3,2),(0,0)"'),  # boxes of the same area are equal to PostgreSQL
        ("path", '"((0,0),(1,1))"', '"((0,0),(5,5))"'),
        ("circle", '"<(0,0),1>"', '"<(5,5),1>"'),
        ("numeric", "1.0", "1.00"),
        ("double precision", "0", "-0"),
        ("interval", "1 day", "24:00:00"),
        ("timetz", "10:00:00+00", "11:00:00+01"),
    ],
)
def test_value_that_differs_is_updated_although_it_is_equal(
    tmp_path: Path, column_type: str, old: str, new: str
) -> None:
    create(f"id integer PRIMARY KEY, value {column_type}")
    merge(tmp_path, f"id,value\n1,{old}\n2,{old}\n")
    before = sql(f"SELECT xmin, value::text FROM {TABLE} ORDER BY id")
    assert merge(tmp_path, f"id,value\n1,{old}\n2,{old}\n").counts.rows_unchanged == 2
    assert sql(f"SELECT xmin, value::text FROM {TABLE} ORDER BY id") == before
    counts = merge(tmp_path, f"id,value\n1,{old}\n2,{new}\n").counts
    assert (counts.rows_updated, counts.rows_unchanged) == (1, 1)
    after = sql(f"SELECT xmin, value::text FROM {TABLE} ORDER BY id")
    assert after[0] == before[0]
    assert after[1][1] != before[1][1]


CASE_INSENSITIVE = (
    "CREATE COLLATION landing.ignoring_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false)"
)


def create_collation() -> None:
    try:
        sql(CASE_INSENSITIVE)
    except NotSupportedError:
        pytest.skip("this server has no ICU")


def test_letter_case_is_updated_if_the_collation_ignores_it(tmp_path: Path) -> None:
    create_collation()
    create("id integer PRIMARY KEY, note text COLLATE landing.ignoring_case")
    merge(tmp_path, "id,note\n1,a\n2,b\n")
    counts = merge(tmp_path, "id,note\n1,A\n2,b\n").counts
    assert (counts.rows_updated, counts.rows_unchanged) == (1, 1)
    assert rows() == [(1, "A"), (2, "b")]


def test_keys_that_the_collation_makes_equal_are_duplicates(tmp_path: Path) -> None:
    create_collation()
    create("id text COLLATE landing.ignoring_case PRIMARY KEY, note text")
    merge(tmp_path, "id,note\na,x\n")
    loaded = merge(tmp_path, "id,note\na,y\nA,z\n")
    counts = loaded.counts
    assert (counts.rows_updated, counts.rows_unchanged, counts.rows_rejected) == (1, 0, 1)
    assert [one.record_no for one in loaded.rejects] == [2]
    assert rows() == [("a", "y")]


@pytest.mark.parametrize("mode", ["upsert", "snapshot"])
def test_new_row_is_inserted_beside_a_refused_update(tmp_path: Path, mode: str) -> None:
    create("id integer PRIMARY KEY, amount integer CHECK (amount > 0)")
    merge(tmp_path, "id,amount\n1,10\n2,20\n", mode=mode)
    loaded = merge(tmp_path, "id,amount\n1,-1\n2,20\n3,30\n", mode=mode)
    counts = loaded.counts
    assert (counts.rows_in, counts.rows_inserted, counts.rows_updated, counts.rows_unchanged) == (3, 1, 0, 1)
    assert [one.record_no for one in loaded.rejects] == [1]
    assert rows() == [(1, 10), (2, 20), (3, 30)]


@pytest.mark.parametrize("mode", ["upsert", "replace", "snapshot"])
def test_row_that_a_trigger_keeps_out_is_not_unchanged(tmp_path: Path, mode: str) -> None:
    create("id integer PRIMARY KEY, amount integer")
    sql(
        "CREATE FUNCTION landing.keep_out() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN NULL; END$$;"
        f"CREATE TRIGGER keep_out BEFORE INSERT ON {TABLE} FOR EACH ROW WHEN (NEW.id = 2)"
        " EXECUTE FUNCTION landing.keep_out()"
    )
    counts = merge(tmp_path, "id,amount\n1,1\n2,2\n", mode=mode).counts
    assert (counts.rows_in, counts.rows_inserted, counts.rows_unchanged) == (2, 1, 0)


@pytest.mark.parametrize("mode", ["upsert", "snapshot"])
def test_first_accepted_record_of_a_key_is_merged(tmp_path: Path, mode: str) -> None:
    create("id integer PRIMARY KEY, amount integer CHECK (amount > 0)")
    merge(tmp_path, "id,amount\n1,10\n2,20\n", mode=mode)
    records = "1,-1\n1,-2\n1,11\n1,12\n2,-3\n2,20\n3,-4\n3,30\n4,40\n4,41\n"
    loaded = merge(tmp_path, f"id,amount\n{records}", mode=mode)
    counts = loaded.counts
    assert rows() == [(1, 11), (2, 20), (3, 30), (4, 40)]
    assert (counts.rows_inserted, counts.rows_updated, counts.rows_unchanged) == (2, 1, 1)
    states = {one.record_no: one.problems[0].sqlstate for one in loaded.rejects}
    assert states == {1: "23514", 2: "23514", 4: "23505", 5: "23514", 7: "23514", 10: "23505"}
    assert counts.rows_rejected == len(states)
