"""Manifests with the latest state of their views.

Each statement is a `WITH` clause of named parts of job_list_queries.sql, with a query at the end.
"""

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple, cast

from django.db import DEFAULT_DB_ALIAS
from psycopg import sql
from psycopg.rows import class_row, dict_row

from seeder.domain import lock_keys
from seeder.domain.manifests import ManifestKey, ReportType
from seeder.domain.monitoring.agency_totals import AgencyAge, AgencyTotals
from seeder.domain.monitoring.report_jobs import (
    GroupBy,
    Job,
    JobCursor,
    JobPage,
    JobPageRequest,
    JobTotals,
    LatestState,
    SortKey,
    TroubledJobs,
)
from seeder.domain.outcomes import Status
from seeder.postgres import sessions
from seeder.postgres.monitoring_queries import metrics_table
from seeder.postgres.named_statements import STATEMENTS

# The column of each sort key, and its type.
_SORT_COLUMNS: Mapping[SortKey, tuple[str, sql.SQL]] = {
    SortKey.ATTENTION: ("attention", sql.SQL("integer")),
    SortKey.TABLE_NAME: ("table_name", sql.SQL("text")),
    SortKey.REPORT_NAME: ("report_name", sql.SQL("text")),
    SortKey.AGENCY: ("agency_slug", sql.SQL("text")),
    SortKey.STATUS: ("status", sql.SQL("text")),
    SortKey.START_TIME: ("start_time", sql.SQL("timestamptz")),
    SortKey.DURATION: ("duration_seconds", sql.SQL("integer")),
    SortKey.FAILURES: ("consecutive_failures", sql.SQL("integer")),
}


class JobRow(NamedTuple):
    """A job and its value of the sort key."""

    job: Job
    sort_value: str | None

    def as_cursor(self, *, is_backward: bool = False) -> JobCursor:
        return JobCursor(
            sort_value=self.sort_value,
            table_name=self.job.table_name,
            report_type=self.job.report_type,
            manifest_id=self.job.manifest_id,
            is_backward=is_backward,
        )


def job_page(
    job_parameters: Mapping[str, Any], group_by: GroupBy, page_request: JobPageRequest
) -> tuple[list[JobRow], int]:
    """Return one page and the number of all jobs, which is 0 if the page is empty.

    A page before a cursor is in reverse order. `job_parameters` are the fields of a `JobFilter`, and the limits
    `stale_after` and `long_running_factor`.
    """
    cursor = page_request.cursor
    parts = _combine_parts(group_by, "job_page", "shown_jobs")
    statement = sql.SQL(parts).format(counts=sql.SQL("total"), **_order(page_request))
    page: dict[str, Any] = {"limit": page_request.limit, "offset": page_request.offset}
    page["by_view"] = group_by is GroupBy.VIEW
    if cursor is not None:
        page |= {"sort_value": cursor.sort_value, "cursor_table_name": cursor.table_name}
        page |= {"cursor_report_type": cursor.report_type, "cursor_manifest_id": cursor.manifest_id}
    rows = sessions.query(DEFAULT_DB_ALIAS, statement, {**job_parameters, **page}, row_factory=dict_row)
    totals, sort_values = [row.pop("total") for row in rows], [row.pop("sort_value") for row in rows]
    jobs = [JobRow(_job(row, group_by), value) for row, value in zip(rows, sort_values, strict=True)]
    return jobs, totals[0] if totals else 0


def troubled_jobs(job_parameters: Mapping[str, Any], *, max_failing: int, max_others: int) -> TroubledJobs:
    """Return the first views of each kind of trouble."""
    parts = _combine_parts(GroupBy.VIEW, "troubled_jobs", "shown_jobs")
    counts = ("all_failing", "all_long_running", "all_late")
    statement = sql.SQL(parts).format(
        counts=sql.SQL(", ").join(map(sql.Identifier, counts)), **_order(JobPageRequest())
    )
    limits = {"max_failing": max_failing, "max_others": max_others, "by_view": True}
    rows = sessions.query(DEFAULT_DB_ALIAS, statement, {**job_parameters, **limits}, row_factory=dict_row)
    totals = [[row.pop(name) for name in counts] for row in rows]
    for row in rows:
        row.pop("sort_value")
    jobs = [_job(row, GroupBy.VIEW) for row in rows]
    failing, long_running, late = totals[0] if totals else (0, 0, 0)
    return TroubledJobs(
        failing=JobPage(jobs=[job for job in jobs if job.failing][:max_failing], total=failing),
        long_running=JobPage(jobs=[job for job in jobs if job.long_running][:max_others], total=long_running),
        late=JobPage(jobs=[job for job in jobs if job.stale and not job.failing][:max_others], total=late),
    )


def _order(page_request: JobPageRequest) -> dict[str, sql.Composable]:
    """Return the order of a page, and the condition of the rows beyond its cursor."""
    column, kind = _SORT_COLUMNS[page_request.sort_key]
    sort_key, cursor = sql.Identifier(column), page_request.cursor
    is_backward = cursor is not None and cursor.is_backward
    descending = page_request.descending != is_backward
    tie_direction = sql.SQL(" DESC" if is_backward else " ASC")
    ties = [sql.Identifier(name) + tie_direction for name in ("table_name", "report_type", "manifest_id")]
    order = sql.SQL(", ").join([sort_key + sql.SQL(" DESC NULLS LAST" if descending else " ASC NULLS FIRST"), *ties])
    if cursor is None:
        return {"sort_key": sort_key, "order": order, "beyond_cursor": sql.SQL("true")}
    beyond_cursor = sql.SQL(STATEMENTS["jobs_beyond_cursor"]).format(
        sort_key=sort_key,
        type=kind,
        comparison=sql.SQL("<" if descending else ">"),
        tie_comparison=sql.SQL("<" if is_backward else ">"),
    )
    return {"sort_key": sort_key, "order": order, "beyond_cursor": beyond_cursor}


def job_totals(job_parameters: Mapping[str, Any], group_by: GroupBy) -> JobTotals:
    statement = _combine_parts(group_by, "job_totals")
    [totals] = sessions.query(DEFAULT_DB_ALIAS, statement, job_parameters, row_factory=class_row(JobTotals))
    return cast("JobTotals", totals)


def agency_totals(job_parameters: Mapping[str, Any]) -> list[AgencyTotals]:
    """Return the totals of each agency with manifests."""
    agency = sql.SQL("known.agency_slug")
    return _totals(
        job_parameters,
        "known_agencies",
        slug=agency,
        agency_id=sql.SQL("min(known.agency_id)"),
        source=sql.SQL("known LEFT JOIN found ON found.agency_slug = known.agency_slug"),
        group=agency,
    )


def overall_totals(job_parameters: Mapping[str, Any]) -> AgencyTotals:
    """Return the totals of all agencies together."""
    nothing, found, all_rows = sql.SQL("NULL"), sql.SQL("found"), sql.SQL("()")
    [totals] = _totals(job_parameters, slug=nothing, agency_id=nothing, source=found, group=all_rows)
    return totals


def agency_ages(job_parameters: Mapping[str, Any]) -> list[AgencyAge]:
    """Return the ages of the agencies with jobs, those in trouble first."""
    statement = _combine_parts(GroupBy.MANIFEST, "agency_ages")
    return sessions.query(DEFAULT_DB_ALIAS, statement, job_parameters, row_factory=class_row(AgencyAge))


def _totals(job_parameters: Mapping[str, Any], *parts: str, **composed: sql.Composable) -> list[AgencyTotals]:
    statement = sql.SQL(_combine_parts(GroupBy.MANIFEST, *parts, "agency_totals")).format(**composed)
    return sessions.query(DEFAULT_DB_ALIAS, statement, job_parameters, row_factory=class_row(AgencyTotals))


def latest_results(jobs: Collection[Job]) -> Mapping[ManifestKey, tuple[str | None, str | None, str | None]]:
    """Return the known reason, SQLSTATE and notes of the latest failure of failing jobs, and success of others."""
    statuses = [Status.ERROR if job.failing else Status.SUCCESS for job in jobs]
    parameters = {**_job_keys(jobs), "statuses": statuses}
    rows = sessions.query(DEFAULT_DB_ALIAS, STATEMENTS["latest_results"], parameters)
    return {(ReportType(kind), number): tuple(result) for kind, number, *result in rows}


def latest_states(table_names: Collection[str], *, has_metrics: bool) -> Mapping[str, LatestState]:
    """Return the latest states of views by their names as manifests spell them. A view that never ran has none."""
    metrics = metrics_table(has_metrics=has_metrics)
    statement = f"WITH {STATEMENTS['latest_state']}\n{STATEMENTS['results_of_latest_states']}"
    parameters = {"names": list(table_names), "run_lock": lock_keys.of_run("")}
    rows = sessions.query(DEFAULT_DB_ALIAS, sql.SQL(statement).format(metrics=metrics), parameters)
    return {
        name: LatestState(status=Status(status), reason=reason, is_interrupted=is_interrupted)
        for name, status, is_interrupted, reason in rows
    }


def _job_keys(jobs: Collection[Job]) -> Mapping[str, list[Any]]:
    return {
        "table_names": [job.table_name for job in jobs],
        "report_types": [job.report_type for job in jobs],
        "manifest_ids": [job.manifest_id for job in jobs],
    }


def _combine_parts(group_by: GroupBy, *last_parts: str) -> str:
    return "\n".join(
        STATEMENTS[part] for part in ("listed_manifests", group_by, "latest_state", "job_states", *last_parts)
    )


def _job(row: dict[str, Any], group_by: GroupBy) -> Job:
    row["report_type"] = ReportType(row["report_type"])
    row["status"] = row["status"] and Status(row["status"])
    row["agencies"] = sorted(set(row["agencies"])) if group_by is GroupBy.VIEW else [row["agency_slug"]]
    return Job(**row)
