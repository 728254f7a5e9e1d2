"""Random loads of one table are undone in the reverse order, and in others as far as that is possible."""

import random
from collections.abc import Sequence
from pathlib import Path

import pytest

from data_pipeline.correction_errors import UndoRefused
from tests.conftest import sql
from tests.integration.data_pipeline.undo_scene import ORDERS, LoadText, create_orders, loader, table_hash, undo

pytestmark = [pytest.mark.usefixtures("load_tables"), pytest.mark.slow]
MODES = ["append", "upsert", "replace", "snapshot", "upsert", "append"]
AMOUNTS, NOTES = ["1", "2.50", ""], ["a", "", '""']


@pytest.fixture
def load(tmp_path: Path, load_tables: None) -> LoadText:
    create_orders()
    return loader(tmp_path)


def random_load(load: LoadText, chance: random.Random) -> int:
    """Load some rows with any mode. Return the load."""
    mode = chance.choice(MODES)
    present = {number for (number,) in sql("SELECT id FROM landing.orders")}
    numbers = chance.sample(range(1, 13), chance.randint(1, 6))
    new = [number for number in numbers if mode != "append" or number not in present] or [100 + chance.randrange(10**6)]
    lines = [f"{number},{chance.choice(AMOUNTS)},{chance.choice(NOTES)}" for number in new]
    return load("\n".join(["id,amount,note", *lines, ""]), mode).load_id


def rows_of_others(load_id: int) -> Sequence[tuple[object, ...]]:
    return sql(f"SELECT * FROM {ORDERS} WHERE load_id IS DISTINCT FROM {load_id} ORDER BY id")


@pytest.mark.parametrize("seed", range(6))
def test_loads_undone_in_reverse_order_leave_each_earlier_state(load: LoadText, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311  # repeatable
    states = [(table_hash(), random_load(load, chance)) for _ in range(8)]
    for before, load_id in reversed(states):
        undo(load_id)
        assert table_hash() == before


@pytest.mark.parametrize("seed", range(6))
def test_load_undone_in_any_order_changes_no_row_of_others(load: LoadText, seed: int) -> None:
    """An undo that is refused changes nothing. In the end all loads are undone, and the first state is there."""
    chance, first = random.Random(seed), table_hash()  # noqa: S311  # repeatable
    loads = [random_load(load, chance) for _ in range(7)]
    while loads:
        load_id, before, others = chance.choice(loads), table_hash(), rows_of_others(0)
        try:
            undone = undo(load_id)
        except UndoRefused:
            assert table_hash() == before
            assert load_id != loads[-1]
            continue
        loads.remove(load_id)
        kept = [row for row in others if row[-1] != load_id]
        assert [row for row in rows_of_others(0) if row in kept] == kept
        assert len(rows_of_others(0)) == len(kept) + undone.rows.restored + undone.rows.reinserted
    assert table_hash() == first
