"""Loads the files of a period, one for each day."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from django.db import DEFAULT_DB_ALIAS

from data_pipeline.artefact_errors import ArtefactMissing
from data_pipeline.domain.day_templates import DayTemplate, days_between
from data_pipeline.domain.load_status import LoadStatus
from data_pipeline.errors import PipelineError
from data_pipeline.models import LoadLog
from data_pipeline.services.load_file import find_load, load_file
from data_pipeline.services.load_options import Loaded


class DayState(StrEnum):
    """What there is of a day's file."""

    MISSING = "missing"  # there is no file
    NEW = "new"
    LOADED = "loaded"  # its rows are in the table
    FAILED = "failed"  # also undone; it is attempted again
    PENDING = "pending"  # it is being loaded, or its process was killed


@dataclass(frozen=True, kw_only=True, slots=True)
class DayPlan:
    """The file of a day. After the backfill it has the result."""

    day: date
    source_uri: str
    state: DayState
    load_id: int | None = None  # of the latest load of the file
    loaded: Loaded | None = None  # None if it was not attempted, or failed
    error: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class BackfillOptions:
    """How each file is loaded."""

    table: str = "auto"
    dialect: str | None = None
    mode: str | None = None
    force: bool = False  # also load files that were loaded before


def plan_backfill(
    template: str, first: date, last: date, options: BackfillOptions, *, using: str = DEFAULT_DB_ALIAS
) -> Sequence[DayPlan]:
    """Return what there is of each day. Nothing is loaded. Raises `BadDayTemplate`, `BadDayRange` or other errors."""
    parsed = DayTemplate.parse(template)
    return [_plan_day(day, parsed.address(day), options, using) for day in days_between(first, last)]


def _plan_day(day: date, source_uri: str, options: BackfillOptions, using: str) -> DayPlan:
    try:
        load = find_load(source_uri, table=options.table, dialect=options.dialect, using=using)
    except ArtefactMissing:
        return DayPlan(day=day, source_uri=source_uri, state=DayState.MISSING)
    return DayPlan(day=day, source_uri=source_uri, state=_state_of(load), load_id=load.pk if load else None)


def _state_of(load: LoadLog | None) -> DayState:
    if load is None:
        return DayState.NEW
    states = {LoadStatus.PENDING: DayState.PENDING, LoadStatus.FAILED: DayState.FAILED}
    return states.get(LoadStatus(load.status), DayState.LOADED)


def is_due(plan: DayPlan, options: BackfillOptions) -> bool:
    """Return whether a backfill loads the file of a day."""
    return plan.state is not DayState.MISSING and (options.force or plan.state is not DayState.LOADED)


def run_backfill(
    plans: Sequence[DayPlan],
    options: BackfillOptions,
    *,
    using: str = DEFAULT_DB_ALIAS,
    on_progress: Callable[[int, int], object] = lambda *_: None,
) -> Iterator[DayPlan]:
    """Load what is due, day by day. Yield each day with its result. A day that fails does not end the others."""
    due, completed = sum(is_due(plan, options) for plan in plans), 0
    for plan in plans:
        if not is_due(plan, options):
            yield plan
            continue
        yield _load_day(plan, options, using)
        completed += 1
        on_progress(completed, due)


def _load_day(plan: DayPlan, options: BackfillOptions, using: str) -> DayPlan:
    try:
        loaded = load_file(
            plan.source_uri,
            table=options.table,
            dialect=options.dialect,
            mode=options.mode,
            force=plan.state is DayState.LOADED,
            using=using,
        )
    except PipelineError as error:
        return replace(plan, state=DayState.FAILED, error=str(error))
    return replace(plan, state=DayState.LOADED, load_id=loaded.load_id, loaded=loaded)
