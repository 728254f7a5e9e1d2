"""Columns that need a value: rejected records, and values that a trigger gives."""

from pathlib import Path

import pytest

from tests.acceptance.data_pipeline.file_loads import TABLE, Bad, create, load, rejects, rows
from tests.conftest import sql

pytestmark = pytest.mark.usefixtures("load_tables")
MODES = ["append", "upsert", "replace", "snapshot"]


def create_with_trigger() -> None:
    create("id integer PRIMARY KEY, n integer, label text NOT NULL")
    sql(
        "CREATE FUNCTION landing.label() RETURNS trigger LANGUAGE plpgsql AS"
        " $$BEGIN NEW.label = coalesce(NEW.label, 'label ' || NEW.id); RETURN NEW; END$$;"
        f"CREATE TRIGGER label BEFORE INSERT OR UPDATE ON {TABLE} FOR EACH ROW EXECUTE FUNCTION landing.label()"
    )


@pytest.mark.parametrize("mode", MODES)
def test_value_that_a_trigger_gives_is_loaded_beside_bad_records(tmp_path: Path, mode: str) -> None:
    create_with_trigger()
    loaded = load(tmp_path, b"id,n,label\n1,1,\n2,x,\n3,3,c\n", mode=mode)
    assert rejects(loaded) == [Bad(3, 2, b"2,x,", {"n": "22P02"})]
    assert rows() == [(1, 1, "label 1"), (3, 3, "c")]


def test_column_that_a_trigger_fills_can_be_absent(tmp_path: Path) -> None:
    create_with_trigger()
    load(tmp_path, b"id,n\n1,1\n")
    assert rows() == [(1, 1, "label 1")]


@pytest.mark.parametrize("mode", MODES)
def test_missing_values_take_few_savepoints(tmp_path: Path, mode: str) -> None:
    create("id integer PRIMARY KEY, label text NOT NULL")
    content = "id,label\n" + "".join(f"{number},{'a' * (number % 10)}\n" for number in range(1000))
    loaded = load(tmp_path, content.encode(), mode=mode)
    assert [one.states for one in rejects(loaded)] == [{"label": "23502"}] * 100
    assert len(rows()) == 900
    [(first, last)] = sql(
        "SELECT l.xid::text::bigint, e.xmin::text::bigint FROM load_log AS l, load_event AS e WHERE e.event = 'loaded'"
    )
    assert last - first < 10
