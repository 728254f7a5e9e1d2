"""Why refreshes failed, as far as who looks may know it: PostgreSQL's messages can quote the data."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.db import DEFAULT_DB_ALIAS

from seeder.domain.manifests import ReportType
from seeder.domain.monitoring.report_jobs import Job
from seeder.models import RunHistory, RunMetrics
from seeder.postgres import contract, job_list_queries
from seeder.postgres.sqlstates import translate_database_errors

PERMISSION = "seeder.view_errors"  # who has it sees the messages whole


@dataclass(frozen=True, kw_only=True, slots=True)
class Why:
    """A failure in words that hold nothing of anybody's data."""

    reason: str | None = None  # None where nobody wrote it down
    sqlstate: str | None = None


NOBODY_KNOWS = Why()


def of_rows(rows: Iterable[RunHistory]) -> Mapping[int, Why]:
    """By the id of the row, of those that failed for a known reason. Raises `DatabaseError`."""
    with translate_database_errors(DEFAULT_DB_ALIAS):
        if not _are_kept():
            return {}
        known = RunMetrics.objects.filter(history_id__in=[row.pk for row in rows], reason__isnull=False)
        return {
            pk: Why(reason=reason, sqlstate=state)
            for pk, reason, state in known.values_list("history_id", "reason", "sqlstate")
        }


def of_jobs(shown: Iterable[Job]) -> Mapping[tuple[ReportType, int], Why]:
    """By kind and id of the manifest, of those that failed last for a known reason. Raises `DatabaseError`."""
    with translate_database_errors(DEFAULT_DB_ALIAS):
        if not _are_kept():
            return {}
        found = job_list_queries.failure_reasons(DEFAULT_DB_ALIAS, [job for job in shown if job.failing])
        return {key: Why(reason=reason, sqlstate=state) for key, (reason, state) in found.items()}


def told(message: str | None, why: Why, *, failed: bool, whole: bool) -> str | None:
    """What stands in `errors` for somebody who may see it whole, or may not."""
    if whole or message is None:
        return message
    if not failed:
        return None  # a note; it can name views of others
    named = f": {why.reason}" if why.reason else ""
    state = f" (SQLSTATE {why.sqlstate})" if why.sqlstate else ""
    return f"The refresh failed{named}{state}. Its message can quote the data: who may see it has {PERMISSION}."


def _are_kept() -> bool:
    return contract.reason_unusable(DEFAULT_DB_ALIAS, "seeder_run_metrics", read_only=True) is None
