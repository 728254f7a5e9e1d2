"""Data of the charts."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib.admin import AdminSite

from seeder.admin import page_urls
from seeder.domain.human_format import format_count, format_duration
from seeder.domain.monitoring.report_jobs import RecentRun
from seeder.domain.monitoring.view_history import RunInterval
from seeder.domain.outcomes import Status
from seeder.services.translation import translated
from seeder.texts import Text

_STATUS_WORDS: Mapping[Status, Text] = {
    Status.PENDING: Text("pending"),
    Status.RUNNING: Text("running"),
    Status.SUCCESS: Text("succeeded"),
    Status.ERROR: Text("failed"),
}


def history_chart(recent: Sequence[RecentRun], site: AdminSite) -> Sequence[Mapping[str, Any]]:
    """Return the runs of a view, earliest first."""
    return [
        {
            "at": run.start_time.isoformat(),
            "duration": run.duration.total_seconds() if run.duration is not None else None,
            "rows": run.rows if run.status is Status.SUCCESS else None,
            "status": run.status,
            "description": translated(_describe_run(run)),
            "url": page_urls.run(site, run.run_id),
        }
        for run in reversed(recent)
    ]


def intervals_chart(intervals: Sequence[RunInterval], site: AdminSite) -> Sequence[Mapping[str, Any]]:
    """Return the intervals of a view's history in the shape of its runs, earliest first."""
    return [
        {
            "at": one.start_time.isoformat(),
            "duration": one.median.total_seconds() if one.median is not None else None,
            "low": one.shortest.total_seconds() if one.shortest is not None else None,
            "high": one.longest.total_seconds() if one.longest is not None else None,
            "rows": one.rows,
            "status": Status.ERROR if one.failed else Status.SUCCESS,
            "description": translated(_describe_interval(one)),
            "url": page_urls.run(site, one.slowest_run_id),
        }
        for one in reversed(intervals)
    ]


def _describe_interval(one: RunInterval) -> Text:
    runs = format_count(one.runs, "run")
    if one.failed:
        runs = Text("{runs}, {failed:,} failed", runs=runs, failed=one.failed)
    if one.shortest is None or one.median is None or one.longest is None:
        return runs
    spans = {name: format_duration(getattr(one, name)) for name in ("shortest", "median", "longest")}
    return Text("{runs}: {shortest} to {longest}, median {median}", runs=runs, **spans)


def _describe_run(run: RecentRun) -> Text:
    status = _STATUS_WORDS[run.status]
    if run.duration is None:
        return status
    return Text("{status} after {duration}", status=status, duration=format_duration(run.duration))
