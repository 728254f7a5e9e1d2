"""Dates of today beside words for them, long values, and bad values in a large file."""

from pathlib import Path

import pytest

from tests.acceptance.data_pipeline.file_loads import Bad, create, load, require
from tests.conftest import sql

pytestmark = pytest.mark.usefixtures("load_tables")
SYNTAX, DATE = "22P02", "22007"


def test_dates_of_today_are_loaded(tmp_path: Path) -> None:
    create("day date, name text")
    [(today,)] = sql("SELECT current_date")
    loaded = load(tmp_path, f"day,name\n{today},now\ntoday,x\n{today},y\n".encode())
    require(loaded, good=2, bad=[Bad(3, 2, b"today,x", {"day": DATE})])


def test_reason_and_value_of_a_long_text_are_cut(tmp_path: Path) -> None:
    create("id integer, name text")
    loaded = load(tmp_path, b"id,name\n" + b"x" * 100_000 + b",a\n")
    [problem] = loaded.rejects[0].problems
    assert (problem.column, problem.sqlstate, len(loaded.rejects[0].raw)) == ("id", SYNTAX, 64 * 1024)
    assert len(problem.reason) <= 1100
    assert problem.value == "x" * 1000


def test_bad_rows_are_found_in_a_large_file(tmp_path: Path) -> None:
    create("id integer, value integer")
    lines = [b"%d,%b" % (number, b"x" if number % 100 == 50 else b"1") for number in range(1, 5001)]
    loaded = load(tmp_path, b"\n".join([b"id,value", *lines]))
    bad = [Bad(number + 1, number, b"%d,x" % number, {"value": SYNTAX}) for number in range(50, 5001, 100)]
    require(loaded, good=4950, bad=bad)
