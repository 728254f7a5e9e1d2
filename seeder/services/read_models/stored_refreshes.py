"""The latest refreshes of a view as the history, the metrics and the runs have them."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from django.db import DEFAULT_DB_ALIAS

from seeder.domain.explanation.facts import RefreshMetrics, StoredRefresh
from seeder.domain.group_endings import GroupEnding
from seeder.domain.manifests import ManifestKey
from seeder.domain.mode_predictor import RefreshMode
from seeder.domain.monitoring.timeline import HoldInterval
from seeder.domain.outcomes import OPEN_STATUSES, Status
from seeder.domain.result_notes import is_reuse_note
from seeder.models import Run, RunHistory, RunMetrics, SkipDecision
from seeder.postgres import sessions
from seeder.postgres.contract import OptionalTables
from seeder.postgres.named_statements import STATEMENTS
from seeder.services.read_models import error_redaction, run_groups, run_timeline
from seeder.services.read_models.error_redaction import VisibleFailure
from seeder.services.run.run_liveness_lock import living_runs


@dataclass(frozen=True, kw_only=True, slots=True)
class WantedHistory:
    """Which history rows are of one view."""

    database: str
    names: Collection[str]  # every spelling
    manifests: Collection[ManifestKey] | None  # None: any, because no other database has a view of this name


@dataclass(frozen=True, kw_only=True, slots=True)
class LatestRefreshes:
    """The latest row, and the latest ones that ended and that succeeded. They can be the same."""

    last: StoredRefresh | None = None
    ended: StoredRefresh | None = None
    success: StoredRefresh | None = None


def read_latest(
    wanted: WantedHistory,
    tables: OptionalTables,
    agencies: list[str] | None,
    *,
    can_see_errors: bool,
    can_see_runs: bool,
) -> LatestRefreshes:
    """Return the latest refreshes. Takes at most eight statements, and a few more for the group of the latest ended."""
    rows = _latest_rows(wanted)
    if not rows:
        return LatestRefreshes()
    failures = error_redaction.failures_of_rows(rows, can_see_errors=can_see_errors)
    metrics = _read_metrics(rows, tables)
    runs = _read_runs(rows, tables)
    skips = _read_skip_reasons(rows, tables)
    unfinished = {row.run_id for row in rows if row.status in OPEN_STATUSES}
    dead = unfinished - living_runs(unfinished)
    stored = [
        (row, _stored(row, failures[row.pk], metrics.get(row.pk), runs.get(row.run_id), wanted.database))
        for row in rows
    ]
    stored = [
        (row, replace(one, skip_reason=(skips[row.pk] if can_see_errors else "") if row.pk in skips else None))
        for row, one in stored
    ]
    stored = [
        (row, _interrupted(one) if row.status in OPEN_STATUSES and row.run_id in dead else one) for row, one in stored
    ]
    if not can_see_runs:
        stored = [(row, replace(one, run_description=None, requested_by=None)) for row, one in stored]
    ended = next((row for row, _ in stored if row.status not in OPEN_STATUSES), None)
    group = _group(metrics.get(ended.pk), ended.run_id, agencies) if ended else None
    stored = [(row, replace(one, group=group) if row is ended else one) for row, one in stored]
    return LatestRefreshes(
        last=stored[0][1],
        ended=next((one for row, one in stored if row is ended), None),
        success=next((one for row, one in stored if row.status == Status.SUCCESS), None),
    )


def _interrupted(refresh: StoredRefresh) -> StoredRefresh:
    """Return an open refresh of a killed run as it will be stored."""
    return replace(refresh, status=Status.ERROR, is_interrupted=True, is_run_dead=True)


def _latest_rows(wanted: WantedHistory) -> list[RunHistory]:
    """Return at most three rows of each spelling, latest first. Of a run, the row of the first manifest."""
    manifests = wanted.manifests
    parameters = {
        "names": list(wanted.names),
        "report_types": None if manifests is None else [report_type for report_type, _ in manifests],
        "manifest_ids": None if manifests is None else [manifest_id for _, manifest_id in manifests],
    }
    latest = {pk for (pk,) in sessions.query(DEFAULT_DB_ALIAS, STATEMENTS["latest_rows"], parameters)}
    found = RunHistory.objects.in_bulk(latest) if latest else {}
    return sorted(found.values(), key=lambda row: (row.start_time, -row.pk), reverse=True)


def _read_metrics(rows: Iterable[RunHistory], tables: OptionalTables) -> Mapping[int, RunMetrics]:
    if not tables.is_usable("seeder_run_metrics"):
        return {}
    return RunMetrics.objects.in_bulk([row.pk for row in rows])


def _read_skip_reasons(rows: Iterable[RunHistory], tables: OptionalTables) -> Mapping[int, str]:
    """Return why refreshes were skipped, by the rows of skipped ones."""
    if not tables.is_usable("seeder_skip_decision"):
        return {}
    skips = SkipDecision.objects.filter(pk__in=[row.pk for row in rows], is_skipped=True)
    return dict(skips.values_list("pk", "reason"))


def _metrics(row: RunMetrics) -> RefreshMetrics:
    return RefreshMetrics(
        mode=RefreshMode(row.mode) if row.mode else None,
        mode_reason=row.mode_reason,
        fell_back=bool(row.fell_back),
        attempts=row.attempts,
        worker_wait=_seconds(row.worker_wait_seconds),
        throttle_wait=_seconds(row.throttle_wait_seconds),
        lock_wait=_seconds(row.lock_wait_seconds),
        rows_inserted=row.rows_inserted,
        rows_deleted=row.rows_deleted,
    )


def _group(metrics: RunMetrics | None, run_id: str, agencies: list[str] | None) -> GroupEnding | None:
    """Return the group with which a view was refreshed in a run."""
    if metrics is None or metrics.consistent_group is None:
        return None
    groups = run_groups.groups_of_run(run_id, agencies)
    return next((one for one in groups if one.name == metrics.consistent_group), None)


def _seconds(number: float | None) -> timedelta | None:
    return None if number is None else timedelta(seconds=number)


def _read_runs(rows: Iterable[RunHistory], tables: OptionalTables) -> Mapping[str, Run]:
    if not tables.is_usable("seeder_run"):
        return {}
    runs = Run.objects.filter(run_id__in={row.run_id for row in rows}).defer("agencies")
    return {run.run_id: run for run in runs}


def _stored(
    row: RunHistory, failure: VisibleFailure, metrics: RunMetrics | None, run: Run | None, database: str
) -> StoredRefresh:
    all_notes = (metrics.notes or "").splitlines() if metrics else []
    visible_notes = (failure.notes or "").splitlines()
    return StoredRefresh(
        history_id=row.pk,
        run_id=row.run_id,
        status=Status(row.status),
        started_at=row.start_time,
        finished_at=row.finish_time,
        rows=row.records_processed,
        size_bytes=row.bytes_processed,
        consecutive_failures=row.consecutive_failures or 0,
        run_description=run.description if run else None,
        requested_by=run.requested_by if run else None,
        message=failure.errors,
        reason=failure.reason,
        sqlstate=failure.sqlstate,
        notes=[note for note in visible_notes if not is_reuse_note(note)],
        is_interrupted=(row.errors or "").startswith(error_redaction.INTERRUPTED),
        is_reused=any(map(is_reuse_note, all_notes)),
        metrics=_metrics(metrics) if metrics else None,
        holds=_holds(row, run, database),
    )


def _holds(row: RunHistory, run: Run | None, database: str) -> list[HoldInterval]:
    """Return the holds of the database in the run, until the refresh ended."""
    holds = [run_timeline.hold_interval(hold) for hold in run.holds] if run else []
    return [
        hold
        for hold in holds
        if hold.database == database and (row.finish_time is None or hold.started_at <= row.finish_time)
    ]
