"""Failures with their messages, redacted for users without permission.

PostgreSQL's messages can quote the data.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from django.db import DEFAULT_DB_ALIAS

from seeder.domain.manifests import ManifestKey
from seeder.domain.monitoring.report_jobs import Job
from seeder.domain.outcomes import HeldReason, Outcome, Status
from seeder.models import RunHistory, RunMetrics
from seeder.postgres import job_list_queries
from seeder.postgres.contract import OptionalTables
from seeder.texts import Text

PERMISSION = "seeder.view_errors"  # allows a user to see the complete messages
INTERRUPTED = "interrupted:"  # the beginning of the message of an interrupted row

_METRICS = "seeder_run_metrics"
_FIGURES = ("mode", "mode_reason", "consistent_group", "rows_inserted", "rows_deleted")
_Metrics = tuple[str | None, str | None, str | None]  # reason, SQLSTATE, notes


@dataclass(frozen=True, kw_only=True, slots=True)
class ModeAndRows:
    """How a view was refreshed, and what that wrote. Unknown values are None."""

    mode: str | None = None
    mode_reason: str | None = None  # a sentence, if the mode was chosen by measurement
    consistent_group: str | None = None  # with which it was refreshed; None if alone
    rows_inserted: int | None = None
    rows_deleted: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class VisibleFailure:
    """A failure, and the notes of a result, as the user may see them."""

    errors: str | None
    reason: str | None = None  # None if not recorded
    sqlstate: str | None = None
    notes: str | None = None  # one on each line
    is_interrupted: bool = False  # the run ended before the view
    mode_and_rows: ModeAndRows = field(default_factory=ModeAndRows)  # only of history rows

    @property
    def is_skipped(self) -> bool:
        """Whether the refresh was skipped, because it would have published the same rows."""
        return self.reason == Outcome.SKIPPED

    @property
    def is_held(self) -> bool:
        """Whether data checks are the reason."""
        return self.reason in set(HeldReason)


def failures_of_rows(rows: Collection[RunHistory], *, can_see_errors: bool) -> Mapping[int, VisibleFailure]:
    """Return the failures by history id."""
    known: dict[int, _Metrics] = {}
    figures: dict[int, ModeAndRows] = {}
    if OptionalTables.read(DEFAULT_DB_ALIAS, read_only=True).is_usable(_METRICS):
        metrics = RunMetrics.objects.filter(history_id__in=[row.pk for row in rows])
        for one in metrics.values("history_id", "reason", "sqlstate", "notes", *_FIGURES):
            known[one["history_id"]] = one["reason"], one["sqlstate"], one["notes"]
            figures[one["history_id"]] = ModeAndRows(**{name: one[name] for name in _FIGURES})
    return {
        row.pk: replace(
            _failure(row.errors, known.get(row.pk), failed=row.status == Status.ERROR, can_see_errors=can_see_errors),
            mode_and_rows=figures.get(row.pk, ModeAndRows()),
        )
        for row in rows
    }


def failures_of_jobs(
    jobs: Collection[Job], tables: OptionalTables, *, can_see_errors: bool
) -> Mapping[ManifestKey, VisibleFailure]:
    """Return the latest failures by `Job.key`."""
    known = job_list_queries.latest_results(jobs) if tables.is_usable(_METRICS) else {}
    return {
        job.key: replace(
            _failure(job.errors, known.get(job.key), failed=job.failing, can_see_errors=can_see_errors),
            is_interrupted=job.is_interrupted,
        )
        for job in jobs
    }


def _failure(message: str | None, known: _Metrics | None, *, failed: bool, can_see_errors: bool) -> VisibleFailure:
    reason, sqlstate, notes = known or (None, None, None)
    is_interrupted = (message or "").startswith(INTERRUPTED)
    if not can_see_errors:
        notes = None  # a note can name views of other agencies
        message = _redacted(reason, sqlstate) if failed and message is not None else None
    return VisibleFailure(errors=message, reason=reason, sqlstate=sqlstate, notes=notes, is_interrupted=is_interrupted)


def _redacted(reason: str | None, sqlstate: str | None) -> Text:
    text = Text("The refresh failed.")
    if reason and sqlstate:
        text = Text("The refresh failed: {reason} (SQLSTATE {sqlstate}).", reason=reason, sqlstate=sqlstate)
    elif reason:
        text = Text("The refresh failed: {reason}.", reason=reason)
    missing = Text("Its message can quote the data, so it requires {permission}.", permission=PERMISSION)
    return Text.joined([text, missing], " ")
