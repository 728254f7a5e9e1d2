"""A refresh on a terminal: progress, a line for each view, the summary and colours."""

import re

import pytest

from tests.acceptance.terminal_output import plain_text, run_on_terminal, screen_lines
from tests.conftest import create_custom_manifest, sql

COLORS = r"\x1b\[[0-9;]*3[0-9]"
pytestmark = pytest.mark.usefixtures("contract_tables")


def test_refresh_on_terminal_draws_progress_and_each_view() -> None:
    create_custom_manifest("reporting.slow", "SELECT 1 AS n FROM pg_sleep(0.6)")
    create_custom_manifest("reporting.bad", "SELECT 1 / 0 AS n")
    code, drawn = run_on_terminal("refresh_agency", "demo")
    assert code == 1
    shown = plain_text(drawn)
    assert re.search(r"reporting\.slow +\d s", shown), "the running view and its duration"
    assert re.search(r"1 of 2 done +1 failed +\d s elapsed", shown)
    lines = screen_lines(drawn)
    assert re.fullmatch(r"\[1/2\]  failed     reporting\.bad  0\.\d\d s  division_by_zero: division by zero", lines[1])
    assert re.fullmatch(r"\[2/2\]  created    reporting\.slow +1 row +0\.\d\d s", lines[2])
    assert lines[3:5] == ["", "failed: reporting.bad: division_by_zero: division by zero"]
    assert ": 1 succeeded, 1 failed in " in lines[5]
    assert "\x1b[1;31mfailed" in drawn, "in red"


@pytest.mark.slow
def test_session_of_83_views_fits_60_columns_of_ascii() -> None:
    for number in range(82):
        create_custom_manifest(f"reporting.report_of_the_department_{number}", "SELECT 1 AS n")
    create_custom_manifest("reporting.bad", "SELECT 1 / 0 AS n")
    environment = {"COLUMNS": "60", "NO_COLOR": "1", "PYTHONIOENCODING": "ascii"}
    code, drawn = run_on_terminal("refresh_agency", "demo", **environment)
    assert (code, drawn.isascii()) == (1, True)
    assert not re.search(COLORS, drawn)
    lines = screen_lines(drawn)
    ended = [line for line in lines if line.startswith("[")]
    assert [line[:7] for line in ended] == [f"[{number:>2}/83]" for number in range(1, 84)]
    assert max(map(len, lines[: lines.index("")])) <= 60
    assert sum(line.startswith("slowest: ") for line in lines) == 3
    assert lines[-1].startswith("retry: manage.py retry_run ")
    before_end = drawn.rpartition("[83/83]")[0]
    assert max(len(line) for line in re.split(r"[\r\n]+", plain_text(before_end))) <= 60, "the progress"


@pytest.mark.slow
def test_second_refresh_on_terminal_estimates_the_remaining_time() -> None:
    create_custom_manifest("reporting.slow", "SELECT 1 AS n FROM pg_sleep(0.6)")
    assert "left" not in plain_text(run_on_terminal("refresh_agency", "demo")[1])
    assert re.search(r"about \d s left", plain_text(run_on_terminal("refresh_agency", "demo")[1]))
    assert sql("SELECT count(*) FROM reporting.seeder_run_history WHERE status = 'success'") == [(2,)]


@pytest.mark.parametrize(("arguments", "environment"), [(["--no-color"], {}), ([], {"NO_COLOR": "1"})])
def test_no_color_removes_colours_from_terminal_output(arguments: list[str], environment: dict[str, str]) -> None:
    create_custom_manifest("reporting.a", "SELECT 1 AS n")
    assert "\x1b[32m" in run_on_terminal("refresh_agency", "demo")[1]
    assert not re.search(COLORS, run_on_terminal("refresh_agency", "demo", *arguments, **environment)[1])
