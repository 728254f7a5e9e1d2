"""A tracked table, and files to load into it, for tests of undos."""

from collections.abc import Callable
from pathlib import Path

from data_pipeline.services.load_file import load_file
from data_pipeline.services.load_options import Loaded
from data_pipeline.services.tracking import track_loads
from data_pipeline.services.undoing import UndoneLoad, undo_load
from tests.conftest import sql

LoadText = Callable[..., Loaded]
ORDERS = "landing.orders"
FILES = {
    "append": "id,amount,note\n4,40,d\n5,50,\n",
    "upsert": "id,amount,note\n2,21,b\n3,30,\n5,50,e\n",
    "replace": "id,amount,note\n2,21,b\n9,90,\n",
    "snapshot": "id,amount,note\n1,10,a\n2,22,c\n6,60,f\n",
}


def create_orders() -> None:
    """Create a tracked table with three rows that no load inserted."""
    sql(
        "CREATE TABLE landing.orders (id integer PRIMARY KEY, amount numeric, note text);"
        "INSERT INTO landing.orders VALUES (1, 10, 'a'), (2, 20, NULL), (3, 30, '')"
    )
    track_loads(ORDERS)


def loader(folder: Path) -> LoadText:
    """Return a function that loads a text as a file of its own."""

    def load_text(text: str, mode: str = "append", table: str = ORDERS) -> Loaded:
        path = folder / f"{len(list(folder.iterdir()))}.csv"
        path.write_text(text)
        return load_file(str(path), table=table, mode=mode)

    return load_text


def undo(load_id: int, *, dry_run: bool = False, force: bool = False) -> UndoneLoad:
    return undo_load(load_id, actor="test", dry_run=dry_run, force=force)


def table_hash(table: str = ORDERS) -> tuple[object, ...]:
    """The number of rows, and a hash of all their values that does not depend on their order."""
    return sql(f"SELECT count(*), sum(hashtextextended(t::text, 0)::numeric) FROM {table} AS t")[0]
