"""Filters of runs and of history rows."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from operator import or_

from django.db.models import BooleanField, JSONField, Q, QuerySet, Value
from django.db.models.fields.json import KeyTransform
from django.db.models.functions import Coalesce
from django.db.models.lookups import GreaterThan

from seeder.domain.manifests import ReportType
from seeder.domain.outcomes import Status
from seeder.models import Run, RunHistory
from seeder.services.run.run_liveness_lock import living_runs


@dataclass(frozen=True, kw_only=True, slots=True)
class RowFilter:
    """Filter of runs or history rows. None means any."""

    started_from: datetime | None = None  # inclusive
    started_before: datetime | None = None  # exclusive
    statuses: Collection[Status] | None = None
    report_types: Collection[ReportType] | None = None  # of history rows
    requested_by: str | None = None  # of runs

    def period(self, column: str) -> Q:
        """Return the condition of the period for a column with starts."""
        bounds = {f"{column}__gte": self.started_from, f"{column}__lt": self.started_before}
        return Q(**{lookup: bound for lookup, bound in bounds.items() if bound is not None})


def filter_history(rows: QuerySet[RunHistory], row_filter: RowFilter) -> QuerySet[RunHistory]:
    rows = rows.filter(row_filter.period("start_time"))
    if row_filter.statuses is not None:
        rows = rows.filter(status__in=row_filter.statuses)
    return rows if row_filter.report_types is None else rows.filter(report_type__in=row_filter.report_types)


def filter_runs(runs: QuerySet[Run], row_filter: RowFilter, agencies: list[str] | None) -> QuerySet[Run]:
    """Return the runs that match. Statuses are those of `RunTotals.status`, for these agencies (None: all)."""
    runs = runs.filter(row_filter.period("started_at"))
    if row_filter.requested_by is not None:
        runs = runs.filter(requested_by=row_filter.requested_by)
    if row_filter.statuses is None:
        return runs
    unfinished = {*runs.filter(finished_at=None).values_list("run_id", flat=True)}
    living = living_runs(unfinished)
    has_ended, was_stopped = Q(finished_at__isnull=False), Q(stopped_by__isnull=False)
    has_failed = Q(failed__gt=0) | was_stopped  # of any agency, by an index
    has_failed_here = has_failed if agencies is None else was_stopped | _any_failed(agencies)
    conditions = {
        Status.RUNNING: Q(pk__in=living),
        Status.ERROR: (has_ended & has_failed & has_failed_here) | Q(pk__in=unfinished - living),
        Status.SUCCESS: has_ended & ~has_failed_here,
    }
    return runs.filter(reduce(or_, (conditions[status] for status in row_filter.statuses)))


def _any_failed(agencies: Iterable[str]) -> Q:
    """Return the condition that manifests of one of these agencies failed. A run may have none of an agency."""
    failed = (KeyTransform("failed", KeyTransform(slug, "agencies")) for slug in agencies)
    unknown = Value(False, BooleanField())  # noqa: FBT003  # an SQL value
    return reduce(or_, (Q(Coalesce(GreaterThan(one, Value(0, JSONField())), unknown)) for one in failed), Q(pk__in=[]))
