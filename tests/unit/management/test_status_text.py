"""The status of views, as text and as JSON."""

import io
import json
from argparse import Namespace
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from django.core.management.base import OutputWrapper

from seeder.domain.as_of import TableAsOf
from seeder.domain.freshness.data_age import DataAge, UnknownAge
from seeder.domain.human_format import time_ago_text
from seeder.domain.manifests import ReportType
from seeder.domain.monitoring.report_jobs import Job, JobPage, JobTotals
from seeder.domain.outcomes import Status
from seeder.management.rendering.command_output import CommandOutput
from seeder.management.rendering.status_text import job_state_text, status_blocks
from seeder.services.documents.status_documents import status_document
from seeder.services.read_models.error_redaction import VisibleFailure
from seeder.services.read_models.job_list import JobOverview

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
FRESH = Job(
    report_type=ReportType.CUSTOM,
    manifest_id=7,
    table_name="reporting.arrests",
    report_name="Arrests",
    agency_id=1,
    agency_slug="demo",
    agencies=["demo"],
    status=Status.SUCCESS,
    is_interrupted=False,
    start_time=NOON - timedelta(hours=5),
    duration_seconds=12,
    consecutive_failures=0,
    last_run_id="r1",
    errors=None,
    last_success_at=NOON - timedelta(hours=5),
    usual_duration=None,
    failing=False,
    stale=False,
    long_running=False,
)
FAILING = replace(
    FRESH,
    table_name="reporting.trend",
    agencies=["demo", "metro", "harbor"],
    status=Status.ERROR,
    consecutive_failures=3,
    errors="division by zero\nCONTEXT:  a view",
    last_success_at=None,
    failing=True,
    stale=True,
)
LONG = replace(
    FRESH,
    table_name="reporting.slow",
    status=Status.RUNNING,
    start_time=NOON - timedelta(minutes=7),
    usual_duration=timedelta(seconds=90),
    long_running=True,
)
TOTALS = JobTotals(jobs=1204, fresh=1190, failing=9, running=3, long_running=1, stale=12)


def overview(*jobs: Job, total: int | None = None, totals: JobTotals = TOTALS) -> JobOverview:
    failures = {job.key: VisibleFailure(errors=job.errors) for job in jobs}
    page = JobPage(jobs=jobs, total=len(jobs) if total is None else total)
    return JobOverview(
        page=page,
        totals=totals,
        agency_names={1: "Demo City"},
        failures=failures,
        as_of={},
        ages={},
        late_contracts={},
        now=NOON,
    )


def printed(overview: JobOverview, *, table: bool) -> list[str]:
    out = io.StringIO()
    command_output = CommandOutput(OutputWrapper(out), Namespace(json=False, table=table, no_color=False))
    command_output.show(status_document(overview), status_blocks(overview))
    return [line.rstrip() for line in out.getvalue().splitlines()]


def status_lines(overview: JobOverview) -> list[str]:
    return printed(overview, table=False)


def status_table(overview: JobOverview, width: int, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setenv("COLUMNS", str(width))
    return printed(overview, table=True)


def test_first_line_has_the_totals() -> None:
    assert str(TOTALS) == "1,204 views: 1,190 fresh, 9 failing, 3 running (1 for too long), 5 late"
    without_problems = JobTotals(jobs=1, fresh=1, failing=0, running=0, long_running=0, stale=0)
    assert str(without_problems) == "1 view: 1 fresh, 0 failing, 0 running, 0 late"


def test_line_shows_one_view() -> None:
    assert status_lines(overview(LONG, FAILING, FRESH))[1:] == [
        "reporting.slow: running for 7 min 00 s, usually 1 min 30 s; last success 5 h ago; Arrests; demo",
        "reporting.trend: failed 3 times; last success never; Arrests; demo (and 2 other agencies): division by zero",
        "reporting.arrests: fresh; last success 5 h ago; Arrests; demo",
    ]


def test_loads_that_a_view_contains_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    orders = TableAsOf(table="sales.orders", load_id=12, loaded_at=NOON, newer_loads=1, by_times=False)
    prices = TableAsOf(table="sales.prices", load_id=None, loaded_at=None, newer_loads=2, by_times=True)
    with_loads = replace(overview(FRESH, FAILING), as_of={FRESH.table_name: [orders, prices]})
    assert status_lines(with_loads)[1] == (
        "reporting.arrests: fresh; last success 5 h ago;"
        " as of load 12 of sales.orders, 1 newer load; no load of sales.prices, 2 newer loads (by time); Arrests; demo"
    )
    assert "as of" not in status_lines(with_loads)[2]
    assert "as of" in "".join(status_table(with_loads, 200, monkeypatch))
    assert "as of" not in "".join(status_table(overview(FRESH), 200, monkeypatch))
    first, second = status_document(with_loads)["jobs"]
    assert first["asOf"][0] == {
        "table": "sales.orders",
        "loadId": 12,
        "loadedAt": NOON.isoformat(),
        "newerLoads": 1,
        "byTimes": False,
    }
    assert second["asOf"] == []


def test_data_older_than_the_last_success_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    old, same = DataAge(as_of=NOON - timedelta(hours=30)), DataAge(as_of=FRESH.last_success_at)
    unknown = DataAge(as_of=None, unknown=UnknownAge.REFRESHED_BY_OTHERS)
    for age in (same, unknown):
        assert "data as of" not in "".join(status_lines(replace(overview(FRESH), ages={FRESH.table_name: age})))
    with_old = replace(overview(FRESH, FAILING), ages={FRESH.table_name: old})
    assert status_lines(with_old)[1] == (
        "reporting.arrests: fresh; last success 5 h ago; data as of 30 h ago; Arrests; demo"
    )
    assert "data as of" in "".join(status_table(with_old, 130, monkeypatch))
    first, second = status_document(with_old)["jobs"]
    assert (first["dataAsOf"], first["dataAsOfUnknown"]) == ((NOON - timedelta(hours=30)).isoformat(), None)
    assert (second["dataAsOf"], second["dataAsOfUnknown"]) == (None, "never_recorded")


def test_failure_reason_precedes_the_message(monkeypatch: pytest.MonkeyPatch) -> None:
    failure = VisibleFailure(errors=FAILING.errors, reason="division_by_zero", sqlstate="22012")
    failing_overview = replace(overview(FAILING), failures={FAILING.key: failure})
    assert status_lines(failing_overview)[1].endswith(
        "; demo (and 2 other agencies): division_by_zero: division by zero"
    )
    assert status_table(failing_overview, 130, monkeypatch)[-1] == "reporting.trend: division_by_zero: division by zero"
    [job] = status_document(failing_overview)["jobs"]
    assert (job["reason"], job["sqlstate"]) == ("division_by_zero", "22012")


@pytest.mark.parametrize(
    ("job", "expected"),
    [
        (replace(FRESH, stale=True), "late"),
        (replace(FRESH, status=None, last_success_at=None, stale=True), "never ran"),
        (replace(FAILING, status=Status.PENDING), "pending"),
        (replace(LONG, long_running=False), "running for 7 min 00 s"),
        (replace(FAILING, consecutive_failures=1), "failed 1 time"),
    ],
)
def test_job_state_is_described_in_a_few_words(job: Job, expected: str) -> None:
    assert job_state_text(job, NOON) == expected


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (-1, "0 s ago"),
        (59.9, "59 s ago"),
        (60, "1 min ago"),
        (3599, "59 min ago"),
        (3600, "1 h ago"),
        (172_799, "47 h ago"),
        (172_800, "2 days ago"),
    ],
)
def test_ages_are_formatted_at_their_limits(seconds: float, expected: str) -> None:
    assert time_ago_text(NOON - timedelta(seconds=seconds), NOON) == expected


def test_omitted_jobs_are_counted_in_the_last_line() -> None:
    empty = JobTotals(jobs=0, fresh=0, failing=0, running=0, long_running=0, stale=0)
    assert status_lines(overview(FRESH, total=213))[-1] == "1 of 213 shown; --limit shows more."
    assert status_lines(overview())[-1] == "No view matches."
    assert status_lines(overview(totals=empty))[-1] == "No enabled manifest matches."


def test_wide_terminal_has_a_column_for_each_field(monkeypatch: pytest.MonkeyPatch) -> None:
    output = status_table(overview(FAILING, FRESH), 130, monkeypatch)
    assert output[2].split() == ["view", "report", "agency", "state", "last", "success"]
    assert output[4].split() == [
        *["reporting.trend", "Arrests", "demo", "(and", "2", "other", "agencies)", "failed", "3", "times", "never"]
    ]
    assert output[-1] == "reporting.trend: division by zero"


def test_narrow_terminal_has_the_fields_below_the_name(monkeypatch: pytest.MonkeyPatch) -> None:
    output = status_table(overview(FAILING, replace(FRESH, table_name="reporting." + "x" * 63)), 80, monkeypatch)
    assert output[2].split() == ["view", "state", "last", "success"]
    assert output[4].split() == ["reporting.trend", "failed", "3", "times", "never"]
    assert output[5].strip() == "Arrests, demo (and 2 other agencies)"
    assert output[-1] == "reporting.trend: division by zero"
    assert max(map(len, output)) <= 80
    assert "".join(line.split()[0] for line in output[6:8]).startswith("reporting.xxx"), "a long name is complete"


def test_control_characters_in_names_are_escaped(monkeypatch: pytest.MonkeyPatch) -> None:
    nasty = replace(FAILING, table_name="a\x1b[2J", report_name="[red]b\r", agencies=["c\x07"], errors="d\x1b]0;e\x07")
    for lines in (status_table(overview(nasty), 130, monkeypatch), status_lines(overview(nasty))):
        output = "".join(lines)
        assert all(text in output for text in (r"a\x1b[2J", r"[red]b\r", r"c\x07", r"d\x1b]0;e\x07"))
        assert output.isprintable()


def test_json_has_the_field_names_of_the_api() -> None:
    parsed = json.loads(json.dumps(status_document(overview(LONG, total=3))))
    assert (parsed["totals"]["longRunning"], parsed["count"]) == (1, 3)
    [job] = parsed["jobs"]
    assert (job["id"], job["agencyName"], job["agencySlug"], job["status"]) == (7, "Demo City", "demo", "running")
    assert (job["startTime"], job["lastSuccess"]) == ("2026-01-01T11:53:00+00:00", "2026-01-01T07:00:00+00:00")
