"""The data of sparkbars and timelines."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from django.contrib.admin import site

from seeder.admin.charts import sparkbars, timeline_chart
from seeder.domain.monitoring.report_jobs import RecentRun
from seeder.domain.monitoring.timeline import HoldInterval, RunTotals, Timeline, TimelineBar
from seeder.domain.outcomes import Status

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def recent(status: Status, duration: float | None) -> RecentRun:
    return RecentRun(
        run_id="r", status=status, start_time=NOON, finish_time=None if duration is None else at(duration), rows=None
    )


def test_sparkbar_success_has_height_of_duration() -> None:
    latest_first = [
        recent(Status.RUNNING, None),
        recent(Status.ERROR, 2),
        recent(Status.SUCCESS, 4),
        recent(Status.SUCCESS, 8),
    ]
    chart = sparkbars(latest_first, max_bars=14)
    running, failed, half, full = chart["bars"]
    assert running["x"] > failed["x"] > half["x"] > full["x"]
    assert failed["y"] > chart["baseline"] >= half["y"] + half["height"] == full["y"] + full["height"]
    assert (full["height"], half["height"]) == (16, 8)
    assert chart["label"] == "Last 4 runs: 1 failed, 2 succeeded, 1 running; latest: running"
    assert sparkbars([], max_bars=14)["label"] == "Not run yet"
    assert sparkbars([recent(Status.SUCCESS, 0)], max_bars=14)["bars"][0]["height"] == 16


def bar(lane: int, started: float, finished: float | None, held: float = 0) -> TimelineBar:
    return TimelineBar(
        table_name="reporting.a",
        report_name="A",
        status=Status.RUNNING if finished is None else Status.SUCCESS,
        started_at=at(started),
        finished_at=None if finished is None else at(finished),
        worker_number=lane,
        throttle_wait_seconds=held,
        rows=1,
        lane=lane,
    )


RUN = RunTotals(
    run_id="r",
    description="every report",
    requested_by="a test",
    started_at=NOON,
    finished_at=at(100),
    stopped_by=None,
    workers=2,
    manifests=3,
    succeeded=3,
    failed=0,
)


def bar_positions(
    *bars: TimelineBar, run: RunTotals = RUN, holds: tuple[HoldInterval, ...] = ()
) -> list[tuple[float, float, float]]:
    chart = timeline_chart(Timeline(run=run, now=at(50), bars=bars, pending_count=0, holds=holds), site)
    return [(bar_data["from"], bar_data["to"], bar_data["throttleWait"]) for bar_data in chart["bars"]]


def test_timeline_bar_spans_start_to_finish() -> None:
    assert bar_positions(bar(1, 10, 30), bar(2, 20, 90)) == [(10, 30, 0), (20, 90, 0)]


def test_timeline_bar_of_running_view_ends_now() -> None:
    assert bar_positions(bar(1, 10, None), run=replace(RUN, finished_at=None)) == [(10, 50, 0)]


def test_throttle_wait_is_limited_to_idle_time_of_worker() -> None:
    assert bar_positions(bar(1, 10, 20), bar(1, 80, 90, held=60)) == [(10, 20, 0), (80, 90, 60)]
    assert bar_positions(bar(1, 10, 20), bar(1, 80, 90, held=65)) == [(10, 20, 0), (80, 90, 60)]
    assert bar_positions(bar(1, 10, 78), bar(1, 80, 90, held=60)) == [(10, 78, 0), (80, 90, 0)]


def test_hold_without_end_ends_with_run() -> None:
    wait = HoldInterval(database="default", reason="circuit_open", started_at=at(40), finished_at=None)
    chart = timeline_chart(Timeline(run=RUN, now=at(500), bars=[], pending_count=0, holds=[wait]), site)
    assert chart["holds"] == [{"from": 40, "to": 100, "reason": "the circuit breaker was open"}]
