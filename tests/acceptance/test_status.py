"""What somebody does who wants to know how the views stand: look at a terminal, grep, or let a program read it."""

import re
import subprocess
import sys
from collections.abc import Callable

import pytest

from tests.acceptance.terminal_output import plain_text, run_on_terminal
from tests.acceptance.test_bad_input import only_line
from tests.conftest import (
    CHECKOUT,
    CompletedCommand,
    create_canned_report,
    create_custom_manifest,
    process_environment,
    sql,
)

DIVIDED = "division_by_zero: division by zero"

Manage = Callable[..., CompletedCommand]


@pytest.fixture(autouse=True)
def a_night(contract_tables: None, manage: Manage) -> None:
    create_custom_manifest("reporting.good", "SELECT 1 AS n")
    create_custom_manifest("reporting.bad", "SELECT 1 / 0 AS n", agency="metro")
    create_canned_report("reporting.shared", "SELECT 2 AS n", agencies=("demo", "metro"))
    manage("refresh_all")
    create_custom_manifest("reporting.new", "SELECT 3 AS n", agency="harbor")


def test_everything_is_told_line_by_line_what_needs_attention_first(manage: Manage) -> None:
    ended = manage("refresh_status")
    assert (ended.exit_code, ended.err) == (0, "")
    assert [re.sub(r"\d+ s ago", "just now", line) for line in ended.lines] == [
        "4 views: 2 fresh, 1 failing, 0 running, 2 late",
        f"reporting.bad: failed 1 time; last success never; Report reporting.bad; metro: {DIVIDED}",
        "reporting.new: never ran; Report reporting.new; harbor",
        "reporting.good: fresh; last success just now; Report reporting.good; demo",
        "reporting.shared: fresh; last success just now; Canned reporting.shared; demo (and 1 other)",
    ]


@pytest.mark.parametrize(
    ("options", "found"),
    [
        (["--agency", "metro"], ["bad", "shared"]),
        (["--report-type", "canned"], ["shared"]),
        (["--status", "error"], ["bad"]),
        (["--failing"], ["bad"]),
        (["--stale"], ["bad", "new"]),
        (["--long-running"], []),
        (["--search", "OO"], ["good"]),
        (["--search", "a\udcff"], []),
        (["--limit", "2"], ["bad", "new"]),
    ],
)
def test_a_program_reads_those_that_it_asks_for(manage: Manage, options: list[str], found: list[str]) -> None:
    told = manage("refresh_status", "--json", *options).document
    assert [job["tableName"] for job in told["jobs"]] == [f"reporting.{name}" for name in found]


def test_a_job_is_called_as_the_api_calls_it(manage: Manage) -> None:
    told = manage("refresh_status", "--json", "--agency", "metro", "--limit", "1").document
    assert told["totals"] == {"jobs": 2, "fresh": 1, "failing": 1, "running": 0, "longRunning": 0, "stale": 1}
    assert told["count"] == 2
    [job] = told["jobs"]
    assert job.pop("lastRunId")
    job.pop("startTime")  # null, unless the view ran for long enough to be marked as running
    assert job == {
        "id": 2,
        "reportName": "Report reporting.bad",
        "tableName": "reporting.bad",
        "reportType": "custom",
        "status": "error",
        "durationSeconds": 0,
        "consecutiveFailures": 1,
        "agencyId": 2,
        "agencyName": "metro",
        "agencySlug": "metro",
        "agencySlugs": ["metro"],
        "failing": True,
        "stale": True,
        "longRunning": False,
        "lastSuccess": None,
        "reason": "division_by_zero",
        "sqlstate": "22012",
        "errors": "division by zero",
    }


def test_a_watchman_learns_by_the_exit_code(manage: Manage) -> None:
    assert manage("refresh_status").exit_code == 0
    assert manage("refresh_status", "--fail-on", "failing").exit_code == 1
    assert manage("refresh_status", "--fail-on", "failing", "--fail-on", "stale", "--agency", "demo").exit_code == 0
    assert manage("refresh_status", "--fail-on", "stale", "--agency", "harbor", "--status", "success").exit_code == 1


def test_a_wrong_request_is_one_line(manage: Manage) -> None:
    line = only_line(manage("refresh_status", "--agency", "metre"))
    assert line.endswith("No manifest names the agency 'metre'. The nearest known one is 'metro'.")
    assert "invalid choice: 'fine'" in only_line(manage("refresh_status", "--status", "fine"))
    assert "--limit" in only_line(manage("refresh_status", "--limit", "0"))
    assert "not allowed with" in only_line(manage("refresh_status", "--json", "--table"))


def test_a_terminal_shows_a_table() -> None:
    code, drawn = run_on_terminal("refresh_status")
    assert code == 0
    shown = plain_text(drawn)
    assert shown.startswith("4 views: 2 fresh, 1 failing, 0 running, 2 late")
    assert re.search(r"reporting\.bad +Report reporting\.bad +metro +failed 1 time +never\s", shown)
    assert f"reporting.bad: {DIVIDED}" in shown
    assert re.search(r"reporting\.good +Report reporting\.good +demo +fresh +\d+ s ago", shown)
    assert "\x1b[1;31mfailed 1 time" in drawn
    assert not re.search(r"\x1b\[[0-9;]*3[0-9]", run_on_terminal("refresh_status", "--no-color")[1])


def test_a_reader_that_has_seen_enough_is_no_error() -> None:
    sql("UPDATE reporting.seeder_job_status SET last_errors = repeat('x', 1000000) WHERE status = 'error'")
    with subprocess.Popen(
        [sys.executable, "manage.py", "refresh_status"],
        cwd=CHECKOUT,
        env=process_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout
        assert process.stderr
        assert process.stdout.readline().startswith(b"4 views")
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0


def test_names_and_errors_cannot_write_on_the_terminal(manage: Manage) -> None:
    sql("UPDATE reporting.seeder_job_status SET last_errors = E'\\x1b[2Jgone\\nsecond line' WHERE status = 'error'")
    for form in ((), ("--table",)):
        out = manage("refresh_status", *form).out
        assert r"\x1b[2Jgone" in out
        assert "\x1b" not in out
        assert "second line" not in out
