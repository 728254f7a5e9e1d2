"""Why the last night has no result of a late view."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from seeder.domain.manifests import ReportType
from seeder.domain.monitoring.late_causes import late_cause
from seeder.domain.monitoring.nights import NightRun, Round
from seeder.domain.monitoring.report_jobs import Job
from seeder.domain.outcomes import Status

TWO = datetime(2026, 12, 1, 2, tzinfo=UTC)
RUN = NightRun(
    run_id="night",
    description="every report",
    requested_by="seeder: every report",
    started_at=TWO,
    finished_at=TWO + timedelta(minutes=41),
    stopped_by=None,
    is_alive=False,
    is_regular=True,
)
JOB = Job(
    report_type=ReportType.CUSTOM,
    manifest_id=1,
    table_name="reporting.late",
    report_name="Late",
    agency_id=1,
    agency_slug="demo",
    agencies=("demo",),
    status=Status.SUCCESS,
    is_interrupted=False,
    start_time=TWO - timedelta(days=2),
    duration_seconds=1,
    consecutive_failures=0,
    last_run_id="an earlier one",
    errors=None,
    last_success_at=TWO - timedelta(days=2),
    usual_duration=None,
    failing=False,
    stale=True,
    long_running=False,
)
SCHEDULE = {"seeder: every report"}


def night(**facts: object) -> Round:
    return Round(runs=(replace(RUN, **facts),), is_night=True)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("last_night", "schedules", "expected"),
    [
        (night(), SCHEDULE, "not selected by the last night: its manifest was added or enabled"),
        (night(), {"seeder: agency demo"}, "its schedule did not run in the last night"),
        (night(), set(), "no schedule selects it"),
        (night(), None, "not selected by the last night"),
        (night(stopped_by="SIGTERM"), SCHEDULE, "the last night was interrupted"),
        (night(finished_at=None, is_alive=True), SCHEDULE, ""),
        (None, SCHEDULE, ""),
    ],
)
def test_view_without_a_result_has_a_cause(last_night: Round | None, schedules: set[str], expected: str) -> None:
    cause = late_cause(JOB, last_night, schedules)
    assert cause.startswith(expected)
    assert bool(cause) == bool(expected)


@pytest.mark.parametrize(
    "job",
    [
        replace(JOB, status=Status.PENDING),
        replace(JOB, last_run_id="night"),
        replace(JOB, start_time=TWO + timedelta(hours=4)),
    ],
    ids=["pending", "in the night", "later"],
)
def test_view_with_a_later_result_has_no_cause(job: Job) -> None:
    assert late_cause(job, night(), SCHEDULE) == ""
