"""`verify_load`: the file and the rows of a load, compared with what was recorded."""

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest

from data_pipeline.models import LoadEvent
from tests.conftest import CompletedCommand, sql

pytestmark = pytest.mark.usefixtures("load_tables")
Manage = Callable[..., CompletedCommand]
MODES = ["append", "upsert", "replace", "snapshot"]


@pytest.fixture(autouse=True)
def orders(load_tables: None, manage: Manage) -> None:
    """A tracked table with a row that no load inserted, and another that each file repeats."""
    sql(
        "CREATE TABLE landing.parents (id integer PRIMARY KEY); INSERT INTO landing.parents VALUES (1), (2);"
        "CREATE TABLE landing.orders (id integer PRIMARY KEY, amount numeric(9, 2) CHECK (amount > 0), code char(4),"
        " parent integer REFERENCES landing.parents, created timestamptz DEFAULT clock_timestamp());"
        "INSERT INTO landing.orders VALUES (100, 1, 'a', 1)"
    )
    manage("track_loads", "landing.orders")


TEXT = "id,amount,code,parent\n1,10.001,a,1\n2,20,bb,2\n3,-1,c,1\n4,x,d,1\n5,50,e,9\n6,60,,1\n1,11,dup,1\n"


@pytest.fixture
def load(manage: Manage, tmp_path: Path) -> Callable[..., int]:
    def load_text(text: str = TEXT, mode: str = "append", name: str = "orders.csv") -> int:
        (tmp_path / name).write_text(text)
        options = ["--table", "landing.orders", "--mode", mode, "--max-rejects", "10"]
        result = manage("load_file", str(tmp_path / name), *options, "--json")
        assert result.exit_code == 0, result.err
        return int(result.document["loads"][0]["loadId"])

    return load_text


def verify(manage: Manage, load_id: int) -> tuple[int, str, str]:
    result = manage("verify_load", str(load_id), "--json")
    return result.exit_code, result.document["artefact"], result.document["rows"]


@pytest.mark.parametrize("mode", MODES)
def test_load_with_rejects_of_all_kinds_is_proved(manage: Manage, load: Callable[..., int], mode: str) -> None:
    load_id = load(mode=mode)
    assert verify(manage, load_id) == (0, "equal", "equal")
    event = LoadEvent.objects.latest("id")
    assert (event.event, event.facts) == ("verified", {"artefact": "equal", "rows": "equal"})
    assert (
        manage("verify_load", str(load_id)).lines[1].startswith("landing.orders: 3 rows of load 1, equal to the file")
    )


def test_equal_keys_of_different_texts_are_proved(manage: Manage, load: Callable[..., int]) -> None:
    """An upsert does not write the key. Rows that exchange their keys are found nevertheless."""
    sql("ALTER TABLE landing.orders ALTER id TYPE numeric; INSERT INTO landing.orders (id) VALUES (1.0), (2.00)")
    load_id = load("id,amount\n1,10\n2,20\n", mode="upsert")
    assert verify(manage, load_id) == (0, "equal", "equal")
    sql("UPDATE landing.orders SET amount = 30 - amount WHERE id < 3")
    assert verify(manage, load_id) == (1, "equal", "changed")


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    "change",
    [
        "UPDATE landing.orders SET amount = 11 WHERE id = 2",
        "UPDATE landing.orders SET parent = NULL WHERE id = 2",
        "UPDATE landing.orders SET id = 22 WHERE id = 2",
        "DELETE FROM landing.orders WHERE id = 2",
        "INSERT INTO landing.orders (id, amount, load_id) VALUES (9, 9, 1)",
    ],
)
def test_changed_rows_are_found(manage: Manage, load: Callable[..., int], mode: str, change: str) -> None:
    load_id = load(mode=mode)
    sql(change)
    assert verify(manage, load_id) == (1, "equal", "changed")


def test_number_of_changed_rows_is_shown(manage: Manage, load: Callable[..., int]) -> None:
    load_id = load()
    sql("UPDATE landing.orders SET code = 'zz' WHERE id = 2; DELETE FROM landing.orders WHERE id = 1")
    result = manage("verify_load", str(load_id))
    assert result.lines[1] == (
        "landing.orders: rows of load 1 were changed since; 2 of 3 rows are there; 1 row different from the file"
    )


def test_columns_that_the_file_does_not_have_are_not_compared(manage: Manage, load: Callable[..., int]) -> None:
    load_id = load()
    sql("UPDATE landing.orders SET created = now() - interval '1 year'")
    assert verify(manage, load_id) == (0, "equal", "equal")


def test_unchanged_rows_of_an_upsert_are_not_its_rows(manage: Manage, load: Callable[..., int]) -> None:
    load("id,amount,code,parent\n1,1,a,1\n2,2,b,1\n")
    second = load("id,amount,code,parent\n1,1,a,1\n2,3,b,1\n7,7,g,1\n", "upsert", "second.csv")
    assert verify(manage, second) == (0, "equal", "equal")
    document = manage("verify_load", "1", "--json").document
    assert (document["rows"], document["rowsFound"], document["laterLoads"]) == ("changed", 1, [second])


def test_changed_file_is_found(manage: Manage, load: Callable[..., int], tmp_path: Path) -> None:
    load_id = load()
    (tmp_path / "orders.csv").write_text(TEXT.replace("20", "21"))
    assert verify(manage, load_id) == (1, "changed", "unknown")
    sql("DELETE FROM landing.orders WHERE id = 2")
    assert verify(manage, load_id) == (1, "changed", "changed")


def test_missing_file_is_reported(manage: Manage, load: Callable[..., int], tmp_path: Path) -> None:
    load_id = load()
    (tmp_path / "orders.csv").unlink()
    assert verify(manage, load_id) == (1, "unreadable", "unknown")
    assert "There is no file" in manage("verify_load", str(load_id)).lines[0]


def test_untracked_table_is_not_compared(manage: Manage, load: Callable[..., int]) -> None:
    sql("ALTER TABLE landing.orders DROP COLUMN load_id")
    load_id = load()
    assert verify(manage, load_id) == (0, "equal", "unknown")
    assert manage("verify_load", str(load_id)).lines[1].endswith("the rows of landing.orders have no load id")


def test_load_before_the_table_was_tracked_is_not_compared(manage: Manage, load: Callable[..., int]) -> None:
    sql("ALTER TABLE landing.orders DROP COLUMN load_id")
    load_id = load()
    manage("track_loads", "landing.orders")
    assert verify(manage, load_id) == (0, "equal", "unknown")
    assert manage("verify_load", str(load_id)).lines[1].endswith("had no load id before it was tracked")
    sql("DELETE FROM landing.orders")
    assert verify(manage, load_id) == (1, "equal", "changed")


def test_rejects_that_are_not_all_kept_leave_rows_unknown(
    manage: Manage, load: Callable[..., int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATA_PIPELINE_KEEP_REJECTS", "1")
    assert verify(manage, load()) == (0, "equal", "unknown")


def test_altered_table_leaves_rows_unknown(manage: Manage, load: Callable[..., int]) -> None:
    load_id = load()
    sql("ALTER TABLE landing.orders DROP COLUMN code")
    assert verify(manage, load_id) == (0, "equal", "unknown")
    sql("DROP TABLE landing.orders")
    assert verify(manage, load_id) == (0, "equal", "unknown")


def test_compressed_file_of_a_dialect_is_proved(manage: Manage, tmp_path: Path) -> None:
    (tmp_path / "orders.toml").write_text(
        'target = "landing.orders"\ndelimiter = ";"\n[columns.amount]\nrule = "decimal"\ndecimal_mark = ","\n'
    )
    (tmp_path / "orders.csv.gz").write_bytes(gzip.compress(b"id;amount\n1;1,5\n2;2,5\n3;x\n"))
    arguments = [str(tmp_path / "orders.csv.gz"), "--dialect", str(tmp_path / "orders.toml"), "--max-rejects", "1"]
    assert manage("load_file", *arguments).exit_code == 0
    assert verify(manage, 1) == (0, "equal", "equal")
    sql("UPDATE landing.orders SET amount = 15 WHERE id = 1")
    assert verify(manage, 1) == (1, "equal", "changed")


def test_file_of_a_new_table_with_another_delimiter_is_proved(manage: Manage, tmp_path: Path) -> None:
    (tmp_path / "Prices 2026.csv").write_text("Item No;Price\n1;1.5\n2;2.5\n")
    assert manage("load_file", str(tmp_path / "Prices 2026.csv"), DATA_PIPELINE_INGEST_SCHEMA="landing").exit_code == 0
    assert verify(manage, 1) == (0, "equal", "equal")


def test_verification_changes_nothing(manage: Manage, load: Callable[..., int]) -> None:
    load_id = load()
    before = sql("SELECT xmin::text, xmax::text, t.* FROM landing.orders AS t ORDER BY id")
    rejects = sql("SELECT count(*) FROM load_reject")
    verify(manage, load_id)
    assert sql("SELECT xmin::text, xmax::text, t.* FROM landing.orders AS t ORDER BY id") == before
    assert sql("SELECT count(*) FROM load_reject") == rejects


def test_load_that_is_not_in_a_table_is_refused(manage: Manage, load: Callable[..., int]) -> None:
    load_id = load()
    manage("undo_load", str(load_id))
    for argument in (str(load_id), "404"):
        result = manage("verify_load", argument)
        assert (result.exit_code, len(result.err.splitlines())) == (2, 1)
