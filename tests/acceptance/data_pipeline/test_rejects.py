"""`rejects`: lists, files of corrections, replays that happen exactly once, and dismissals."""

import csv
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import connections

from data_pipeline.errors import PipelineError
from data_pipeline.models import LoadEvent, LoadLog, LoadReject
from data_pipeline.services.reject_replay import ReplayedRejects, replay_rejects
from data_pipeline.services.undoing import undo_load
from tests.conftest import CompletedCommand, sql

pytestmark = pytest.mark.usefixtures("load_tables")
Manage = Callable[..., CompletedCommand]
Correct = Callable[..., Path]

TEXT = 'id,amount,note\n1,10,a\nx,20,=1+1\n3,,""\n4,40,d\n5,many,-e\n'


@pytest.fixture(autouse=True)
def orders(load_tables: None, manage: Manage, tmp_path: Path) -> None:
    """A tracked table, and load 1, which rejects the records 2, 3 and 5."""
    sql("CREATE TABLE landing.orders (id integer PRIMARY KEY, amount numeric NOT NULL, note text)")
    manage("track_loads", "landing.orders")
    (tmp_path / "orders.csv").write_text(TEXT)
    loaded = manage("load_file", str(tmp_path / "orders.csv"), "--table", "landing.orders", "--max-rejects", "10")
    assert loaded.exit_code == 0


@pytest.fixture
def correct(manage: Manage, tmp_path: Path) -> Correct:
    """Write the open rejects, and correct columns of some records: `correct({2: {"id": "2"}})`."""

    def write(corrections: dict[int, dict[str, str]], load_id: int = 1) -> Path:
        path = tmp_path / "rejects.csv"
        path.unlink(missing_ok=True)
        assert manage("rejects", str(load_id), "--csv", str(path)).exit_code == 0
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, rows[0].keys(), delimiter=";")
            writer.writeheader()
            for row in rows:
                writer.writerow(row | corrections.get(int(row["reject_record"]), {}))
        return path

    return write


def rows() -> list[tuple[object, ...]]:
    return sql("SELECT id, amount::text, note, load_id FROM landing.orders ORDER BY id")


def states() -> list[tuple[int, str, int | None]]:
    return list(LoadReject.objects.order_by("record_no").values_list("record_no", "state", "replayed_by_id"))


def test_rejects_are_listed_with_reasons_and_bytes(manage: Manage) -> None:
    lines = manage("rejects", "1").lines
    assert lines[0] == "load 1 into landing.orders: 3 rejects (3 open)"
    assert lines[1] == ('record 2, line 3, open: id: invalid input syntax for type integer: "x" | x,20,=1+1')
    assert manage("rejects", "1", "--limit", "1").lines[-1] == "and 2 other rejects: use --limit or --csv"
    document = manage("rejects", "1", "--json").document
    assert document["counts"] == {"open": 3, "replayed": 0, "dismissed": 0}
    assert [one["recordNo"] for one in document["rejects"]] == [2, 3, 5]


def test_written_file_has_no_formula(manage: Manage, tmp_path: Path) -> None:
    path = tmp_path / "rejects.csv"
    lines = manage("rejects", "1", "--csv", str(path)).lines
    assert lines == [
        f"{path}: 3 open rejects of load 1",
        f"Correct the values, and run: manage.py rejects 1 --replay {path}",
    ]
    with path.open(encoding="utf-8-sig", newline="") as file:
        [header, *records] = csv.reader(file)
    assert header == ["reject_record", "reject_line", "reject_reasons", "id", "amount", "note"]
    assert [(one[0], one[1], *one[3:]) for one in records] == [
        ("2", "3", "x", "20", "'=1+1"),
        ("3", "4", "3", "", ""),
        ("5", "6", "5", "many", "'-e"),
    ]


def test_existing_file_is_not_overwritten(manage: Manage, correct: Correct) -> None:
    path = correct({2: {"id": "2"}})
    text = path.read_text()
    result = manage("rejects", "1", "--csv", str(path))
    assert (result.exit_code, result.err) == (2, f"CommandError: {path} cannot be written: File exists.\n")
    assert path.read_text() == text


def test_corrected_records_are_a_load_of_their_own(manage: Manage, correct: Correct) -> None:
    path = correct({2: {"id": "2"}, 3: {"amount": "30"}, 5: {"amount": "50"}})
    result = manage("rejects", "1", "--replay", str(path))
    lines = ["load 1: 3 rejects replayed, as load 2", "landing.orders: no view depends on it"]
    assert (result.exit_code, result.lines) == (0, lines)
    assert rows() == [
        (1, "10", "a", 1),
        (2, "20", "=1+1", 2),
        (3, "30", "", 2),
        (4, "40", "d", 1),
        (5, "50", "-e", 2),
    ]
    assert states() == [(2, "replayed", 2), (3, "replayed", 2), (5, "replayed", 2)]
    load = LoadLog.objects.get(pk=2)
    assert (load.source, load.payload_meta["of_load"], load.rows_inserted) == ("ingest.replay", 1, 3)
    assert sql("SELECT relations::text FROM load_refresh WHERE load_id = 2") == [('[["landing", "orders"]]',)]
    assert LoadEvent.objects.get(event="rejects_replayed").facts == {"records": 3, "load": 2}


def test_same_correction_is_loaded_once(manage: Manage, correct: Correct) -> None:
    path = correct({2: {"id": "2"}, 3: {"amount": "30"}, 5: {"amount": "50"}})
    manage("rejects", "1", "--replay", str(path))
    again = manage("rejects", "1", "--replay", str(path))
    assert (again.exit_code, again.lines) == (0, ["load 1: no open reject to replay"])
    sql("UPDATE load_reject SET state = 'open', replayed_by_id = NULL")
    again = manage("rejects", "1", "--replay", str(path))
    assert (again.exit_code, again.lines) == (
        0,
        ["load 1: the same correction was loaded before, as load 2"],
    )
    assert len(rows()) == 5


def test_record_that_is_still_bad_stays_open(manage: Manage, correct: Correct) -> None:
    path = correct({2: {"id": "4"}, 3: {"amount": "30"}})
    document = manage("rejects", "1", "--replay", str(path), "--json").document
    assert document["replayed"] == [3]
    assert [one["recordNo"] for one in document["refused"]] == [2, 5]
    assert document["refused"][0]["problems"][0]["sqlstate"] == "23505"
    assert states() == [(2, "open", None), (3, "replayed", 2), (5, "open", None)]
    assert manage("rejects", "1", "--replay", str(path)).exit_code == 1
    assert len(rows()) == 3
    assert manage("rejects", "1", "--replay", str(correct({2: {"id": "2"}, 5: {"amount": "50"}}))).exit_code == 0
    assert [row[0] for row in rows()] == [1, 2, 3, 4, 5]


def test_replay_without_a_good_record_fails_and_can_be_repeated(manage: Manage, correct: Correct) -> None:
    path = correct({})
    for attempts in (1, 2):
        result = manage("rejects", "1", "--replay", str(path))
        assert (result.exit_code, len(result.err.splitlines())) == (1, 1)
        load = LoadLog.objects.get(pk=2)
        assert (load.status, load.error_code, load.attempts) == ("failed", "nothing_replayed", attempts)
    assert {state for _, state, _ in states()} == {"open"}


def test_rejects_are_replayed_as_they_are_after_the_table_was_changed(manage: Manage) -> None:
    sql("ALTER TABLE landing.orders ALTER COLUMN amount DROP NOT NULL")
    result = manage("rejects", "1", "--replay-as-is")
    assert result.exit_code == 1
    assert result.lines[0] == "load 1: 1 reject replayed, as load 2"
    assert rows()[1] == (3, None, "", 2)
    sql("ALTER TABLE landing.orders ALTER COLUMN amount TYPE text")
    assert manage("rejects", "1", "--replay-as-is", "--json").document["replayed"] == [5]


def test_only_records_of_open_rejects_are_loaded(manage: Manage, tmp_path: Path) -> None:
    path = tmp_path / "more.csv"
    path.write_text("reject_record,id,amount,note\n2,2,20,x\n1,100,1,x\n77,101,1,x\n")
    document = manage("rejects", "1", "--replay", str(path), "--json").document
    assert (document["replayed"], document["left"]) == ([2], 2)
    assert [row[0] for row in rows()] == [1, 2, 4]


def test_dismissed_rejects_are_not_replayed(manage: Manage, correct: Correct) -> None:
    path = correct({2: {"id": "2"}})
    assert manage("rejects", "1", "--dismiss").lines == ["load 1: 3 rejects dismissed"]
    assert manage("rejects", "1", "--dismiss", "--json").document == {
        "loadId": 1,
        "dismissed": 0,
        "wasFailing": False,
    }
    assert manage("rejects", "1", "--replay", str(path)).lines == ["load 1: no open reject to replay"]
    assert LoadEvent.objects.filter(event="rejects_dismissed").count() == 1


@pytest.mark.parametrize(("mode", "expected"), [("replace", [1, 2, 4, 9]), ("snapshot", [1, 2, 4, 9])])
def test_correction_deletes_no_rows(
    manage: Manage, correct: Correct, tmp_path: Path, mode: str, expected: list[int]
) -> None:
    (tmp_path / "again.csv").write_text(TEXT.replace("x,20,", "2,bad,"))
    load = ["load_file", str(tmp_path / "again.csv"), "--table", "landing.orders", "--mode", mode, "--max-rejects", "9"]
    assert manage(*load).exit_code == 0
    sql("INSERT INTO landing.orders VALUES (9, 90, 'manual')")
    assert manage("rejects", "2", "--replay", str(correct({2: {"amount": "20"}}, load_id=2))).exit_code == 1
    assert [row[0] for row in rows()] == expected


def test_undo_of_a_replay_opens_its_rejects_again(manage: Manage, correct: Correct) -> None:
    path = correct({2: {"id": "2"}, 3: {"amount": "30"}, 5: {"amount": "50"}})
    manage("rejects", "1", "--replay", str(path))
    refused = manage("undo_load", "1")
    assert (refused.exit_code, "load 2 loaded its corrected rejects. Undo that first" in refused.err) == (1, True)
    assert manage("undo_load", "2").exit_code == 0
    assert {state for _, state, _ in states()} == {"open"}
    assert manage("rejects", "1", "--replay", str(path)).exit_code == 0
    assert (len(rows()), LoadLog.objects.get(pk=2).attempts) == (5, 2)
    assert manage("undo_load", "2").exit_code == 0
    assert manage("undo_load", "1").exit_code == 0
    assert rows() == []


def test_hashed_value_that_was_not_entered_again_is_not_tried(
    manage: Manage, correct: Correct, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATA_PIPELINE_PII_HASH_KEY", "0123456789abcdef")
    dialect = tmp_path / "orders.toml"
    dialect.write_text('target = "landing.orders"\n[columns.note]\npii = "hash"\n')
    (tmp_path / "people.csv").write_text("id,amount,note\n7,x,Ada\n8,y,Bob\n")
    manage("load_file", str(tmp_path / "people.csv"), "--dialect", str(dialect), "--max-rejects", "10")
    as_is = manage("rejects", "2", "--replay-as-is", "--json").document
    assert (as_is["loadId"], len(as_is["unusable"])) == (None, 2)
    path = correct({1: {"amount": "7", "note": "Ada"}, 2: {"amount": "8"}}, load_id=2)
    document = manage("rejects", "2", "--replay", str(path), "--json").document
    assert (document["replayed"], document["unusable"][0]["recordNo"]) == ([1], 2)
    [(note,)] = sql("SELECT note FROM landing.orders WHERE id = 7")
    assert (len(note), set(note) <= set("0123456789abcdef")) == (64, True)


def test_failed_load_is_not_replayed(manage: Manage, correct: Correct, tmp_path: Path) -> None:
    (tmp_path / "bad.csv").write_text(TEXT)
    assert manage("load_file", str(tmp_path / "bad.csv"), "--table", "landing.orders").exit_code == 1
    result = manage("rejects", "2", "--replay", str(correct({2: {"id": "2"}}, load_id=2)))
    assert (result.exit_code, "Correct its file, and load that" in result.err) == (1, True)


@pytest.mark.parametrize(
    "arguments",
    [["404"], ["1", "--replay", "missing.csv"], ["1", "--csv", "/nowhere/x.csv"], ["1", "--csv", "a", "--dismiss"]],
)
def test_wrong_request_is_one_line_and_exit_code_2(manage: Manage, arguments: list[str]) -> None:
    result = manage("rejects", *arguments)
    assert (result.exit_code, len(result.err.splitlines())) == (2, 1)


def test_replays_at_once_load_each_record_once(correct: Correct) -> None:
    """The same file twice, and another correction of the same records."""
    path = correct({2: {"id": "2"}, 3: {"amount": "30"}, 5: {"amount": "50"}})
    other = path.with_name("other.csv")
    other.write_text("reject_record,id,amount,note\n2,102,1,x\n3,103,1,x\n5,105,1,x\n")
    results, barrier = list[object](), threading.Barrier(3)

    def replay(file: Path) -> None:
        try:
            barrier.wait(60)
            results.append(replay_rejects(1, path=str(file), actor="test"))
        except PipelineError as error:
            results.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=replay, args=(file,)) for file in (path, path, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    done = [one for one in results if isinstance(one, ReplayedRejects) and one.replayed]
    assert (len(results), len(done), len(rows())) == (3, 1, 5)
    assert {replayed_by for _, _, replayed_by in states()} == {done[0].load_id}


@pytest.mark.slow
def test_replay_and_undo_of_its_load_at_once_leave_no_orphans(manage: Manage, correct: Correct, tmp_path: Path) -> None:
    """Corrected rows are in the table only while their load is."""
    path = correct({2: {"id": "2"}, 3: {"amount": "30"}, 5: {"amount": "50"}})
    for _ in range(8):
        barrier, outcomes = threading.Barrier(2), list[str]()

        def attempt(work: Callable[[], object], barrier: threading.Barrier, outcomes: list[str]) -> None:
            try:
                barrier.wait(60)
                work()
                outcomes.append("done")
            except PipelineError as error:
                outcomes.append(type(error).__name__)
            finally:
                connections.close_all()

        works = [lambda: replay_rejects(1, path=str(path), actor="test"), lambda: undo_load(1, actor="test")]
        threads = [threading.Thread(target=attempt, args=(work, barrier, outcomes)) for work in works]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert sorted(outcomes) in [["RejectsNotReplayable", "done"], ["UndoRefused", "done"]]
        assert len(rows()) == (5 if "UndoRefused" in outcomes else 0)
        for load in LoadLog.objects.filter(status="success").order_by("-pk"):
            undo_load(load.pk, actor="test")
        assert rows() == []
        assert manage("replay", "1").exit_code == 0
