"""Manifests with the latest state of their views, put together from the named parts of jobs.sql."""

from collections.abc import Collection, Mapping
from dataclasses import asdict
from typing import Any

from psycopg import sql

from seeder.domain.jobs import By, Job, Judgement, Listing, Order, Recent, Totals, Wanted
from seeder.domain.manifests import ReportType
from seeder.domain.outcomes import Status
from seeder.postgres import sessions
from seeder.postgres.statements import NAMED

_ORDERS: Mapping[Order, tuple[str, ...]] = {
    Order.ATTENTION: ("attention",),
    Order.TABLE_NAME: (),
    Order.REPORT_NAME: ("report_name",),
    Order.AGENCY: ("agency_slug",),
    Order.STATUS: ("status",),
    Order.START_TIME: ("start_time",),
    Order.DURATION: ("duration_seconds",),
    Order.FAILURES: ("consecutive_failures",),
}


def jobs(database: str, wanted: Wanted, by: By, listing: Listing, judgement: Judgement) -> tuple[list[Job], int]:
    """One page, and how many there are in all; beyond the last page nobody knows, so that is 0."""
    direction = sql.SQL(" DESC NULLS LAST" if listing.descending else " NULLS FIRST")
    keys = [sql.Identifier(column) + direction for column in _ORDERS[listing.order]]
    name = sql.Identifier("table_name") + (direction if listing.order is Order.TABLE_NAME else sql.SQL(""))
    last = [name, sql.Identifier("report_type"), sql.Identifier("manifest_id")]
    statement = sql.SQL(_text(by, "page_of_jobs")).format(order=sql.SQL(", ").join([*keys, *last]))
    page = {"limit": listing.limit, "offset": listing.offset}
    rows = sessions.query_composed(database, statement, {**asdict(wanted), **asdict(judgement), **page})
    return [_job(row, by) for row in rows], rows[0][-1] if rows else 0


def totals(database: str, wanted: Wanted, by: By, judgement: Judgement) -> Totals:
    statement = sql.SQL(_text(by, "totals_of_jobs")).format()
    facts = {**asdict(wanted), **asdict(judgement)}
    [(every, fresh, failing, running, long, stale)] = sessions.query_composed(database, statement, facts)
    return Totals(jobs=every, fresh=fresh, failing=failing, running=running, long_running=long, stale=stale)


def recent_runs(database: str, shown: Collection[Job], *, most: int) -> Mapping[str, list[Recent]]:
    """The latest runs of each of these, the latest first, by the name of their table."""
    found: dict[str, list[Recent]] = {job.table_name: [] for job in shown}
    facts = {**_keys(shown), "most": most}
    for name, run_id, status, started, finished, rows in sessions.query(database, "recent_runs", facts):
        found[name].append(
            Recent(run_id=run_id, status=Status(status), start_time=started, finish_time=finished, rows=rows)
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


def _text(by: By, what: str) -> str:
    return "\n".join(NAMED[part] for part in ("asked", by, "judged", what))


def _job(row: sessions.Row, by: By) -> Job:
    kind, number, table, report, agency_id, slug, agencies, status, *rest = row
    start, seconds, failures, run_id, errors, success, usual, failing, stale, long, _ = rest
    return Job(
        report_type=ReportType(kind),
        manifest_id=number,
        table_name=table,
        report_name=report,
        agency_id=agency_id,
        agency_slug=slug,
        agencies=sorted(set(agencies)) if by is By.VIEW else [slug],
        status=status and Status(status),
        start_time=start,
        duration_seconds=seconds,
        consecutive_failures=failures,
        last_run_id=run_id,
        errors=errors,
        last_success=success,
        usual=usual,
        failing=failing,
        stale=stale,
        long_running=long,
    )
