"""The connector in docs/how-to/add-a-connector.md, run as it is printed."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import DataError

from data_pipeline.models import LoadLog
from tests.architecture.markdown import code_blocks, page_text
from tests.conftest import sql

LoadOrders = Callable[[str], int | None]


@pytest.fixture
def load_orders(load_tables: None, monkeypatch: pytest.MonkeyPatch) -> LoadOrders:
    """The function of the page, and its table."""
    sql("CREATE TABLE landing.orders (id integer PRIMARY KEY, amount numeric); SET search_path = landing, public")
    source = code_blocks(page_text("how-to/add-a-connector.md"), "python")[0]
    scope: dict[str, LoadOrders] = {}
    exec(source, scope)  # noqa: S102  # our own page
    return scope["load_orders"]


@pytest.fixture
def export(tmp_path: Path) -> Path:
    path = tmp_path / "orders.csv"
    path.write_text("id,amount\n1,9.50\n2,20\n")
    return path


def test_example_connector_loads_an_export_once(load_orders: LoadOrders, export: Path) -> None:
    assert load_orders(os.fspath(export)) == 2
    assert load_orders(os.fspath(export)) is None
    assert [(row[0], str(row[1])) for row in sql("SELECT * FROM landing.orders")] == [(1, "9.50"), (2, "20")]
    load = LoadLog.objects.get()
    assert (load.source, load.status) == ("orders_export", "skipped")
    assert (load.payload_meta["rows"], load.payload_meta["target_table"]) == (2, "orders")


def test_example_connector_that_failed_is_repeated(load_orders: LoadOrders, export: Path) -> None:
    sql("ALTER TABLE landing.orders ALTER amount TYPE numeric(2, 1)")
    with pytest.raises(DataError):
        load_orders(os.fspath(export))
    assert (sql("SELECT * FROM landing.orders"), LoadLog.objects.get().status) == ([], "failed")
    sql("ALTER TABLE landing.orders ALTER amount TYPE numeric")
    assert load_orders(os.fspath(export)) == 2
    assert LoadLog.objects.get().attempts == 2
