"""Data of the charts."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.contrib.admin import AdminSite

from seeder.admin import page_urls
from seeder.domain.human_format import format_duration
from seeder.domain.monitoring.report_jobs import RecentRun
from seeder.domain.outcomes import Status

STATUS_LABELS: Mapping[Status, str] = {
    Status.PENDING: "pending",
    Status.RUNNING: "running",
    Status.SUCCESS: "succeeded",
    Status.ERROR: "failed",
}


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
