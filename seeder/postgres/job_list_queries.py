"""Manifests with the latest state of their views.

Each statement is a `WITH` clause of named parts of job_list_queries.sql, with a query at the end.
"""

from collections.abc import Collection, Mapping
from dataclasses import asdict
from typing import Any, cast

from django.db import DEFAULT_DB_ALIAS
from psycopg import sql
from psycopg.rows import class_row, dict_row

from seeder.domain.manifests import ManifestKey, ReportType
from seeder.domain.monitoring.report_jobs import GroupBy, Job, JobPageRequest, JobTotals, RecentRun, SortKey
from seeder.domain.outcomes import Status
from seeder.postgres import sessions
from seeder.postgres.named_statements import STATEMENTS

_SORT_COLUMNS: Mapping[SortKey, str] = {
    SortKey.ATTENTION: "attention",
    SortKey.TABLE_NAME: "table_name",
    SortKey.REPORT_NAME: "report_name",
    SortKey.AGENCY: "agency_slug",
    SortKey.STATUS: "status",
    SortKey.START_TIME: "start_time",
    SortKey.DURATION: "duration_seconds",
    SortKey.FAILURES: "consecutive_failures",
}


def job_page(
    job_parameters: Mapping[str, Any], group_by: GroupBy, page_request: JobPageRequest
) -> tuple[list[Job], int]:
    """Return one page and the number of all jobs, which is 0 beyond the last page.

    `job_parameters` are the fields of a `JobFilter`, and the limits `stale_after` and `long_running_factor`.
    """
    direction = sql.SQL(" DESC NULLS LAST" if page_request.descending else " NULLS FIRST")
    order = sql.Identifier(_SORT_COLUMNS[page_request.sort_key]) + direction
    statement = sql.SQL(_combine_parts(group_by, "job_page")).format(order=order)
    parameters = {**job_parameters, **asdict(page_request)}
    rows = sessions.query(DEFAULT_DB_ALIAS, statement, parameters, row_factory=dict_row)
    total = [row.pop("total") for row in rows]
    return [_job(row, group_by) for row in rows], total[0] if rows else 0


def job_totals(job_parameters: Mapping[str, Any], group_by: GroupBy) -> JobTotals:
    statement = _combine_parts(group_by, "job_totals")
    [totals] = sessions.query(DEFAULT_DB_ALIAS, statement, job_parameters, row_factory=class_row(JobTotals))
    return cast("JobTotals", totals)


def recent_runs(jobs: Collection[Job], *, max_runs: int) -> Mapping[str, list[RecentRun]]:
    """Return the latest runs of each job by table name, the latest first."""
    runs_by_table: dict[str, list[RecentRun]] = {job.table_name: [] for job in jobs}
    parameters = {**_job_keys(jobs), "max_runs": max_runs}
    for row in sessions.query(DEFAULT_DB_ALIAS, STATEMENTS["recent_runs"], parameters, row_factory=dict_row):
        row["status"] = Status(row["status"])
        runs_by_table[row.pop("table_name")].append(RecentRun(**row))
    return runs_by_table


def latest_results(jobs: Collection[Job]) -> Mapping[ManifestKey, tuple[str | None, str | None, str | None]]:
    """Return the known reason, SQLSTATE and notes of the latest failure of failing jobs, and success of others."""
    statuses = [Status.ERROR if job.failing else Status.SUCCESS for job in jobs]
    parameters = {**_job_keys(jobs), "statuses": statuses}
    rows = sessions.query(DEFAULT_DB_ALIAS, STATEMENTS["latest_results"], parameters)
    return {(ReportType(kind), number): tuple(result) for kind, number, *result in rows}


def _job_keys(jobs: Collection[Job]) -> Mapping[str, list[Any]]:
    return {
        "table_names": [job.table_name for job in jobs],
        "report_types": [job.report_type for job in jobs],
        "manifest_ids": [job.manifest_id for job in jobs],
    }


def _combine_parts(group_by: GroupBy, last_part: str) -> str:
    return "\n".join(STATEMENTS[part] for part in ("listed_manifests", group_by, "job_states", last_part))


def _job(row: dict[str, Any], group_by: GroupBy) -> Job:
    row["report_type"] = ReportType(row["report_type"])
    row["status"] = row["status"] and Status(row["status"])
    row["agencies"] = sorted(set(row["agencies"])) if group_by is GroupBy.VIEW else [row["agency_slug"]]
    return Job(**row)
