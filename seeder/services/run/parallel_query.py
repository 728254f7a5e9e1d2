"""Decides for each database of a run whether its views use parallel query while all workers are busy."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from django.db import DEFAULT_DB_ALIAS

from seeder.conf import Settings
from seeder.domain.freshness.forecast import with_missed_contracts
from seeder.domain.parallel_query import (
    MAX_AGE,
    ParallelQuery,
    ParallelTrials,
    keeps_workers_busy,
    uses_parallel_query,
)
from seeder.domain.plan import PlannedView, RefreshPlan
from seeder.postgres import sessions
from seeder.postgres.contract import OptionalTables
from seeder.postgres.named_statements import STATEMENTS

_SLOWEST_TRIAL = 3  # times as long: as many processes as a parallel plan usually has


def choose(
    plan: RefreshPlan, settings: Settings, tables: OptionalTables, workers: Mapping[str, int], *, most_workers: int
) -> ParallelQuery:
    """Return what the setting says, or what took less in earlier runs. Takes one query for each database.

    `most_workers` is the number in the rows of runs.
    """
    if settings.parallel_when_busy != "auto":
        return ParallelQuery(by_default=bool(settings.parallel_when_busy), by_database={})
    busy = {
        database: views
        for database, views in plan.by_database.items()
        if tables.is_usable("seeder_run")
        and keeps_workers_busy(views=len(views), workers=workers[database], work=_work(views))
    }
    may_try = bool(busy) and not _would_miss_contracts(plan)
    chosen = {database: _choose(database, views, most_workers, may_try=may_try) for database, views in busy.items()}
    return ParallelQuery(by_default=True, by_database=chosen)


def _work(views: Sequence[PlannedView]) -> timedelta:
    return sum((view.estimated_duration for view in views), timedelta())


def _would_miss_contracts(plan: RefreshPlan) -> bool:
    """Return whether a run that takes as long as the slowest trial would miss further freshness contracts."""
    deadlines = plan.deadlines
    durations = {view: _SLOWEST_TRIAL * duration for view, duration in deadlines.durations.items()}
    slower = with_missed_contracts(replace(plan, deadlines=replace(deadlines, durations=durations)))
    return len(slower.missed_contracts) > len(plan.missed_contracts)


def _choose(database: str, views: Sequence[PlannedView], workers: int, *, may_try: bool) -> bool:
    parameters = {
        "database": database,
        "workers": workers,
        "max_age": MAX_AGE,
        "names": sorted({name for view in views for name in view.spec.table_names}),
    }
    [(now, latest_with, latest_without, count, total_with, total_without)] = sessions.query(
        DEFAULT_DB_ALIAS, STATEMENTS["parallel_trials"], parameters
    )
    trials = ParallelTrials(
        latest_with=latest_with,
        latest_without=latest_without,
        views=count,
        total_with=total_with,
        total_without=total_without,
    )
    return uses_parallel_query(trials, now, may_try=may_try)
