"""Runs with their totals and timelines, limited to the visible agencies."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from django.db import DEFAULT_DB_ALIAS
from django.db.models import Count, Q, QuerySet

from seeder.domain.monitoring.timeline import HoldInterval, RunTotals, Timeline, TimelineBar, assign_lanes
from seeder.domain.outcomes import Status
from seeder.errors import UnknownRun
from seeder.models import Run, RunHistory, RunMetrics
from seeder.postgres import contract, sessions
from seeder.postgres.sqlstates import translate_database_errors

_METRICS = ("worker_number", "throttle_wait_seconds", "lock_wait_seconds", "reason")
_COUNTS = ("manifests", "succeeded", "failed")


def runs_of(agencies: list[str] | None) -> QuerySet[Run]:
    """The runs with manifests of these agencies (None: all), the latest first."""
    return Run.objects.of_agencies(agencies).order_by("-started_at", "-run_id")


def totals(runs: Iterable[Run], agencies: list[str] | None) -> list[RunTotals]:
    """Totals of runs over the manifests of these agencies.

    Needs one query, or none if all runs have ended.
    """
    runs = list(runs)
    live = _live_counts([run.run_id for run in runs if run.finished_at is None], agencies)
    return [_totals(run, agencies, live.get(run.run_id, {})) for run in runs]


def summary(run_id: str, agencies: list[str] | None) -> tuple[RunTotals, list[HoldInterval]]:
    """The totals and holds of a run, without its views.

    Raises `DatabaseError`, or `UnknownRun`, also for a run of other agencies.
    """
    with translate_database_errors(DEFAULT_DB_ALIAS):
        run = _find(run_id, agencies)
        [summed] = totals([run], agencies)
    return summed, [_hold(hold) for hold in run.holds]


def timeline(run_id: str, agencies: list[str] | None) -> Timeline:
    """The timeline of a run.

    Raises `DatabaseError`, or `UnknownRun`, also for a run of other agencies.
    """
    with translate_database_errors(DEFAULT_DB_ALIAS):
        now = sessions.server_time(DEFAULT_DB_ALIAS)
        run = _find(run_id, agencies)
        bars = _bars(history_of(run_id, agencies))
        [summed] = totals([run], agencies)
    begun = [bar for bar in bars if bar.status is not Status.PENDING]
    waits = [_hold(hold) for hold in run.holds]
    return Timeline(
        run=summed, now=now, bars=assign_lanes(begun, now=now), pending_count=len(bars) - len(begun), holds=waits
    )


def _find(run_id: str, agencies: list[str] | None) -> Run:
    run = runs_of(agencies).filter(run_id=run_id).first()
    if run is None:
        raise UnknownRun(run_id=run_id)
    return run


def history_of(run_id: str, agencies: list[str] | None) -> QuerySet[RunHistory]:
    """The history rows of a run that these agencies may see."""
    return RunHistory.objects.filter(run_id=run_id).of_agencies(agencies)


def _live_counts(run_ids: Sequence[str], agencies: list[str] | None) -> Mapping[str, Mapping[str, int]]:
    if not run_ids:
        return {}
    rows = RunHistory.objects.filter(run_id__in=run_ids).of_agencies(agencies).values_list("run_id")
    counted = rows.annotate(
        manifests=Count("pk"),
        succeeded=Count("pk", filter=Q(status=Status.SUCCESS)),
        failed=Count("pk", filter=Q(status=Status.ERROR)),
    )
    return {run_id: dict(zip(_COUNTS, counts, strict=True)) for run_id, *counts in counted}


def _totals(run: Run, agencies: list[str] | None, live: Mapping[str, int]) -> RunTotals:
    of_agencies = run.agencies.values() if agencies is None else [run.agencies.get(slug, {}) for slug in set(agencies)]
    counts = live or {what: sum(counted.get(what, 0) for counted in of_agencies) for what in _COUNTS}
    return RunTotals(
        run_id=run.run_id,
        description=run.description,
        requested_by=run.requested_by,
        started_at=run.started_at,
        finished_at=run.finished_at,
        stopped_by=run.stopped_by,
        workers=run.workers,
        **counts,
    )


def _bars(of_run: QuerySet[RunHistory]) -> list[TimelineBar]:
    """One bar for each view, even if several manifests name it."""
    names = ("table_name", "report_name", "agency_slug", "status", "start_time", "finish_time", "records_processed")
    rows = list(of_run.order_by("report_type", "manifest_id").values("pk", *names))
    measured = _measured([row["pk"] for row in rows])
    bars: dict[str, TimelineBar] = {}
    agencies: dict[str, set[str]] = {}
    for row in rows:
        agencies.setdefault(row["table_name"], set()).add(row["agency_slug"])
        if row["table_name"] not in bars:
            bars[row["table_name"]] = _bar(row | measured.get(row["pk"], {}))
    return [replace(bar, agencies=sorted(agencies[name])) for name, bar in bars.items()]


def _measured(ids: Sequence[int]) -> Mapping[int, dict[str, Any]]:
    """The available metrics of these history rows, by history id.

    The rows of a run are inserted together, so that a range of ids selects them. A join would read the metrics of
    all runs.
    """
    if not ids or contract.reason_unusable(DEFAULT_DB_ALIAS, "seeder_run_metrics", read_only=True) is not None:
        return {}
    rows = RunMetrics.objects.filter(history_id__gte=min(ids), history_id__lte=max(ids)).values("history_id", *_METRICS)
    return {row["history_id"]: dict(row) for row in rows}


def _bar(row: Mapping[str, Any]) -> TimelineBar:
    return TimelineBar(
        table_name=row["table_name"],
        report_name=row["report_name"],
        agencies=(),
        status=Status(row["status"]),
        started_at=row["start_time"],
        finished_at=row["finish_time"],
        worker_number=row.get("worker_number"),
        throttle_wait=_timedelta(row.get("throttle_wait_seconds")),
        lock_wait=_timedelta(row.get("lock_wait_seconds")),
        reason=row.get("reason"),
        rows=row["records_processed"],
    )


def _hold(hold: Mapping[str, str | None]) -> HoldInterval:
    began, ended = hold["from"], hold["until"]
    return HoldInterval(
        database=str(hold["database"]),
        reason=str(hold["reason"]),
        started_at=datetime.fromisoformat(str(began)),
        finished_at=None if ended is None else datetime.fromisoformat(ended),
    )


def _timedelta(seconds: float | None) -> timedelta | None:
    return None if seconds is None else timedelta(seconds=seconds)
