"""Keys whose equality is that of their type or collation, not of their bytes."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import NotSupportedError

from data_pipeline.correction_errors import LaterLoads
from data_pipeline.errors import RowsReferenced
from data_pipeline.services.load_options import Loaded
from data_pipeline.services.tracking import track_loads
from data_pipeline.services.verifying import verify_load
from tests.acceptance.data_pipeline.file_loads import TABLE, create, load, rows
from tests.conftest import sql
from tests.integration.data_pipeline.undo_scene import table_hash, undo

pytestmark = pytest.mark.usefixtures("load_tables")

# The extension can be in a schema that the search path does not have.
KEY_TYPES = {
    "citext": "CREATE EXTENSION citext SCHEMA public",
    "landing.citext": "CREATE EXTENSION citext SCHEMA landing",
    "landing.mail": "CREATE EXTENSION citext SCHEMA landing; CREATE DOMAIN landing.mail AS landing.citext",
    "text COLLATE landing.ignoring_case": "CREATE COLLATION landing.ignoring_case"
    " (provider = icu, locale = 'und-u-ks-level2', deterministic = false)",
}


@pytest.fixture(params=KEY_TYPES)
def key_type(request: pytest.FixtureRequest, load_tables: None) -> Iterator[str]:
    try:
        sql(KEY_TYPES[request.param])
    except NotSupportedError:
        pytest.skip("this server has neither citext nor ICU")
    yield request.param
    sql("DROP EXTENSION IF EXISTS citext CASCADE")


def merge(folder: Path, content: str, mode: str) -> Loaded:
    return load(folder, content.encode(), dialect=f'key = ["mail"]\nmode = "{mode}"\n')


def create_people(key_type: str) -> None:
    create(f"mail {key_type} PRIMARY KEY, age integer, note text")
    sql(f"INSERT INTO {TABLE} VALUES ('Anna', 1, 'kept'), ('Bob', 2, 'kept'), ('Eve', 3, 'kept')")


@pytest.mark.parametrize(
    ("mode", "others"), [("upsert", [("Eve", 3, "kept")]), ("snapshot", []), ("append", [("Eve", 3, "kept")])]
)
def test_key_that_differs_in_case_is_the_same(tmp_path: Path, key_type: str, mode: str, others: list[object]) -> None:
    create_people(key_type)
    track_loads(TABLE)
    before = table_hash(TABLE)
    loaded = merge(tmp_path, "mail,age\nANNA,11\nbob,2\nCarl,4\nCARL,5\n", mode)
    is_append = mode == "append"
    assert [one.record_no for one in loaded.rejects] == ([1, 2, 4] if is_append else [4])
    assert [row[:3] for row in rows()] == [
        ("Anna", 1 if is_append else 11, "kept"),
        ("Bob", 2, "kept"),
        ("Carl", 4, None),
        *others,
    ]
    assert verify_load(loaded.load_id, actor="test").rows == "equal"
    undo(loaded.load_id)
    assert table_hash(TABLE) == before


def test_update_by_another_case_is_undone_in_an_untracked_table(tmp_path: Path, key_type: str) -> None:
    create_people(key_type)
    before = rows()
    loaded = merge(tmp_path, "mail,age\nANNA,11\n", "upsert")
    undo(loaded.load_id)
    assert rows() == before


def test_later_load_by_another_case_is_named_in_an_untracked_table(tmp_path: Path, key_type: str) -> None:
    create_people(key_type)
    first = merge(tmp_path, "mail,age\nANNA,11\n", "upsert")
    second = merge(tmp_path, "mail,age\nanna,12\n", "upsert")
    with pytest.raises(LaterLoads, match=f"load {second.load_id} "):
        undo(first.load_id, force=True)
    assert rows("mail", "age")[0] == ("Anna", 12)


def test_rows_that_refer_in_another_case_are_not_deleted(tmp_path: Path, key_type: str) -> None:
    create_people(key_type)
    sql(
        f"CREATE TABLE landing.letters (mail {key_type} REFERENCES {TABLE} ON DELETE CASCADE);"
        "INSERT INTO landing.letters VALUES ('EVE')"
    )
    with pytest.raises(RowsReferenced, match=r"1 row of landing\.letters"):
        merge(tmp_path, "mail,age\nanna,1\n", "snapshot")
    assert len(rows()) == 3


def test_swapped_unique_values_are_found_by_sets(tmp_path: Path, key_type: str) -> None:
    create_people(key_type)
    sql(f"ALTER TABLE {TABLE} ADD COLUMN nick {key_type} UNIQUE; UPDATE {TABLE} SET nick = mail")
    loaded = merge(tmp_path, "mail,nick\nANNA,BOB\nbob,ANNA\neve,x\n", "upsert")
    swaps = {one.record_no: one.problems[0].reason.partition(": ")[2] for one in loaded.rejects}
    assert list(swaps) == [1, 2]
    assert swaps[1].startswith("Key (nick)=(BOB) is that of the row of record 2, which the file changes, too.")
