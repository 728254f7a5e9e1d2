"""`infer_contract` writes a dialect that loads the file."""

from collections.abc import Callable
from pathlib import Path

import pytest

from data_pipeline.services.load_file import load_file
from tests.conftest import CompletedCommand, sql

pytestmark = pytest.mark.usefixtures("load_tables")
Manage = Callable[..., CompletedCommand]


@pytest.fixture
def days(load_tables: None, tmp_path: Path) -> Path:
    path = tmp_path / "days.csv"
    path.write_text("Day;Total\n31.01.2025;1.5\n01.02.2025;2\n")
    return path


def test_printed_dialect_is_that_of_the_whole_file(days: Path, manage: Manage) -> None:
    days.write_text(days.read_text() + "01.02.2025;many\nx;y;z\n")
    ended = manage("infer_contract", str(days), "--json")
    assert (ended.document["records"], ended.document["malformed"]) == (4, 1)
    assert [(one["name"], one["type"]) for one in ended.document["columns"]] == [("day", "date"), ("total", "text")]
    assert manage("infer_contract", str(days)).out == ended.document["dialect"]


def test_rows_limit_the_records_that_are_read(days: Path, manage: Manage) -> None:
    days.write_text(days.read_text() + "01.02.2025;many\n")
    ended = manage("infer_contract", str(days), "--rows", "2", "--json")
    assert (ended.document["records"], ended.document["columns"][1]["type"]) == (2, "numeric")


def test_written_dialect_loads_the_file(days: Path, manage: Manage, tmp_path: Path) -> None:
    dialect = tmp_path / "days.toml"
    assert manage("infer_contract", str(days), "--out", str(dialect)).exit_code == 0
    sql("CREATE TABLE landing.days (day date, total numeric)")
    load_file(str(days), table="landing.days", dialect=str(dialect))
    assert sql("SELECT day::text, total::text FROM landing.days ORDER BY 1") == [
        ("2025-01-31", "1.5"),
        ("2025-02-01", "2"),
    ]


def test_existing_dialect_is_not_overwritten(days: Path, manage: Manage, tmp_path: Path) -> None:
    dialect = tmp_path / "days.toml"
    dialect.write_text("# edited\n")
    ended = manage("infer_contract", str(days), "--out", str(dialect))
    assert (ended.exit_code, dialect.read_text()) == (2, "# edited\n")
    assert "exists already" in ended.err
