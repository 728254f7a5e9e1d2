"""`replay` and `backfill` as commands: forced loads, attempts of failed ones, and the plan of a period."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from data_pipeline.models import LoadLog
from tests.conftest import CompletedCommand, sql

pytestmark = pytest.mark.usefixtures("load_tables")
Manage = Callable[..., CompletedCommand]


@pytest.fixture(autouse=True)
def orders(load_tables: None) -> None:
    sql("CREATE TABLE landing.orders (id integer PRIMARY KEY, amount numeric)")


def write(path: Path, *rows: str) -> Path:
    path.write_text("\n".join(["id,amount", *rows, ""]))
    return path


def test_known_file_is_not_opened(manage: Manage, tmp_path: Path) -> None:
    path = write(tmp_path / "orders.csv", "1,10")
    opened: list[str] = []
    sys.addaudithook(lambda event, facts: opened.append(str(facts[0])) if event == "open" else None)
    assert manage("load_file", str(path), "--table", "landing.orders").exit_code == 0
    assert any(one.endswith("orders.csv") for one in opened)
    opened.clear()
    again = manage("load_file", str(path), "--table", "landing.orders")
    assert "was loaded before" in again.out
    assert not any(one.endswith("orders.csv") for one in opened)


def test_replay_of_an_upsert_changes_no_row(manage: Manage, tmp_path: Path) -> None:
    path = write(tmp_path / "orders.csv", "1,10", "2,20")
    manage("load_file", str(path), "--table", "landing.orders", "--mode", "upsert")
    versions = sql("SELECT xmin::text, id FROM landing.orders")
    document = manage("replay", "1", "--json").document
    assert (document["ofLoad"], document["rowsUnchanged"], document["rowsInserted"]) == (1, 2, 0)
    assert sql("SELECT xmin::text, id FROM landing.orders") == versions
    repeated, first = LoadLog.objects.get(pk=document["loadId"]), LoadLog.objects.get(pk=1)
    assert repeated.payload_meta["of_load"] == 1
    assert repeated.payload_meta["of_key"] == first.idempotency_key


def test_replay_of_a_failed_load_is_its_next_attempt(manage: Manage, tmp_path: Path) -> None:
    path = write(tmp_path / "orders.csv", "1,10")
    sql("ALTER TABLE landing.orders ADD CHECK (amount > 10)")
    assert manage("load_file", str(path), "--table", "landing.orders").exit_code == 1
    failed = manage("replay", "1")
    assert (failed.exit_code, len(failed.err.splitlines())) == (1, 1)
    sql("ALTER TABLE landing.orders DROP CONSTRAINT orders_amount_check")
    assert manage("replay", "1").exit_code == 0
    assert (LoadLog.objects.get().status, LoadLog.objects.get().attempts) == ("success", 3)


def test_replay_keeps_the_options_of_the_load(manage: Manage, tmp_path: Path) -> None:
    path = write(tmp_path / "orders.csv", "1,10", "x,20")
    manage("load_file", str(path), "--table", "landing.orders", "--mode", "replace", "--max-rejects", "50%")
    document = manage("replay", "1", "--json").document
    assert (document["rowsDeleted"], document["rowsInserted"], document["rowsRejected"]) == (1, 1, 1)


@pytest.mark.parametrize("load_id", ["404", "1"])
def test_load_that_cannot_be_repeated_is_one_line(manage: Manage, load_id: str) -> None:
    sql("INSERT INTO load_log (source, idempotency_key, status) VALUES ('fees', repeat('0', 64), 'failed')")
    result = manage("replay", load_id)
    assert (result.exit_code, len(result.err.splitlines())) == (2, 1)


@pytest.fixture
def days(tmp_path: Path) -> str:
    """Files of three days, of which the first is loaded and the second one is bad, and their template."""
    write(tmp_path / "orders-2026-03-01.csv", "1,10")
    write(tmp_path / "orders-2026-03-02.csv", "x,20")
    write(tmp_path / "orders-2026-03-03.csv", "3,30")
    return f"{tmp_path}/orders-{{date}}.csv"


def backfill(manage: Manage, template: str, *options: str) -> CompletedCommand:
    period = ["--from", "2026-03-01", "--to", "2026-03-04"]
    return manage("backfill", template, *period, "--table", "landing.orders", "--json", *options)


def states(result: CompletedCommand) -> list[tuple[str, bool]]:
    return [(day["state"], day["isLoadedNow"]) for day in result.document["days"]]


def test_backfill_shows_its_plan_and_loads_nothing(manage: Manage, days: str) -> None:
    manage("load_file", days.format(date="2026-03-01"), "--table", "landing.orders")
    manage("load_file", days.format(date="2026-03-02"), "--table", "landing.orders")
    plan = backfill(manage, days, "--dry-run")
    assert plan.exit_code == 0
    assert states(plan) == [("loaded", False), ("failed", False), ("new", False), ("missing", False)]
    assert plan.document["due"] == 2
    assert sql("SELECT id FROM landing.orders") == [(1,)]


def test_backfill_skips_what_is_loaded_and_attempts_the_rest(manage: Manage, days: str, tmp_path: Path) -> None:
    manage("load_file", days.format(date="2026-03-01"), "--table", "landing.orders")
    result = backfill(manage, days)
    assert result.exit_code == 1
    assert states(result) == [("loaded", False), ("failed", False), ("loaded", True), ("missing", False)]
    assert "1 of 1 records were rejected" in result.document["days"][1]["error"]
    write(tmp_path / "orders-2026-03-02.csv", "2,20")
    write(tmp_path / "orders-2026-03-04.csv", "4,40")
    result = backfill(manage, days)
    assert result.exit_code == 0
    assert states(result) == [("loaded", False), ("loaded", True), ("loaded", False), ("loaded", True)]
    assert sql("SELECT id FROM landing.orders ORDER BY id") == [(1,), (2,), (3,), (4,)]


def test_forced_backfill_loads_everything_again(manage: Manage, days: str, tmp_path: Path) -> None:
    write(tmp_path / "orders-2026-03-02.csv", "2,20")
    backfill(manage, days, "--mode", "upsert")
    result = backfill(manage, days, "--mode", "upsert", "--force")
    assert states(result) == [("loaded", True), ("loaded", True), ("loaded", True), ("missing", False)]
    assert sql("SELECT count(*) FROM landing.orders") == [(3,)]
    assert LoadLog.objects.filter(payload_meta__force=True).count() == 3


@pytest.mark.parametrize(
    "arguments",
    [
        ["orders.csv", "--from", "2026-03-01", "--to", "2026-03-02"],
        ["{date}", "--from", "2026-03-02", "--to", "2026-03-01"],
        ["{date}", "--from", "yesterday", "--to", "2026-03-01"],
        ["{date}", "--from", "2026-03-02"],
    ],
)
def test_wrong_backfill_is_one_line_and_exit_code_2(manage: Manage, arguments: list[str]) -> None:
    result = manage("backfill", *arguments)
    assert (result.exit_code, len(result.err.splitlines())) == (2, 1)


def test_backfill_prints_a_line_for_each_day(manage: Manage, days: str) -> None:
    lines = manage("backfill", days, "--from", "2026-03-01", "--to", "2026-03-02", "--table", "landing.orders").lines
    assert "1 of 2 days loaded" in lines
    assert "2026-03-01: orders-2026-03-01.csv loaded now (load 1)" in lines
    assert any(line.startswith("2026-03-02: 1 of 1 records were rejected") for line in lines)
