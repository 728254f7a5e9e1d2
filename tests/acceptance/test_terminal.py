"""What somebody sees who runs a refresh in a terminal."""

import os
import pty
import re
import subprocess
import sys

import pytest

from tests.conftest import CHECKOUT, create_custom_manifest, process_environment, sql

pytestmark = pytest.mark.usefixtures("contract_tables")


def on_a_terminal(*arguments: str) -> tuple[int, str]:
    """The exit code and everything that was drawn."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "manage.py", *arguments],
        cwd=CHECKOUT,
        env={**process_environment(), "TERM": "xterm-256color", "COLUMNS": "100", "LINES": "30"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    drawn = bytearray()
    while True:
        try:
            drawn += os.read(ours, 65536)
        except OSError:  # Linux says EIO where the other end is closed
            break
    os.close(ours)
    return process.wait(10), drawn.decode()


def plain(drawn: str) -> str:
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", drawn)


def test_progress_is_drawn_while_views_run_and_a_table_at_the_end() -> None:
    create_custom_manifest("reporting.slow", "SELECT 1 AS n FROM pg_sleep(0.6)")
    create_custom_manifest("reporting.bad", "SELECT 1 / 0 AS n")
    code, drawn = on_a_terminal("refresh_agency", "demo")
    assert code == 1
    shown = plain(drawn)
    assert re.search(r"reporting\.slow +\d\.\d\d s", shown), "the running view and for how long"
    assert re.search(r"1 of 2 done +1 failed", shown)
    assert re.search(r"\d\.\d\d s elapsed", shown)
    table = shown[shown.rindex("outcome") :]
    assert re.search(r"reporting\.bad +Report reporting\.bad +failed", table)
    assert re.search(r"reporting\.slow +Report reporting\.slow +created +1 +\d+ kB +\d\.\d\d s", table)
    assert "reporting.bad: division_by_zero: division by zero" in table
    assert "1 succeeded, 1 failed in" in table


def test_the_rest_is_foretold_once_there_is_history() -> None:
    create_custom_manifest("reporting.slow", "SELECT 1 AS n FROM pg_sleep(0.6)")
    assert "left" not in plain(on_a_terminal("refresh_agency", "demo")[1])
    assert re.search(r"about \d\.\d\d s left", plain(on_a_terminal("refresh_agency", "demo")[1]))
    assert sql("SELECT count(*) FROM reporting.seeder_run_history WHERE status = 'success'") == [(2,)]


def test_colours_can_be_switched_off() -> None:
    create_custom_manifest("reporting.a", "SELECT 1 AS n")
    assert "\x1b[32m" in on_a_terminal("refresh_agency", "demo")[1]
    assert not re.search(r"\x1b\[[0-9;]*3[0-9]", on_a_terminal("refresh_agency", "demo", "--no-color")[1])
