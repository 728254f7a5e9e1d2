"""Columns of a file that its table does not have: refused, added to the table, or rescued together."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from data_pipeline.errors import HeaderRefused, RescueColumnMissing, TableBusy, TooManyRejects
from data_pipeline.models import LoadEvent, LoadReject
from data_pipeline.postgres import schema_changes
from data_pipeline.services.load_file import load_file
from data_pipeline.services.load_options import Loaded
from data_pipeline.services.reject_replay import replay_rejects
from tests.conftest import another_session, sql

pytestmark = pytest.mark.usefixtures("load_tables")
Load = Callable[..., Loaded]


@pytest.fixture
def load(load_tables: None, tmp_path: Path) -> Load:
    """Loads a CSV text into the table landing.items."""
    sql(
        "CREATE TABLE landing.items (id integer PRIMARY KEY, note text, rescued jsonb,"
        " twice integer GENERATED ALWAYS AS (id * 2) STORED)"
    )

    def load(text: str, *, surplus: str | None, declared: str = "", **options: Any) -> Loaded:
        (tmp_path / "items.csv").write_text(text)
        setting = f'surplus = "{surplus}"\n' if surplus else ""
        (tmp_path / "items.toml").write_text(f'target = "landing.items"\n{setting}{declared}')
        return load_file(str(tmp_path / "items.csv"), dialect=str(tmp_path / "items.toml"), force=True, **options)

    return load


def items() -> list[dict[str, Any]]:
    """The rows of the table, with JSON objects as dictionaries."""
    [[text]] = sql("SELECT coalesce(jsonb_agg(to_jsonb(i) - 'twice' ORDER BY id), '[]')::text FROM landing.items AS i")
    rows: list[dict[str, Any]] = json.loads(text)
    return rows


def added_columns() -> list[str]:
    return [
        name
        for (name,) in sql(
            "SELECT attname FROM pg_attribute WHERE attrelid = 'landing.items'::regclass AND attnum > 4 ORDER BY attnum"
        )
    ]


@pytest.mark.parametrize("surplus", [None, "refuse"])
def test_surplus_column_is_refused_by_default(load: Load, surplus: str | None) -> None:
    with pytest.raises(HeaderRefused, match="unknown column 'color'"):
        load("id,color\n1,red\n", surplus=surplus)
    assert sql("SELECT count(*) FROM landing.items") == [(0,)]


@pytest.mark.parametrize("mode", ["append", "upsert", "replace"])
def test_surplus_column_is_added_as_text(load: Load, mode: str) -> None:
    loaded = load('id, Color ,note\n1,red,a\n2,,b\nx,green,c\n3,"",d\n', surplus="add", mode=mode, max_rejects=1)
    assert added_columns() == ["Color"]
    assert sql('SELECT id, "Color", note FROM landing.items ORDER BY 1') == [
        (1, "red", "a"),
        (2, None, "b"),
        (3, "", "d"),
    ]
    assert LoadReject.objects.get().problems[0]["value"] == "x"
    event = LoadEvent.objects.get(event="columns_added")
    assert (event.load_id, event.facts) == (loaded.load_id, {"table": "landing.items", "columns": {"Color": "text"}})


def test_added_column_is_kept_by_the_next_file(load: Load) -> None:
    load("id,color\n1,red\n", surplus="add", mode="upsert")
    loaded = load("id,color\n1,blue\n2,green\n", surplus="add", mode="upsert")
    assert (loaded.counts.rows_updated, loaded.counts.rows_inserted) == (1, 1)
    assert sql("SELECT id, color FROM landing.items ORDER BY 1") == [(1, "blue"), (2, "green")]
    assert LoadEvent.objects.filter(event="columns_added").count() == 1


def test_failed_load_adds_no_column(load: Load) -> None:
    with pytest.raises(TooManyRejects):
        load("id,color\nx,red\n", surplus="add")
    assert added_columns() == []
    assert not LoadEvent.objects.filter(event="columns_added").exists()


def test_declared_column_is_added_with_its_name_type_and_rule(load: Load) -> None:
    declared = '[columns.bought_on]\naliases = ["day"]\ntype = "date"\nrule = "date"\nformats = ["%d.%m.%Y"]\n'
    declared += '[columns.buyer]\naliases = ["client"]\npii = "mask"\nrequired = true\n'
    load("id,day,client\n1,31.1.2025,Ann 7\n", surplus="add", declared=declared)
    assert sql("SELECT bought_on::text, buyer FROM landing.items") == [("2025-01-31", "xxx 9")]


@pytest.mark.parametrize("name", ["load_id", "ctid", "twice"])
def test_column_that_cannot_be_written_is_refused(load: Load, name: str) -> None:
    with pytest.raises(HeaderRefused, match=f"'{name}' cannot be"):
        load(f"id,{name}\n1,2\n", surplus="add")


@pytest.mark.slow
def test_table_in_use_is_reported_after_a_limited_wait(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema_changes, "LOCK_TIMEOUT_SECONDS", 1)
    with another_session() as reader:
        reader.execute("BEGIN; SELECT FROM landing.items")
        with pytest.raises(TableBusy, match="within 1 s"):
            load("id,color\n1,red\n", surplus="add")


def test_lock_limit_ends_with_the_change_of_the_table(load: Load) -> None:
    sql("SET lock_timeout = '7s'")
    try:
        sql(
            "CREATE FUNCTION landing.note_limit() RETURNS trigger LANGUAGE plpgsql AS"
            " $$BEGIN NEW.note := current_setting('lock_timeout'); RETURN NEW; END$$;"
            " CREATE TRIGGER note_limit BEFORE INSERT ON landing.items"
            " FOR EACH ROW EXECUTE FUNCTION landing.note_limit()"
        )
        load("id,color\n1,red\n", surplus="add")
    finally:
        sql("RESET lock_timeout")
    assert sql("SELECT note FROM landing.items") == [("7s",)]


@pytest.mark.parametrize("mode", ["append", "upsert", "replace"])
def test_surplus_values_are_rescued_with_their_headings(load: Load, mode: str) -> None:
    text = 'Color,id,100% new,note\nred,1,"a ""b""",x\n,2,,y\n"",3, ,z\nblue,many,1,w\n'
    loaded = load(text, surplus="rescue", mode=mode, max_rejects=1)
    assert [(row["id"], row["rescued"], row["note"]) for row in items()] == [
        (1, {"Color": "red", "100% new": 'a "b"'}, "x"),
        (2, None, "y"),
        (3, {"Color": "", "100% new": " "}, "z"),
    ]
    reject = LoadReject.objects.get()
    assert (reject.line_no, reject.problems[0]["column"], reject.problems[0]["value"]) == (5, "id", "many")
    assert bytes(reject.raw) == b"blue,many,1,w"
    assert loaded.counts.rows_inserted == 3


def test_changed_rescued_value_is_an_update(load: Load) -> None:
    load("id,color\n1,red\n2,red\n", surplus="rescue", mode="upsert")
    loaded = load("id,color\n1,red\n2,blue\n", surplus="rescue", mode="upsert")
    assert (loaded.counts.rows_updated, loaded.counts.rows_unchanged) == (1, 1)


def test_personal_values_are_rescued_masked(load: Load) -> None:
    declared = '[columns.buyer]\naliases = ["client"]\npii = "mask"\n'
    load("id,client\n1,Ann 7\nx,Bob 8\n", surplus="rescue", declared=declared, max_rejects=1)
    assert [row["rescued"] for row in items()] == [{"client": "xxx 9"}]
    assert bytes(LoadReject.objects.get().raw) == b"x,xxx 9"


def test_rescue_column_can_have_another_name(load: Load) -> None:
    sql("ALTER TABLE landing.items RENAME rescued TO more")
    load("id,color,rescued\n1,red,2\n", surplus="rescue", declared='rescue_column = "more"\n')
    assert [row["more"] for row in items()] == [{"color": "red", "rescued": "2"}]


def test_rescued_values_of_a_reject_are_replayed(load: Load) -> None:
    loaded = load("id,color,note\n1,red,\n2,blue,\n", surplus="rescue")
    sql("DELETE FROM landing.items WHERE id = 2")
    loaded = load("id,color,note\n1,red,\n2,blue,\n", surplus="rescue", max_rejects=1)
    sql("DELETE FROM landing.items WHERE id = 1")
    assert replay_rejects(loaded.load_id, path=None, actor="test").replayed == [1]
    assert [row["rescued"] for row in items()] == [{"color": "red"}, {"color": "blue"}]


def test_missing_rescue_column_names_the_statement(load: Load) -> None:
    sql("ALTER TABLE landing.items DROP rescued")
    with pytest.raises(RescueColumnMissing, match="ALTER TABLE landing.items ADD COLUMN rescued jsonb"):
        load("id,color\n1,red\n", surplus="rescue")
    load("id\n1\n", surplus="rescue")
    assert sql("SELECT id FROM landing.items") == [(1,)]


def test_many_columns_can_be_rescued(load: Load) -> None:
    names = [f"c{at}" for at in range(300)]
    load(f"id,{','.join(names)}\n1,{','.join(names)}\n", surplus="rescue")
    assert [row["rescued"] for row in items()] == [{name: name for name in names}]


def test_created_table_has_the_rescue_column(load: Load) -> None:
    sql("DROP TABLE landing.items")
    load("id,color\n1,red\n", surplus="rescue", declared='[columns.id]\ntype = "integer"\n')
    assert [(row["id"], row["rescued"]) for row in items()] == [(1, {"color": "red"})]
