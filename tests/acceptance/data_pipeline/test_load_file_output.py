"""`load_file` and `load_status` in a terminal, with several files, and without a writable output."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.acceptance.terminal_output import plain_text, run_on_terminal
from tests.conftest import CHECKOUT, CompletedCommand, process_environment, sql

pytestmark = pytest.mark.usefixtures("load_tables")
Manage = Callable[..., CompletedCommand]
INTO_ORDERS = ("--table", "landing.orders")


@pytest.fixture(autouse=True)
def orders(load_tables: None) -> None:
    sql("CREATE TABLE landing.orders (id integer PRIMARY KEY, amount numeric)")


def write(path: Path, text: str) -> str:
    path.write_text(text)
    return str(path)


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    """A good file, a missing one, one with a wrong header, and another good one."""
    return [
        write(tmp_path / "first.csv", "id,amount\n1,1\n"),
        str(tmp_path / "missing.csv"),
        write(tmp_path / "odd.csv", "id,colour\n1,1\n"),
        write(tmp_path / "last.csv", "id,amount\n2,2\n"),
    ]


def test_other_files_are_loaded_after_an_unusable_one(manage: Manage, files: list[str]) -> None:
    ended = manage("load_file", *files, *INTO_ORDERS)
    assert ended.exit_code == 2
    assert [line.partition(", in ")[0] for line in ended.lines if "inserted" in line] == [
        "landing.orders: 1 record of first.csv, 1 inserted",
        "landing.orders: 1 record of last.csv, 1 inserted",
    ]
    assert f"There is no file {files[1]}. Check the path." in ended.lines
    assert sum("header of odd.csv" in line for line in ended.lines) == 1


@pytest.mark.slow
@pytest.mark.parametrize("output_format", [[], ["--json"]])
@pytest.mark.parametrize(("text", "code"), [("id,amount\n1,1\n", 0), ("id,amount\n1,x\n", 1), ("id,colour\n1,1\n", 2)])
def test_exit_code_after_a_closed_pipe_is_that_of_the_loads(
    tmp_path: Path, text: str, code: int, output_format: list[str]
) -> None:
    paths = [write(tmp_path / "one.csv", text), write(tmp_path / "two.csv", "id,amount\n2,2\n")]
    assert run_without_reader("load_file", *paths, *INTO_ORDERS, *output_format) == (code, "")


@pytest.mark.slow
def test_exit_code_of_a_table_after_a_closed_pipe_is_that_of_the_command() -> None:
    assert run_without_reader("refresh_status", "--table") == (0, "")


def run_without_reader(*arguments: str) -> tuple[int, str]:
    """Run a command whose output has no reader. Return its exit code and its errors."""
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as output:
        process = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=CHECKOUT,
            env=process_environment(),
            stdout=output,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    return process.returncode, process.stderr


def test_finished_loads_are_shown_before_an_error(manage: Manage, files: list[str], tmp_path: Path) -> None:
    unmarked = write(tmp_path / "orders.csv", "id,amount\n1,1\n")  # its table has no column load_id
    ended = manage("load_file", files[0], unmarked, files[3], "--json", DATA_PIPELINE_INGEST_SCHEMA="landing")
    assert (ended.exit_code, [one["targetTable"] for one in ended.document["loads"]]) == (2, ["landing.first"])
    assert "landing.orders" in ended.err


def test_table_without_schema_is_found_by_the_search_path(manage: Manage, files: list[str]) -> None:
    sql("CREATE TABLE public.arrivals_by_path (id integer, amount numeric)")
    try:
        ended = manage("load_file", files[0], "--table", "arrivals_by_path")
        assert ended.lines[0].startswith("public.arrivals_by_path: 1 record of first.csv, 1 inserted")
        assert manage("track_loads", "arrivals_by_path").lines[-1].startswith("public.arrivals_by_path is tracked")
    finally:
        sql("DROP TABLE public.arrivals_by_path")


def test_file_name_with_spaces_is_shown_as_it_is(manage: Manage, tmp_path: Path) -> None:
    path = write(tmp_path / "ähre 2025 01.csv", "id,amount\n1,1\n")
    for options, line in (
        (("--dry-run",), "would load 1 record of ähre 2025 01.csv"),
        ((), "1 record of ähre 2025 01.csv"),
        (("--queue",), "queued"),
    ):
        assert line in manage("load_file", path, *INTO_ORDERS, *options).out
    assert manage("load_status").out.count(" ähre 2025 01.csv") == 2
    days = path.replace("2025 01", "{date:%Y %m}")
    ended = manage("backfill", f"file://{days}", *INTO_ORDERS, "--from", "2025-01-01", "--to", "2025-01-01")
    assert "2025-01-01: ähre 2025 01.csv loaded" in ended.out


def test_rejects_of_several_files_name_their_file(manage: Manage, files: list[str], tmp_path: Path) -> None:
    bad = write(tmp_path / "bad.csv", "id,amount\nx,1\n")
    ended = manage("load_file", files[0], bad, *INTO_ORDERS)
    assert (ended.exit_code, ended.lines[-1].partition(" were ")[0]) == (1, "bad.csv: 1 of 1 records")


def test_status_on_a_narrow_terminal_keeps_its_columns(manage: Manage, tmp_path: Path) -> None:
    manage("load_file", write(tmp_path / "of_first_quarter.csv", "id,amount\nx,1\n"), *INTO_ORDERS)
    code, drawn = run_on_terminal("load_status", COLUMNS="80")
    lines = plain_text(drawn).splitlines()
    assert code == 0
    assert "table load outcome rows changed rejected when" in (" ".join(line.split()) for line in lines)
    assert any(line.split()[:4] == ["landing.orders", "1", "failed", "1"] for line in lines)
    assert "of_first_quarter.csv" in plain_text(drawn)
    assert "load 1: 1 of 1 records were rejected" in plain_text(drawn)


@pytest.mark.parametrize("mode", ["append", "upsert"])
def test_load_on_terminal_draws_bytes_rows_and_rejects(tmp_path: Path, mode: str) -> None:
    path = write(tmp_path / "orders.csv", "id,amount\n1,1\n2,x\n3,3\n")
    code, drawn = run_on_terminal("load_file", path, *INTO_ORDERS, "--mode", mode, "--max-rejects", "1", COLUMNS="80")
    shown = plain_text(drawn)
    assert code == 0
    assert re.search(r"22 B of 22 B \d\.\d\d s elapsed", shown)
    rest = r"\d[\d,]* rows/s" if mode == "append" else "merging into the table"
    assert re.search(rf"3 rows, 1 rejected, {rest}", shown)


@pytest.mark.slow
@pytest.mark.parametrize("options", [(), ("--json",)], ids=["text", "json"])
def test_full_output_is_one_line_and_keeps_the_load(tmp_path: Path, options: tuple[str, ...]) -> None:
    path = write(tmp_path / "orders.csv", "id,amount\n1,1\n")
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(
            [sys.executable, "manage.py", "load_file", path, *INTO_ORDERS, *options],
            cwd=CHECKOUT,
            env=process_environment(),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )
    expected = "The output cannot be written: No space left on device. What the command has committed remains."
    assert (ended.returncode, ended.stderr.splitlines()[-1]) == (2, f"CommandError: {expected}")
    assert "Traceback" not in ended.stderr
    assert sql("SELECT id FROM landing.orders") == [(1,)]
