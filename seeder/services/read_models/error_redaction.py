"""Failure messages, redacted for users without permission.

PostgreSQL's messages can quote the data.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.db import DEFAULT_DB_ALIAS

from seeder.domain.manifests import ReportType
from seeder.domain.monitoring.report_jobs import Job
from seeder.models import RunHistory, RunMetrics
from seeder.postgres import contract, job_list_queries
from seeder.postgres.sqlstates import translate_database_errors

PERMISSION = "seeder.view_errors"  # allows a user to see the complete messages


@dataclass(frozen=True, kw_only=True, slots=True)
class FailureReason:
    """The cause of a failure, without any report data."""

    reason: str | None = None  # None if not recorded
    sqlstate: str | None = None


UNKNOWN = FailureReason()


def reasons_of_rows(rows: Iterable[RunHistory]) -> Mapping[int, FailureReason]:
    """The recorded failure reasons, by history id. Raises `DatabaseError`."""
    with translate_database_errors(DEFAULT_DB_ALIAS):
        if not _has_reasons():
            return {}
        known = RunMetrics.objects.filter(history_id__in=[row.pk for row in rows], reason__isnull=False)
        return {
            pk: FailureReason(reason=reason, sqlstate=state)
            for pk, reason, state in known.values_list("history_id", "reason", "sqlstate")
        }


def reasons_of_jobs(shown: Iterable[Job]) -> Mapping[tuple[ReportType, int], FailureReason]:
    """The recorded reasons of the latest failures, by report type and manifest id. Raises `DatabaseError`."""
    with translate_database_errors(DEFAULT_DB_ALIAS):
        if not _has_reasons():
            return {}
        found = job_list_queries.failure_reasons(DEFAULT_DB_ALIAS, [job for job in shown if job.failing])
        return {key: FailureReason(reason=reason, sqlstate=state) for key, (reason, state) in found.items()}


def redact(message: str | None, reason: FailureReason, *, failed: bool, can_see_errors: bool) -> str | None:
    """The message for `errors`, complete or redacted."""
    if can_see_errors or message is None:
        return message
    if not failed:
        return None  # a note, which can name views of other agencies
    named = f": {reason.reason}" if reason.reason else ""
    state = f" (SQLSTATE {reason.sqlstate})" if reason.sqlstate else ""
    return f"The refresh failed{named}{state}. Its message can quote the data, so it requires {PERMISSION}."


def _has_reasons() -> bool:
    return contract.reason_unusable(DEFAULT_DB_ALIAS, "seeder_run_metrics", read_only=True) is None
