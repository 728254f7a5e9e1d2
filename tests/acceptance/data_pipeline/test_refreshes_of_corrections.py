"""Commands that correct and repeat loads refresh the dependent views, and say so. Here without a queue."""

from collections.abc import Callable
from pathlib import Path

import pytest

from data_pipeline.services.tracking import track_loads
from tests.conftest import CompletedCommand, create_custom_manifest, sql

pytestmark = pytest.mark.usefixtures("load_tables", "contract_tables")
Manage = Callable[..., CompletedCommand]
REFRESHED = "landing.orders: refreshed 1 view: reporting.total"


@pytest.fixture
def commands(
    load_tables: None, contract_tables: None, tmp_path: Path, manage: Manage, monkeypatch: pytest.MonkeyPatch
) -> dict[str, list[str]]:
    """A load with a reject, a view that is older, and the commands that change rows now."""
    monkeypatch.setattr("seeder.services.queue.dispatch.is_installed", lambda: False)
    sql("CREATE TABLE landing.orders (id integer PRIMARY KEY, amount integer)")
    track_loads("landing.orders")
    for name, text in (("2026-03-01.csv", "id,amount\n1,10\n2,x\n"), ("2026-03-02.csv", "id,amount\n3,30\n")):
        (tmp_path / name).write_text(text)
    how = ("--table", "landing.orders", "--mode", "upsert", "--max-rejects", "1")
    manage("load_file", str(tmp_path / "2026-03-01.csv"), *how)
    sql("CREATE TABLE landing.divisor AS SELECT 1 AS n")
    query = "SELECT coalesce(sum(amount), 0) / (SELECT n FROM landing.divisor) AS total FROM landing.orders"
    create_custom_manifest("reporting.total", query)
    assert manage("refresh_table", "reporting.total").exit_code == 0
    sql("UPDATE landing.orders SET amount = 11")  # which a replay corrects
    (tmp_path / "corrected.csv").write_text("reject_record,reject_line,reject_reasons,id,amount\n2,3,,2,20\n")
    return {
        "rejects": ["1", "--replay", str(tmp_path / "corrected.csv")],
        "undo_load": ["1", "--force"],
        "replay": ["1"],
        "backfill": [
            *(f"file://{tmp_path}/{{date}}.csv", "--table", "landing.orders"),
            *("--from", "2026-03-02", "--to", "2026-03-02"),
        ],
    }


@pytest.mark.parametrize(("name", "total"), [("rejects", 31), ("undo_load", 0), ("replay", 10), ("backfill", 41)])
def test_correction_refreshes_the_dependent_views(
    commands: dict[str, list[str]], manage: Manage, name: str, total: int
) -> None:
    ended = manage(name, *commands[name])
    assert (ended.exit_code, REFRESHED in ended.lines) == (0, True)
    assert sql("SELECT total FROM reporting.total") == [(total,)]


@pytest.mark.parametrize("name", ["rejects", "undo_load", "replay", "backfill"])
def test_view_that_fails_after_a_correction_is_an_exit_code(
    commands: dict[str, list[str]], manage: Manage, name: str
) -> None:
    sql("UPDATE landing.divisor SET n = 0")
    ended = manage(name, *commands[name], "--json")
    document = ended.document["days"][0] if name == "backfill" else ended.document
    assert (ended.exit_code, list(document["refresh"]["failures"])) == (1, ["reporting.total"])
