"""Data of the charts: sparkbars and history."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.contrib.admin import AdminSite

from seeder.admin import page_urls
from seeder.domain.human_format import format_count, format_duration
from seeder.domain.monitoring.report_jobs import RecentRun
from seeder.domain.outcomes import Status

STATUS_LABELS: Mapping[Status, str] = {
    Status.PENDING: "pending",
    Status.RUNNING: "running",
    Status.SUCCESS: "succeeded",
    Status.ERROR: "failed",
}
# Pixels: the tallest success, a failure, and the distance between bars.
_SUCCESS_HEIGHT, _FAILURE_HEIGHT, _BAR_STEP = 16, 6, 7


def sparkbars(recent: Sequence[RecentRun], *, max_bars: int) -> Mapping[str, Any]:
    """Return the runs as bars: a success points up, a failure down.

    `recent` starts with the latest run, which is the rightmost bar. The height of a success is its duration.
    """
    longest = max((one.duration for one in recent if one.duration), default=None) or timedelta(seconds=1)
    bars = []
    for number, one in enumerate(recent):
        y, height = _SUCCESS_HEIGHT + 1, _FAILURE_HEIGHT
        if one.status is not Status.ERROR:
            height = max(round(_SUCCESS_HEIGHT * ((one.duration or longest) / longest)), 3)
            y = _SUCCESS_HEIGHT - height
        bars.append({"x": _BAR_STEP * (max_bars - 1 - number), "y": y, "height": height, "status": one.status})
    return {
        "bars": bars,
        "label": _describe_runs(recent),
        "width": _BAR_STEP * max_bars,
        "baseline": _SUCCESS_HEIGHT,
        "height": _SUCCESS_HEIGHT + 1 + _FAILURE_HEIGHT,
    }


def _describe_runs(recent: Sequence[RecentRun]) -> str:
    if not recent:
        return "Not run yet"
    counts = [(sum(one.status is status for one in recent), STATUS_LABELS[status]) for status in reversed(Status)]
    text = ", ".join(f"{number} {word}" for number, word in counts if number)
    return f"Last {format_count(len(recent), 'run')}: {text}; latest: {STATUS_LABELS[recent[0].status]}"


def history_chart(recent: Sequence[RecentRun], site: AdminSite) -> Sequence[Mapping[str, Any]]:
    """Return the runs of a view, earliest first."""
    return [
        {
            "at": run.start_time.isoformat(),
            "duration": run.duration.total_seconds() if run.duration is not None else None,
            "rows": run.rows if run.status is Status.SUCCESS else None,
            "status": run.status,
            "description": STATUS_LABELS[run.status] + _duration_text(run.duration),
            "url": page_urls.run(site, run.run_id),
        }
        for run in reversed(recent)
    ]


def _duration_text(duration: timedelta | None) -> str:
    return "" if duration is None else f" after {format_duration(duration)}"
