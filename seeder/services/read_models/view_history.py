"""The history of a view in a time range, at a cost that does not grow with the number of its runs."""

from collections.abc import Sequence
from dataclasses import replace

from seeder.domain.monitoring.report_jobs import Job
from seeder.domain.monitoring.view_history import TimeRange, ViewHistory, ViewRun
from seeder.models import RunMetrics
from seeder.postgres import view_history
from seeder.postgres.contract import OptionalTables

_MAX_RUNS = 200  # that are shown one by one
_INTERVALS, _MAX_RUNS_PER_INTERVAL = 120, 100


def read_history(job: Job, time_range: TimeRange, tables: OptionalTables) -> ViewHistory:
    """Return each run of a time range if there are few, otherwise intervals. Reads at most 12,000 rows."""
    runs = view_history.runs_in_range(job, time_range, max_runs=_MAX_RUNS + 1)
    if len(runs) <= _MAX_RUNS:
        return ViewHistory(time_range=time_range, runs=_with_reasons(runs, tables))
    intervals = view_history.intervals_in_range(job, time_range, intervals=_INTERVALS, max_runs=_MAX_RUNS_PER_INTERVAL)
    return ViewHistory(time_range=time_range, intervals=intervals)


def _with_reasons(runs: Sequence[ViewRun], tables: OptionalTables) -> Sequence[ViewRun]:
    if not runs or not tables.is_usable("seeder_run_metrics"):
        return runs
    metrics = RunMetrics.objects.filter(pk__in=[run.history_id for run in runs])
    reasons = dict(metrics.values_list("pk", "reason"))
    return [replace(run, reason=reasons.get(run.history_id)) for run in runs]
