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

_Reason = tuple[str, str | None]  # with its SQLSTATE


@dataclass(frozen=True, kw_only=True, slots=True)
class VisibleFailure:
    """A failure as the user may see it."""

    errors: str | None  # of a success: a note
    reason: str | None = None  # None if not recorded
    sqlstate: str | None = None


def failures_of_rows(rows: Collection[RunHistory], *, can_see_errors: bool) -> Mapping[int, VisibleFailure]:
    """Return the failures by history id."""
    reasons: Mapping[int, _Reason] = {}
    if _has_reasons():
        known = RunMetrics.objects.filter(history_id__in=[row.pk for row in rows], reason__isnull=False)
        columns = known.values_list("history_id", "reason", "sqlstate")
        reasons = {pk: (str(reason), state) for pk, reason, state in columns}
    return {
        row.pk: _failure(
            row.errors, reasons.get(row.pk), failed=row.status == Status.ERROR, can_see_errors=can_see_errors
        )
        for row in rows
    }


def failures_of_jobs(jobs: Collection[Job], *, can_see_errors: bool) -> Mapping[ManifestKey, VisibleFailure]:
    """Return the latest failures by `Job.key`."""
    reasons: Mapping[ManifestKey, _Reason] = {}
    if _has_reasons():
        reasons = job_list_queries.failure_reasons([job for job in jobs if job.failing])
    return {
        job.key: _failure(job.errors, reasons.get(job.key), failed=job.failing, can_see_errors=can_see_errors)
        for job in jobs
    }


def _failure(message: str | None, known: _Reason | None, *, failed: bool, can_see_errors: bool) -> VisibleFailure:
    reason, sqlstate = known or (None, None)
    if message is not None and not can_see_errors:
        named = f": {reason}" if reason else ""
        state = f" (SQLSTATE {sqlstate})" if sqlstate else ""
        redacted = f"The refresh failed{named}{state}. Its message can quote the data, so it requires {PERMISSION}."
        message = redacted if failed else None  # a note can name views of other agencies
    return VisibleFailure(errors=message, reason=reason, sqlstate=sqlstate)


def _has_reasons() -> bool:
    return OptionalTables.read(DEFAULT_DB_ALIAS, read_only=True).is_usable("seeder_run_metrics")
