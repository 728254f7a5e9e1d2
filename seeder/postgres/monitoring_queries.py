"""What the monitoring page shows of runs and views, in a constant number of statements."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from django.db import DEFAULT_DB_ALIAS
from psycopg import sql
from psycopg.rows import dict_row

from seeder.domain.monitoring.nights import MAX_NAMED, NightCounts, Round
from seeder.domain.monitoring.report_jobs import Job, JobFilter
from seeder.domain.outcomes import HeldReason
from seeder.postgres import sessions
from seeder.postgres.named_statements import STATEMENTS

_PERIOD = timedelta(days=30)
_MAX_RUNS = 500
_BEFORE_RUN = timedelta(minutes=1)  # rows are inserted about when the run starts
_MAX_ROWS_OF_VIEW = 10_000  # of a view of many manifests
_NO_METRICS = sql.SQL("(SELECT NULL::bigint AS history_id, NULL::text AS reason)")


def night_runs(
    agencies: list[str] | None, *, schedules: str, due_views: str, latest: int
) -> Sequence[Mapping[str, Any]]:
    """Return the runs that can be of nights, and the latest ones, as far as they have manifests of these agencies.

    `schedules` is how the names of schedules begin, and `due_views` the one that runs all day.
    """
    limits = {"period": _PERIOD, "max_runs": _MAX_RUNS, "latest": latest}
    parameters = {"agencies": agencies, "schedules": schedules, "due_views": due_views, **limits}
    return sessions.query(DEFAULT_DB_ALIAS, STATEMENTS["night_runs"], parameters, row_factory=dict_row)


def night_counts(
    nights: Sequence[Sequence[str]], agencies: list[str] | None, *, has_metrics: bool
) -> Sequence[NightCounts]:
    """Return the counts of each night, given the runs of each, over the views of these agencies."""
    pairs = [(run_id, number) for number, run_ids in enumerate(nights) for run_id in run_ids]
    combined = f"{STATEMENTS['listed_manifests']}\n{STATEMENTS['night_counts']}"
    statement = sql.SQL(combined).format(metrics=metrics_table(has_metrics=has_metrics))
    parameters = {
        **asdict(JobFilter(visible_agencies=agencies)),
        "run_ids": [run_id for run_id, _ in pairs],
        "numbers": [number for _, number in pairs],
        "agencies": agencies,
        "held": [*HeldReason],
        "named": MAX_NAMED,
    }
    rows = sessions.query(DEFAULT_DB_ALIAS, statement, parameters, row_factory=dict_row)
    by_night = {row.pop("number"): NightCounts(**row) for row in rows}
    return [by_night.get(number, NightCounts()) for number in range(len(nights))]


def grid_cells(
    table_names: Sequence[str], columns: Sequence[Round], agencies: list[str] | None, *, has_metrics: bool
) -> Sequence[Mapping[str, Any]]:
    """Return the last row of each view in the runs of each column, with the column's `number`."""
    pairs = [(run.run_id, number) for number, column in enumerate(columns) for run in column.runs]
    statement = sql.SQL(STATEMENTS["grid_cells"]).format(metrics=metrics_table(has_metrics=has_metrics))
    parameters = {
        "table_names": [*table_names],
        "run_ids": [run_id for run_id, _ in pairs],
        "numbers": [number for _, number in pairs],
        "since": columns[0].started_at - _BEFORE_RUN,
        "agencies": agencies,
        "max_rows": _MAX_ROWS_OF_VIEW,
    }
    return sessions.query(DEFAULT_DB_ALIAS, statement, parameters, row_factory=dict_row)


def failing_since(jobs: Collection[Job]) -> Mapping[str, datetime]:
    """Return when each of these failing views failed first after its last success, by table name."""
    parameters = {
        "table_names": [job.table_name for job in jobs],
        "last_successes": [job.last_success_at for job in jobs],
    }
    return dict(sessions.query(DEFAULT_DB_ALIAS, STATEMENTS["failing_since"], parameters))


def expected_trial(
    run_id: str, *, database_ids: Sequence[int] | None, other_database_ids: Sequence[int], is_open: bool
) -> str | None:
    """Return the first view in a run's plan that succeeded last time, of these databases (None: all but the others).

    If the run `is_open`, only its views that wait.
    """
    parameters = {"run": run_id, "own": database_ids, "others": [*other_database_ids], "open": is_open}
    rows = sessions.query(DEFAULT_DB_ALIAS, STATEMENTS["expected_trial"], parameters)
    return rows[0][0] if rows else None


def metrics_table(*, has_metrics: bool) -> sql.Composable:
    """Return the table of metrics, or an empty one in its place."""
    return sql.Identifier("reporting", "seeder_run_metrics") if has_metrics else _NO_METRICS
