"""Manifests with the latest state of their views, put together from the named parts of jobs.sql."""

from collections.abc import Collection, Mapping
from dataclasses import asdict
from typing import Any

from psycopg import sql

from seeder.domain.manifests import ReportType
from seeder.domain.monitoring.report_jobs import (
    GroupBy,
    Job,
    JobFilter,
    JobPageRequest,
    JobTotals,
    RecentRun,
    SortKey,
    StalenessLimits,
)
from seeder.domain.outcomes import Status
from seeder.postgres import sessions
from seeder.postgres.named_statements import STATEMENTS

_SORT_COLUMNS: Mapping[SortKey, tuple[str, ...]] = {
    SortKey.ATTENTION: ("attention",),
    SortKey.TABLE_NAME: (),
    SortKey.REPORT_NAME: ("report_name",),
    SortKey.AGENCY: ("agency_slug",),
    SortKey.STATUS: ("status",),
    SortKey.START_TIME: ("start_time",),
    SortKey.DURATION: ("duration_seconds",),
    SortKey.FAILURES: ("consecutive_failures",),
}


def job_page(
    database: str,
    job_filter: JobFilter,
    group_by: GroupBy,
    page_request: JobPageRequest,
    staleness_limits: StalenessLimits,
) -> tuple[list[Job], int]:
    """One page, and how many there are in all; beyond the last page nobody knows, so that is 0."""
    direction = sql.SQL(" DESC NULLS LAST" if page_request.descending else " NULLS FIRST")
    keys = [sql.Identifier(column) + direction for column in _SORT_COLUMNS[page_request.sort_key]]
    name = sql.Identifier("table_name") + (direction if page_request.sort_key is SortKey.TABLE_NAME else sql.SQL(""))
    tie_breakers = [name, sql.Identifier("report_type"), sql.Identifier("manifest_id")]
    statement = sql.SQL(_combine_parts(group_by, "job_page")).format(order=sql.SQL(", ").join([*keys, *tie_breakers]))
    page_parameters = {"limit": page_request.limit, "offset": page_request.offset}
    rows = sessions.query_composed(
        database, statement, {**asdict(job_filter), **asdict(staleness_limits), **page_parameters}
    )
    return [_job(row, group_by) for row in rows], rows[0][-1] if rows else 0


def job_totals(database: str, job_filter: JobFilter, group_by: GroupBy, staleness_limits: StalenessLimits) -> JobTotals:
    statement = sql.SQL(_combine_parts(group_by, "job_totals")).format()
    parameters = {**asdict(job_filter), **asdict(staleness_limits)}
    [(total, fresh, failing, running, long, stale)] = sessions.query_composed(database, statement, parameters)
    return JobTotals(jobs=total, fresh=fresh, failing=failing, running=running, long_running=long, stale=stale)


def recent_runs(database: str, jobs: Collection[Job], *, max_runs: int) -> Mapping[str, list[RecentRun]]:
    """The latest runs of each of these, the latest first, by the name of their table."""
    runs_by_table: dict[str, list[RecentRun]] = {job.table_name: [] for job in jobs}
    parameters = {**_job_keys(jobs), "max_runs": max_runs}
    for name, run_id, status, started, finished, rows in sessions.query(database, "recent_runs", parameters):
        runs_by_table[name].append(
            RecentRun(run_id=run_id, status=Status(status), start_time=started, finish_time=finished, rows=rows)
        )
    return runs_by_table


def failure_reasons(database: str, jobs: Collection[Job]) -> Mapping[tuple[ReportType, int], tuple[str, str | None]]:
    """Why each of these failed when it last did, where that is known: reason and SQLSTATE."""
    rows = sessions.query(database, "failure_reasons", _job_keys(jobs))
    return {(ReportType(kind), number): (reason, state) for kind, number, reason, state in rows}


def _job_keys(jobs: Collection[Job]) -> Mapping[str, list[Any]]:
    return {
        "table_names": [job.table_name for job in jobs],
        "report_types": [job.report_type for job in jobs],
        "manifest_ids": [job.manifest_id for job in jobs],
    }


def _combine_parts(group_by: GroupBy, last_part: str) -> str:
    return "\n".join(STATEMENTS[part] for part in ("listed_manifests", group_by, "job_states", last_part))


def _job(row: sessions.Row, group_by: GroupBy) -> Job:
    kind, number, table, report, agency_id, slug, agencies, status, *rest = row
    start, seconds, failures, run_id, errors, success, usual, failing, stale, long, _ = rest
    return Job(
        report_type=ReportType(kind),
        manifest_id=number,
        table_name=table,
        report_name=report,
        agency_id=agency_id,
        agency_slug=slug,
        agencies=sorted(set(agencies)) if group_by is GroupBy.VIEW else [slug],
        status=status and Status(status),
        start_time=start,
        duration_seconds=seconds,
        consecutive_failures=failures,
        last_run_id=run_id,
        errors=errors,
        last_success_at=success,
        usual_duration=usual,
        failing=failing,
        stale=stale,
        long_running=long,
    )
