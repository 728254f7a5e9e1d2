"""`refresh_status` on a terminal, in a pipe and as JSON."""

import re
import subprocess
import sys

import pytest

from seeder.domain.refresh_requests import AllReports
from seeder.services.run import orchestrator
from tests.acceptance.terminal_output import plain_text, run_on_terminal
from tests.acceptance.test_bad_input import only_line
from tests.conftest import (
    CHECKOUT,
    BuildScene,
    create_canned_report,
    create_custom_manifest,
    process_environment,
    run_in_process,
    sql,
)

DIVIDED = "division_by_zero: division by zero"


def create_views() -> None:
    """Create a good, a failing, a shared and a new view. All but the new one were refreshed."""
    create_custom_manifest("reporting.good", "SELECT 1 AS n")
    create_custom_manifest("reporting.bad", "SELECT 1 / 0 AS n", agency="metro")
    create_canned_report("reporting.shared", "SELECT 2 AS n", agencies=("demo", "metro"))
    orchestrator.execute_run(AllReports(), requested_by="a test")
    create_custom_manifest("reporting.new", "SELECT 3 AS n", agency="harbor")


@pytest.fixture(autouse=True)
def _views(scene: BuildScene) -> None:
    scene(create_views)


def test_status_without_terminal_lists_failing_and_late_views_first() -> None:
    ended = run_in_process("refresh_status")
    assert (ended.exit_code, ended.err) == (0, "")
    assert [re.sub(r"\d+ (s|min) ago", "just now", line) for line in ended.lines] == [
        "4 views: 2 fresh, 1 failing, 0 running, 1 late",
        f"reporting.bad: failed 1 time; last success never; Report reporting.bad; metro: {DIVIDED}",
        "reporting.new: never ran; Report reporting.new; harbor",
        "reporting.good: fresh; last success just now; Report reporting.good; demo",
        "reporting.shared: fresh; last success just now; Canned reporting.shared; demo (and 1 other agency)",
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
def test_json_contains_the_views_of_each_filter(options: list[str], found: list[str]) -> None:
    document = run_in_process("refresh_status", "--json", *options).document
    assert [job["tableName"] for job in document["jobs"]] == [f"reporting.{name}" for name in found]


def test_json_describes_a_job_like_the_api() -> None:
    document = run_in_process("refresh_status", "--json", "--agency", "metro", "--limit", "1").document
    assert document["totals"] == {"jobs": 2, "fresh": 1, "failing": 1, "running": 0, "longRunning": 0, "stale": 1}
    assert document["count"] == 2
    [job] = document["jobs"]
    assert job.pop("lastRunId")
    assert job.pop("startTime")
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
        "notes": None,
        "dataAsOf": None,
        "dataAsOfUnknown": "never_recorded",
        "asOf": [],
    }


def test_fail_on_sets_the_exit_code() -> None:
    for options, code in (
        ([], 0),
        (["--fail-on", "failing"], 1),
        (["--fail-on", "failing", "--fail-on", "stale", "--agency", "demo"], 0),
        (["--fail-on", "stale", "--agency", "harbor", "--status", "success"], 1),
    ):
        assert run_in_process("refresh_status", *options).exit_code == code, options


def test_invalid_argument_prints_one_line() -> None:
    line = only_line(run_in_process("refresh_status", "--agency", "metre"))
    assert line.endswith("No manifest names the agency 'metre'. The nearest one is 'metro'.")
    assert "invalid choice: 'fine'" in only_line(run_in_process("refresh_status", "--status", "fine"))
    assert "--limit" in only_line(run_in_process("refresh_status", "--limit", "0"))
    both = run_in_process("refresh_status", "--json", "--table")
    assert (both.exit_code, "not allowed with" in both.document["detail"]) == (2, True)


def test_status_on_terminal_is_a_coloured_table() -> None:
    code, drawn = run_on_terminal("refresh_status")
    assert code == 0
    shown = plain_text(drawn)
    assert shown.startswith("4 views: 2 fresh, 1 failing, 0 running, 1 late")
    assert re.search(r"reporting\.bad +Report reporting\.bad +metro +failed 1 time +never\s", shown)
    assert f"reporting.bad: {DIVIDED}" in shown
    assert re.search(r"reporting\.good +Report reporting\.good +demo +fresh +\d+ (s|min) ago", shown)
    assert "\x1b[1;31mfailed 1 time" in drawn
    assert not re.search(r"\x1b\[[0-9;]*3[0-9]", run_on_terminal("refresh_status", "--no-color")[1])


def test_output_closed_by_its_reader_is_no_error() -> None:
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


def test_control_characters_in_errors_are_escaped() -> None:
    sql("UPDATE reporting.seeder_job_status SET last_errors = E'\\x1b[2Jgone\\nsecond line' WHERE status = 'error'")
    for form in ((), ("--table",)):
        out = run_in_process("refresh_status", *form).out
        assert r"\x1b[2Jgone" in out
        assert "\x1b" not in out
        assert "second line" not in out
