"""Loads of dialects and auto tables can be verified, undone, repeated and tried like those of plain files."""

from pathlib import Path
from typing import Any

import pytest

from data_pipeline.models import LoadLog
from data_pipeline.services.dry_run import dry_run
from data_pipeline.services.load_file import load_file
from data_pipeline.services.load_replay import replay_load
from data_pipeline.services.undoing import undo_load
from data_pipeline.services.verifying import verify_load
from tests.conftest import sql

pytestmark = pytest.mark.usefixtures("load_tables")
DIALECT = """
target = "landing.sales"
delimiter = ";"
decimal_mark = ","
surplus = "rescue"
[columns.id]
type = "integer"
[columns.amount]
rule = "currency"
[columns.buyer]
pii = "mask"
"""
Arguments = tuple[str, dict[str, Any]]


@pytest.fixture(params=["dialect", "auto"])
def arguments(request: pytest.FixtureRequest, load_tables: None, tmp_path: Path, settings: Any) -> Arguments:
    """A file of a dialect with a surplus column, or one with a table of its own, and the options of its load."""
    settings.DATA_PIPELINE = {"INGEST_SCHEMA": "landing"}
    path = tmp_path / "sales 1.csv"
    path.write_text("Id;Amount;buyer;Color\n1;1,5;Ann;red\n2;€ 2;Bo;\n")
    if request.param == "auto":
        return str(path), {}
    (tmp_path / "sales.toml").write_text(DIALECT)
    return str(path), {"dialect": str(tmp_path / "sales.toml")}


def rows() -> int:
    return int(sql("SELECT count(*) FROM landing.sales")[0][0])


def test_load_is_verified(arguments: Arguments) -> None:
    path, options = arguments
    loaded = load_file(path, **options)
    verified = verify_load(loaded.load_id, actor="test")
    assert verified.is_proved, verified


def test_load_is_undone_and_repeated(arguments: Arguments) -> None:
    path, options = arguments
    loaded = load_file(path, **options)
    undo_load(loaded.load_id, actor="test")
    assert rows() == 0
    replay_load(loaded.load_id)
    assert (rows(), LoadLog.objects.get().status) == (2, "success")


def test_dry_run_creates_no_table(arguments: Arguments) -> None:
    path, options = arguments
    tried = dry_run(path, **options)
    assert (tried.creates_table, tried.counts.rows_inserted) == (True, 2)
    assert sql("SELECT to_regclass('landing.sales')") == [(None,)]


def test_dry_run_of_the_next_file_keeps_the_table(arguments: Arguments) -> None:
    path, options = arguments
    load_file(path, **options)
    Path(path).write_text("Id;Amount;buyer;Color\n3;4,5;Cy;blue\n")
    tried = dry_run(path, **options)
    assert (tried.creates_table, tried.counts.rows_inserted, rows()) == (False, 1, 2)
