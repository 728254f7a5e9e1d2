"""What the monitoring page shows of runs and views, in a constant number of statements."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.db import DEFAULT_DB_ALIAS
from psycopg import sql
from psycopg.rows import dict_row

from seeder.domain.monitoring.nights import NightCounts
from seeder.domain.outcomes import HeldReason
from seeder.postgres import sessions
from seeder.postgres.named_statements import STATEMENTS

_PERIOD = timedelta(days=30)
_MAX_RUNS = 500
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
    statement = sql.SQL(STATEMENTS["night_counts"]).format(metrics=metrics_table(has_metrics=has_metrics))
    parameters = {
        "run_ids": [run_id for run_id, _ in pairs],
        "numbers": [number for _, number in pairs],
        "agencies": agencies,
        "held": [*HeldReason],
    }
    rows = sessions.query(DEFAULT_DB_ALIAS, statement, parameters, row_factory=dict_row)
    by_night = {row.pop("number"): NightCounts(**row) for row in rows}
    return [by_night.get(number, NightCounts()) for number in range(len(nights))]


def metrics_table(*, has_metrics: bool) -> sql.Composable:
    """Return the table of metrics, or an empty one in its place."""
    return sql.Identifier("reporting", "seeder_run_metrics") if has_metrics else _NO_METRICS
