"""Data of the charts."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from django.contrib.admin import AdminSite
from django.utils import timezone

from seeder.admin import page_urls
from seeder.domain.human_format import format_count, format_duration
from seeder.domain.monitoring.state_words import state_word
from seeder.domain.monitoring.view_history import RunInterval, ViewRun
from seeder.domain.outcomes import Status
from seeder.services.translation import translated
from seeder.texts import Text


def days_of_axis() -> Sequence[str]:
    """Return the first day of each month as in the language of the reader."""
    return [translated(Text("{at:%-d %b}", at=date(2026, month, 1))) for month in range(1, 13)]


def history_chart(runs: Sequence[ViewRun], site: AdminSite) -> Sequence[Mapping[str, Any]]:
    """Return the runs of a view, earliest first."""
    return [
        {
            **_instant(run.start_time),
            "duration": run.duration.total_seconds() if run.duration is not None else None,
            "rows": run.rows if run.status is Status.SUCCESS else None,
            "state": run.state,
            "description": translated(_describe_run(run)),
            "url": page_urls.run(site, run.run_id),
        }
        for run in reversed(runs)
    ]


def intervals_chart(intervals: Sequence[RunInterval], site: AdminSite) -> Sequence[Mapping[str, Any]]:
    """Return the intervals of a view's history in the shape of its runs, earliest first."""
    return [
        {
            **_instant(one.start_time),
            "duration": one.median.total_seconds() if one.median is not None else None,
            "low": one.shortest.total_seconds() if one.shortest is not None else None,
            "high": one.longest.total_seconds() if one.longest is not None else None,
            "rows": one.rows,
            "state": one.state,
            "description": translated(_describe_interval(one)),
            "url": page_urls.run(site, one.slowest_run_id),
        }
        for one in reversed(intervals)
    ]


def _instant(at: datetime) -> Mapping[str, str]:
    """Return the time of the host's clock, for an axis without a time zone, and its text."""
    local = timezone.localtime(at)
    return {
        "at": f"{local.replace(tzinfo=None).isoformat()}Z",
        "at_text": translated(Text("{at:%-d %b %Y %H:%M:%S}", at=local)),
    }


def _describe_interval(one: RunInterval) -> Text:
    runs = format_count(one.runs, "run")
    if one.failed:
        runs = Text("{runs}, {failed:,} failed", runs=runs, failed=one.failed)
    if one.shortest is None or one.median is None or one.longest is None:
        return runs
    spans = {name: format_duration(getattr(one, name)) for name in ("shortest", "median", "longest")}
    return Text("{runs}: {shortest} to {longest}, median {median}", runs=runs, **spans)


def _describe_run(run: ViewRun) -> str:
    state = state_word(run.state)
    if run.duration is None:
        return state
    return Text("{status} after {duration}", status=state, duration=format_duration(run.duration))
