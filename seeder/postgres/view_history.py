"""Reads the history of one manifest in a time range, along an index."""

from collections.abc import Sequence
from typing import Any

from django.db import DEFAULT_DB_ALIAS
from psycopg.rows import class_row, dict_row

from seeder.domain.monitoring.report_jobs import Job
from seeder.domain.monitoring.view_history import RunInterval, TimeRange, ViewRun
from seeder.domain.outcomes import Status
from seeder.postgres import sessions
from seeder.postgres.named_statements import STATEMENTS


def runs_in_range(job: Job, time_range: TimeRange, *, max_runs: int) -> Sequence[ViewRun]:
    """Return the latest runs of a job in a time range, the latest first."""
    parameters = {**_parameters(job, time_range), "max_runs": max_runs}
    rows = sessions.query(DEFAULT_DB_ALIAS, STATEMENTS["runs_in_range"], parameters, row_factory=dict_row)
    return [ViewRun(**{**row, "status": Status(row["status"])}) for row in rows]


def intervals_in_range(job: Job, time_range: TimeRange, *, intervals: int, max_runs: int) -> Sequence[RunInterval]:
    """Return the intervals that have runs, the latest first. Of each, at most `max_runs` are read."""
    parameters = {**_parameters(job, time_range), "intervals": intervals, "max_runs": max_runs}
    statement = STATEMENTS["intervals_in_range"]
    return sessions.query(DEFAULT_DB_ALIAS, statement, parameters, row_factory=class_row(RunInterval))


def _parameters(job: Job, time_range: TimeRange) -> dict[str, Any]:
    return {
        "manifest_id": job.manifest_id,
        "report_type": job.report_type,
        "table_name": job.table_name,
        "length": time_range.length,
    }
