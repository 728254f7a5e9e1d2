"""Totals of runs."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import cast

from django.db import DEFAULT_DB_ALIAS
from psycopg import sql
from psycopg.rows import dict_row

from seeder.domain.outcomes import HeldReason
from seeder.postgres import sessions
from seeder.postgres.monitoring_queries import metrics_table
from seeder.postgres.named_statements import STATEMENTS

COUNTS = ("manifests", "succeeded", "failed", "held", "interrupted")


def totals_of_agencies(run_ids: Sequence[str], agencies: Sequence[str]) -> Mapping[str, Mapping[str, int]]:
    """Return the counts of finished runs over manifests of these agencies, by run.

    Runs without any of these agencies are left out.
    """
    parameters = {"run_ids": list(run_ids), "agencies": list(agencies)}
    rows = sessions.query(DEFAULT_DB_ALIAS, STATEMENTS["totals_of_agencies"], parameters)
    return {run_id: dict(zip(COUNTS, counts, strict=True)) for run_id, *counts in rows}


def counts_until_now(
    run_ids: Sequence[str], agencies: Sequence[str] | None, *, has_metrics: bool
) -> Mapping[str, Mapping[str, int]]:
    """Return the counts of unfinished runs, and their `open` manifests, by run."""
    if not run_ids:
        return {}
    parameters = _parameters(run_ids, None if agencies is None else list(agencies))
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for row in sessions.query(
        DEFAULT_DB_ALIAS, _counts_of_runs(has_metrics=has_metrics), parameters, row_factory=dict_row
    ):
        found[row.pop("run_id")].update({name: row[name] for name in (*COUNTS, "open")})
    return found


def close_run(run_id: str, stopped_by: str | None, *, is_kept: bool, has_metrics: bool) -> datetime:
    """Set the totals of a run if its row is kept, and return the server's time. Takes one round trip."""
    close = sql.SQL(STATEMENTS["close_run"]).format(counts_of_runs=_counts_of_runs(has_metrics=has_metrics))
    statements = [*([close.as_string()] if is_kept else []), STATEMENTS["server_time"]]
    parameters = {"run": run_id, "stopped_by": stopped_by, **_parameters([run_id], None)}
    *_, [(now,)] = sessions.query_batch(DEFAULT_DB_ALIAS, statements, parameters)
    return cast("datetime", now)


def _counts_of_runs(*, has_metrics: bool) -> sql.Composed:
    statement = STATEMENTS["counts_of_runs"].rstrip(";\n")
    return sql.SQL(statement).format(metrics=metrics_table(has_metrics=has_metrics))


def _parameters(run_ids: Sequence[str], agencies: list[str] | None) -> dict[str, object]:
    return {"runs": list(run_ids), "agencies": agencies, "held": [*HeldReason]}
