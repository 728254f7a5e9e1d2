"""`load_status`, `recover_loads` and `prune_loads` as commands."""

from collections.abc import Callable
from pathlib import Path

import pytest

from data_pipeline import compute_idempotency_key, process_once
from data_pipeline.models import LoadChange, LoadEvent, LoadLog, LoadReject
from tests.conftest import CompletedCommand, another_session, sql

pytestmark = pytest.mark.usefixtures("load_tables")
Manage = Callable[..., CompletedCommand]


@pytest.fixture(autouse=True)
def orders(load_tables: None) -> None:
    sql("CREATE TABLE landing.orders (id integer PRIMARY KEY, amount numeric)")


def load(manage: Manage, path: Path, text: str, *options: str) -> CompletedCommand:
    path.write_text(f"id,amount\n{text}")
    return manage("load_file", str(path), "--table", "landing.orders", *options)


def test_failing_loads_come_first(manage: Manage, tmp_path: Path) -> None:
    load(manage, tmp_path / "a.csv", "x,1\n")
    load(manage, tmp_path / "b.csv", "1,1\n")
    load(manage, tmp_path / "c.csv", "2,1\n")
    document = manage("load_status", "--json").document
    assert [(one["loadId"], one["failing"]) for one in document["loads"]] == [(1, True), (3, False), (2, False)]
    assert document["problems"] == ["failed"]
    lines = manage("load_status").lines
    assert lines[0] == "1 failing, 0 stuck; 0 late tables; 3 loads shown"
    assert lines[1].startswith("load 1 of a.csv into landing.orders: failed, 0 rows changed, 1 rejected")


@pytest.mark.parametrize(("problem", "code"), [("failed", 1), ("stuck", 0), ("late", 0)])
def test_exit_code_is_1_for_the_named_problem_only(manage: Manage, tmp_path: Path, problem: str, code: int) -> None:
    load(manage, tmp_path / "a.csv", "x,1\n")
    assert manage("load_status", "--fail-on", problem).exit_code == code
    assert manage("load_status", "--fail-on", problem, "--fail-on", "failed").exit_code == 1
    assert manage("load_status").exit_code == 0


def test_failing_load_beyond_the_limit_counts(manage: Manage, tmp_path: Path) -> None:
    load(manage, tmp_path / "a.csv", "x,1\n")
    load(manage, tmp_path / "b.csv", "y,1\n")
    for limit in ("0", "1"):
        result = manage("load_status", "--fail-on", "failed", "--limit", limit)
        assert (result.exit_code, len(result.lines)) == (1, 1 + int(limit))
        assert result.lines[0].startswith("2 failing, 0 stuck")


def test_corrected_file_is_not_failing_any_more(manage: Manage, tmp_path: Path) -> None:
    load(manage, tmp_path / "a.csv", "x,1\n")
    load(manage, tmp_path / "other.csv", "1,1\n")
    assert manage("load_status", "--fail-on", "failed").exit_code == 1
    load(manage, tmp_path / "a.csv", "2,1\n")
    assert manage("load_status", "--fail-on", "failed").exit_code == 0


def test_undone_load_is_not_failing(manage: Manage, tmp_path: Path) -> None:
    manage("track_loads", "landing.orders")
    load(manage, tmp_path / "a.csv", "1,1\n")
    assert manage("undo_load", "1").exit_code == 0
    result = manage("load_status", "--fail-on", "failed")
    assert result.exit_code == 0
    assert "landing.orders: undone, " in result.lines[1]


def test_dead_load_is_stuck_and_a_live_one_is_not(manage: Manage) -> None:
    key = compute_idempotency_key(payload=b"one")
    with process_once(source="test", payload_meta={}, idempotency_key=key):
        assert manage("load_status", "--fail-on", "stuck").exit_code == 0
    sql("INSERT INTO load_log (source, idempotency_key, status) VALUES ('dead', repeat('0', 64), 'pending')")
    result = manage("load_status", "--fail-on", "stuck")
    assert result.exit_code == 1
    assert "Stuck loads have no process any more: `manage.py recover_loads` closes them." in result.lines
    assert manage("recover_loads").lines == ["load 2: marked as failed, because its process had ended"]
    assert manage("recover_loads", "--json").document == {"recovered": [], "otherDatabases": {"archive": []}}
    assert manage("load_status", "--fail-on", "stuck").exit_code == 0


def test_table_that_was_not_loaded_for_a_time_is_late(manage: Manage, tmp_path: Path) -> None:
    load(manage, tmp_path / "a.csv", "1,1\n")
    assert manage("load_status", "--fail-on", "late").exit_code == 0
    sql("UPDATE load_log SET succeeded_at = succeeded_at - interval '27 hours'")
    late = manage("load_status", "--fail-on", "late")
    assert (late.exit_code, late.lines[-1].startswith("landing.orders: last loaded ")) == (1, True)
    assert manage("load_status", "--fail-on", "late", "--late-after", "48").exit_code == 0
    assert manage("load_status", "--fail-on", "late", "--table", "landing.other").exit_code == 0


def test_loads_are_filtered_and_limited(manage: Manage, tmp_path: Path) -> None:
    for number in range(3):
        load(manage, tmp_path / f"{number}.csv", f"{number},1\n")
    assert [one["loadId"] for one in manage("load_status", "--json", "--limit", "2").document["loads"]] == [3, 2]
    assert manage("load_status", "--json", "--source", "other").document["loads"] == []
    assert len(manage("load_status", "--json", "--table", "LANDING.orders").document["loads"]) == 3


@pytest.fixture
def old_loads(manage: Manage, tmp_path: Path) -> None:
    """A load with rejects, one that changed rows, a failed one, all 40 days old; and a failed one of today."""
    manage("track_loads", "landing.orders")
    load(manage, tmp_path / "a.csv", "1,1\nx,1\ny,1\n", "--max-rejects", "2")
    load(manage, tmp_path / "b.csv", "1,2\n", "--mode", "upsert")
    load(manage, tmp_path / "c.csv", "x,1\n")
    sql("UPDATE load_log SET updated_at = updated_at - interval '40 days', succeeded_at = now() - interval '40 days'")
    sql("UPDATE load_reject SET state = 'dismissed' WHERE load_id = 1 AND record_no = 2")
    load(manage, tmp_path / "d.csv", "x,1\n")


def counts() -> tuple[int, int, int]:
    return LoadLog.objects.count(), LoadReject.objects.count(), LoadChange.objects.count()


def test_pruning_keeps_loads_by_default(manage: Manage, old_loads: None) -> None:
    result = manage("prune_loads")
    assert result.lines == [
        "Deleted 1 previous value of loads more than 30 days ago.",
        "KEEP_LOADS_DAYS is 0, so failed loads and rejects are kept. Use --days to delete them.",
    ]
    assert counts() == (4, 4, 0)
    refused = manage("undo_load", "2")
    assert (refused.exit_code, "the previous values of 1 row are not kept" in refused.err) == (1, True)


def test_pruning_deletes_old_failed_loads_and_closed_rejects(manage: Manage, old_loads: None) -> None:
    events = LoadEvent.objects.count()
    dry = manage("prune_loads", "--days", "30", "--dry-run", "--json").document
    assert counts() == (4, 4, 1)
    done = manage("prune_loads", "--days", "30", "--json").document
    assert {**dry, "dryRun": False} == done
    assert (done["changes"], done["rejects"], done["loads"], done["requests"]) == (1, 1, 1, 0)
    assert sorted(LoadLog.objects.values_list("pk", flat=True)) == [1, 2, 4]
    assert sorted(LoadReject.objects.values_list("load_id", "state")) == [(1, "open"), (4, "open")]
    assert LoadEvent.objects.count() == events


def test_pruned_loads_are_still_skipped(manage: Manage, old_loads: None, tmp_path: Path) -> None:
    manage("prune_loads", "--days", "1")
    again = manage("load_file", str(tmp_path / "a.csv"), "--table", "landing.orders", "--json").document
    assert again["loads"][0]["status"] == "skipped"


def test_pruning_leaves_locked_rows_for_the_next_time(manage: Manage, old_loads: None) -> None:
    with another_session() as session, session.transaction():
        session.execute("SELECT FROM load_log WHERE id IN (2, 3) FOR UPDATE")
        assert manage("prune_loads", "--days", "30", "--json").document["loads"] == 0
    assert manage("prune_loads", "--days", "30", "--json").document["loads"] == 1


def test_failed_attempt_has_no_counts_of_an_undone_one(manage: Manage, tmp_path: Path) -> None:
    manage("track_loads", "landing.orders")
    load(manage, tmp_path / "a.csv", "1,1\n", "--key", "a" * 64)
    manage("undo_load", "1")
    load(manage, tmp_path / "a.csv", "x,1\n", "--key", "a" * 64)
    assert manage("load_status").lines[1].startswith("load 1 of a.csv into landing.orders: failed, 0 rows changed")


def test_misspelt_variable_is_warned_of(manage: Manage) -> None:
    ended = manage("load_status", "--json", DATA_PIPELINE_MAX_REJECT="3")
    warning = (
        "DATA_PIPELINE_MAX_REJECT is no setting and has no effect. The nearest one is 'DATA_PIPELINE_MAX_REJECTS'."
    )
    assert (ended.exit_code, ended.err) == (0, f"Warning: {warning}\n")


def test_refused_header_is_a_failure_of_its_table(manage: Manage, tmp_path: Path) -> None:
    load(manage, tmp_path / "a.csv", "1,1\n")
    (tmp_path / "odd.csv").write_text("id,colour\n1,1\n")
    manage("load_file", str(tmp_path / "odd.csv"), "--table", "landing.orders")
    ended = manage("load_status", "--table", "landing.orders", "--fail-on", "failed")
    assert (ended.exit_code, ended.lines[1].partition(": failed")[0]) == (1, "load 2 of odd.csv into landing.orders")


def test_load_with_dismissed_rejects_is_not_failing_any_more(manage: Manage, tmp_path: Path) -> None:
    load(manage, tmp_path / "a.csv", "x,1\ny,1\n")
    assert manage("load_status", "--fail-on", "failed").exit_code == 1
    assert manage("rejects", "1", "--dismiss").lines == ["load 1: its failure and 2 rejects dismissed"]
    assert manage("load_status", "--fail-on", "failed").exit_code == 0


def test_dismissed_failure_without_rejects_is_not_failing_until_the_next(manage: Manage, tmp_path: Path) -> None:
    sql("CREATE VIEW landing.view AS SELECT 1 AS id")
    (tmp_path / "a.csv").write_text("id\n1\n")
    broken = ["load_file", str(tmp_path / "a.csv"), "--table", "landing.view"]
    assert manage(*broken).exit_code == 2
    assert manage("load_status", "--fail-on", "failed").exit_code == 1
    assert manage("rejects", "1", "--dismiss").lines == ["load 1: its failure and 0 rejects dismissed"]
    assert manage("load_status", "--fail-on", "failed").exit_code == 0
    assert manage("rejects", "1", "--dismiss", "--json").document["wasFailing"] is False
    event = LoadEvent.objects.latest("id")
    assert (event.load_id, event.event, event.actor) == (1, "dismissed", "rejects")
    assert manage(*broken).exit_code == 2
    assert manage("load_status", "--fail-on", "failed").exit_code == 1
