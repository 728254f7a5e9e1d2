"""Loads and undos commit themselves, so they are refused in a transaction, or without autocommit."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.db import transaction

from data_pipeline import compute_idempotency_key, process_once
from data_pipeline.errors import AutocommitOff, InsideTransaction
from data_pipeline.models import LoadLog
from data_pipeline.services.dry_run import dry_run
from data_pipeline.services.load_file import load_file
from data_pipeline.services.undoing import undo_load
from tests.conftest import sql

pytestmark = pytest.mark.usefixtures("load_tables")


def once(_: str) -> None:
    with process_once(source="test", payload_meta={}, idempotency_key=compute_idempotency_key(payload=b"x")):
        pass


OPERATIONS = [
    once,
    lambda path: load_file(path, table="landing.numbers"),
    lambda path: dry_run(path, table="landing.numbers"),
    lambda _: undo_load(1, actor="test"),
]


@pytest.fixture
def path(tmp_path: Path, load_tables: None) -> str:
    sql("CREATE TABLE landing.numbers (n integer)")
    (tmp_path / "numbers.csv").write_text("n\n1\n")
    return str(tmp_path / "numbers.csv")


@pytest.fixture
def manual_transactions(path: str) -> Iterator[None]:
    """Transactions that only the host commits, as with AUTOCOMMIT = False."""
    transaction.set_autocommit(False)
    yield
    transaction.rollback()
    transaction.set_autocommit(True)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_operation_inside_a_transaction_is_refused(path: str, operation: Callable[[str], object]) -> None:
    with transaction.atomic(), pytest.raises(InsideTransaction):
        operation(path)
    assert not LoadLog.objects.exists()


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.usefixtures("manual_transactions")
def test_operation_without_autocommit_is_refused(path: str, operation: Callable[[str], object]) -> None:
    """Its rows would be lost although it reports success."""
    with pytest.raises(AutocommitOff, match="Remove AUTOCOMMIT"):
        operation(path)
    assert not LoadLog.objects.exists()
