"""A refresh on a terminal: progress, the final table and colours."""

import re

import pytest

from tests.acceptance.terminal_output import plain_text, run_on_terminal
from tests.conftest import create_custom_manifest, sql

pytestmark = pytest.mark.usefixtures("contract_tables")


def test_refresh_on_terminal_draws_progress_and_a_final_table() -> None:
    create_custom_manifest("reporting.slow", "SELECT 1 AS n FROM pg_sleep(0.6)")
    create_custom_manifest("reporting.bad", "SELECT 1 / 0 AS n")
    code, drawn = run_on_terminal("refresh_agency", "demo")
    assert code == 1
    shown = plain_text(drawn)
    assert re.search(r"reporting\.slow +\d\.\d\d s", shown), "the running view and its duration"
    assert re.search(r"1 of 2 done +1 failed", shown)
    assert re.search(r"\d\.\d\d s elapsed", shown)
    table = shown[shown.rindex("outcome") :]
    assert re.search(r"reporting\.bad +Report reporting\.bad +failed", table)
    assert re.search(r"reporting\.slow +Report reporting\.slow +created +1 +\d+ kB +\d\.\d\d s", table)
    assert "reporting.bad: division_by_zero: division by zero" in table
    assert "1 succeeded, 1 failed in" in table


@pytest.mark.slow
def test_second_refresh_on_terminal_estimates_the_remaining_time() -> None:
    create_custom_manifest("reporting.slow", "SELECT 1 AS n FROM pg_sleep(0.6)")
    assert "left" not in plain_text(run_on_terminal("refresh_agency", "demo")[1])
    assert re.search(r"about \d\.\d\d s left", plain_text(run_on_terminal("refresh_agency", "demo")[1]))
    assert sql("SELECT count(*) FROM reporting.seeder_run_history WHERE status = 'success'") == [(2,)]


def test_no_color_removes_colours_from_terminal_output() -> None:
    create_custom_manifest("reporting.a", "SELECT 1 AS n")
    assert "\x1b[32m" in run_on_terminal("refresh_agency", "demo")[1]
    assert not re.search(r"\x1b\[[0-9;]*3[0-9]", run_on_terminal("refresh_agency", "demo", "--no-color")[1])
