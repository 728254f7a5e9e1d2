"""Data of the charts: sparkbars, timeline and history."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.admin import AdminSite

from seeder.admin import page_urls
from seeder.domain.human_format import format_count, format_duration
from seeder.domain.monitoring.report_jobs import RecentRun
from seeder.domain.monitoring.timeline import Timeline, TimelineBar
from seeder.domain.outcomes import Status

STATUS_LABELS: Mapping[Status, str] = {
    Status.PENDING: "pending",
    Status.RUNNING: "running",
    Status.SUCCESS: "succeeded",
    Status.ERROR: "failed",
}
# Pixels: the tallest success, a failure, and the distance between bars.
_SUCCESS_HEIGHT, _FAILURE_HEIGHT, _BAR_STEP = 16, 6, 7


@dataclass(frozen=True, kw_only=True, slots=True)
class RunBar:
    """One run: a success points up by its duration, a failure down."""

    x: int
    y: int
    height: int
    status: Status


@dataclass(frozen=True, kw_only=True, slots=True)
class Sparkbars:
    """The latest runs of a view as bars, latest on the right."""

    bars: Sequence[RunBar]
    label: str  # text alternative
    width: int
    baseline: int = _SUCCESS_HEIGHT
    height: int = _SUCCESS_HEIGHT + 1 + _FAILURE_HEIGHT


def sparkbars(recent: Sequence[RecentRun], *, max_bars: int) -> Sparkbars:
    """Return the bars of `recent`, which starts with the latest run."""
    longest = max((one.duration for one in recent if one.duration), default=timedelta()) or timedelta(seconds=1)
    bars = []
    for number, one in enumerate(recent):
        success_height = max(round(_SUCCESS_HEIGHT * ((one.duration or longest) / longest)), 3)
        is_failure = one.status is Status.ERROR
        y, height = (
            (_SUCCESS_HEIGHT + 1, _FAILURE_HEIGHT) if is_failure else (_SUCCESS_HEIGHT - success_height, success_height)
        )
        bars.append(RunBar(x=_BAR_STEP * (max_bars - 1 - number), y=y, height=height, status=one.status))
    return Sparkbars(bars=bars, label=_describe_runs(recent), width=_BAR_STEP * max_bars)


def _describe_runs(recent: Sequence[RecentRun]) -> str:
    if not recent:
        return "Not run yet"
    counts = [(sum(one.status is status for one in recent), STATUS_LABELS[status]) for status in reversed(Status)]
    text = ", ".join(f"{number} {word}" for number, word in counts if number)
    return f"Last {format_count(len(recent), 'run')}: {text}; latest: {STATUS_LABELS[recent[0].status]}"


def timeline_chart(timeline: Timeline, site: AdminSite) -> Mapping[str, Any]:
    """Return bars and holds of a run, in seconds since start."""
    start = timeline.run.started_at
    end = timeline.run.finished_at or max([timeline.now, *(bar.started_at for bar in timeline.bars)])

    def seconds_since_start(instant: datetime) -> float:
        return max((instant - start).total_seconds(), 0)

    def bar_values() -> Iterator[Mapping[str, Any]]:
        idle_since: dict[int, float] = {}  # by lane
        for bar in timeline.bars:
            started = seconds_since_start(bar.started_at)
            finished = seconds_since_start(bar.finished_at or end)
            throttle_wait = _idle_seconds(bar, started, idle_since.get(bar.lane, 0))
            idle_since[bar.lane] = finished
            yield {
                "lane": bar.lane,
                "from": started,
                "to": finished,
                "throttleWait": throttle_wait,
                "status": bar.status,
                "name": bar.table_name,
                "description": describe_bar(bar),
                "url": page_urls.view(site, bar.table_name),
            }

    return {
        "end": seconds_since_start(end),
        "lanes": max((bar.lane for bar in timeline.bars), default=1),
        "bars": list(bar_values()),
        "holds": [
            {
                "from": seconds_since_start(hold.started_at),
                "to": seconds_since_start(hold.finished_at or end),
                "reason": describe_reason(hold.reason),
            }
            for hold in timeline.holds
        ],
    }


def _idle_seconds(bar: TimelineBar, started: float, idle_since: float) -> float:
    """Return how many seconds the throttle kept the bar's worker idle.

    The throttle wait also counts while the worker refreshes another view. If the worker was idle for less than half of
    the wait, the throttle was not the reason.
    """
    throttled = bar.throttle_wait.total_seconds() if bar.throttle_wait else 0
    idle = min(throttled, started - idle_since)
    return idle if idle > max(throttled / 2, 0.001) else 0


def describe_bar(bar: TimelineBar) -> str:
    rows_text = f", {format_count(bar.rows, 'row')}" if bar.rows and bar.status is Status.SUCCESS else ""
    reason_text = f", {describe_reason(bar.reason)}" if bar.reason else ""
    return f"{bar.report_name}: {STATUS_LABELS[bar.status]}{_duration_text(bar.duration)}{rows_text}{reason_text}"


def describe_reason(reason: str) -> str:
    return {
        "server_busy": "the throttle: the server was busy",
        "circuit_open": "the circuit breaker was open",
    }.get(reason, reason.replace("_", " "))


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
