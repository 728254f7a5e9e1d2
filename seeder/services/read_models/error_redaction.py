"""Failures with their messages, redacted for users without permission.

PostgreSQL's messages can quote the data.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from django.db import DEFAULT_DB_ALIAS

from seeder.domain.manifests import ManifestKey
from seeder.domain.monitoring.report_jobs import Job
from seeder.domain.outcomes import Status
from seeder.models import RunHistory, RunMetrics
from seeder.postgres import job_list_queries
from seeder.postgres.contract import OptionalTables

PERMISSION = "seeder.view_errors"  # allows a user to see the complete messages

_Metrics = tuple[str | None, str | None, str | None]  # reason, SQLSTATE, notes


@dataclass(frozen=True, kw_only=True, slots=True)
class VisibleFailure:
    """A failure, and the notes of a result, as the user may see them."""

    errors: str | None
    reason: str | None = None  # None if not recorded
    sqlstate: str | None = None
    notes: str | None = None  # one on each line


def failures_of_rows(rows: Collection[RunHistory], *, can_see_errors: bool) -> Mapping[int, VisibleFailure]:
    """Return the failures by history id."""
    known: Mapping[int, _Metrics] = {}
    if _has_metrics():
        metrics = RunMetrics.objects.filter(history_id__in=[row.pk for row in rows])
        columns = metrics.values_list("history_id", "reason", "sqlstate", "notes")
        known = {pk: (reason, state, notes) for pk, reason, state, notes in columns}
    return {
        row.pk: _failure(
            row.errors, known.get(row.pk), failed=row.status == Status.ERROR, can_see_errors=can_see_errors
        )
        for row in rows
    }


def failures_of_jobs(jobs: Collection[Job], *, can_see_errors: bool) -> Mapping[ManifestKey, VisibleFailure]:
    """Return the latest failures by `Job.key`."""
    known = job_list_queries.latest_results(jobs) if _has_metrics() else {}
    return {
        job.key: _failure(job.errors, known.get(job.key), failed=job.failing, can_see_errors=can_see_errors)
        for job in jobs
    }


def _failure(message: str | None, known: _Metrics | None, *, failed: bool, can_see_errors: bool) -> VisibleFailure:
    reason, sqlstate, notes = known or (None, None, None)
    if not can_see_errors:
        notes = None  # a note can name views of other agencies
        named = f": {reason}" if reason else ""
        state = f" (SQLSTATE {sqlstate})" if sqlstate else ""
        redacted = f"The refresh failed{named}{state}. Its message can quote the data, so it requires {PERMISSION}."
        message = redacted if failed and message is not None else None
    return VisibleFailure(errors=message, reason=reason, sqlstate=sqlstate, notes=notes)


def _has_metrics() -> bool:
    return OptionalTables.read(DEFAULT_DB_ALIAS, read_only=True).is_usable("seeder_run_metrics")
