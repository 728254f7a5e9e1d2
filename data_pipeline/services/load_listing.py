"""Lists the loads that a user may see, with their state."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import DEFAULT_DB_ALIAS
from django.db.models import Q, QuerySet

from data_pipeline.domain.load_overview import LoadSummary
from data_pipeline.domain.load_status import LoadStatus
from data_pipeline.models import LoadDeadLetter, LoadLog
from data_pipeline.postgres.error_translation import translate_errors
from data_pipeline.services.load_scope import loads_requested_by
from data_pipeline.services.page_facts import error_text, stuck_load_ids

UNDONE = "undone"
_IS_UNDONE = Q(status=LoadStatus.FAILED, error_code=UNDONE)  # such a load can be loaded again
STATUS_CONDITIONS: Mapping[str, Q] = {
    **{status: Q(status=status) for status in LoadStatus if status is not LoadStatus.FAILED},
    LoadStatus.FAILED: Q(status=LoadStatus.FAILED) & ~Q(error_code=UNDONE),
    UNDONE: _IS_UNDONE,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class LoadFilter:
    """Which loads are wanted. None means any."""

    statuses: Collection[str] = ()  # of STATUS_CONDITIONS; empty for any
    table: str | None = None  # with its schema
    source: str | None = None
    requested_by: str | None = None
    created_from: datetime | None = None  # inclusive
    created_before: datetime | None = None  # exclusive


def filtered_loads(wanted: LoadFilter) -> QuerySet[LoadLog]:
    """Return the loads that a filter accepts."""
    statuses = Q()
    for status in wanted.statuses:
        statuses |= STATUS_CONDITIONS[status]
    loads = LoadLog.objects.filter(statuses)
    if wanted.table is not None:
        loads = loads.filter(target=wanted.table)
    if wanted.source is not None:
        loads = loads.filter(source=wanted.source)
    if wanted.requested_by is not None:
        loads = loads.filter(pk__in=loads_requested_by(wanted.requested_by))
    if wanted.created_from is not None:
        loads = loads.filter(created_at__gte=wanted.created_from)
    if wanted.created_before is not None:
        loads = loads.filter(created_at__lt=wanted.created_before)
    return loads


def summaries(loads: Sequence[LoadLog], *, shows_values: bool) -> Sequence[LoadSummary]:
    """Return loads with their state. Without `shows_values`, no error quotes data of the file."""
    ids = [load.pk for load in loads]
    with translate_errors(DEFAULT_DB_ALIAS):
        failing = set(LoadDeadLetter.objects.filter(pk__in=ids, state="open").values_list("pk", flat=True))
        stuck = stuck_load_ids() if any(load.status == LoadStatus.PENDING for load in loads) else frozenset()
    return [
        _summary(load, is_stuck=load.pk in stuck, is_failing=load.pk in failing, shows_values=shows_values)
        for load in loads
    ]


def _summary(load: LoadLog, *, is_stuck: bool, is_failing: bool, shows_values: bool) -> LoadSummary:
    uri = load.payload_meta.get("source_uri")
    return LoadSummary(
        load_id=load.pk,
        source=load.source,
        status=load.status,
        table=load.target,
        source_uri=uri if isinstance(uri, str) else None,
        attempts=load.attempts,
        created_at=load.created_at,
        updated_at=load.updated_at,
        duration_ms=load.duration_ms,
        rows_in=load.rows_in,
        rows_inserted=load.rows_inserted,
        rows_updated=load.rows_updated,
        rows_unchanged=load.rows_unchanged,
        rows_deleted=load.rows_deleted,
        rows_rejected=load.rows_rejected,
        error_code=load.error_code,
        error_message=error_text(load, shows_values=shows_values),
        undone_at=load.undone_at,
        processed_by=load.processed_by,
        is_stuck=is_stuck,
        is_failing=is_failing,
    )
