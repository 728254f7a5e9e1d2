"""Manifests with the latest state of their views, put together from the named parts of jobs.sql."""

from collections.abc import Collection, Mapping
from dataclasses import asdict
from typing import Any

from psycopg import sql

from seeder.domain.jobs import GroupBy, Job, JobFilter, JobPageRequest, JobTotals, RecentRun, SortKey, StalenessLimits
from seeder.domain.manifests import ReportType
from seeder.domain.outcomes import Status
from seeder.postgres import sessions
from seeder.postgres.statements import NAMED

_ORDERS: Mapping[SortKey, tuple[str, ...]] = {
    SortKey.ATTENTION: ("attention",),
    SortKey.TABLE_NAME: (),
    SortKey.REPORT_NAME: ("report_name",),
    SortKey.AGENCY: ("agency_slug",),
    SortKey.STATUS: ("status",),
    SortKey.START_TIME: ("start_time",),
    SortKey.DURATION: ("duration_seconds",),
    SortKey.FAILURES: ("consecutive_failures",),
}


def jobs(
    database: str, wanted: JobFilter, by: GroupBy, listing: JobPageRequest, judgement: StalenessLimits
) -> tuple[list[Job], int]:
    """One page, and how many there are in all; beyond the last page nobody knows, so that is 0."""
    direction = sql.SQL(" DESC NULLS LAST" if listing.descending else " NULLS FIRST")
    keys = [sql.Identifier(column) + direction for column in _ORDERS[listing.sort_key]]
    name = sql.Identifier("table_name") + (direction if listing.sort_key is SortKey.TABLE_NAME else sql.SQL(""))
    last = [name, sql.Identifier("report_type"), sql.Identifier("manifest_id")]
    statement = sql.SQL(_text(by, "page_of_jobs")).format(order=sql.SQL(", ").join([*keys, *last]))
    page = {"limit": listing.limit, "offset": listing.offset}
    rows = sessions.query_composed(database, statement, {**asdict(wanted), **asdict(judgement), **page})
    return [_job(row, by) for row in rows], rows[0][-1] if rows else 0


def totals(database: str, wanted: JobFilter, by: GroupBy, judgement: StalenessLimits) -> JobTotals:
    statement = sql.SQL(_text(by, "totals_of_jobs")).format()
    facts = {**asdict(wanted), **asdict(judgement)}
    [(every, fresh, failing, running, long, stale)] = sessions.query_composed(database, statement, facts)
    return JobTotals(jobs=every, fresh=fresh, failing=failing, running=running, long_running=long, stale=stale)


def recent_runs(database: str, shown: Collection[Job], *, most: int) -> Mapping[str, list[RecentRun]]:
    """The latest runs of each of these, the latest first, by the name of their table."""
    found: dict[str, list[RecentRun]] = {job.table_name: [] for job in shown}
    facts = {**_keys(shown), "most": most}
    for name, run_id, status, started, finished, rows in sessions.query(database, "recent_runs", facts):
        found[name].append(
            RecentRun(run_id=run_id, status=Status(status), start_time=started, finish_time=finished, rows=rows)
        )
    return found


def reasons(database: str, shown: Collection[Job]) -> Mapping[tuple[ReportType, int], tuple[str, str | None]]:
    """Why each of these failed when it last did, where that is known: reason and SQLSTATE."""
    rows = sessions.query(database, "reasons", _keys(shown))
    return {(ReportType(kind), number): (reason, state) for kind, number, reason, state in rows}


def _keys(shown: Collection[Job]) -> Mapping[str, list[Any]]:
    return {
        "table_names": [job.table_name for job in shown],
        "report_types": [job.report_type for job in shown],
        "manifest_ids": [job.manifest_id for job in shown],
    }


def _text(by: GroupBy, what: str) -> str:
    return "\n".join(NAMED[part] for part in ("asked", by, "judged", what))


def _job(row: sessions.Row, by: GroupBy) -> Job:
    kind, number, table, report, agency_id, slug, agencies, status, *rest = row
    start, seconds, failures, run_id, errors, success, usual, failing, stale, long, _ = rest
    return Job(
        report_type=ReportType(kind),
        manifest_id=number,
        table_name=table,
        report_name=report,
        agency_id=agency_id,
        agency_slug=slug,
        agencies=sorted(set(agencies)) if by is GroupBy.VIEW else [slug],
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
