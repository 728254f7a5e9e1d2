"""The run before a run: the latest one of the same request with its views."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import DurationField, Exists, ExpressionWrapper, F, Max, Min, OuterRef, Q, TextField, Value
from django.db.models.functions import Coalesce

from seeder.domain.monitoring.run_comparison import Change, ChangedView, compare_runs, least_difference
from seeder.domain.monitoring.timeline import RunTotals, Timeline
from seeder.models import RunHistory
from seeder.services.read_models import run_timeline

_MAX_AGE = timedelta(days=35)  # of the run before; a monthly run has one
_SAMPLED_VIEWS = 10


@dataclass(frozen=True, kw_only=True, slots=True)
class RunComparison:
    """A run and the one before it."""

    before: RunTotals
    duration_before: timedelta
    difference: timedelta  # positive if this run took longer
    changes: Mapping[Change, Sequence[ChangedView]]


def compare_with_previous(timeline: Timeline, agencies: list[str] | None) -> RunComparison | None:
    """Return the comparison, or None for a run that has not ended or is the first.

    Runs that were stopped are no measure, so neither they nor the run before a stopped one are compared.
    """
    if timeline.run.finished_at is None or timeline.run.stopped_by is not None:
        return None
    before = _previous_run(timeline, agencies)
    if before is None or before.duration is None:
        return None
    longer = max(before.duration, timeline.duration)
    # Reading all views of the run before would take most of the time of the page.
    names = _possibly_changed(timeline.run.run_id, before.run_id, agencies, least_difference(longer))
    bars = [bar for bar in (*timeline.bars, *timeline.never_started) if bar.table_name in names]
    return RunComparison(
        before=before,
        duration_before=before.duration,
        difference=timeline.duration - before.duration,
        changes=compare_runs(run_timeline.bars_of(before.run_id, agencies, names), bars, longer=longer),
    )


def _possibly_changed(run_id: str, run_id_before: str, agencies: list[str] | None, least: timedelta) -> Set[str]:
    """Return the views that only one run has, and those whose status or duration differs, by their names."""
    duration = ExpressionWrapper(F("finish_time") - F("start_time"), output_field=DurationField())
    views = RunHistory.objects.filter(run_id__in=[run_id, run_id_before]).of_agencies(agencies).values("table_name")
    compared = views.annotate(
        first_run=Min("run_id"),
        last_run=Max("run_id"),
        first_status=Min("status"),
        last_status=Max("status"),
        difference=Max(duration) - Min(duration),
    )
    changed = compared.filter(Q(first_run=F("last_run")) | ~Q(first_status=F("last_status")) | Q(difference__gte=least))
    return set(changed.values_list("table_name", flat=True))


def _previous_run(timeline: Timeline, agencies: list[str] | None) -> RunTotals | None:
    """Return the latest earlier run of the same request that has a view of this one.

    The parts of a divided request have the same description, and no view in common.
    """
    run = timeline.run
    longest = sorted(timeline.bars, key=lambda bar: bar.duration or timedelta(), reverse=True)[:_SAMPLED_VIEWS]
    # With Coalesce(), the planner looks up the names. It would read all rows of a run.
    with_views = (
        RunHistory.objects.of_agencies(agencies)
        .alias(of_run=Coalesce("run_id", Value("", TextField())))
        .filter(
            table_name__in=[bar.table_name for bar in longest],
            start_time__range=(OuterRef("started_at"), OuterRef("finished_at")),
            of_run=OuterRef("run_id"),
        )
    )
    earlier = run_timeline.runs_of(agencies).filter(
        description=run.description,
        started_at__gte=run.started_at - _MAX_AGE,
        started_at__lt=run.started_at,
        finished_at__isnull=False,
        stopped_by=None,
    )
    found = earlier.filter(Exists(with_views)).first() if longest else None
    if found is None:
        return None
    [totals] = run_timeline.totals([found], agencies)
    return totals
