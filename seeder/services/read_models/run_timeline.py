"""Runs with their totals and timelines, limited to the visible agencies."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from django.db import DEFAULT_DB_ALIAS
from django.db.models import Count, DateTimeField, ExpressionWrapper, F, FloatField, Func, Q, QuerySet, Value

from seeder.domain.manifests import ReportType
from seeder.domain.monitoring.timeline import HoldInterval, RunTotals, Timeline, TimelineBar, assign_lanes
from seeder.domain.outcomes import OPEN_STATUSES, Status
from seeder.domain.refresh_requests import REST_OF_RUN, SelectedManifests
from seeder.errors import UnknownRun
from seeder.models import Run, RunHistory, RunMetrics
from seeder.postgres import run_totals, sessions
from seeder.postgres.contract import OptionalTables
from seeder.postgres.sqlstates import translate_database_errors
from seeder.services.read_models import error_redaction
from seeder.services.run.run_liveness_lock import living_runs
from seeder.services.storable_text import is_storable

_METRICS = (
    "worker_number",
    "worker_wait_seconds",
    "throttle_wait_seconds",
    "lock_wait_seconds",
    "rows_inserted",
    "rows_deleted",
    "reason",
    "mode",
    "mode_reason",
    "consistent_group",
)
_METRICS_TABLE = "seeder_run_metrics"
_MAX_IDS = 1000  # of metrics that are read one by one, and not by the range of their run


class _Row(NamedTuple):
    """A row of the history, as far as a bar needs it."""

    pk: int
    table_name: str
    report_name: str
    status: str
    started: float
    finished: float | None
    records_processed: int | None
    is_interrupted: bool | None
    was_pending: bool


_NAME, _STATUS, _STARTED, _FINISHED, _WAS_PENDING = map(
    _Row._fields.index, ("table_name", "status", "started", "finished", "was_pending")
)
_NO_METRICS = (None,) * len(_METRICS)


def runs_of(agencies: list[str] | None) -> QuerySet[Run]:
    """The runs with manifests of these agencies (None: all), the latest first, without the counts of each agency."""
    return Run.objects.of_agencies(agencies).order_by("-started_at", "-run_id").defer("agencies")


def totals(runs: Iterable[Run], agencies: list[str] | None) -> list[RunTotals]:
    """Totals of runs over the manifests of these agencies.

    Needs at most four queries, or none if all runs have ended and all agencies count.
    """
    runs = list(runs)
    unfinished = [run.run_id for run in runs if run.finished_at is None]
    has_metrics = bool(unfinished) and OptionalTables.read(DEFAULT_DB_ALIAS, read_only=True).is_usable(_METRICS_TABLE)
    live = run_totals.counts_until_now(unfinished, agencies, has_metrics=has_metrics)
    dead = {*unfinished} - living_runs(unfinished)
    counts = {**_recorded_counts(runs, agencies), **live}
    return [_totals(run, counts[run.run_id], is_dead=run.run_id in dead) for run in runs]


def view_counts(run_ids: Sequence[str], agencies: list[str] | None) -> Mapping[str, Mapping[str, int]]:
    """Return the numbers of views of each run, the unit of the commands, as `views`, `succeeded` and `failed`.

    A name that two databases share counts as failed if either failed.
    """
    rows = RunHistory.objects.filter(run_id__in=run_ids).of_agencies(agencies).values_list("run_id")
    counted = rows.annotate(
        views=Count("table_name", distinct=True),
        open=Count("table_name", distinct=True, filter=Q(status__in=OPEN_STATUSES)),
        failed=Count("table_name", distinct=True, filter=Q(status=Status.ERROR)),
    )
    none = {"views": 0, "succeeded": 0, "failed": 0}  # of a run whose history was pruned
    return dict.fromkeys(run_ids, none) | {
        run_id: {"views": views, "succeeded": max(views - unfinished - failed, 0), "failed": failed}
        for run_id, views, unfinished, failed in counted
    }


def summary(run_id: str, agencies: list[str] | None) -> tuple[RunTotals, list[HoldInterval]]:
    """The totals and holds of a run, without its views.

    Raises `UnknownRun`, also for a run of other agencies.
    """
    run = runs_of(agencies).filter(run_id=run_id).first() if is_storable(run_id) else None
    if run is None:
        raise UnknownRun(run_id=run_id)
    [summed] = totals([run], agencies)
    return summed, [hold_interval(hold) for hold in run.holds]


@translate_database_errors(DEFAULT_DB_ALIAS)
def retry_request(run_id: str, agencies: list[str] | None) -> SelectedManifests:
    """Return the request to refresh again what failed or was interrupted in a run, for these agencies.

    Of a killed run, it is everything that has not succeeded, even if nothing has closed its rows yet.

    Raises `UnknownRun`, also for a run of other agencies.
    """
    run, _ = summary(run_id, agencies)
    left = [Status.ERROR, *OPEN_STATUSES] if run.is_dead else [Status.ERROR]
    failed = history_of(run_id, agencies).filter(status__in=left).values_list("report_type", "manifest_id")
    return SelectedManifests(
        manifests=frozenset((ReportType(kind), number) for kind, number in failed),
        description=REST_OF_RUN.with_arguments(run_id=run_id),
    )


def timeline(run_id: str, agencies: list[str] | None) -> Timeline:
    """The timeline of a run.

    Raises `UnknownRun`, also for a run of other agencies.
    """
    now = sessions.server_time(DEFAULT_DB_ALIAS)
    run, holds = summary(run_id, agencies)
    rows, metrics = _rows_with_metrics(history_of(run_id, agencies))
    known = [row for row in rows.values() if row[_STATUS] != Status.PENDING]
    lanes = assign_lanes(
        (row[_STARTED], measured[0] or 0, row[_FINISHED] or now.timestamp(), row[_NAME], measured[-1])
        for row in known
        for measured in [metrics.get(row[0], _NO_METRICS)]
        if not row[_WAS_PENDING]
    )
    return Timeline(
        run=run,
        now=now,
        bars=[
            _bar(_Row._make(rows[name]), metrics, lane=lane, previous_end=previous_end)
            for name, (lane, previous_end) in lanes.items()
        ],
        pending_count=len(rows) - len(known),
        holds=holds,
        never_started=[_bar(_Row._make(row), metrics) for row in known if row[_WAS_PENDING]],
    )


def bars_of(run_id: str, agencies: list[str] | None, table_names: Collection[str]) -> Sequence[TimelineBar]:
    """Return the bars of views of a run, as far as these agencies may see them, without lanes and pending views."""
    rows, metrics = _rows_with_metrics(history_of(run_id, agencies).filter(table_name__in=table_names))
    return [_bar(_Row._make(row), metrics) for row in rows.values() if row[_STATUS] != Status.PENDING]


def history_of(run_id: str, agencies: list[str] | None) -> QuerySet[RunHistory]:
    """The history rows of a run that these agencies may see.

    Order them by `begun_at`, their start time as an expression. With the column, the planner can read the index on
    start times, and would search the entire history for more rows after the last one of the run.
    """
    begun_at = ExpressionWrapper(F("start_time") + timedelta(0), output_field=DateTimeField())
    return RunHistory.objects.filter(run_id=run_id).of_agencies(agencies).annotate(begun_at=begun_at)


def _recorded_counts(runs: Sequence[Run], agencies: list[str] | None) -> Mapping[str, Mapping[str, int]]:
    """Return the counts that the rows of runs have, by run."""
    if agencies is None:
        return {run.run_id: {name: getattr(run, name) or 0 for name in run_totals.COUNTS} for run in runs}
    run_ids = [run.run_id for run in runs]
    none = {run_id: dict.fromkeys(run_totals.COUNTS, 0) for run_id in run_ids}
    return {**none, **run_totals.totals_of_agencies(run_ids, agencies)}


def _totals(run: Run, counts: Mapping[str, int], *, is_dead: bool) -> RunTotals:
    open_rows = counts.get("open", 0) if is_dead else 0  # of a dead run, they were interrupted
    return RunTotals(
        run_id=run.run_id,
        description=run.description,
        requested_by=run.requested_by,
        started_at=run.started_at,
        finished_at=run.finished_at,
        stopped_by=run.stopped_by,
        cancel_requested_by=run.cancel_requested_by,
        workers=run.workers,
        is_dead=is_dead,
        parallel_query=run.parallel_query,
        **{name: counts[name] for name in run_totals.COUNTS} | {"interrupted": counts["interrupted"] + open_rows},
    )


def _rows_with_metrics(
    of_run: QuerySet[RunHistory],
) -> tuple[Mapping[str, tuple[Any, ...]], Mapping[int, tuple[Any, ...]]]:
    """Return one row for each view by its name, even if several manifests name it, and metrics by history id.

    A row has the values of `_Row`, and metrics those of `_METRICS`. Plain tuples of strings and numbers are left out
    when Python collects garbage, unlike objects.
    """
    ended = of_run.annotate(
        is_interrupted=Q(errors__startswith=error_redaction.INTERRUPTED),
        was_pending=Q(start_time=F("created_at"), status=Status.ERROR),
        started=_seconds("start_time"),
        finished=_seconds("finish_time"),
    )
    first_rows: dict[str, tuple[Any, ...]] = {}
    for row in ended.order_by("report_type", "manifest_id").values_list(*_Row._fields):
        first = first_rows.setdefault(row[_NAME], row)
        # Two databases can have a view of the same name: then a failed one is shown.
        if row[_STATUS] == Status.ERROR != first[_STATUS]:
            first_rows[row[_NAME]] = row
    return first_rows, _metrics([row[0] for row in first_rows.values()])


def _seconds(column: str) -> Func:
    """Return a time as seconds since 1970, because reading a datetime takes ten times as long."""
    return Func(Value("epoch"), F(column), function="date_part", output_field=FloatField())


def _bar(
    row: _Row, metrics: Mapping[int, tuple[Any, ...]], *, lane: int = 0, previous_end: float | None = None
) -> TimelineBar:
    measured: Mapping[str, Any] = dict(zip(_METRICS, metrics.get(row.pk, _NO_METRICS), strict=True))
    return TimelineBar(
        history_id=row.pk,
        table_name=row.table_name,
        report_name=row.report_name,
        status=Status(row.status),
        started_at=datetime.fromtimestamp(row.started, UTC),
        finished_at=None if row.finished is None else datetime.fromtimestamp(row.finished, UTC),
        rows=row.records_processed,
        is_interrupted=bool(row.is_interrupted),
        has_started=not row.was_pending,
        lane=lane,
        previous_member_ended_at=None if previous_end is None else datetime.fromtimestamp(previous_end, UTC),
        **measured,
    )


def _metrics(ids: Sequence[int]) -> Mapping[int, tuple[Any, ...]]:
    """Return the available values of `_METRICS` of these history rows, by history id."""
    if not ids or not OptionalTables.read(DEFAULT_DB_ALIAS, read_only=True).is_usable("seeder_run_metrics"):
        return {}
    rows = RunMetrics.objects.of_rows(min(ids), max(ids))
    if len(ids) <= _MAX_IDS:
        rows = rows.filter(pk__in=ids)
    return {row[0]: row[1:] for row in rows.values_list("pk", *_METRICS)}


def hold_interval(hold: Mapping[str, Any]) -> HoldInterval:
    """Return a hold as a run's row has it."""
    return HoldInterval(
        database=hold["database"],
        reason=hold["reason"],
        started_at=datetime.fromisoformat(hold["from"]),
        finished_at=datetime.fromisoformat(hold["until"]) if hold["until"] else None,
    )
